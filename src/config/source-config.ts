import type { SourceId } from '../core/frame.ts';
import type { Provenance } from '../core/proposal.ts';
import type { DurationUs } from '../core/units.ts';
import type { Secret } from './secret.ts';

/** A source with its name. */
export type SourceConfig = { readonly id: SourceId } & (LeafSource | FirstOfSource);

export type LeafSource = VideoSource | ImagesSource | WavSource | MicrophoneSource | SyntheticSource | TurnsSource | WordsSource;
export type Medium = 'image' | 'audio' | 'empty' | 'turn';

/** Alternatives for one camera or microphone: the first whose input exists is taken. All give the same medium. */
export interface FirstOfSource {
  readonly kind: 'first-of';
  readonly medium: Medium;
  readonly sources: readonly LeafSource[];
}

/** What every source with a child process has in common. */
export interface Supervision {
  /** No frame for longer than this: `stalled`. */
  readonly stalledAfterUs: DurationUs;
  /** No frame for longer than this: the child process is killed and started again. */
  readonly killAfterUs: DurationUs;
  /** Wait before the first restart; doubles with each further one up to `restartDelayMaxUs`. */
  readonly restartDelayUs: DurationUs;
  readonly restartDelayMaxUs: DurationUs;
}

/** RGB frames of exactly `width` x `height`. */
export interface Picture {
  readonly fps: number;
  readonly periodUs: DurationUs;
  readonly width: number;
  readonly height: number;
}

export interface VideoSource extends Picture, Supervision {
  readonly kind: 'video';
  readonly medium: 'image';
  readonly from: VideoInput;
}

export type VideoInput =
  | { readonly kind: 'file'; readonly file: string; readonly isLooping: boolean }
  /** rtsp:// or rtsps://; it may hold a password. */
  | { readonly kind: 'url'; readonly url: Secret }
  /** V4L2: /dev/... */
  | { readonly kind: 'device'; readonly device: string };

export interface ImagesSource extends Picture {
  readonly kind: 'images';
  readonly medium: 'image';
  /** Absolute: a folder, a file, or a pattern whose last part has `*` or `?`. Files are taken in the order of their names. */
  readonly files: string;
  readonly isLooping: boolean;
  /** A file with more pixels is rejected as `oversized` before it is decoded. */
  readonly pixelsMax: number;
  /** Tensor memory that decoded images may keep for their next turn. */
  readonly cacheBytes: number;
}

/** Mono windows at 16 kHz. How long they are is up to the model that takes them. */
export interface Sound {
  readonly windowSamples: number;
  readonly periodUs: DurationUs;
}

export interface WavSource extends Sound {
  readonly kind: 'wav';
  readonly medium: 'audio';
  readonly file: string;
  readonly isLooping: boolean;
  /** Silence between two rounds. */
  readonly gapUs: DurationUs;
  readonly secondsMax: number;
}

export interface MicrophoneSource extends Sound, Supervision {
  readonly kind: 'microphone';
  readonly medium: 'audio';
  /** Name of an ALSA capture device, as `arecord -L` prints it. */
  readonly device: string;
}

/** Frames without content. */
export interface SyntheticSource {
  readonly kind: 'synthetic';
  readonly medium: 'empty';
  readonly fps: number;
  readonly periodUs: DurationUs;
  /** Each frame comes up to this part of a period after its time, uniformly. 0..1 */
  readonly jitterRatio: number;
  /** Chance that `burstFrames` frames come at once instead of one. 0..1 */
  readonly burstRatio: number;
  readonly burstFrames: number;
  /** The source ends after so many; undefined: never. */
  readonly framesMax: number | undefined;
}

/** Somebody who talks to a language model, without words. */
export interface TurnsSource {
  readonly kind: 'turns';
  readonly medium: 'turn';
  readonly perMinute: number;
  /** On average. */
  readonly periodUs: DurationUs;
  readonly arrivals: 'poisson' | 'periodic';
  readonly promptTokens: TokenRange;
  readonly answerTokens: TokenRange;
  readonly followUpRatio: number;
  /** The source ends after so many; undefined: never. */
  readonly turnsMax: number | undefined;
}

/** Somebody who speaks to an assistant, in words: by a script, over MQTT, or only through the HTTP server. */
export interface WordsSource {
  readonly kind: 'words';
  readonly medium: 'turn';
  readonly script: readonly ScriptedWords[];
  /** From one line of the script to the next. */
  readonly periodUs: DurationUs;
  readonly isLooping: boolean;
  /** Words also come from the topic `<prefix>/<node>/words/<source>`, as text. */
  readonly hearsMqtt: boolean;
}

export interface ScriptedWords {
  readonly text: string;
  readonly provenance: Provenance;
}

/** Both ends are possible. */
export interface TokenRange {
  readonly from: number;
  readonly to: number;
}
