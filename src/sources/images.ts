import type { Clock } from '../core/clock.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import type { InstantUs } from '../core/units.ts';
import { createEmittingSource, type SourceEmitter } from './emitter.ts';
import { expandImagePaths } from './image-paths.ts';
import { startMetronome } from './metronome.ts';
import { createPhotoReel, type PhotoReel, type PhotoReelOptions } from './photo-reel.ts';
import type { FrameMemory, MediaDecoder, Source } from './source.ts';

export interface ImagesSourceOptions extends PhotoReelOptions {
  readonly kind: 'images';
  readonly id: SourceId;
  /** Files, folders, or patterns with `*` and `?` in their last part; shown in this order, round and round. */
  readonly paths: readonly string[];
  readonly fps: number;
  readonly filesMax: number;
}

export const IMAGES_DEFAULTS = { pixelsMax: 50_000_000, cacheBytesMax: 64 * 1024 * 1024, filesMax: 4096 } as const;

export interface ImagesSourceDeps {
  readonly clock: Clock;
  readonly memory: FrameMemory;
  readonly decoder: MediaDecoder;
  /** How paths become files; the file system unless a test says otherwise. */
  readonly expand?: (paths: readonly string[], filesMax: number) => Promise<readonly string[]>;
}

/**
 * Photos as a camera. The photos that fit the cache are decoded before the first tick, so that from then on they cost no more than a real camera's frames.
 * Each tick takes one photo at the tick's instant, whatever decoding takes: a photo that is not decoded by then costs its tick (`not-ready`) and is
 * shown at the next.
 */
export function createImagesSource(options: ImagesSourceOptions, deps: ImagesSourceDeps): Source {
  const { clock } = deps;
  const expand = deps.expand ?? expandImagePaths;
  return createEmittingSource(options.id, (emit) => {
    let stop: () => void = () => undefined;
    const start = async (): Promise<void> => {
      const files = await expand(options.paths, options.filesMax);
      if (emit.isClosed) return;
      const reel = createPhotoReel(files, options, deps);
      stop = reel.stop;
      await reel.preload();
      if (emit.isClosed) return;
      const tick = createTick(reel, files.length, emit);
      const stopTicks = startMetronome(clock, { startAt: clock.now(), periodUs: 1e6 / options.fps, lateTicks: 'skip' }, tick);
      stop = () => {
        stopTicks();
        reel.stop();
      };
    };
    emit.state('starting', `opening ${options.paths.join(', ')}`);
    start().catch((error: unknown) => {
      emit.end(
        messageOf(error),
        error instanceof CoxswainError ? error : new CoxswainError('FILE_UNREADABLE', messageOf(error), { cause: error }),
      );
    });
    return () => stop();
  });
}

function createTick(reel: PhotoReel, fileCount: number, emit: SourceEmitter): (at: InstantUs) => void {
  let failures = 0;
  return (at) => {
    const next = reel.take();
    if (next.kind === 'ready') {
      failures = 0;
      emit.state('live', 'photos come');
      emit.frame(at, { kind: 'image', region: next.region, width: reel.width, height: reel.height });
      return;
    }
    emit.reject(next.reason, next.message);
    if (next.kind !== 'failed') return;
    failures += 1;
    if (failures >= fileCount) emit.state('stalled', `none of ${fileCount} photos could be decoded; the last: ${next.message}`);
  };
}
