import { readdirSync } from 'node:fs';
import { nearest } from '../config/nearest.ts';
import { UsageError } from './exit-code.ts';

const SUFFIX = '.yaml';

/** The names of the profiles in a folder, sorted. */
export const socNames = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();

/** Where a profile is: a path when `soc` looks like one, else a shipped profile by name. Errors: UsageError for a name that none has. */
export function socFile(soc: string, folder: string): string {
  if (soc.includes('/') || soc.endsWith(SUFFIX)) return soc;
  const names = socNames(folder);
  if (names.includes(soc)) return `${folder}/${soc}${SUFFIX}`;
  const meant = nearest(soc, names);
  throw new UsageError(
    `there is no profile ${JSON.stringify(soc)}; allowed is a file or one of ${names.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  );
}
