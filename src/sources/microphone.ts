import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import type { SpawnChild } from './child.ts';
import { type ChildPolicy, createChildPolicy, superviseChild } from './child-supervisor.ts';
import { createEmittingSource } from './emitter.ts';
import type { Source } from './source.ts';
import { AUDIO_RATE_HZ } from './wav-decode.ts';
import { createWindowAssembler } from './window-assembler.ts';

export interface MicrophoneSourceOptions {
  readonly kind: 'microphone';
  readonly id: SourceId;
  /** ALSA's name, such as `default` or `plughw:CARD=Webcam`, which stays the same when devices are plugged in another order. */
  readonly device: string;
  /** Samples of 16 kHz per frame: 512 are 32 ms. */
  readonly windowSamples: number;
  /** A name on the PATH or an absolute path of something that takes arecord's options. */
  readonly program: string;
  /** What differs from `createChildPolicy` at this rate. */
  readonly policy?: Partial<ChildPolicy>;
}

export const MICROPHONE_DEFAULTS = { device: 'default', windowSamples: 512, program: 'arecord' } as const;

export interface MicrophoneSourceDeps {
  readonly clock: Clock;
  readonly spawn: SpawnChild;
  readonly prng: Prng;
}

/** A live microphone through an arecord child, started again for ever. `capturedAt` is the end of the window, as near as the arrival of its bytes tells. */
export function createMicrophoneSource(options: MicrophoneSourceOptions, deps: MicrophoneSourceDeps): Source {
  const { id, windowSamples, program } = options;
  const policy: ChildPolicy = { ...createChildPolicy((windowSamples / AUDIO_RATE_HZ) * 1e6, true), ...options.policy };
  const args = microphoneArguments(options.device);
  return createEmittingSource(id, (emit) => {
    const assembler = createWindowAssembler(windowSamples, (samples, capturedAt) => emit.frame(capturedAt, { kind: 'audio', samples }));
    const consumer = {
      data: assembler.push,
      finish(isStopped: boolean): void {
        if (assembler.abort() && !isStopped) emit.reject('corrupt', `the last window was cut short of its ${windowSamples} samples`);
      },
    };
    const supervised = { program, args, policy, endsAtExit: false };
    return superviseChild(supervised, { ...deps, prng: deps.prng.fork(`microphone/${id}`) }, consumer, emit);
  });
}

/** Raw 16-bit mono at 16 kHz in periods of 20 ms; ALSA's default of 125 ms would come too late for a 32 ms deadline. */
function microphoneArguments(device: string): readonly string[] {
  const format = ['--file-type=raw', '--format=S16_LE', `--rate=${AUDIO_RATE_HZ}`, '--channels=1'];
  return ['--quiet', `--device=${device}`, ...format, '--period-time=20000', '--buffer-time=200000'];
}
