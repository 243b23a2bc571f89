import type { SourceConfig } from '../config/runtime-config.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Payload } from '../core/frame.ts';
import { expandImagePaths } from '../sources/image-paths.ts';
import type { ImagesSourceOptions } from '../sources/images.ts';
import { createPhotoReel } from '../sources/photo-reel.ts';
import type { PlainSourceOptions } from '../sources/registry.ts';
import type { FrameMemory, MediaDecoder, SourceEvent } from '../sources/source.ts';
import { AUDIO_RATE_HZ } from '../sources/wav-decode.ts';
import type { WavSourceOptions } from '../sources/wav-source.ts';
import type { RealWork } from './real-work.ts';
import { sourceOptions } from './source-options.ts';

/** What the frames of a source show, one after the other, whatever the time. */
export interface FrameFeed {
  /** Of the next frame, a region with one claim on it; or why there is none. */
  next(): Payload | Extract<SourceEvent, { readonly kind: 'rejected' }>;
}

export interface FrameFeedDeps {
  readonly memory: FrameMemory;
  readonly decoder: MediaDecoder;
  readonly work: RealWork;
}

export type FedOptions = Extract<PlainSourceOptions, { readonly kind: 'images' | 'wav' | 'synthetic' }>;

const isFed = (options: PlainSourceOptions): options is FedOptions => options.kind !== 'video' && options.kind !== 'microphone';

/** What a source can be fed from; of alternatives the first. Errors: CONFIG_INVALID for a source that goes at its own pace. */
export function fedFrom(section: SourceConfig, file: string): FedOptions {
  const options = sourceOptions(section);
  const fed = (options.kind === 'first-of' ? options.candidates : [options]).find(isFed);
  if (fed === undefined) {
    const text = `source ${section.id} is a device or a film, which do not wait for simulated time`;
    throw new CoxswainError('CONFIG_INVALID', `${file}: ${text}; compute with images, a WAV file or a synthetic source`);
  }
  return fed;
}

/** The photos or the sound. Resolves when the first frame is there. Errors: FILE_UNREADABLE, WAV_INVALID. */
export async function openFrameFeed(fed: FedOptions, deps: FrameFeedDeps): Promise<FrameFeed> {
  switch (fed.kind) {
    case 'images':
      return openPhotos(fed, deps);
    case 'wav':
      return openSound(fed, deps);
    case 'synthetic':
      return { next: () => ({ kind: 'empty' }) };
  }
}

/** The photos as the source itself shows them, only that none is ever late: time stands still while one is decoded. */
async function openPhotos(options: ImagesSourceOptions, { memory, decoder, work }: FrameFeedDeps): Promise<FrameFeed> {
  const { paths, filesMax, width, height } = options;
  const reel = createPhotoReel(await expandImagePaths(paths, filesMax), options, {
    memory,
    decoder: {
      decodeImage(request) {
        const decoding = decoder.decodeImage(request);
        // A photo that cannot be decoded is the reel's to tell. The next frame may be due at any time.
        const settled = decoding.then(NOTHING, NOTHING);
        work.hold(settled, () => Number.NEGATIVE_INFINITY);
        return decoding;
      },
    },
  });
  await reel.preload();
  return {
    next() {
      const shot = reel.take();
      if (shot.kind !== 'ready') return { kind: 'rejected', reason: shot.reason, message: shot.message };
      return { kind: 'image', region: shot.region, width, height };
    },
  };
}

const NOTHING = (): void => undefined;

/** Window after window, and silence between two rounds, or for good behind a recording that is played once. */
async function openSound(options: WavSourceOptions, { decoder }: FrameFeedDeps): Promise<FrameFeed> {
  const { path, secondsMax, windowSamples, loop, gapUs } = options;
  const samples = await decoder.decodeWav({ path, secondsMax });
  const windowUs = (windowSamples / AUDIO_RATE_HZ) * 1e6;
  const clipWindows = Math.ceil(samples.length / windowSamples);
  const roundWindows = loop ? clipWindows + Math.ceil(gapUs / windowUs) : Number.POSITIVE_INFINITY;
  let index = 0;
  return {
    next() {
      const window = new Float32Array(windowSamples);
      const from = (index % roundWindows) * windowSamples;
      window.set(samples.subarray(from, from + windowSamples));
      index += 1;
      return { kind: 'audio', samples: window };
    },
  };
}
