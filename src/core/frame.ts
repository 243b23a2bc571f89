import type { Provenance } from './proposal.ts';
import type { Region } from './region.ts';
import type { InstantUs } from './units.ts';

export type SourceId = string;

/** Corners in the order top-left, top-right, bottom-right, bottom-left, in pixels of the frame. */
export type Quad = readonly [Point, Point, Point, Point];

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels in the arena: `height` x `width` x 3 bytes, RGB, row by row, no padding. */
export interface ImagePayload {
  readonly kind: 'image';
  readonly region: Region;
  readonly width: number;
  readonly height: number;
  /** The part that the next stage shall look at; the whole image when absent. */
  readonly crop?: Quad;
}

/** Mono samples at 16 kHz, each within -1..1. */
export interface AudioPayload {
  readonly kind: 'audio';
  readonly samples: Float32Array;
}

/** Load without content, for exercising a model with zeros. */
export interface EmptyPayload {
  readonly kind: 'empty';
}

/** Somebody speaks to a language model. Invented ones are lengths without words. */
export interface TurnPayload {
  readonly kind: 'turn';
  readonly promptTokens: number;
  /** Where the model will end its answer, if nothing ends it sooner. Whoever decides anything before then must not look at it. */
  readonly answerTokens: number;
  /** Whether it goes on with the conversation of the turn before. */
  readonly isFollowUp: boolean;
  /** Absent: invented by the lengths alone. */
  readonly words?: Words;
}

/** What somebody said, and who. */
export interface Words {
  readonly text: string;
  readonly provenance: Provenance;
}

export type Payload = ImagePayload | AudioPayload | EmptyPayload | TurnPayload;

/** What a source gives: a payload, when it was captured, by whom, and its place in order. Sequence numbers of one source only grow. */
export interface Frame {
  readonly source: SourceId;
  readonly sequence: number;
  readonly capturedAt: InstantUs;
  readonly payload: Payload;
}
