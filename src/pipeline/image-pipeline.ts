import { Subject } from 'rxjs';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';
import type { Job } from '../core/job.ts';
import { type ModelId, type ModelSpec, tensorBytes } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { Stream } from '../core/stream.ts';
import { type DurationUs, elapsedUs } from '../core/units.ts';
import { type FrameResult, jobFor, type Pipeline, type PipelineOptions, resultFor } from './pipeline.ts';
import type { Decode, ImageCoder, JobBook, JobDesk, TensorMemory, Work } from './work.ts';

export interface ImagePipelineDeps {
  readonly clock: Clock;
  readonly desk: JobDesk;
  readonly memory: TensorMemory;
  readonly coder: ImageCoder;
  /** Other builds of the model that the desk may ask for. */
  readonly variants?: readonly ImageBuild[];
}

export interface ImageBuild {
  readonly model: ModelSpec;
  readonly coder: ImageCoder;
}

interface SizedBuild {
  readonly model: ModelId;
  readonly coder: ImageCoder;
  readonly inputBytes: number;
}

/** A frame on its way: first it waits as pixels, then it is encoded, then it is the work that the desk has. */
class FrameWork implements Work {
  readonly frame: Frame;
  job: Job;
  inputs: readonly Region[] = NO_INPUTS;
  decode: Decode = notEncoded;
  readonly #pipeline: ImagePipeline;

  constructor(frame: Frame, job: Job, pipeline: ImagePipeline) {
    this.frame = frame;
    this.job = job;
    this.#pipeline = pipeline;
  }

  settle(outcome: Outcome, items: readonly ResultItem[]): void {
    this.#pipeline.settle(this, outcome, items);
  }
}

function sized({ model, coder }: ImageBuild): SizedBuild {
  const [input, ...others] = model.inputs;
  assert(input !== undefined && others.length === 0, 'a model has one image input', model.id);
  return { model: model.id, coder, inputBytes: tensorBytes(input) };
}

const NO_INPUTS: readonly Region[] = [];

const notEncoded: Decode = (_outputs, listener) => listener.decoded(new Error('the frame was not encoded'));

/**
 * Frames wait here as pixels, at no cost, and are encoded only when the jobs ahead leave room: of a `latest` stream one job may run and one be ready
 * behind it; a `queue` stream has as many under way as its queue holds. So a background model that takes every tenth frame does not have ten
 * frames encoded for it.
 */
export class ImagePipeline implements Pipeline {
  readonly stream: Stream;
  readonly results = new Subject<FrameResult>();
  readonly #own: SizedBuild;
  readonly #variants: ReadonlyMap<ModelId, SizedBuild>;
  readonly #staleAfterUs: DurationUs;
  readonly #clock: Clock;
  readonly #desk: JobDesk;
  readonly #memory: TensorMemory;
  readonly #book: JobBook;
  readonly #waitingMax: number;
  readonly #underWayMax: number;
  readonly #waiting: FrameWork[] = [];
  /** One frame at a time: a second would only delay the first. */
  #encoding: FrameWork | undefined;
  #underWay = 0;
  #isStopped = false;
  readonly #onEncoded = this.#encoded.bind(this);

  constructor(options: PipelineOptions, deps: ImagePipelineDeps) {
    this.#own = sized({ model: options.model, coder: deps.coder });
    this.#variants = new Map((deps.variants ?? []).map((build) => [build.model.id, sized(build)]));
    this.stream = options.stream;
    this.#staleAfterUs = options.staleAfterUs;
    this.#clock = deps.clock;
    this.#desk = deps.desk;
    this.#memory = deps.memory;
    this.#book = deps.desk.bookOf(options.stream.id);
    const { freshness } = options.stream;
    this.#waitingMax = freshness.kind === 'latest' ? 1 : freshness.jobsMax;
    this.#underWayMax = freshness.kind === 'latest' ? 2 : freshness.jobsMax;
  }

  accept(frame: Frame): void {
    const desk = this.#desk;
    const job = desk.open(this.#book, frame.capturedAt);
    if (this.#isStopped) return desk.end(job, { kind: 'rejected', reason: 'stopping' });
    if (elapsedUs(frame.capturedAt, this.#clock.now()) > this.#staleAfterUs) return desk.end(job, { kind: 'rejected', reason: 'stale' });
    if (desk.servedWith(this.stream.id) === null) return desk.end(job, { kind: 'dropped', reason: 'shed' });
    if (frame.payload.kind === 'audio' || frame.payload.kind === 'turn') return desk.end(job, { kind: 'failed', reason: 'prepare-error' });
    this.#claim(frame);
    const work = new FrameWork(frame, jobFor(this.stream, job, frame), this);
    if (this.#mayEncode && this.#waiting.length === 0) return this.#encode(work);
    this.#waiting.push(work);
    if (this.#waiting.length > this.#waitingMax) {
      const reason = this.stream.freshness.kind === 'latest' ? 'superseded' : 'queue-full';
      this.#giveUp(this.#waiting.shift(), { kind: 'dropped', reason });
    }
    this.#advance();
  }

  flush(): void {
    // Each picture stands for itself; nothing is held back.
  }

  stop(): void {
    this.#isStopped = true;
    for (const waiting of this.#waiting.splice(0)) this.#giveUp(waiting, { kind: 'dropped', reason: 'stopping' });
  }

  get #mayEncode(): boolean {
    return this.#encoding === undefined && this.#underWay < this.#underWayMax;
  }

  #advance(): void {
    if (!this.#mayEncode || this.#waiting.length === 0) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#encode(next);
  }

  #encode(next: FrameWork): void {
    const served = this.#desk.servedWith(this.stream.id);
    if (served === null) return this.#giveUp(next, { kind: 'dropped', reason: 'shed' });
    const build = served === undefined || served === this.#own.model ? this.#own : this.#variants.get(served);
    assert(build !== undefined, 'a pipeline has what it is to be served with', this.stream.id);
    const input = this.#memory.allocate(build.inputBytes);
    if (input === undefined) return this.#giveUp(next, { kind: 'rejected', reason: 'no-memory' });
    const { payload } = next.frame;
    assert(payload.kind !== 'audio' && payload.kind !== 'turn', 'an image pipeline has neither sound nor turns waiting');
    this.#encoding = next;
    this.#underWay += 1;
    next.inputs = [input];
    if (build.model !== next.job.model) next.job = jobFor(this.stream, next.job.id, next.frame, build.model);
    build.coder.encode(payload, input, next.job.deadlineAt, this.#onEncoded);
  }

  #encoded(answer: Decode | Error): void {
    const work = this.#encoding;
    assert(work !== undefined, 'a frame is encoded once', this.stream.id);
    this.#submit(work, answer);
    this.#encoding = undefined;
    this.#advance();
  }

  #submit(work: FrameWork, answer: Decode | Error): void {
    if (answer instanceof Error) {
      // The worker has told why in its own incident; here it is one frame that gave no input.
      this.#releaseInputs(work);
      this.#underWay -= 1;
      return this.#giveUp(work, { kind: 'failed', reason: 'prepare-error' });
    }
    work.decode = answer;
    this.#desk.submit(work);
  }

  /** For its own work alone, once it has ended. */
  settle(work: FrameWork, outcome: Outcome, items: readonly ResultItem[]): void {
    const { job, frame } = work;
    this.#releaseInputs(work);
    // What nobody listens to is not put together.
    if ((outcome.kind === 'done' || outcome.kind === 'late') && this.results.observed) {
      this.results.next({ result: resultFor(this.stream, job, frame, outcome, items, this.#clock.now()), frame });
    }
    this.#unclaim(frame);
    this.#underWay -= 1;
    this.#advance();
  }

  #giveUp(work: FrameWork | undefined, outcome: Outcome): void {
    if (work === undefined) return;
    this.#unclaim(work.frame);
    this.#desk.end(work.job.id, outcome);
  }

  #releaseInputs({ inputs }: FrameWork): void {
    for (const input of inputs) this.#memory.release(input);
  }

  #claim(frame: Frame): void {
    if (frame.payload.kind === 'image') this.#memory.retain(frame.payload.region);
  }

  #unclaim(frame: Frame): void {
    if (frame.payload.kind === 'image') this.#memory.release(frame.payload.region);
  }
}
