import { Subject } from 'rxjs';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';
import type { Job, JobId } from '../core/job.ts';
import { tensorBytes } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { Stream } from '../core/stream.ts';
import { type DurationUs, elapsedUs } from '../core/units.ts';
import { type FrameResult, jobFor, type Pipeline, type PipelineOptions, resultFor } from './pipeline.ts';
import type { Decode, ImageCoder, JobDesk, TensorMemory } from './work.ts';

export interface ImagePipelineDeps {
  readonly clock: Clock;
  readonly desk: JobDesk;
  readonly memory: TensorMemory;
  readonly coder: ImageCoder;
}

interface Waiting {
  readonly job: JobId;
  readonly frame: Frame;
}

/**
 * Frames wait here as pixels, at no cost, and are encoded only when the jobs ahead leave room: of a `latest` stream one job may run and one be ready
 * behind it; a `queue` stream has as many under way as its queue holds. So a background model that takes every tenth frame does not have ten
 * frames encoded for it.
 */
export class ImagePipeline implements Pipeline {
  readonly stream: Stream;
  readonly results = new Subject<FrameResult>();
  readonly #inputBytes: number;
  readonly #staleAfterUs: DurationUs;
  readonly #deps: ImagePipelineDeps;
  readonly #waitingMax: number;
  readonly #underWayMax: number;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  #isEncoding = false;
  #isStopped = false;

  constructor(options: PipelineOptions, deps: ImagePipelineDeps) {
    const [input, ...others] = options.model.inputs;
    assert(input !== undefined && others.length === 0, `model ${options.model.id} has one image input`);
    this.stream = options.stream;
    this.#inputBytes = tensorBytes(input);
    this.#staleAfterUs = options.staleAfterUs;
    this.#deps = deps;
    const { freshness } = options.stream;
    this.#waitingMax = freshness.kind === 'latest' ? 1 : freshness.jobsMax;
    this.#underWayMax = freshness.kind === 'latest' ? 2 : freshness.jobsMax;
  }

  accept(frame: Frame): void {
    const { clock, desk } = this.#deps;
    const job = desk.open(this.stream.id, frame.capturedAt);
    if (this.#isStopped) return desk.end(job, { kind: 'rejected', reason: 'stopping' });
    if (elapsedUs(frame.capturedAt, clock.now()) > this.#staleAfterUs) return desk.end(job, { kind: 'rejected', reason: 'stale' });
    if (frame.payload.kind === 'audio') return desk.end(job, { kind: 'failed', reason: 'prepare-error' });
    this.#claim(frame);
    this.#waiting.push({ job, frame });
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

  /** One frame is encoded at a time: a second would only delay the first. */
  #advance(): void {
    if (this.#isEncoding || this.#underWay >= this.#underWayMax) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const input = this.#deps.memory.allocate(this.#inputBytes);
    if (input === undefined) return this.#giveUp(next, { kind: 'rejected', reason: 'no-memory' });
    const { payload } = next.frame;
    assert(payload.kind !== 'audio', 'an image pipeline has no audio waiting');
    this.#isEncoding = true;
    this.#underWay += 1;
    const job = jobFor(this.stream, next.job, next.frame);
    this.#deps.coder.encode(payload, input, job.deadlineAt, (answer) => {
      this.#encoded(next, job, input, answer);
      this.#isEncoding = false;
      this.#advance();
    });
  }

  #encoded(next: Waiting, job: Job, input: Region, answer: Decode | Error): void {
    const { desk, memory } = this.#deps;
    if (answer instanceof Error) {
      // The worker has told why in its own incident; here it is one frame that gave no input.
      memory.release(input);
      this.#underWay -= 1;
      return this.#giveUp(next, { kind: 'failed', reason: 'prepare-error' });
    }
    desk.submit({ job, inputs: [input], decode: answer, settle: (outcome, items) => this.#settle(next, input, outcome, items) });
  }

  #settle(ended: Waiting, input: Region, outcome: Outcome, items: readonly ResultItem[]): void {
    const { clock, memory } = this.#deps;
    memory.release(input);
    if (outcome.kind === 'done' || outcome.kind === 'late') {
      this.results.next({ result: resultFor(this.stream, ended.job, ended.frame, outcome, items, clock.now()), frame: ended.frame });
    }
    this.#unclaim(ended.frame);
    this.#underWay -= 1;
    this.#advance();
  }

  #giveUp(waiting: Waiting | undefined, outcome: Outcome): void {
    if (waiting === undefined) return;
    this.#unclaim(waiting.frame);
    this.#deps.desk.end(waiting.job, outcome);
  }

  #claim(frame: Frame): void {
    if (frame.payload.kind === 'image') this.#deps.memory.retain(frame.payload.region);
  }

  #unclaim(frame: Frame): void {
    if (frame.payload.kind === 'image') this.#deps.memory.release(frame.payload.region);
  }
}
