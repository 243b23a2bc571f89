import type { Clock } from '../core/clock.ts';
import type { Payload, SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import { instantUs } from '../core/units.ts';
import { createEmittingSource } from './emitter.ts';
import type { Source } from './source.ts';

export interface SyntheticSourceOptions {
  readonly kind: 'synthetic';
  readonly id: SourceId;
  readonly fps: number;
  /** How far each frame strays from its tick, as a part of the period: uniform over 0 .. jitterRatio, at most 1 so that order holds. */
  readonly jitterRatio: number;
  /** The chance that a tick gives `burstFrames` frames at once instead of one. */
  readonly burstRatio: number;
  readonly burstFrames: number;
  /** The source ends after so many frames; never when absent. */
  readonly framesMax?: number;
  /** What every frame holds. Default: nothing. */
  readonly payload?: Payload;
}

export const SYNTHETIC_DEFAULTS = { jitterRatio: 0, burstRatio: 0, burstFrames: 1 } as const;

export interface SyntheticSourceDeps {
  readonly clock: Clock;
  readonly prng: Prng;
}

/** Frames at a rate, with jitter and bursts, for load and not for what they show. The same seed gives the same instants. */
export function createSyntheticSource(options: SyntheticSourceOptions, { clock, prng }: SyntheticSourceDeps): Source {
  const { id, fps, jitterRatio, burstRatio, burstFrames, framesMax = Number.POSITIVE_INFINITY, payload = { kind: 'empty' } } = options;
  const periodUs = 1e6 / fps;
  return createEmittingSource(id, (emit) => {
    // Nothing is drawn for what never differs.
    const isSteady = jitterRatio === 0 && burstRatio === 0;
    const draws = prng.fork(`synthetic/${id}`);
    const startAt = clock.now();
    let frames = 0;
    let index = 0;
    // Ticks are counted from the start; the jitter of one never moves the next.
    const dueAt = () => instantUs(Math.round(startAt + (isSteady ? index : index + jitterRatio * draws.ratio()) * periodUs));
    const play = (): void => {
      const count = !isSteady && draws.chance(burstRatio) ? burstFrames : 1;
      const capturedAt = clock.now();
      for (let frame = 0; frame < count && frames < framesMax && !emit.isClosed; frame += 1) {
        frames += 1;
        emit.frame(capturedAt, payload);
      }
      if (emit.isClosed) return;
      if (frames >= framesMax) {
        emit.end(`all ${framesMax} frames were given`);
        return;
      }
      index = Math.max(index + 1, Math.floor((clock.now() - startAt) / periodUs));
      timer = clock.at(dueAt(), play);
    };
    emit.state('live', `${Number(fps.toFixed(3))} frames a second`);
    let timer = clock.at(dueAt(), play);
    return () => timer.cancel();
  });
}
