import type { z } from 'zod';
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

/** Values of the pipeline's `decode:` section, such as `{ scoreMin: 0.45 }`; each codec checks them with its own `optionsSchema`. */
export type DecodeOptions = Readonly<Record<string, number | string | boolean | readonly string[]>>;

/** A strict zod object in which every key has a default, so that `{}` is always valid. Checked through `parseDecodeOptions`. */
type DecodeOptionsSchema = z.ZodObject;

/**
 * How an image model's frames become its input and its outputs become results. Both run on media workers, never on the main event loop.
 * Created once per worker and model; `files` are side files of the manifest entry (a character dictionary), by key, already read.
 */
export interface ImageCodec {
  readonly kind: 'image';
  /**
   * Fills the whole of `input` (the model's only image tensor, see ModelSpec.inputs[0]) from the pixels. Calls may overlap.
   * Rejects with CROP_INVALID when `pixels.crop` is degenerate or lies outside of the image.
   */
  encode(pixels: Pixels, input: Float32Array): Promise<ImageTransform>;
  /** `outputs` in the order of ModelSpec.outputs, all finite. Throws CONFIG_INVALID for `options` that `optionsSchema` refuses. */
  decode(outputs: readonly Float32Array[], transform: ImageTransform, options: DecodeOptions): ResultItem[];
}

export interface ImageCodecFactory {
  readonly kind: 'image';
  readonly optionsSchema: DecodeOptionsSchema;
  /** Throws MODEL_CONTRACT when the manifest entry's tensors are not what this codec reads and writes, FILE_UNREADABLE when a side file is absent. */
  create(model: ModelSpec, files: Readonly<Record<string, string>>): ImageCodec;
}

/**
 * How an audio model's windows become its input and its outputs become results. Cheap (some 10 us a window) and stateful, so it runs on the main loop,
 * one per pipeline, windows in order.
 */
export interface AudioCodec {
  readonly kind: 'audio';
  /** Samples that each window holds; windows follow each other without overlap, since the codec keeps the context that its model wants. */
  readonly windowSamples: number;
  encode(window: Float32Array, input: Float32Array): void;
  /** Called once per finished window, in order; `capturedAt` is when the window was complete, the instant of its last sample. */
  decode(window: Float32Array, capturedAt: InstantUs, outputs: readonly Float32Array[]): ResultItem[];
  /** Called in `decode`'s place, and in its order, for a window that was dropped or failed, whether or not it was encoded. */
  skip(window: Float32Array, capturedAt: InstantUs): ResultItem[];
  /** Called when the source has ended, stalled or jumped: gives what is unfinished. Windows may follow, as a new beginning. */
  flush(): ResultItem[];
}

export interface AudioCodecFactory {
  readonly kind: 'audio';
  readonly optionsSchema: DecodeOptionsSchema;
  /** Throws CONFIG_INVALID for `options` that `optionsSchema` refuses, MODEL_CONTRACT as an image codec does. */
  create(model: ModelSpec, options: DecodeOptions): AudioCodec;
}

export type CodecFactory = ImageCodecFactory | AudioCodecFactory;
