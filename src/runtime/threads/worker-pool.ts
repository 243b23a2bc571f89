import type { Worker } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { createDeferred } from '../../core/deferred.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { Heap } from '../../core/heap.ts';
import type { DurationUs, InstantUs } from '../../core/units.ts';
import { openThread } from './open-thread.ts';
import type { TaskCall, TaskReply, TaskTable } from './task-protocol.ts';

/** How soon a task matters: more important classes first, then the earlier deadline. */
export interface Urgency {
  /** criticalityRank of the stream; 0 is most important. */
  readonly rank: number;
  readonly deadlineAt: InstantUs;
}

export interface WorkerPoolOptions {
  /** What its workers are called in messages. */
  readonly name: string;
  /** Of a worker, without the extension; it calls `serveTasks`. */
  readonly entry: URL;
  /** What each worker is born with. */
  readonly init: unknown;
  readonly workers: number;
  readonly tasksMax: number;
  /** A task that takes longer has its worker ended and started anew. */
  readonly taskTimeoutUs: DurationUs;
}

export interface WorkerPoolDeps {
  readonly clock: Clock;
  readonly onWorkerLost: (message: string) => void;
}

interface Task {
  readonly call: TaskCall;
  readonly urgency: Urgency;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: CoxswainError) => void;
}

interface Seat {
  worker: Worker;
  isReady: boolean;
  /** It has said why it can do nothing; another in its place could not either. */
  isUnfit: boolean;
  task: Task | undefined;
  timeout: Timer | undefined;
}

/** After this many losses in a row without one finished task between them, a worker is not started again. */
const LOSSES_IN_A_ROW_MAX = 5;

/** Worker threads for work that must not hold up the main loop, the most urgent task first, one task a worker at a time. */
export class WorkerPool<Tasks extends TaskTable<Tasks>> {
  readonly #options: WorkerPoolOptions;
  readonly #deps: WorkerPoolDeps;
  readonly #waiting = new Heap<Task>(isMoreUrgent);
  readonly #seats: Seat[] = [];
  #taskId = 0;
  #lossesInARow = 0;
  /** Why nobody serves any more; undefined while somebody does, or will. */
  #end: CoxswainError | undefined;
  readonly #readiness = createDeferred<void>();

  constructor(options: WorkerPoolOptions, deps: WorkerPoolDeps) {
    this.#options = options;
    this.#deps = deps;
    // Whoever waits for it hears of it, also when it fails before anybody waits.
    this.#readiness.promise.catch(() => undefined);
    for (let index = 0; index < options.workers; index += 1) this.#seats.push(this.#seat());
    if (options.workers === 0) this.#readiness.resolve();
  }

  /** Resolves when every worker has opened what it needs. Errors: its own of one that cannot; WORKER_CRASHED of one that was lost. */
  get ready(): Promise<void> {
    return this.#readiness.promise;
  }

  /** Errors: those of the task; WORKER_CRASHED when the worker was lost, too many were, the queue is full or the pool is closed; of a worker that cannot serve, its own. */
  run<K extends keyof Tasks & string>(kind: K, request: Tasks[K]['request'], urgency: Urgency): Promise<Tasks[K]['answer']> {
    const { name, tasksMax } = this.#options;
    return new Promise<unknown>((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      if (this.#waiting.size >= tasksMax) {
        return reject(new CoxswainError('WORKER_CRASHED', `${this.#waiting.size} ${name} tasks wait already; the limit is ${tasksMax}`));
      }
      this.#taskId += 1;
      this.#waiting.push({ call: { id: this.#taskId, kind, request }, urgency, resolve, reject });
      this.#advance();
    }) as Promise<Tasks[K]['answer']>;
  }

  /** Ends the workers; what waits or runs is rejected. */
  async close(): Promise<void> {
    const closed = new CoxswainError('WORKER_CRASHED', `the ${this.#options.name} workers have been closed`);
    this.#refuseAll(closed);
    await Promise.all(
      this.#seats.map((seat) => {
        seat.timeout?.cancel();
        seat.task?.reject(closed);
        seat.task = undefined;
        return seat.worker.terminate();
      }),
    );
  }

  /** Of what waits and of whatever comes. */
  #refuseAll(error: CoxswainError): void {
    this.#end = error;
    for (let task = this.#waiting.pop(); task !== undefined; task = this.#waiting.pop()) task.reject(error);
  }

  #seat(): Seat {
    const { entry, init } = this.#options;
    const worker = openThread(entry, init);
    const seat: Seat = { worker, isReady: false, isUnfit: false, task: undefined, timeout: undefined };
    worker.on('message', (reply: TaskReply) => this.#hear(seat, reply));
    // 'error' comes before 'exit', and carries the reason.
    let lastWords = '';
    worker.on('error', (error) => {
      lastWords = messageOf(error);
    });
    worker.on('exit', (code) => this.#lose(seat, lastWords || `exit code ${code}`));
    return seat;
  }

  #hear(seat: Seat, reply: TaskReply): void {
    // An answer that was on its way when its task was given up.
    if (this.#end !== undefined) return;
    if (reply.kind === 'ready') {
      seat.isReady = true;
      if (this.#seats.every((other) => other.isReady)) this.#readiness.resolve();
    } else if (reply.kind === 'unfit') {
      seat.isUnfit = true;
      const error = new CoxswainError(reply.code, reply.message);
      this.#readiness.reject(error);
      if (this.#seats.every(({ isUnfit }) => isUnfit)) this.#refuseAll(error);
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
    if (this.#end !== undefined || seat.isUnfit) return;
    seat.timeout?.cancel();
    const error = new CoxswainError('WORKER_CRASHED', `a ${this.#options.name} worker was lost: ${message}`);
    seat.task?.reject(error);
    this.#readiness.reject(error);
    this.#deps.onWorkerLost(error.message);
    this.#lossesInARow += 1;
    const index = this.#seats.indexOf(seat);
    if (this.#lossesInARow <= LOSSES_IN_A_ROW_MAX) this.#seats[index] = this.#seat();
    else this.#seats.splice(index, 1);
    if (this.#seats.every(({ isUnfit }) => isUnfit)) this.#refuseAll(error);
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

function isMoreUrgent(a: Task, b: Task): boolean {
  if (a.urgency.rank !== b.urgency.rank) return a.urgency.rank < b.urgency.rank;
  if (a.urgency.deadlineAt !== b.urgency.deadlineAt) return a.urgency.deadlineAt < b.urgency.deadlineAt;
  return a.call.id < b.call.id;
}
