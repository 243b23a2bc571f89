import { assert } from '../../core/assert.ts';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { CoxswainError, type ErrorCode, messageOf } from '../../core/errors.ts';
import type { CoreId, JobId } from '../../core/job.ts';
import type { ModelId, ModelSpec } from '../../core/model.ts';
import type { Segment, SegmentEnd } from '../../core/segment.ts';
import { addUs, type DurationUs, durationUs, elapsedUs, type InstantUs } from '../../core/units.ts';
import type { CoreHealth, CoreLoss, CoreState } from '../device.ts';
import { MAILBOX_BYTES } from './mailbox.ts';
import type { LoadPlan, OptimizedCopies } from './optimized-copies.ts';
import { ProcessMemory } from './process-memory.ts';
import type { Command, LoadableModel, Reply } from './protocol.ts';
import { type SpawnedProcess, type SpawnedProcessOptions, spawnCoreProcess } from './spawned-process.ts';

export interface OrtCoreOptions {
  readonly id: CoreId;
  readonly spawn: SpawnedProcessOptions;
  readonly startTimeoutUs: DurationUs;
  readonly loadTimeoutUs: DurationUs;
}

export interface OrtCoreDeps {
  readonly clock: Clock;
  readonly copies: OptimizedCopies;
  readonly onLost: (loss: CoreLoss) => void;
  readonly onWarning: (message: string) => void;
}

type Work =
  | { readonly kind: 'load'; readonly model: ModelSpec; readonly onEnd: (error: CoxswainError | undefined) => void }
  | { readonly kind: 'run'; readonly segment: Segment; readonly onEnd: (end: SegmentEnd) => void };

/** Loads that may wait for a core, well above the models of any manifest. */
const WORK_COUNT_MAX = 1024;

/** Jobs that ended early and of which the core does not know yet; more than can be under way. */
const OVER_COUNT_MAX = 1024;

const NONE: readonly JobId[] = [];
const ORIGINAL: LoadPlan = { copy: undefined, saveCopyAs: undefined };

/** An idle core ends in a few ms once told; then it is made to. */
const STOP_GRACE_US = durationUs(500_000);
/** The event loop is some 10 ms late at worst (docs/http.md: 50 ms in a flood of connections); a machine that was suspended, by seconds. */
const STOOD_STILL_US = durationUs(200_000);
const AFTERWARDS_US = durationUs(500_000);

/** One core of the device, through all of its lives. Work is handed to the process one command at a time, in the order asked for. */
export class OrtCore {
  readonly #options: OrtCoreOptions;
  readonly #deps: OrtCoreDeps;
  #state: CoreState = 'lost';
  #process: SpawnedProcess | undefined;
  #memory: ProcessMemory | undefined;
  #onStarted: ((error: CoxswainError | undefined) => void) | undefined;
  /** The first is with the process. */
  #work: Work[] = [];
  #plan: LoadPlan | undefined;
  #timer: Timer | undefined;
  #models = new Set<ModelId>();
  /** Whether something is kept of jobs between their segments. */
  #keepsJobs = false;
  #over: JobId[] = [];
  /** Set once we end the process ourselves, before it is seen to have ended. */
  #ending: { readonly reason: CoreLoss['reason']; readonly message: string } | undefined;
  #onStopped: (() => void) | undefined;

  constructor(options: OrtCoreOptions, deps: OrtCoreDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(onEnd: (error: CoxswainError | undefined) => void): void {
    assert(this.#state === 'lost' && this.#onStopped === undefined, `core ${this.#options.id} is started only while lost`);
    this.#state = 'starting';
    this.#onStarted = onEnd;
    this.#ending = undefined;
    const { clock } = this.#deps;
    try {
      const listener = { onReply: (reply: Reply) => this.#take(reply), onExit: (message: string) => this.#exited(message) };
      this.#process = spawnCoreProcess(this.#options.spawn, listener, clock);
    } catch (thrown) {
      after(clock, durationUs(0), () => this.#exited(messageOf(thrown)));
      return;
    }
    this.#memory = this.#process.pid === undefined ? undefined : new ProcessMemory(this.#process.pid, clock);
    const { startTimeoutUs } = this.#options;
    this.#endAt(addUs(clock.now(), startTimeoutUs), `did not start within ${startTimeoutUs / 1000} ms`);
  }

  load(model: ModelSpec, onEnd: (error: CoxswainError | undefined) => void): void {
    this.#add({ kind: 'load', model, onEnd });
  }

  run(segment: Segment, onEnd: (end: SegmentEnd) => void): void {
    assert(!this.#work.some(({ kind }) => kind === 'run'), `core ${this.#options.id} runs one segment at a time`);
    this.#add({ kind: 'run', segment, onEnd });
  }

  /** Does nothing to what has only one step left. */
  yield(): void {
    if (this.#work[0]?.kind === 'run') this.#process?.askToYield();
  }

  /** The job has ended; what the core keeps of it may go, when it is next told something. */
  forget(job: JobId): void {
    if (this.#state === 'ready' && this.#keepsJobs && this.#over.length < OVER_COUNT_MAX) this.#over.push(job);
  }

  kill(): void {
    this.#end('killed', 'was killed on request');
  }

  health(): CoreHealth {
    const isAlive = this.#state !== 'lost' && this.#ending === undefined;
    return {
      core: this.#options.id,
      state: isAlive ? this.#state : 'lost',
      pid: isAlive ? this.#process?.pid : undefined,
      models: [...this.#models],
      pssBytes: isAlive ? this.#memory?.pssBytes : undefined,
    };
  }

  /** Resolves when the process is gone. Work that it had ends as failed; the listener is told nothing. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#state === 'lost') {
        this.#onStopped = resolve;
        resolve();
        return;
      }
      this.#onStopped = resolve;
      const isIdle = this.#state === 'ready' && this.#work.length === 0 && this.#ending === undefined;
      if (isIdle && this.#process?.post({ kind: 'stop' }) === true) {
        this.#timer = after(this.#deps.clock, STOP_GRACE_US, () => this.kill());
      } else {
        this.kill();
      }
    });
  }

  #add(work: Work): void {
    assert(this.#state === 'ready' && this.#onStopped === undefined, `core ${this.#options.id} is given work only while ready`);
    assert(this.#work.length < WORK_COUNT_MAX, `core ${this.#options.id} has at most ${WORK_COUNT_MAX} pieces of work waiting`);
    this.#work.push(work);
    if (this.#work.length === 1) this.#hand();
  }

  /** Gives the first piece of work to the process. A process that is ending answers it by its end. */
  #hand(): void {
    const work = this.#work[0];
    if (work === undefined || this.#ending !== undefined) return;
    const { clock, copies } = this.#deps;
    if (work.kind === 'run') {
      const { job, model, killAt } = work.segment;
      if (work.segment.from === 0) work.segment.task?.onStart();
      // The core first: it computes while the timer is set.
      const isPosted = this.#process?.post(runCommand(work.segment, this.#over.length === 0 ? NONE : this.#takeOver()));
      if (isPosted === false) {
        // Only what a caller asks for is that long: a schema, or many tools.
        const message = `the schema or the tools of the answer are too long: ${MAILBOX_BYTES} bytes of JSON cross to a core at once. Ask for less.`;
        after(clock, durationUs(0), () => this.#take({ kind: 'failed', reason: 'prepare-error', message }));
        return;
      }
      this.#endAt(killAt, `had not ended job ${job} (${model}) by its hard timeout`);
      return;
    }
    const { loadTimeoutUs } = this.#options;
    const model = loadable(work.model);
    // A language model's weights are prepacked, which a copy does not hold.
    this.#plan = model.language === undefined ? copies.plan(model) : ORIGINAL;
    this.#endAt(addUs(clock.now(), loadTimeoutUs), `had not opened ${model.id} within ${loadTimeoutUs / 1000} ms`);
    const command: Command = { kind: 'load', model, ...this.#plan };
    if (this.#process?.post(command) !== false) return;
    const message = `The manifest entry ${JSON.stringify(model.id)} is too long to be handed to a core; give it fewer tensors.`;
    after(clock, durationUs(0), () => this.#take({ kind: 'load-failed', code: 'MODEL_UNLOADABLE', message }));
  }

  /**
   * Ends the process as hung unless it answers by then. Where that is told late this process stood still itself, and its cores with it most likely: what was answered meanwhile is
   * read first, and a core has a moment to go on.
   */
  #endAt(instant: InstantUs, message: string): void {
    const { clock } = this.#deps;
    this.#timer = clock.at(instant, () => {
      if (elapsedUs(instant, clock.now()) <= STOOD_STILL_US) return this.#end('hung', message);
      this.#timer = after(clock, AFTERWARDS_US, () => this.#end('hung', message));
    });
  }

  #take(reply: Reply): void {
    if (this.#ending !== undefined || this.#state === 'lost') return;
    if (reply.kind === 'tokens') return this.#hear(reply);
    this.#timer?.cancel();
    if (reply.kind === 'ready') {
      for (const warning of reply.warnings) this.#deps.onWarning(`core ${this.#options.id}: ${warning}`);
      this.#state = 'ready';
      const onStarted = this.#onStarted;
      this.#onStarted = undefined;
      onStarted?.(undefined);
      return;
    }
    const work = this.#work.shift();
    if (work?.kind === 'run' && (reply.kind === 'done' || reply.kind === 'failed')) {
      this.#hand();
      if (reply.kind === 'failed') work.segment.task?.onFailure?.(reply.message);
      work.onEnd(reply);
    } else if (work?.kind === 'run' && reply.kind === 'left') {
      this.#hand();
      const { startedAt, endedAt, steps } = reply;
      work.onEnd({ kind: 'done', startedAt, endedAt, progress: { steps, isLast: false } });
    } else if (work?.kind === 'run' && reply.kind === 'turn-done') {
      this.#hand();
      const { startedAt, endedAt, steps, summary } = reply;
      if (summary !== undefined) work.segment.task?.onSummary(summary);
      work.onEnd({ kind: 'done', startedAt, endedAt, progress: { steps, isLast: summary !== undefined } });
    } else if (work?.kind === 'load' && (reply.kind === 'loaded' || reply.kind === 'load-failed')) {
      this.#settleLoad(work.model, reply);
      this.#hand();
      work.onEnd(reply.kind === 'loaded' ? undefined : new CoxswainError(reply.code, reply.message));
    } else {
      if (work !== undefined) this.#work.unshift(work);
      this.#end('crashed', `answered ${JSON.stringify(reply.kind)} to ${JSON.stringify(work?.kind ?? 'nothing')}`);
    }
  }

  #hear({ job, tokens }: Extract<Reply, { kind: 'tokens' }>): void {
    const work = this.#work[0];
    if (work?.kind === 'run' && work.segment.job === job) work.segment.task?.onTokens(tokens);
  }

  #takeOver(): readonly JobId[] {
    return this.#over.splice(0);
  }

  #settleLoad(model: ModelSpec, reply: Extract<Reply, { kind: 'loaded' | 'load-failed' }> | undefined): void {
    const plan = this.#plan;
    this.#plan = undefined;
    if (reply?.kind === 'loaded') this.#models.add(model.id);
    if (reply?.kind === 'loaded' && (model.language !== undefined || (model.blocks ?? 1) > 1)) this.#keepsJobs = true;
    if (reply?.kind === 'loaded' && reply.uncut !== undefined)
      this.#deps.onWarning(`core ${this.#options.id} runs ${model.id} whole instead of in ${model.blocks} blocks: ${reply.uncut}`);
    if (plan === undefined) return;
    const isCopyBad = plan.copy !== undefined && reply?.kind === 'loaded' && !reply.hasUsedCopy;
    this.#deps.copies.settle(loadable(model), plan, { savedCopy: reply?.kind === 'loaded' ? reply.savedCopy : undefined, isCopyBad });
  }

  #end(reason: CoreLoss['reason'], message: string): void {
    if (this.#state === 'lost' || this.#ending !== undefined) return;
    this.#ending = { reason, message };
    this.#timer?.cancel();
    this.#process?.kill();
  }

  /** The process is gone, so nothing writes to the arena any more: now the ends may be told. */
  #exited(exitMessage: string): void {
    this.#timer?.cancel();
    const { id } = this.#options;
    const reason = this.#ending?.reason ?? 'crashed';
    const message = this.#ending === undefined ? `core ${id}: ${exitMessage}` : `core ${id} ${this.#ending.message}; ${exitMessage}`;
    const onStarted = this.#onStarted;
    const work = this.#work;
    this.#state = 'lost';
    this.#process = undefined;
    this.#memory = undefined;
    this.#onStarted = undefined;
    this.#work = [];
    this.#models = new Set();
    this.#keepsJobs = false;
    this.#over = [];
    const code: ErrorCode = reason === 'hung' ? 'CORE_HUNG' : 'CORE_CRASHED';
    for (const piece of work) {
      if (piece.kind === 'run') {
        piece.onEnd({ kind: 'failed', reason: reason === 'hung' ? 'core-hung' : 'core-crashed', message });
      } else {
        this.#settleLoad(piece.model, undefined);
        piece.onEnd(new CoxswainError(code, `${piece.model.id} was not opened: ${message}`));
      }
    }
    const onStopped = this.#onStopped;
    if (onStarted !== undefined) onStarted(new CoxswainError('CORE_START_FAILED', message));
    else if (onStopped === undefined) this.#deps.onLost({ core: id, reason, message });
    onStopped?.();
  }
}

const loadable = ({ id, file, sha256, inputs, outputs, states, constants, language, blocks }: ModelSpec): LoadableModel => ({
  id,
  file,
  sha256,
  inputs,
  outputs,
  states,
  constants,
  ...(language === undefined ? {} : { language }),
  ...(blocks === undefined ? {} : { blocks }),
});

/** What of a segment crosses. */
function runCommand({ job, from, steps, model, inputs, outputs, turn, task }: Segment, over: readonly JobId[]): Command {
  if (turn === undefined || task === undefined) return { kind: 'run', model, job, from, steps, inputs, outputs, over };
  const { conversation, text, choosing, stopIds, sharedTokens, overflow, pinned } = task;
  // How tokens are chosen is settled when the turn begins, and may be long.
  const options = choosing === undefined || from > 0 ? {} : { choosing };
  const words = { conversation, text, stopIds, sharedTokens, overflow, pinned, ...options };
  return { kind: 'turn', model, job, from, steps, turn, words, over };
}
