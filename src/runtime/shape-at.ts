import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { LanguageShape } from '../config/runtime-config.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../models/language/decoder-directory.ts';
import { preferredOf, shapeOf } from './language-directory.ts';
import { graphOfFile } from './plan-file.ts';

/**
 * The language model that lies in a folder as downloaded from the hub, or whose decoder is in this ONNX file of such a folder; `context` is the longest conversation that
 * it knows. Undefined for a network. Errors: FILE_UNREADABLE, and as of `readDecoderDirectory` and `readDecoderVariant`.
 */
export function shapeAt(path: string): LanguageShape | undefined {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && !graphOfFile(path).inputs.some(({ name }) => name.startsWith('past_key_values.'))) return undefined;
  const directory = readDecoderDirectory(isFolder ? path : folderOf(path));
  const named = directory.variants.find(({ file }) => resolve(file) === resolve(path));
  const variant = isFolder ? preferredOf(directory) : (named ?? variantOf(directory, basename(path)));
  return shapeOf(readDecoderVariant(directory, variant));
}

/** Its configuration is beside the file, or above its folder `onnx`. */
const folderOf = (file: string): string => (basename(dirname(resolve(file))) === 'onnx' ? join(dirname(file), '..') : dirname(file));
