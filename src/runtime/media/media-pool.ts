import { Worker } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { createDeferred } from '../../core/deferred.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { Heap } from '../../core/heap.ts';
import { type DurationUs, durationUs, type InstantUs } from '../../core/units.ts';
import type { MediaCall, MediaReply, MediaTaskKind, MediaTasks, WorkerInit } from './protocol.ts';

/** How soon a task matters: more important classes first, then the earlier deadline. */
export interface Urgency {
  /** criticalityRank of the stream; 0 is most important. */
  readonly rank: number;
  readonly deadlineAt: InstantUs;
}

export interface MediaPoolOptions extends WorkerInit {
  readonly workers: number;
  readonly tasksMax: number;
  /** A task that takes longer has its worker ended and started anew. */
  readonly taskTimeoutUs: DurationUs;
}

export interface MediaPoolDeps {
  readonly clock: Clock;
  readonly onWorkerLost: (message: string) => void;
}

interface Task {
  readonly call: MediaCall;
  readonly urgency: Urgency;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: CoxswainError) => void;
}

interface Seat {
  worker: Worker;
  isReady: boolean;
  task: Task | undefined;
  timeout: Timer | undefined;
}

/** After this many losses in a row without one finished task between them, a worker is not started again. */
const LOSSES_IN_A_ROW_MAX = 5;

/**
 * Compiled, the worker lies beside us as .js. Run from source (tests, tools), a thread of Node 20 does not inherit the loader of TypeScript and has to
 * register it by itself.
 */
function openWorker(workerData: WorkerInit): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./media-worker.js', import.meta.url), { workerData });
  const entry = JSON.stringify(new URL('./media-worker.ts', import.meta.url).href);
  return new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${entry}); })`, { eval: true, workerData });
}

/** Worker threads for media work, the most urgent task first, one task a worker at a time. */
export class MediaPool {
  readonly #options: MediaPoolOptions;
  readonly #deps: MediaPoolDeps;
  readonly #waiting = new Heap<Task>(isMoreUrgent);
  readonly #seats: Seat[] = [];
  #taskId = 0;
  #lossesInARow = 0;
  #isClosed = false;
  readonly #readiness = createDeferred<void>();

  constructor(options: MediaPoolOptions, deps: MediaPoolDeps) {
    this.#options = options;
    this.#deps = deps;
    for (let index = 0; index < options.workers; index += 1) this.#seats.push(this.#seat());
  }

  /** Resolves when every worker has loaded its codecs; rejects when one cannot start. */
  get ready(): Promise<void> {
    return this.#readiness.promise;
  }

  /** Errors: those of the task; WORKER_CRASHED when the worker was lost, the queue is full or the pool is closed. */
  run<K extends MediaTaskKind>(kind: K, request: MediaTasks[K]['request'], urgency: Urgency): Promise<MediaTasks[K]['answer']> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#isClosed) return reject(new CoxswainError('WORKER_CRASHED', 'the media workers have been closed'));
      if (this.#waiting.size >= this.#options.tasksMax) {
        return reject(
          new CoxswainError('WORKER_CRASHED', `${this.#waiting.size} media tasks wait already; the limit is ${this.#options.tasksMax}`),
        );
      }
      this.#taskId += 1;
      this.#waiting.push({ call: { id: this.#taskId, kind, request } as MediaCall, urgency, resolve, reject });
      this.#advance();
    }) as Promise<MediaTasks[K]['answer']>;
  }

  /** Ends the workers; what waits or runs is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new CoxswainError('WORKER_CRASHED', 'the media workers have been closed');
    for (let task = this.#waiting.pop(); task !== undefined; task = this.#waiting.pop()) task.reject(closed);
    await Promise.all(
      this.#seats.map((seat) => {
        seat.timeout?.cancel();
        seat.task?.reject(closed);
        seat.task = undefined;
        return seat.worker.terminate();
      }),
    );
  }

  #seat(): Seat {
    const { arenaFd, arenaBytes, models } = this.#options;
    const worker = openWorker({ arenaFd, arenaBytes, models });
    const seat: Seat = { worker, isReady: false, task: undefined, timeout: undefined };
    worker.on('message', (reply: MediaReply) => this.#hear(seat, reply));
    // 'error' comes before 'exit', and carries the reason.
    let lastWords = '';
    worker.on('error', (error) => {
      lastWords = messageOf(error);
    });
    worker.on('exit', (code) => this.#lose(seat, lastWords || `exit code ${code}`));
    return seat;
  }

  #hear(seat: Seat, reply: MediaReply): void {
    // An answer that was on its way when its task was given up.
    if (this.#isClosed) return;
    if (reply.kind === 'ready') {
      seat.isReady = true;
      if (this.#seats.every((other) => other.isReady)) this.#readiness.resolve();
    } else {
      const { task } = seat;
      assert(task?.call.id === reply.id, 'a worker answers the task it was given');
      seat.timeout?.cancel();
      seat.task = undefined;
      this.#lossesInARow = 0;
      if (reply.kind === 'done') task.resolve(reply.answer);
      else task.reject(new CoxswainError(reply.code, reply.message));
    }
    this.#advance();
  }

  #lose(seat: Seat, message: string): void {
    if (this.#isClosed) return;
    seat.timeout?.cancel();
    const error = new CoxswainError('WORKER_CRASHED', `a media worker was lost: ${message}`);
    seat.task?.reject(error);
    this.#readiness.reject(error);
    this.#deps.onWorkerLost(error.message);
    this.#lossesInARow += 1;
    const index = this.#seats.indexOf(seat);
    if (this.#lossesInARow <= LOSSES_IN_A_ROW_MAX) this.#seats[index] = this.#seat();
    else this.#seats.splice(index, 1);
  }

  #advance(): void {
    for (const seat of this.#seats) {
      if (!seat.isReady || seat.task !== undefined) continue;
      const task = this.#waiting.pop();
      if (task === undefined) return;
      seat.task = task;
      seat.timeout = after(this.#deps.clock, this.#options.taskTimeoutUs, () => void seat.worker.terminate());
      seat.worker.postMessage(task.call);
    }
  }
}

/** For work at start-up, before any frame is due. */
export const URGENCY_STARTUP: Urgency = { rank: 0, deadlineAt: 0 as InstantUs };

/** Generous: the longest task measured, decoding a 12-megapixel photo, took under 0.3 s. */
export const MEDIA_TASK_TIMEOUT_US = durationUs(10_000_000);

function isMoreUrgent(a: Task, b: Task): boolean {
  if (a.urgency.rank !== b.urgency.rank) return a.urgency.rank < b.urgency.rank;
  if (a.urgency.deadlineAt !== b.urgency.deadlineAt) return a.urgency.deadlineAt < b.urgency.deadlineAt;
  return a.call.id < b.call.id;
}
