import { NEVER, type Observable } from 'rxjs';
import type { Clock } from '../../core/clock.ts';
import type { Frame } from '../../core/frame.ts';
import type { RejectReason } from '../../core/outcome.ts';
import type { Stream } from '../../core/stream.ts';
import { addUs, type DurationUs, elapsedUs } from '../../core/units.ts';
import type { FrameResult, Pipeline } from '../../pipeline/pipeline.ts';
import type { JobBook, JobDesk } from '../../pipeline/work.ts';
import type { Assistant } from './assistant.ts';
import type { AssistantListener } from './utterance.ts';

export interface WordsPipelineOptions {
  readonly stream: Stream;
  /** Words that are older when they get here are rejected as `stale`. */
  readonly staleAfterUs: DurationUs;
}

export interface WordsPipelineDeps {
  readonly clock: Clock;
  readonly desk: Pick<JobDesk, 'bookOf' | 'open' | 'end'>;
  readonly assistant: Pick<Assistant, 'hear'>;
}

/** Whoever wants to know how a turn went reads its transcript. */
const NOBODY: AssistantListener = { onPieces: () => undefined, onProposal: () => undefined, onEnd: () => undefined };

/**
 * Words of a source on their way to an assistant. All words of one source are one conversation, in which new words break the answer to the last ones off. The assistant opens an
 * account for what it asks the model; words that never get so far are accounted for here.
 */
export class WordsPipeline implements Pipeline {
  readonly stream: Stream;
  /** Answers are no results: nobody can look at them one by one and out of order. */
  readonly results: Observable<FrameResult> = NEVER;
  readonly #options: WordsPipelineOptions;
  readonly #deps: WordsPipelineDeps;
  readonly #book: JobBook;
  #isStopped = false;

  constructor(options: WordsPipelineOptions, deps: WordsPipelineDeps) {
    this.stream = options.stream;
    this.#options = options;
    this.#deps = deps;
    this.#book = deps.desk.bookOf(options.stream.id);
  }

  accept(frame: Frame): void {
    const { clock, desk, assistant } = this.#deps;
    const { payload, capturedAt, source } = frame;
    if (this.#isStopped) return this.#reject(frame, 'stopping');
    if (elapsedUs(capturedAt, clock.now()) > this.#options.staleAfterUs) return this.#reject(frame, 'stale');
    if (payload.kind !== 'turn' || payload.words === undefined)
      return desk.end(desk.open(this.#book, capturedAt), { kind: 'failed', reason: 'prepare-error' });
    const { text, provenance } = payload.words;
    assistant.hear(
      { text, provenance, conversation: source, saidAt: capturedAt, deadlineAt: addUs(capturedAt, this.stream.deadlineUs) },
      {
        ...NOBODY,
        onEnd: ({ error }) => {
          if (error !== undefined) desk.end(desk.open(this.#book, capturedAt), { kind: 'failed', reason: 'prepare-error' });
        },
      },
    );
  }

  flush(): void {
    // Each turn stands for itself; nothing is held back for want of the next.
  }

  stop(): void {
    this.#isStopped = true;
  }

  #reject({ capturedAt }: Frame, reason: RejectReason): void {
    const { desk } = this.#deps;
    desk.end(desk.open(this.#book, capturedAt), { kind: 'rejected', reason });
  }
}
