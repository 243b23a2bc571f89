import { after, type Clock, type Timer } from '../../core/clock.ts';
import type { DurationUs } from '../../core/units.ts';

export interface PacedWriterOptions {
  /** What may wait here for the reader; one text that is longer alone may wait all the same. */
  readonly unreadBytesMax: number;
  /** Reader that has taken nothing for so long, while something waits, is given up. */
  readonly stalledAfterUs: DurationUs;
}

export interface PacedWriterDeps {
  readonly clock: Clock;
  /** Hands bytes on; `onTaken` is called when they have left this process. */
  readonly write: (bytes: Buffer, onTaken: () => void) => void;
  /** All has been handed on that ever will be. */
  readonly finish: () => void;
  /** Once; nothing is written any more. */
  readonly onGivenUp: (why: 'unread' | 'stalled') => void;
}

/** Small enough that a slow reader is seen to take something; what the system buffers comes on top. */
const SLICE_BYTES = 16_384;

/** Writes at the pace of the reader: a slice at a time, the rest waits here, and somebody who does not read is given up. */
export class PacedWriter {
  readonly #options: PacedWriterOptions;
  readonly #deps: PacedWriterDeps;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #isEnding = false;
  #isOver = false;
  #stall: Timer | undefined;

  constructor(options: PacedWriterOptions, deps: PacedWriterDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get unreadBytes(): number {
    return this.#waitingBytes;
  }

  push(text: string): void {
    if (this.#isOver || this.#isEnding || text === '') return;
    const bytes = Buffer.from(text, 'utf8');
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > this.#options.unreadBytesMax) return this.#giveUp('unread');
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writeOn();
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    this.#writeOn();
  }

  /** The reader is gone, or has it all. */
  close(): void {
    this.#isOver = true;
    this.#stall?.cancel();
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #writeOn(): void {
    if (this.#isWriting || this.#isOver) return;
    const slice = this.#nextSlice();
    if (slice === undefined) {
      if (this.#isEnding) this.#deps.finish();
      return;
    }
    this.#isWriting = true;
    this.#stall = after(this.#deps.clock, this.#options.stalledAfterUs, () => this.#giveUp('stalled'));
    this.#deps.write(slice, () => {
      this.#stall?.cancel();
      this.#isWriting = false;
      this.#waitingBytes -= this.#isOver ? 0 : slice.length;
      this.#writeOn();
    });
  }

  /** What waits first, as much of it as fits into a slice. */
  #nextSlice(): Buffer | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    if (first.length >= SLICE_BYTES) {
      if (first.length === SLICE_BYTES) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(SLICE_BYTES);
      return first.subarray(0, SLICE_BYTES);
    }
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && bytes + (this.#waiting[count] as Buffer).length <= SLICE_BYTES) {
      bytes += (this.#waiting[count] as Buffer).length;
      count += 1;
    }
    const parts = this.#waiting.splice(0, count);
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes);
  }

  #giveUp(why: 'unread' | 'stalled'): void {
    if (this.#isOver) return;
    this.close();
    this.#deps.onGivenUp(why);
  }
}
