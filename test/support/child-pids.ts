import { readdirSync, readFileSync } from 'node:fs';

/** The children of this process, whichever of its threads started them. */
export const childPids = (): number[] =>
  readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number),
  );
