import type { MessagePort } from 'node:worker_threads';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { TaskCall, TaskReply, TaskTable } from './task-protocol.ts';

/** What a worker does for each kind of task. */
export type TaskHandlers<Tasks extends TaskTable<Tasks>> = {
  readonly [K in keyof Tasks]: (request: Tasks[K]['request']) => Tasks[K]['answer'] | Promise<Tasks[K]['answer']>;
};

/** The inside of a worker thread: opens what it needs, says that it is ready, and answers one task after the other. A CoxswainError while it opens is told as what it is. */
export async function serveTasks<Tasks extends TaskTable<Tasks>>(
  port: MessagePort,
  open: () => TaskHandlers<Tasks> | Promise<TaskHandlers<Tasks>>,
): Promise<void> {
  const tell = (reply: TaskReply): void => port.postMessage(reply);
  let handlers: TaskHandlers<Tasks>;
  try {
    handlers = await open();
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    return tell({ kind: 'unfit', code: thrown.code, message: thrown.message });
  }
  const run = async ({ id, kind, request }: TaskCall): Promise<TaskReply> => {
    try {
      const task = handlers[kind as keyof Tasks] as (request: unknown) => unknown;
      return { kind: 'done', id, answer: await task(request) };
    } catch (thrown) {
      const code = thrown instanceof CoxswainError ? thrown.code : 'WORKER_CRASHED';
      return { kind: 'failed', id, code, message: messageOf(thrown) };
    }
  };
  port.on('message', (call: TaskCall) => {
    void run(call).then(tell);
  });
  tell({ kind: 'ready' });
}
