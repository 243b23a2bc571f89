import { createNodeSpawn } from '../../src/sources/node-spawn.ts';

/**
 * A process with one child, which writes for ever and ignores SIGTERM. Prints the child's pid, then goes as its argument says: `exit`, `throw`, or `wait` to be killed.
 * Run as a program by the test of orphans.
 */
const child = createNodeSpawn()('sh', ['-c', "trap '' TERM; while :; do echo x; done"], {
  stdout: () => undefined,
  stderr: () => undefined,
  end: () => undefined,
});
process.stdout.write(`${child.pid}\n`, () => {
  if (process.argv[2] === 'exit') process.exit(0);
  if (process.argv[2] === 'throw') throw new Error('as asked');
});
