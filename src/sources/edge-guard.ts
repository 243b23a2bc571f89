import { assertNever } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Frame, Payload } from '../core/frame.ts';
import { REJECT_REASONS, type RejectReason } from '../core/outcome.ts';
import { type DurationUs, durationFromMs, elapsedUs } from '../core/units.ts';
import type { FrameMemory, SourceEvent } from './source.ts';

export interface EdgeGuardOptions {
  /** The oldest a frame may be when it gets here. */
  readonly staleAfterUs: DurationUs;
  /** The most bytes of one payload. */
  readonly bytesMax: number;
}

export interface EdgeGuard {
  /** The event itself, or the rejection that takes a bad frame's place. The claim of a refused frame is given back here. */
  admit(event: SourceEvent): SourceEvent;
  /** Inputs turned away so far, here or by the source itself. */
  readonly counts: Readonly<Record<RejectReason, number>>;
}

/** A capture instant that lies further ahead is a fault of the source's clock; believed, it would make every frame after it out of order. */
const AHEAD_MAX_US = durationFromMs(50);

/**
 * What every frame of one source must pass, in this order: a lawful sequence number and instant, newer than the one before it, fresh, not too large, whole, finite.
 * A refused frame leaves no trace but its count, so one bad frame never costs a good one.
 */
export const createEdgeGuard = (options: EdgeGuardOptions, deps: EdgeGuardDeps): EdgeGuard => new Guard(options, deps);

/** No sequence number and no instant lies before it. Not infinite: that would be an object of its own. */
const BEFORE_ALL = -(2 ** 31);

interface EdgeGuardDeps {
  readonly clock: Clock;
  readonly memory: Pick<FrameMemory, 'release'>;
}

/** One object: of ten thousand sources each has its own, and every frame comes by. */
class Guard implements EdgeGuard {
  readonly counts = Object.fromEntries(REJECT_REASONS.map((reason) => [reason, 0])) as Record<RejectReason, number>;
  readonly #clock: Clock;
  readonly #memory: Pick<FrameMemory, 'release'>;
  readonly #staleAfterUs: DurationUs;
  readonly #bytesMax: number;
  #lastSequence = BEFORE_ALL;
  #lastCapturedAt = BEFORE_ALL;

  constructor({ staleAfterUs, bytesMax }: EdgeGuardOptions, { clock, memory }: EdgeGuardDeps) {
    this.#clock = clock;
    this.#memory = memory;
    this.#staleAfterUs = staleAfterUs;
    this.#bytesMax = bytesMax;
  }

  admit(event: SourceEvent): SourceEvent {
    if (event.kind === 'state') return event;
    if (event.kind === 'rejected') {
      this.counts[event.reason] += 1;
      return event;
    }
    const { frame } = event;
    const fault = this.#faultOf(frame);
    if (fault === undefined) {
      this.#lastSequence = frame.sequence;
      this.#lastCapturedAt = frame.capturedAt;
      return event;
    }
    this.counts[fault.reason] += 1;
    if (frame.payload.kind === 'image') this.#memory.release(frame.payload.region);
    return { kind: 'rejected', reason: fault.reason, message: `frame ${frame.sequence} ${fault.message}` };
  }

  #faultOf({ sequence, capturedAt, payload }: Frame): Fault | undefined {
    if (!Number.isSafeInteger(sequence) || !Number.isFinite(capturedAt)) {
      return { reason: 'out-of-order', message: `of instant ${capturedAt} has no place in order` };
    }
    if (sequence === this.#lastSequence) return { reason: 'duplicate', message: 'came again' };
    if (sequence < this.#lastSequence || capturedAt < this.#lastCapturedAt) {
      const spanUs = capturedAt - this.#lastCapturedAt;
      return { reason: 'out-of-order', message: `came after frame ${this.#lastSequence}, captured ${spanUs} us after it` };
    }
    const ageUs = elapsedUs(capturedAt, this.#clock.now());
    if (ageUs < -AHEAD_MAX_US) return { reason: 'out-of-order', message: `was captured ${-ageUs} us in the future` };
    if (ageUs > this.#staleAfterUs) {
      return { reason: 'stale', message: `is ${ageUs} us old, at most ${this.#staleAfterUs} are allowed` };
    }
    return payloadFault(payload, this.#bytesMax);
  }
}

/** What is wrong with a frame; the message goes on after "frame n". */
interface Fault {
  readonly reason: RejectReason;
  readonly message: string;
}

function payloadFault(payload: Payload, bytesMax: number): Fault | undefined {
  switch (payload.kind) {
    case 'empty':
    case 'turn':
      return undefined;
    case 'image': {
      const { width, height, region } = payload;
      if (region.byteLength > bytesMax) return oversized(region.byteLength, bytesMax);
      if (width * height * 3 === region.byteLength && width > 0 && height > 0) return undefined;
      return { reason: 'corrupt', message: `has ${region.byteLength} bytes, ${width} x ${height} x 3 are due` };
    }
    case 'audio':
      if (payload.samples.byteLength > bytesMax) return oversized(payload.samples.byteLength, bytesMax);
      if (payload.samples.every(Number.isFinite)) return undefined;
      return { reason: 'non-finite', message: 'holds samples that are not finite' };
    default:
      return assertNever(payload);
  }
}

const oversized = (byteLength: number, bytesMax: number) =>
  ({ reason: 'oversized', message: `has ${byteLength} bytes, at most ${bytesMax} are allowed` }) as const;
