import type { Clock } from '../core/clock.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import { type DurationUs, durationFromMs, instantUs } from '../core/units.ts';
import { createEmittingSource, type SourceEmitter } from './emitter.ts';
import { startMetronome } from './metronome.ts';
import { type MediaDecoder, rejectReasonOf, type Source } from './source.ts';
import { AUDIO_RATE_HZ } from './wav-decode.ts';

export interface WavSourceOptions {
  readonly kind: 'wav';
  readonly id: SourceId;
  readonly path: string;
  /** Samples of 16 kHz per frame: 512 are 32 ms. */
  readonly windowSamples: number;
  readonly loop: boolean;
  /** Silence between two rounds of a loop, rounded up to whole windows. */
  readonly gapUs: DurationUs;
  readonly secondsMax: number;
}

export const WAV_DEFAULTS = { windowSamples: 512, loop: false, gapUs: durationFromMs(1000), secondsMax: 600 } as const;

export interface WavSourceDeps {
  readonly clock: Clock;
  readonly decoder: MediaDecoder;
}

/** Behind by more than this, the recording goes on from where it is instead of hurrying. */
const LAG_MAX_US = durationFromMs(1000);

/**
 * A recording as a microphone: windows of 16 kHz samples at real-time pace, the last one filled up with silence. As with a real microphone, a window comes when
 * its last sample does: `capturedAt` is the end of the window.
 */
export function createWavSource(options: WavSourceOptions, { clock, decoder }: WavSourceDeps): Source {
  const { id, path, windowSamples, secondsMax } = options;
  return createEmittingSource(id, (emit) => {
    let stop: () => void = () => undefined;
    const start = async (): Promise<void> => {
      const samples = await decoder.decodeWav({ path, secondsMax });
      if (emit.isClosed) return;
      emit.state('live', `playing '${path}'`);
      const periodUs = (windowSamples / AUDIO_RATE_HZ) * 1e6;
      const startAt = instantUs(clock.now() + Math.round(periodUs));
      const play = createPlayer(samples, options, periodUs, emit);
      if (!emit.isClosed) stop = startMetronome(clock, { startAt, periodUs, lateTicks: 'play', lagMaxUs: LAG_MAX_US }, play);
    };
    emit.state('starting', `reading '${path}'`);
    start().catch((error: unknown) => {
      const known = error instanceof CoxswainError ? error : new CoxswainError('WAV_INVALID', messageOf(error), { cause: error });
      emit.reject(rejectReasonOf(known), known.message);
      emit.end(known.message, known);
    });
    return () => stop();
  });
}

function createPlayer(samples: Float32Array, options: WavSourceOptions, periodUs: number, emit: SourceEmitter) {
  const { windowSamples, loop, gapUs, path } = options;
  const clipWindows = Math.ceil(samples.length / windowSamples);
  const roundWindows = clipWindows + (loop ? Math.ceil(gapUs / periodUs) : 0);
  return (at: Parameters<SourceEmitter['frame']>[0], index: number): void => {
    const window = new Float32Array(windowSamples);
    const from = (index % roundWindows) * windowSamples;
    // Past the clip the slice is empty and the window stays silent.
    window.set(samples.subarray(from, from + windowSamples));
    emit.frame(at, { kind: 'audio', samples: window });
    if (!loop && index + 1 >= clipWindows) emit.end(`'${path}' is over`);
  };
}
