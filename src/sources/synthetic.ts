import type { Clock, Timer } from '../core/clock.ts';
import type { Payload, SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import { type InstantUs, instantUs } from '../core/units.ts';
import { createEmittingSource, type SourceEmitter } from './emitter.ts';
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
  const { id, fps } = options;
  return createEmittingSource(id, (emit) => {
    const player = new Player(options, clock, prng.fork(`synthetic/${id}`), emit);
    emit.state('live', `${Number(fps.toFixed(3))} frames a second`);
    player.setTimer();
    return () => player.stop();
  });
}

const NOTHING: Payload = { kind: 'empty' };

/** One object: of ten thousand sources each has its own, and each comes up with every frame. */
class Player {
  readonly #clock: Clock;
  readonly #emit: SourceEmitter;
  readonly #draws: Prng;
  readonly #periodUs: number;
  readonly #jitterRatio: number;
  readonly #burstRatio: number;
  readonly #burstFrames: number;
  readonly #framesMax: number | undefined;
  readonly #payload: Payload;
  readonly #startAt: InstantUs;
  #frames = 0;
  #index = 0;
  #timer: Timer | undefined;
  readonly #onTimer = this.#play.bind(this);

  constructor(options: SyntheticSourceOptions, clock: Clock, draws: Prng, emit: SourceEmitter) {
    const { fps, jitterRatio, burstRatio, burstFrames, framesMax, payload = NOTHING } = options;
    this.#clock = clock;
    this.#emit = emit;
    this.#draws = draws;
    this.#periodUs = 1e6 / fps;
    this.#jitterRatio = jitterRatio;
    this.#burstRatio = burstRatio;
    this.#burstFrames = burstFrames;
    this.#framesMax = framesMax;
    this.#payload = payload;
    this.#startAt = clock.now();
  }

  /** Ticks are counted from the start; the jitter of one never moves the next. Nothing is drawn for what never differs. */
  setTimer(): void {
    const strayRatio = this.#isSteady ? 0 : this.#jitterRatio * this.#draws.ratio();
    const dueAt = instantUs(Math.round(this.#startAt + (this.#index + strayRatio) * this.#periodUs));
    this.#timer = this.#clock.at(dueAt, this.#onTimer);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get #isSteady(): boolean {
    return this.#jitterRatio === 0 && this.#burstRatio === 0;
  }

  get #isOver(): boolean {
    return this.#framesMax !== undefined && this.#frames >= this.#framesMax;
  }

  #play(): void {
    const emit = this.#emit;
    const count = !this.#isSteady && this.#draws.chance(this.#burstRatio) ? this.#burstFrames : 1;
    const capturedAt = this.#clock.now();
    for (let frame = 0; frame < count && !this.#isOver && !emit.isClosed; frame += 1) {
      this.#frames += 1;
      emit.frame(capturedAt, this.#payload);
    }
    if (emit.isClosed) return;
    if (this.#isOver) return emit.end(`all ${this.#framesMax} frames were given`);
    this.#index = Math.max(this.#index + 1, Math.floor((this.#clock.now() - this.#startAt) / this.#periodUs));
    this.setTimer();
  }
}
