import type { SourceConfig } from '../config/source-config.ts';
import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Payload } from '../core/frame.ts';
import type { SpawnChild } from '../sources/child.ts';
import { openFilm } from '../sources/film.ts';
import { firstMissing } from '../sources/first-of.ts';
import { expandImagePaths } from '../sources/image-paths.ts';
import type { ImagesSourceOptions } from '../sources/images.ts';
import { createPhotoReel } from '../sources/photo-reel.ts';
import { type PlainSourceOptions, sourceRequirements } from '../sources/registry.ts';
import type { FrameMemory, MediaDecoder, SourceEvent } from '../sources/source.ts';
import type { VideoSourceOptions } from '../sources/video.ts';
import { AUDIO_RATE_HZ } from '../sources/wav-decode.ts';
import type { WavSourceOptions } from '../sources/wav-source.ts';
import type { RealWork } from './real-work.ts';
import { sourceOptions } from './source-options.ts';

/** What the frames of a source show, one after the other, whatever the time. */
export interface FrameFeed {
  /** Of the next frame, a region with one claim on it; or why there is none; undefined when the recording is over. */
  next(): Shown | undefined;
  close(): void;
}

type Shown = Payload | Extract<SourceEvent, { readonly kind: 'rejected' }>;

export interface FrameFeedDeps {
  readonly memory: FrameMemory;
  readonly decoder: MediaDecoder;
  readonly work: RealWork;
}

/** Sources that wait until they are asked. */
export type FedOptions = Extract<PlainSourceOptions, { readonly kind: 'images' | 'wav' | 'synthetic' | 'video' }>;

const isFed = (options: PlainSourceOptions): options is FedOptions => {
  if (options.kind === 'video') return options.input.kind === 'file';
  return options.kind === 'images' || options.kind === 'wav' || options.kind === 'synthetic';
};

/**
 * What a source can be fed from; of alternatives the first whose files and programs are there, as in a run, cameras and microphones left out.
 * Errors: CONFIG_INVALID for a source that goes at its own pace only.
 */
export async function fedFrom(
  section: SourceConfig,
  file: string,
  deps: { readonly clock: Clock; readonly spawn: SpawnChild },
): Promise<FedOptions> {
  const options = sourceOptions(section);
  const candidates = (options.kind === 'first-of' ? options.candidates : [options]).filter(isFed);
  for (const candidate of candidates) if ((await firstMissing(sourceRequirements(candidate), deps)) === undefined) return candidate;
  // Opening it says what is missing.
  if (candidates[0] !== undefined) return candidates[0];
  const text = `source ${section.id} is a device, which does not wait for simulated time`;
  throw new CoxswainError('CONFIG_INVALID', `${file}: ${text}; compute with images, a video or WAV file, or a synthetic source`);
}

/** Resolves when the first frame is there. Errors: FILE_UNREADABLE, WAV_INVALID, PROGRAM_MISSING, SOURCE_LOST. */
export async function openFrameFeed(fed: FedOptions, deps: FrameFeedDeps): Promise<FrameFeed> {
  switch (fed.kind) {
    case 'images':
      return openPhotos(fed, deps);
    case 'video':
      return openVideo(fed, deps);
    case 'wav':
      return openSound(fed, deps);
    case 'synthetic':
      return { next: () => ({ kind: 'empty' }), close: NOTHING };
  }
}

const NOTHING = (): void => undefined;
/** The next frame may be due at any time. */
const AT_ONCE = (): number => Number.NEGATIVE_INFINITY;

/** The photos as the source itself shows them, only that none is ever late: time stands still while one is decoded. */
async function openPhotos(options: ImagesSourceOptions, { memory, decoder, work }: FrameFeedDeps): Promise<FrameFeed> {
  const { paths, filesMax, width, height } = options;
  const reel = createPhotoReel(await expandImagePaths(paths, filesMax), options, {
    memory,
    decoder: {
      decodeImage(request) {
        const decoding = decoder.decodeImage(request);
        // A photo that cannot be decoded is the reel's to tell.
        work.hold(decoding.then(NOTHING, NOTHING), AT_ONCE);
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
    close: NOTHING,
  };
}

/** Frame after frame of a video file, the next one read while the present one is shown. */
async function openVideo(options: VideoSourceOptions, { memory, work }: FrameFeedDeps): Promise<FrameFeed> {
  const { width, height } = options;
  const frameBytes = width * height * 3;
  const film = openFilm(options);
  let shown: Shown | undefined;
  async function prepare(): Promise<void> {
    shown = { kind: 'rejected', reason: 'no-memory', message: `no memory for a frame of ${frameBytes} bytes` };
    const region = memory.allocate(frameBytes);
    if (region === undefined) return;
    const isThere = await film.next(memory.bytes(region));
    shown = isThere ? { kind: 'image', region, width, height } : undefined;
    if (!isThere) memory.release(region);
  }
  try {
    await prepare();
  } catch (error) {
    film.close();
    throw error;
  }
  return {
    next() {
      const taken = shown;
      if (taken !== undefined) work.hold(prepare(), AT_ONCE);
      return taken;
    },
    close: () => film.close(),
  };
}

/** Window after window, and silence between two rounds. */
async function openSound(options: WavSourceOptions, { decoder }: FrameFeedDeps): Promise<FrameFeed> {
  const { path, secondsMax, windowSamples, loop, gapUs } = options;
  const samples = await decoder.decodeWav({ path, secondsMax });
  const windowUs = (windowSamples / AUDIO_RATE_HZ) * 1e6;
  const clipWindows = Math.ceil(samples.length / windowSamples);
  const roundWindows = clipWindows + (loop ? Math.ceil(gapUs / windowUs) : 0);
  let index = 0;
  return {
    next() {
      if (!loop && index >= clipWindows) return undefined;
      const window = new Float32Array(windowSamples);
      const from = (index % roundWindows) * windowSamples;
      window.set(samples.subarray(from, from + windowSamples));
      index += 1;
      return { kind: 'audio', samples: window };
    },
    close: NOTHING,
  };
}
