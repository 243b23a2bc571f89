import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import type { SpawnChild } from './child.ts';
import { createFirstOfSource } from './first-of.ts';
import { expandImagePaths } from './image-paths.ts';
import { createImagesSource, type ImagesSourceOptions } from './images.ts';
import { createMicrophoneSource, type MicrophoneSourceOptions } from './microphone.ts';
import type { Requirement } from './requirement.ts';
import type { FrameMemory, MediaDecoder, Source } from './source.ts';
import { createSyntheticSource, type SyntheticSourceOptions } from './synthetic.ts';
import { createTurnsSource, type TurnsSourceOptions } from './turns.ts';
import { createVideoSource, type VideoSourceOptions } from './video.ts';
import { createWavSource, type WavSourceOptions } from './wav-source.ts';
import { createWordsSource, type WordsSourceDeps, type WordsSourceOptions } from './words.ts';

/** A source that can be started by itself. */
export type PlainSourceOptions =
  | ImagesSourceOptions
  | VideoSourceOptions
  | WavSourceOptions
  | MicrophoneSourceOptions
  | SyntheticSourceOptions
  | TurnsSourceOptions
  | WordsSourceOptions;

/** The first of `candidates` whose requirements are met: files exist, programs are installed. Its frames carry this `id`. */
export interface FirstOfSourceOptions {
  readonly kind: 'first-of';
  readonly id: SourceId;
  readonly candidates: readonly PlainSourceOptions[];
}

export type SourceOptions = PlainSourceOptions | FirstOfSourceOptions;

export interface SourceDeps extends Pick<WordsSourceDeps, 'hear'> {
  readonly clock: Clock;
  readonly memory: FrameMemory;
  readonly decoder: MediaDecoder;
  readonly spawn: SpawnChild;
  readonly prng: Prng;
}

interface SourceKind<O> {
  readonly create: (options: O, deps: SourceDeps) => Source;
  readonly requirements: (options: O) => readonly Requirement[];
}

/** Every kind of source: a new one is one new file and one line here. */
const SOURCE_KINDS: { readonly [K in PlainSourceOptions['kind']]: SourceKind<Extract<PlainSourceOptions, { readonly kind: K }>> } = {
  images: { create: createImagesSource, requirements: imagesRequirements },
  video: { create: createVideoSource, requirements: videoRequirements },
  wav: { create: createWavSource, requirements: ({ path }) => [{ kind: 'path', path }] },
  microphone: { create: createMicrophoneSource, requirements: microphoneRequirements },
  synthetic: { create: createSyntheticSource, requirements: () => [] },
  turns: { create: createTurnsSource, requirements: () => [] },
  words: { create: createWordsSource, requirements: () => [] },
};

/** Throws CONFIG_INVALID for an input that is not allowed. */
export function createSource(options: SourceOptions, deps: SourceDeps): Source {
  if (options.kind !== 'first-of') return createPlainSource(options, deps);
  const candidates = options.candidates.map((candidate) => ({
    name: candidate.kind,
    requirements: sourceRequirements(candidate),
    create: () => createPlainSource({ ...candidate, id: options.id }, deps),
  }));
  return createFirstOfSource(options.id, candidates, deps);
}

/** What must be there for a source to have a chance; also for `check` and `doctor`. */
export function sourceRequirements(options: PlainSourceOptions): readonly Requirement[] {
  return kindOf(options).requirements(options);
}

function createPlainSource(options: PlainSourceOptions, deps: SourceDeps): Source {
  return kindOf(options).create(options, deps);
}

/** The entry for these options; the table's type ties each kind to its own options, which the compiler cannot follow through an index. */
const kindOf = (options: PlainSourceOptions): SourceKind<PlainSourceOptions> =>
  SOURCE_KINDS[options.kind] as SourceKind<PlainSourceOptions>;

function imagesRequirements({ paths, filesMax }: ImagesSourceOptions): readonly Requirement[] {
  const missing = (): Promise<string | undefined> =>
    expandImagePaths(paths, filesMax).then(
      () => undefined,
      (error: Error) => error.message,
    );
  return [{ kind: 'check', missing }];
}

function videoRequirements({ input, program }: VideoSourceOptions): readonly Requirement[] {
  const ffmpeg: Requirement = { kind: 'program', program, versionArgs: ['-version'] };
  switch (input.kind) {
    case 'file':
      return [{ kind: 'path', path: input.path }, ffmpeg];
    case 'v4l2':
      return [{ kind: 'path', path: input.device }, ffmpeg];
    case 'rtsp':
      return [ffmpeg];
  }
}

/** Without /dev/snd there is no ALSA card; a sound server's device, such as `pulse`, needs none here. */
function microphoneRequirements({ device, program }: MicrophoneSourceOptions): readonly Requirement[] {
  const arecord: Requirement = { kind: 'program', program, versionArgs: ['--version'] };
  return /^(pulse|pipewire)/.test(device) ? [arecord] : [{ kind: 'path', path: '/dev/snd' }, arecord];
}
