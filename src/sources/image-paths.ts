import { opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';

const IMAGE_NAME = /\.(jpe?g|png|webp)$/i;

/**
 * The files that `paths` stand for, in order. A path is a file, a folder (its images, sorted by name, not those below it), or a pattern whose last
 * part holds `*` (any characters) or `?` (one character). An existing path is always taken as it is. Rejects with FILE_UNREADABLE when one cannot be read,
 * matches nothing, or more than `filesMax` files come together.
 */
export async function expandImagePaths(paths: readonly string[], filesMax: number): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const matches = await expand(path, filesMax);
    if (matches.length === 0) throw new CoxswainError('FILE_UNREADABLE', `no image found at '${path}'`);
    files.push(...matches);
    if (files.length > filesMax) throw new CoxswainError('FILE_UNREADABLE', `more than ${filesMax} images at '${path}': name fewer`);
  }
  return files;
}

async function expand(path: string, filesMax: number): Promise<readonly string[]> {
  try {
    return (await stat(path)).isDirectory() ? await list(path, IMAGE_NAME, filesMax) : [path];
  } catch (error) {
    const pattern = path.slice(path.lastIndexOf('/') + 1);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && /[*?]/.test(pattern))
      return list(dirname(path), patternOf(pattern), filesMax);
    throw unreadable(path, error);
  }
}

/** Stops reading the folder at one file more than allowed, however many there are. */
async function list(folder: string, name: RegExp, filesMax: number): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory() || !name.test(entry.name)) continue;
      names.push(entry.name);
      if (names.length > filesMax) break;
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
  // By code unit, so that the order is the same on every machine.
  return names.sort().map((file) => join(folder, file));
}

/** A run of `*` is one `*`, so that the expression never backtracks for long. Hidden files match only a pattern that begins with a dot. */
function patternOf(pattern: string): RegExp {
  const body = pattern
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${pattern.startsWith('.') ? '' : '(?!\\.)'}${body}$`, 's');
}

const unreadable = (path: string, error: unknown): CoxswainError =>
  new CoxswainError('FILE_UNREADABLE', `'${path}' could not be read: ${messageOf(error)}`, { cause: error });
