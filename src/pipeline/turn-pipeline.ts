import { Subject } from 'rxjs';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Frame, TurnPayload } from '../core/frame.ts';
import type { JobId, Turn } from '../core/job.ts';
import { tensorBytes } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { Stream } from '../core/stream.ts';
import { elapsedUs } from '../core/units.ts';
import { type FrameResult, jobFor, type Pipeline, type PipelineOptions, resultFor } from './pipeline.ts';
import type { JobBook, TensorMemory, TurnDesk, Work } from './work.ts';

export interface TurnPipelineOptions extends PipelineOptions {
  /** An answer is cut off here. */
  readonly tokensMax: number;
  /** Whether a new prompt ends the answers under way. */
  readonly breaksIn: boolean;
  /** What the model can keep in mind. */
  readonly contextTokens: number;
}

export interface TurnPipelineDeps {
  readonly clock: Clock;
  readonly desk: TurnDesk;
  readonly memory: TensorMemory;
  /** Told how long the answer to each job will be, before it is submitted, and again when it has ended. For a device that only pretends to answer. */
  readonly answers: Pick<Map<JobId, number>, 'set' | 'delete'>;
}

/** What has been said so far in the conversation, as far as it is remembered. */
interface Talk {
  readonly tokens: number;
  /** Whether all of that is in the cache of a core. */
  readonly isCached: boolean;
  readonly lossCount: number;
}

interface UnderWay {
  readonly job: JobId;
  readonly turn: Turn;
  readonly answerTokens: number;
  /** What had been said when it was handed in. */
  readonly before: Talk;
}

const SILENCE: Talk = { tokens: 0, isCached: true, lossCount: 0 };

/**
 * Turns of conversations become jobs of a language model. A turn that goes on with the one before it waits here until that has ended; what was said then is in
 * the cache and only looked at, unless its core was lost meanwhile: then it is read again, as part of the prompt. A conversation that no longer fits into the
 * context begins anew.
 */
export class TurnPipeline implements Pipeline {
  readonly stream: Stream;
  readonly results = new Subject<FrameResult>();
  readonly #options: TurnPipelineOptions;
  readonly #deps: TurnPipelineDeps;
  readonly #book: JobBook;
  readonly #inputSizes: readonly number[];
  readonly #heldMax: number;
  readonly #underWay: UnderWay[] = [];
  /** Turns that go on with one that is under way, in order. */
  readonly #held: { readonly job: JobId; readonly frame: Frame; readonly payload: TurnPayload }[] = [];
  #talk: Talk = SILENCE;
  #isStopped = false;

  constructor(options: TurnPipelineOptions, deps: TurnPipelineDeps) {
    this.stream = options.stream;
    this.#options = options;
    this.#deps = deps;
    this.#book = deps.desk.bookOf(options.stream.id);
    this.#inputSizes = options.model.inputs.map(tensorBytes);
    this.#heldMax = options.stream.freshness.kind === 'latest' ? 1 : options.stream.freshness.jobsMax;
  }

  accept(frame: Frame): void {
    const { clock, desk } = this.#deps;
    const job = desk.open(this.#book, frame.capturedAt);
    if (this.#isStopped) return desk.end(job, { kind: 'rejected', reason: 'stopping' });
    if (elapsedUs(frame.capturedAt, clock.now()) > this.#options.staleAfterUs) return desk.end(job, { kind: 'rejected', reason: 'stale' });
    if (desk.servedWith(this.stream.id) === null) return desk.end(job, { kind: 'dropped', reason: 'shed' });
    const { payload } = frame;
    if (payload.kind !== 'turn') return desk.end(job, { kind: 'failed', reason: 'prepare-error' });
    if (this.#options.breaksIn) this.#breakIn();
    if (!payload.isFollowUp || this.#underWay.length === 0) return this.#submit(job, frame, payload);
    this.#held.push({ job, frame, payload });
    if (this.#held.length <= this.#heldMax) return;
    const oldest = this.#held.shift();
    if (oldest !== undefined) desk.end(oldest.job, { kind: 'dropped', reason: 'queue-full' });
  }

  flush(): void {
    // Each turn stands for itself; nothing is held back for want of the next.
  }

  stop(): void {
    this.#isStopped = true;
    for (const { job } of this.#held.splice(0)) this.#deps.desk.end(job, { kind: 'dropped', reason: 'stopping' });
  }

  #breakIn(): void {
    const { desk } = this.#deps;
    for (const { job } of this.#held.splice(0)) desk.end(job, { kind: 'dropped', reason: 'cancelled' });
    for (const { job } of [...this.#underWay]) desk.cancel(job);
  }

  #submit(id: JobId, frame: Frame, payload: TurnPayload): void {
    const { desk, answers } = this.#deps;
    const inputs = this.#allocateInputs();
    if (inputs === undefined) return desk.end(id, { kind: 'rejected', reason: 'no-memory' });
    const before = this.#talkBefore(payload);
    const turn = this.#turnFor(payload, before);
    const answerTokens = Math.min(payload.answerTokens, turn.tokensMax);
    const model = desk.servedWith(this.stream.id) ?? this.stream.model;
    const job = jobFor(this.stream, id, frame, model, turn);
    const entry: UnderWay = { job: id, turn, answerTokens, before };
    this.#underWay.push(entry);
    answers.set(id, answerTokens);
    const work: Work = {
      job,
      inputs,
      decode: (_outputs, listener) => listener.decoded([]),
      settle: (outcome, items) => {
        for (const input of inputs) this.#deps.memory.release(input);
        this.#settle(entry, outcome);
        if (outcome.kind === 'done' || outcome.kind === 'late') this.#emit(job, frame, outcome, items);
      },
    };
    desk.submit(work);
  }

  #talkBefore({ promptTokens, isFollowUp }: TurnPayload): Talk {
    const { tokensMax, contextTokens } = this.#options;
    const { tokens } = this.#talk;
    return isFollowUp && tokens + promptTokens + tokensMax <= contextTokens ? this.#talk : SILENCE;
  }

  #turnFor({ promptTokens }: TurnPayload, { tokens, isCached, lossCount }: Talk): Turn {
    const { tokensMax } = this.#options;
    if (tokens === 0) return { promptTokens, tokensMax };
    const isThere = isCached && lossCount === this.#deps.desk.lossCount;
    return isThere ? { promptTokens, pastTokens: tokens, tokensMax } : { promptTokens: tokens + promptTokens, tokensMax };
  }

  #settle({ job, turn, answerTokens, before }: UnderWay, { kind }: Outcome): void {
    this.#deps.answers.delete(job);
    const place = this.#underWay.findIndex((entry) => entry.job === job);
    assert(place >= 0, 'a turn that ends was under way', job);
    this.#underWay.splice(place, 1);
    const said = turn.promptTokens + (turn.pastTokens ?? 0) + answerTokens;
    // What was given up or broken off counts as not said; what failed may have taken the cache with it.
    if (kind === 'done' || kind === 'late') this.#talk = { tokens: said, isCached: true, lossCount: this.#deps.desk.lossCount };
    else this.#talk = kind === 'failed' ? { ...before, isCached: false } : before;
    const next = this.#underWay.length === 0 ? this.#held.shift() : undefined;
    if (next !== undefined) this.#submit(next.job, next.frame, next.payload);
  }

  #emit(job: { readonly id: JobId; readonly model: string }, frame: Frame, outcome: Outcome, items: readonly ResultItem[]): void {
    if (!this.results.observed) return;
    this.results.next({ result: resultFor(this.stream, job, frame, outcome, items, this.#deps.clock.now()), frame });
  }

  #allocateInputs(): readonly Region[] | undefined {
    const { memory } = this.#deps;
    const inputs: Region[] = [];
    for (const size of this.#inputSizes) {
      const input = memory.allocate(size);
      if (input === undefined) {
        for (const region of inputs) memory.release(region);
        return undefined;
      }
      inputs.push(input);
    }
    return inputs;
  }
}
