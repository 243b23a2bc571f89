import type { Quad } from '../core/frame.ts';
import type { ModelSpec } from '../core/model.ts';
import type { ResultItem } from '../core/result.ts';
import type { InstantUs } from '../core/units.ts';

/** RGB pixels, `height` x `width` x 3 bytes, row by row, no padding. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The part to encode; the whole image when absent. */
  readonly crop?: Quad;
}

/**
 * From tensor pixels back to frame pixels: `frameX = tensorX * scaleX + offsetX`. Plain data, so that it crosses threads.
 * For a perspective crop (text recognition) it carries the quad instead and scale and offset mean nothing.
 */
export interface ImageTransform {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly crop?: Quad;
}

/** Values of the pipeline's `decode:` section, such as `{ scoreMin: 0.45 }`; each codec checks them with its own defaults and ranges. */
export type DecodeOptions = Readonly<Record<string, number | string | boolean | readonly string[]>>;

/**
 * How an image model's frames become its input and its outputs become results. Both run on media workers, never on the main event loop.
 * Created once per worker and model; `files` are side files of the manifest entry (a character dictionary), by key, already read.
 */
export interface ImageCodec {
  readonly kind: 'image';
  /** Fills `input` (the model's only image tensor, see ModelSpec.inputs[0]) from the pixels. */
  encode(pixels: Pixels, input: Float32Array): Promise<ImageTransform>;
  /** `outputs` in the order of ModelSpec.outputs. */
  decode(outputs: readonly Float32Array[], transform: ImageTransform, options: DecodeOptions): ResultItem[];
}

export interface ImageCodecFactory {
  readonly kind: 'image';
  create(model: ModelSpec, files: Readonly<Record<string, string>>): ImageCodec;
}

/**
 * How an audio model's windows become its input and its outputs become results. Cheap (some 10 us a window) and stateful, so it runs on the main loop,
 * one per pipeline, windows in order.
 */
export interface AudioCodec {
  readonly kind: 'audio';
  /** Samples that each window holds. */
  readonly windowSamples: number;
  encode(window: Float32Array, input: Float32Array): void;
  /** Called once per finished window, in order; a window that was dropped is told by `skip`. */
  decode(window: Float32Array, capturedAt: InstantUs, outputs: readonly Float32Array[]): ResultItem[];
  skip(window: Float32Array, capturedAt: InstantUs): ResultItem[];
}

export interface AudioCodecFactory {
  readonly kind: 'audio';
  create(model: ModelSpec, options: DecodeOptions): AudioCodec;
}

export type CodecFactory = ImageCodecFactory | AudioCodecFactory;
