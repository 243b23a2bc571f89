import { Subject } from 'rxjs';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';
import type { JobId } from '../core/job.ts';
import { tensorBytes } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { Stream } from '../core/stream.ts';
import { type DurationUs, elapsedUs } from '../core/units.ts';
import { type FrameResult, jobFor, type Pipeline, type PipelineOptions, resultFor } from './pipeline.ts';
import type { AudioCoder, JobBook, JobDesk, TensorMemory } from './work.ts';

export interface AudioPipelineDeps {
  readonly clock: Clock;
  readonly desk: JobDesk;
  readonly memory: TensorMemory;
  readonly coder: AudioCoder;
}

interface Window {
  readonly job: JobId;
  readonly frame: Frame;
  readonly samples: Float32Array;
  /** Set when the window ended without a result; it is told to the codec once all earlier windows are through. */
  isSkipped: boolean;
  /** Set when the sound broke off after this window. */
  isLast: boolean;
}

/**
 * Windows of one sound, in order. The codec has a memory (the speech state machine), so it hears of every window exactly once, in the order of
 * capture: those that ran through `decode`, those given up through `skip`, the latter only when their turn has come.
 */
export class AudioPipeline implements Pipeline {
  readonly stream: Stream;
  readonly results = new Subject<FrameResult>();
  readonly #inputBytes: number;
  readonly #staleAfterUs: DurationUs;
  readonly #deps: AudioPipelineDeps;
  readonly #book: JobBook;
  /** Bounded by the scheduler's queue of this stream. */
  readonly #windows: Window[] = [];
  /** The last one that the codec has heard of, until the sound has broken off after it. */
  #heard: Window | undefined;
  #isStopped = false;

  constructor(options: PipelineOptions, deps: AudioPipelineDeps) {
    const [input, ...others] = options.model.inputs;
    assert(input !== undefined && others.length === 0, `model ${options.model.id} has one audio input`);
    assert(options.stream.isStateful, `stream ${options.stream.id} is stateful: its windows must come back in order`);
    this.stream = options.stream;
    this.#inputBytes = tensorBytes(input);
    this.#staleAfterUs = options.staleAfterUs;
    this.#deps = deps;
    this.#book = deps.desk.bookOf(options.stream.id);
  }

  accept(frame: Frame): void {
    const { clock, coder, desk, memory } = this.#deps;
    const job = desk.open(this.#book, frame.capturedAt);
    if (this.#isStopped) return desk.end(job, { kind: 'rejected', reason: 'stopping' });
    if (elapsedUs(frame.capturedAt, clock.now()) > this.#staleAfterUs) return desk.end(job, { kind: 'rejected', reason: 'stale' });
    if (frame.payload.kind !== 'audio' || frame.payload.samples.length !== coder.windowSamples) {
      return desk.end(job, { kind: 'failed', reason: 'prepare-error' });
    }
    const window: Window = { job, frame, samples: frame.payload.samples, isSkipped: false, isLast: false };
    this.#windows.push(window);
    const input = memory.allocate(this.#inputBytes);
    if (input === undefined) {
      desk.end(job, { kind: 'rejected', reason: 'no-memory' });
      return this.#skip(window);
    }
    coder.encode(window.samples, input);
    desk.submit({
      job: jobFor(this.stream, job, frame),
      inputs: [input],
      decode: (outputs, listener) => listener.decoded(this.#decode(window, outputs)),
      settle: (outcome, items) => this.#settle(window, input, outcome, items),
    });
  }

  /** The sound has broken off: what the codec still holds, such as an utterance not yet closed, comes out behind the last window. */
  flush(): void {
    const last = this.#windows.at(-1);
    if (last !== undefined) last.isLast = true;
    else this.#flushCodec();
  }

  stop(): void {
    this.#isStopped = true;
    this.flush();
  }

  #decode(window: Window, outputs: readonly Region[]): readonly ResultItem[] {
    this.#tellSkipped();
    assert(this.#windows[0] === window, 'windows of a stateful stream finish in order');
    this.#windows.shift();
    this.#heard = window;
    return this.#deps.coder.decode(window.samples, window.frame.capturedAt, outputs);
  }

  #settle(window: Window, input: Region, outcome: Outcome, items: readonly ResultItem[]): void {
    this.#deps.memory.release(input);
    if (outcome.kind !== 'done' && outcome.kind !== 'late') return this.#skip(window);
    this.#emit(window, outcome, items);
    if (window.isLast) this.#flushCodec();
  }

  #skip(window: Window): void {
    window.isSkipped = true;
    this.#tellSkipped();
  }

  #tellSkipped(): void {
    for (let head = this.#windows[0]; head?.isSkipped; head = this.#windows[0]) {
      this.#windows.shift();
      this.#heard = head;
      const items = this.#deps.coder.skip(head.samples, head.frame.capturedAt);
      // A skipped window has no result of its own, but it may have closed an utterance, which must not be lost.
      if (items.length > 0) this.#emit(head, { kind: 'late' }, items);
      if (head.isLast) this.#flushCodec();
    }
  }

  #flushCodec(): void {
    const last = this.#heard;
    if (last === undefined) return;
    this.#heard = undefined;
    const items = this.#deps.coder.flush();
    if (items.length > 0) this.#emit(last, { kind: 'done' }, items);
  }

  #emit(window: Window, outcome: Outcome, items: readonly ResultItem[]): void {
    const result = resultFor(
      this.stream,
      { id: window.job, model: this.stream.model },
      window.frame,
      outcome,
      items,
      this.#deps.clock.now(),
    );
    this.results.next({ result, frame: window.frame });
  }
}
