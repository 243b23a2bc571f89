import { type DurationUs, durationUs } from '../../core/units.ts';
import { WorkerPool, type WorkerPoolDeps } from '../threads/worker-pool.ts';
import type { MediaInit, MediaTasks } from './protocol.ts';

export interface MediaPoolOptions extends MediaInit {
  readonly workers: number;
  readonly tasksMax: number;
  /** Generous by default: the longest task measured, decoding a 12-megapixel photo, took under 0.3 s. */
  readonly taskTimeoutUs?: DurationUs;
}

export type MediaPool = WorkerPool<MediaTasks>;

const TASK_TIMEOUT_US = durationUs(10_000_000);

/** Threads for media work. */
export function createMediaPool(
  { workers, tasksMax, taskTimeoutUs = TASK_TIMEOUT_US, ...init }: MediaPoolOptions,
  deps: WorkerPoolDeps,
): MediaPool {
  const entry = new URL('./media-worker', import.meta.url);
  return new WorkerPool<MediaTasks>({ name: 'media', entry, init, workers, tasksMax, taskTimeoutUs }, deps);
}
