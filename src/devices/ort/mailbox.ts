import { type DurationUs, type InstantUs, instantUs } from '../../core/units.ts';
import { createFutex } from '../../native/futex.ts';
import type { SharedMemory } from '../../native/shared-memory.ts';

/**
 * Room for the longest schema that an answer is held to: 262 144 characters, of up to six bytes each as JSON. A run takes about 200 bytes, a manifest entry of 500 tensors
 * 64 kB. Pages that were never written to take no memory.
 */
export const MAILBOX_BYTES = 2 * 2 ** 20;

/**
 * One slot of text from the runtime to a core process. The writer waits for the answer before it writes again, so no byte is ever written while it may be read.
 *
 * The way back carries two instants only, those of a run that ended well, since that is the answer which comes often (see `Reply`).
 *
 *     word 0: sequence, the futex   word 1: bytes of text   word 2: yield   byte 16: began   byte 24: ended   from byte 64: the text
 */
export interface Mailbox {
  /** Puts the text in and wakes the reader; false when it is too long. */
  post(text: string): boolean;
  /** The next text, or undefined when none came within `timeout` or the wait was disturbed. Blocks the thread. */
  take(timeout: DurationUs): string | undefined;
  /** Asks the reader to leave off with the text last posted when it can. */
  askToYield(): void;
  /** Whether that was asked since the text last taken was posted. */
  isYieldAsked(): boolean;
  /** Leaves the instants of a run for the writer of its command. */
  stamp(startedAt: InstantUs, endedAt: InstantUs): void;
  /** The instants last left. */
  stamps(): { readonly startedAt: InstantUs; readonly endedAt: InstantUs };
}

const SEQUENCE_WORD = 0;
const LENGTH_WORD = 1;
const YIELD_WORD = 2;
const STAMPS_OFFSET = 16;
/** A cache line of its own for the words. */
const TEXT_OFFSET = 64;

/** Error: NATIVE_UNAVAILABLE. */
export function createMailbox(memory: SharedMemory): Mailbox {
  const words = new Int32Array(memory.buffer, 0, 3);
  const stamps = new Float64Array(memory.buffer, STAMPS_OFFSET, 2);
  const text = Buffer.from(memory.buffer, TEXT_OFFSET);
  const futex = createFutex(memory, SEQUENCE_WORD * 4);
  let seen = Atomics.load(words, SEQUENCE_WORD);
  return {
    post(message) {
      if (Buffer.byteLength(message) > text.byteLength) return false;
      Atomics.store(words, LENGTH_WORD, text.write(message, 'utf8'));
      Atomics.store(words, YIELD_WORD, 0);
      Atomics.add(words, SEQUENCE_WORD, 1);
      futex.wake();
      return true;
    },
    take(timeout) {
      if (Atomics.load(words, SEQUENCE_WORD) === seen) futex.wait(seen, timeout);
      const sequence = Atomics.load(words, SEQUENCE_WORD);
      if (sequence === seen) return undefined;
      seen = sequence;
      return text.toString('utf8', 0, Atomics.load(words, LENGTH_WORD));
    },
    askToYield() {
      Atomics.store(words, YIELD_WORD, 1);
    },
    isYieldAsked: () => Atomics.load(words, YIELD_WORD) === 1,
    stamp(startedAt, endedAt) {
      stamps[0] = startedAt;
      stamps[1] = endedAt;
    },
    stamps: () => ({ startedAt: instantUs(stamps[0] ?? 0), endedAt: instantUs(stamps[1] ?? 0) }),
  };
}
