import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import type { SpawnChild } from './child.ts';
import { type ChildPolicy, createChildPolicy, superviseChild } from './child-supervisor.ts';
import { createEmittingSource, type SourceEmitter } from './emitter.ts';
import { createFrameAssembler } from './frame-assembler.ts';
import type { FrameMemory, Source } from './source.ts';
import { type VideoInput, videoArguments } from './video-arguments.ts';

export interface VideoSourceOptions {
  readonly kind: 'video';
  readonly id: SourceId;
  readonly input: VideoInput;
  /** Of the frames given, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames are dropped or repeated to this rate. */
  readonly fps: number;
  /** A name on the PATH or an absolute path. */
  readonly program: string;
  /** What differs from `createChildPolicy` at this rate. */
  readonly policy?: Partial<ChildPolicy>;
}

export const VIDEO_DEFAULTS = { program: 'ffmpeg' } as const;

export interface VideoSourceDeps {
  readonly clock: Clock;
  readonly memory: FrameMemory;
  readonly spawn: SpawnChild;
  readonly prng: Prng;
}

/**
 * A video file, a network camera or a camera of this machine, decoded and scaled by an ffmpeg child. A live camera is started again for ever; a file ends at
 * its end, unless it loops. Throws CONFIG_INVALID for an input that is not allowed.
 */
export function createVideoSource(options: VideoSourceOptions, deps: VideoSourceDeps): Source {
  const { id, input, width, height, fps, program } = options;
  const args = videoArguments(input, { width, height, fps });
  const isLive = input.kind !== 'file';
  const policy: ChildPolicy = { ...createChildPolicy(1e6 / fps, isLive), ...options.policy };
  const endsAtExit = input.kind === 'file' && !input.loop;
  return createEmittingSource(id, (emit) => {
    const consumer = createVideoConsumer(options, deps.memory, emit);
    return superviseChild({ program, args, policy, endsAtExit }, { ...deps, prng: deps.prng.fork(`video/${id}`) }, consumer, emit);
  });
}

function createVideoConsumer({ width, height }: VideoSourceOptions, memory: FrameMemory, emit: SourceEmitter) {
  const frameBytes = width * height * 3;
  const assembler = createFrameAssembler(frameBytes, memory, {
    frame: (region, capturedAt) => {
      if (emit.isClosed) memory.release(region);
      else emit.frame(capturedAt, { kind: 'image', region, width, height });
    },
    noMemory: () => emit.reject('no-memory', `no memory for a frame of ${frameBytes} bytes`),
  });
  return {
    data: assembler.push,
    finish(isStopped: boolean): void {
      if (assembler.abort() && !isStopped) emit.reject('corrupt', `the last frame was cut short of its ${frameBytes} bytes`);
    },
  };
}
