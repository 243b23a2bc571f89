import type { Point, Quad, SourceId } from './frame.ts';
import type { JobId } from './job.ts';
import type { ModelId } from './model.ts';
import type { StreamId } from './stream.ts';
import type { DurationUs, InstantUs } from './units.ts';

/** In pixels of the source frame; `x`, `y` is the top-left corner. Clipped to the frame. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ObjectItem {
  readonly kind: 'object';
  readonly label: string;
  /** 0..1 */
  readonly score: number;
  readonly box: Box;
}

export interface FaceItem {
  readonly kind: 'face';
  readonly label: 'face';
  readonly score: number;
  readonly box: Box;
  /** Right eye, left eye, nose tip, mouth centre, right ear, left ear (the subject's own right and left). */
  readonly keypoints: readonly Point[];
}

export interface TextBoxItem {
  readonly kind: 'text-box';
  readonly label: 'text-box';
  readonly score: number;
  readonly quad: Quad;
}

export interface TextItem {
  readonly kind: 'text';
  readonly label: 'text';
  readonly score: number;
  readonly text: string;
  readonly quad: Quad;
}

export interface LineItem {
  readonly kind: 'line';
  readonly label: 'line';
  readonly score: number;
  readonly from: Point;
  readonly to: Point;
}

/** One window's speech probability. */
export interface SpeechItem {
  readonly kind: 'speech';
  readonly label: 'speech';
  readonly score: number;
  readonly isSpeech: boolean;
}

/** A finished stretch of speech with its pre-roll, ready for recognition. */
export interface UtteranceItem {
  readonly kind: 'utterance';
  readonly label: 'utterance';
  readonly score: number;
  readonly startsAt: InstantUs;
  readonly endsAt: InstantUs;
  /** Mono, 16 kHz. */
  readonly samples: Float32Array;
}

export type ResultItem = ObjectItem | FaceItem | TextBoxItem | TextItem | LineItem | SpeechItem | UtteranceItem;

/** What one job found. An empty `items` is a result too: nothing was there. */
export interface Result {
  readonly pipeline: StreamId;
  readonly job: JobId;
  readonly source: SourceId;
  readonly sequence: number;
  readonly capturedAt: InstantUs;
  readonly model: ModelId;
  /** From capture to this result. */
  readonly ageUs: DurationUs;
  readonly isLate: boolean;
  readonly items: readonly ResultItem[];
}
