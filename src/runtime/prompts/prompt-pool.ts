import type { Clock } from '../../core/clock.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { criticalityRank, type Stream } from '../../core/stream.ts';
import { addUs, durationUs } from '../../core/units.ts';
import { WorkerPool, type WorkerPoolDeps } from '../threads/worker-pool.ts';
import type { PromptEncoder } from './prompt-encoder.ts';
import type { PromptInit, PromptTasks } from './prompt-protocol.ts';

export type PromptPool = WorkerPool<PromptTasks>;

/** The longest text that a tokenizer takes is worth 1.8 s of work, and a prompt may be tried some times until it fits. */
const TASK_TIMEOUT_US = durationUs(20_000_000);

/** More prompts than all pipelines together let in. */
const TASKS_MAX = 4_096;

/** The thread that makes prompts of messages, where there is a model: one, since a prompt that waits for another is younger than the answer before it. */
export function createPromptPool(init: PromptInit, deps: WorkerPoolDeps): PromptPool {
  const entry = new URL('./prompt-worker', import.meta.url);
  const limits = { workers: Math.min(1, init.models.length), tasksMax: TASKS_MAX, taskTimeoutUs: TASK_TIMEOUT_US };
  return new WorkerPool<PromptTasks>({ name: 'prompt', entry, init, ...limits }, deps);
}

/** The prompts of a stream's model, as urgent as the stream is. */
export function createPooledEncoder(stream: Stream, pool: PromptPool, clock: Clock): PromptEncoder {
  const rank = criticalityRank(stream.criticality);
  return {
    encode(prompt, deadlineAt = addUs(clock.now(), stream.deadlineUs), onEnd) {
      void pool.run('encode', { model: stream.model, prompt }, { rank, deadlineAt }).then(
        ({ ids, sharedTokens, messages = prompt.messages }) => onEnd({ ids: Array.from(ids), sharedTokens, messages }),
        (thrown: unknown) => onEnd(thrown instanceof CoxswainError ? thrown : new CoxswainError('WORKER_CRASHED', messageOf(thrown))),
      );
    },
  };
}
