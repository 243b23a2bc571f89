import { resolve } from 'node:path';
import { UsageError } from './exit-code.ts';

/** Two outputs in one file, or one over what is read, would lose one of them; several may go to a device such as /dev/stdout. Errors: UsageError. */
export function requireOwnFiles(files: Readonly<Record<string, string | undefined>>): void {
  const seen = new Map<string, string>();
  for (const [option, file] of Object.entries(files)) {
    if (file === undefined) continue;
    const path = resolve(file);
    const other = seen.get(path);
    if (other !== undefined && !path.startsWith('/dev/'))
      throw new UsageError(`${other} and ${option} both name ${file}; give each a file of its own`);
    seen.set(path, option);
  }
}
