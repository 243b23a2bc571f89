import type { Decision } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import { canonicalJson, type Json } from './canonical-json.ts';

export const DECISION_LOG_FORMAT = 'coxswain-decisions';
export const DECISION_LOG_VERSION = 1;

export interface DecisionLogOptions {
  /** The scheduler's plan, whole: a replay needs nothing else. */
  readonly plan: object;
  readonly seed: number | string;
  /** Characters that may wait for a slow sink; beyond, lines are dropped and counted, and a `gap` line says so. */
  readonly bufferCharsMax?: number;
}

export interface DecisionLogSink {
  /** Takes a batch of whole lines. One call is under way at a time; a rejection loses that batch. */
  write(text: string): Promise<void>;
  /** Told of each failed batch and of the first line dropped after a good one; saying it no more than once a minute is the caller's business. */
  onTrouble?(trouble: DecisionLogTrouble): void;
}

export interface DecisionLogTrouble {
  /** What the sink threw; undefined when it was merely too slow. */
  readonly cause: unknown;
  readonly stats: DecisionLogStats;
}

export interface DecisionLogStats {
  /** Lines taken so far, header included, whether or not they reached the sink. */
  readonly lines: number;
  readonly linesDropped: number;
  readonly writeErrors: number;
  /** How often `onTrouble` itself threw. */
  readonly listenerErrors: number;
}

export interface DecisionLog {
  /** Never throws and never waits. */
  record(event: Event, decisions: readonly Decision[]): void;
  stats(): DecisionLogStats;
  /** Resolves when everything taken so far has been given to the sink, written or lost. */
  flush(): Promise<void>;
}

/** A megabyte holds about five thousand events, half a minute of the cockpit. */
const BUFFER_CHARS_MAX = 1_000_000;

/**
 * An append-only record of what the scheduler was told and answered, as JSON lines: a header `{format, plan, seed, version}`, then one
 * `{decisions, event}` per step, keys sorted, so that equal runs give equal bytes. `{gap: n}` stands for n lines that were lost.
 */
export function createDecisionLog(options: DecisionLogOptions, sink: DecisionLogSink): DecisionLog {
  return new BufferedLog(options, sink);
}

export const headerLine = (plan: object, seed: number | string): string =>
  canonicalJson({ format: DECISION_LOG_FORMAT, version: DECISION_LOG_VERSION, plan: plan as Json, seed });

export const stepLine = (event: Event, decisions: readonly Decision[]): string =>
  canonicalJson({ event: event as unknown as Json, decisions: decisions as unknown as Json });

class BufferedLog implements DecisionLog {
  readonly #sink: DecisionLogSink;
  readonly #bufferCharsMax: number;
  #pending: string[] = [];
  #pendingLines = 0;
  #pendingChars = 0;
  /** Lines lost since the last one that was kept. */
  #gap = 0;
  #lines = 0;
  #linesDropped = 0;
  #writeErrors = 0;
  #listenerErrors = 0;
  #writing: Promise<void> | undefined;

  constructor(options: DecisionLogOptions, sink: DecisionLogSink) {
    this.#sink = sink;
    this.#bufferCharsMax = options.bufferCharsMax ?? BUFFER_CHARS_MAX;
    this.#append(headerLine(options.plan, options.seed));
  }

  record(event: Event, decisions: readonly Decision[]): void {
    this.#append(stepLine(event, decisions));
  }

  stats(): DecisionLogStats {
    return { lines: this.#lines, linesDropped: this.#linesDropped, writeErrors: this.#writeErrors, listenerErrors: this.#listenerErrors };
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #append(line: string): void {
    this.#lines += 1;
    if (this.#pendingChars + line.length + 1 > this.#bufferCharsMax && this.#pendingLines > 0) {
      this.#lose(1);
      if (this.#gap === 1) this.#tellTrouble(undefined);
      return;
    }
    if (this.#gap > 0) this.#push(canonicalJson({ gap: this.#gap }));
    this.#gap = 0;
    this.#push(line);
    this.#pendingLines += 1;
    this.#writing ??= this.#drain();
  }

  #push(line: string): void {
    this.#pending.push(line);
    this.#pendingChars += line.length + 1;
  }

  async #drain(): Promise<void> {
    // The first batch starts in a later microtask, so that the sink never runs inside `record`.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const text = `${this.#pending.join('\n')}\n`;
      const lines = this.#pendingLines;
      this.#pending = [];
      this.#pendingLines = 0;
      this.#pendingChars = 0;
      try {
        await this.#sink.write(text);
      } catch (cause) {
        this.#writeErrors += 1;
        this.#loseBatch(lines);
        this.#tellTrouble(cause);
      }
    }
    this.#writing = undefined;
  }

  #lose(lines: number): void {
    this.#gap += lines;
    this.#linesDropped += lines;
  }

  /** What was taken while the batch was under way comes after the gap. */
  #loseBatch(lines: number): void {
    const isLast = this.#pending.length === 0;
    if (isLast) {
      this.#lose(lines);
      return;
    }
    const mark = canonicalJson({ gap: lines });
    this.#linesDropped += lines;
    this.#pending.unshift(mark);
    this.#pendingChars += mark.length + 1;
  }

  #tellTrouble(cause: unknown): void {
    try {
      this.#sink.onTrouble?.({ cause, stats: this.stats() });
    } catch {
      // It must not reach the scheduler through `record`.
      this.#listenerErrors += 1;
    }
  }
}
