import { parentPort } from 'node:worker_threads';
import { serveTasks } from '../../src/runtime/threads/serve-tasks.ts';

/** What the worker of the tests of the worker pool can be asked. */
export interface FrailTasks {
  readonly echo: { readonly request: string; readonly answer: string };
  /** Ends the thread without an answer. */
  readonly die: { readonly request: number; readonly answer: never };
  /** Throws where nobody catches it. */
  readonly throw: { readonly request: string; readonly answer: never };
  readonly loop: { readonly request: null; readonly answer: never };
}

const NEVER = new Promise<never>(() => undefined);

if (parentPort !== null)
  await serveTasks<FrailTasks>(parentPort, () => ({
    echo: (text) => text,
    die: (code) => process.exit(code),
    throw: (message) => {
      setImmediate(() => {
        throw new Error(message);
      });
      return NEVER;
    },
    loop: () => {
      for (;;);
    },
  }));
