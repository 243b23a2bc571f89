import { CoxswainError, messageOf } from '../core/errors.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import { type FrameMemory, type MediaDecoder, rejectReasonOf } from './source.ts';

export interface PhotoReelOptions {
  /** Of the frames given, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The most pixels a file may have. */
  readonly pixelsMax: number;
  /** How much frame memory decoded photos may keep for their next turn. */
  readonly cacheBytesMax: number;
}

interface PhotoReelDeps {
  readonly memory: FrameMemory;
  readonly decoder: Pick<MediaDecoder, 'decodeImage'>;
}

/** The photo in turn: taken with one claim on its region, or not there, for a reason. `waiting` keeps its turn, `failed` has lost it. */
type Shot =
  | { readonly kind: 'ready'; readonly region: Region }
  | { readonly kind: 'failed' | 'waiting'; readonly reason: RejectReason; readonly message: string };

const NOT_BEGUN: Shot = { kind: 'waiting', reason: 'not-ready', message: 'no photo was decoded yet' };

export interface PhotoReel {
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
export function createPhotoReel(files: readonly string[], options: PhotoReelOptions, { memory, decoder }: PhotoReelDeps): PhotoReel {
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
