import type { Clock } from '../core/clock.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { InstantUs } from '../core/units.ts';
import { createEmittingSource, type SourceEmitter } from './emitter.ts';
import { expandImagePaths } from './image-paths.ts';
import { startMetronome } from './metronome.ts';
import { type FrameMemory, type MediaDecoder, rejectReasonOf, type Source } from './source.ts';

export interface ImagesSourceOptions {
  readonly kind: 'images';
  readonly id: SourceId;
  /** Files, folders, or patterns with `*` and `?` in their last part; shown in this order, round and round. */
  readonly paths: readonly string[];
  readonly fps: number;
  /** Of the frames given, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The most pixels a file may have. */
  readonly pixelsMax: number;
  /** How much frame memory decoded photos may keep for their next turn. */
  readonly cacheBytesMax: number;
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
      const reel = createReel(files, options, deps);
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

function createTick(reel: Reel, fileCount: number, emit: SourceEmitter): (at: InstantUs) => void {
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

type Shot =
  | { readonly kind: 'ready'; readonly region: Region }
  | { readonly kind: 'failed' | 'waiting'; readonly reason: RejectReason; readonly message: string };

const NOT_BEGUN: Shot = { kind: 'waiting', reason: 'not-ready', message: 'no photo was decoded yet' };

interface Reel {
  readonly width: number;
  readonly height: number;
  /** Resolves when the first photos, as many as the cache holds, are decoded or cannot be, and the one in turn is ready to be taken. */
  preload(): Promise<void>;
  /** The photo in turn, with one claim on its region, or why there is none; begins to decode the one after it. */
  take(): Shot;
  stop(): void;
}

/**
 * The photos in turn, the next one always being prepared, one decode at a time. The first that fit `cacheBytesMax` stay in memory and are emitted by
 * one more claim, without a copy. They are never replaced: in a cycle the photo used longest ago is the one needed next, so replacing it would leave no hit at all.
 */
function createReel(files: readonly string[], options: ImagesSourceOptions, { memory, decoder }: ImagesSourceDeps): Reel {
  const { width, height, pixelsMax, cacheBytesMax } = options;
  const frameBytes = width * height * 3;
  const cache = new Map<number, Region>();
  let cursor = 0;
  let isStopped = false;
  let shot: Shot = NOT_BEGUN;

  const cachedMax = Math.min(files.length, Math.floor(cacheBytesMax / frameBytes));

  /** One after the other, since the other sources start too. A photo that cannot be decoded is told when its turn comes. */
  const preload = async (): Promise<void> => {
    for (let index = 0; index < cachedMax && !isStopped; index += 1) {
      cursor = index;
      await prepare();
      if (shot.kind === 'ready') memory.release(shot.region);
      shot = NOT_BEGUN;
    }
    cursor = 0;
    if (!isStopped) await prepare();
  };

  const prepare = async (): Promise<void> => {
    const index = cursor;
    const path = files[index] as string;
    const cached = cache.get(index);
    if (cached !== undefined) {
      memory.retain(cached);
      shot = { kind: 'ready', region: cached };
      return;
    }
    const region = memory.allocate(frameBytes);
    if (region === undefined) {
      shot = { kind: 'waiting', reason: 'no-memory', message: `no memory for a frame of ${frameBytes} bytes` };
      return;
    }
    shot = { kind: 'waiting', reason: 'not-ready', message: `'${path}' was not decoded by its tick` };
    try {
      await decoder.decodeImage({ path, width, height, pixelsMax, region });
    } catch (error) {
      memory.release(region);
      shot = { kind: 'failed', reason: error instanceof CoxswainError ? rejectReasonOf(error) : 'corrupt', message: messageOf(error) };
      return;
    }
    // The worker may have been writing when the source was stopped, so the region is given back only now.
    if (isStopped) {
      memory.release(region);
      return;
    }
    if ((cache.size + 1) * frameBytes <= cacheBytesMax) {
      cache.set(index, region);
      memory.retain(region);
    }
    shot = { kind: 'ready', region };
  };

  return {
    width,
    height,
    preload,
    take() {
      const taken = shot;
      if (taken.kind !== 'waiting') cursor = (cursor + 1) % files.length;
      if (taken.kind !== 'waiting' || taken.reason === 'no-memory') void prepare();
      return taken;
    },
    stop() {
      if (isStopped) return;
      isStopped = true;
      if (shot.kind === 'ready') memory.release(shot.region);
      for (const region of cache.values()) memory.release(region);
      cache.clear();
    },
  };
}
