import sharp from 'sharp';
import { assert } from '../../core/assert.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { Quad } from '../../core/frame.ts';
import type { ImageTransform, Pixels } from '../codec.ts';
import type { Placement, TensorWriter } from './image-tensor.ts';

/** `stretch` fills the tensor and bends the aspect ratio; `letterbox` keeps it, centred between black bars. */
export type FitMode = 'stretch' | 'letterbox';

/** Where the looked-at part of a frame lies, in the frame and in the tensor. */
export interface ImageFit {
  /** Whole pixels of the frame. */
  readonly source: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly placement: Placement;
  readonly transform: ImageTransform;
}

/** Pure geometry of `encodeImage`. Throws CROP_INVALID. */
export function fitImage(pixels: Omit<Pixels, 'data'>, tensorWidth: number, tensorHeight: number, mode: FitMode): ImageFit {
  const source =
    pixels.crop === undefined ? { left: 0, top: 0, width: pixels.width, height: pixels.height } : boundsInside(pixels.crop, pixels);
  const scale = Math.min(tensorWidth / source.width, tensorHeight / source.height);
  const width = mode === 'stretch' ? tensorWidth : Math.min(tensorWidth, Math.max(1, Math.round(source.width * scale)));
  const height = mode === 'stretch' ? tensorHeight : Math.min(tensorHeight, Math.max(1, Math.round(source.height * scale)));
  const left = (tensorWidth - width) >> 1;
  const top = (tensorHeight - height) >> 1;
  const scaleX = source.width / width;
  const scaleY = source.height / height;
  return {
    source,
    placement: { tensorWidth, tensorHeight, left, top, width, height },
    transform: {
      scaleX,
      scaleY,
      offsetX: source.left - left * scaleX,
      offsetY: source.top - top * scaleY,
      frameWidth: pixels.width,
      frameHeight: pixels.height,
    },
  };
}

/**
 * Resizes the looked-at part of the frame and writes it into the tensor. libvips resizes on its own threads; the `linear` kernel shrinks with
 * a box first, so that a large photo does not alias, at the cost of `nearest` plus 1 ms (720p to 416 x 416).
 */
export async function encodeImage(
  pixels: Pixels,
  tensor: Float32Array,
  size: { readonly width: number; readonly height: number; readonly mode: FitMode },
  write: TensorWriter,
): Promise<ImageTransform> {
  assert(
    pixels.data.length === pixels.width * pixels.height * 3,
    `${pixels.data.length} bytes are ${pixels.width} x ${pixels.height} RGB pixels`,
  );
  const fit = fitImage(pixels, size.width, size.height, size.mode);
  write(await resized(pixels, fit), fit.placement, tensor);
  return fit.transform;
}

async function resized(pixels: Pixels, { source, placement }: ImageFit): Promise<Uint8Array> {
  const isWhole = source.width === pixels.width && source.height === pixels.height;
  // A source that already delivers the model's size, as a camera can be asked to, skips libvips.
  if (isWhole && placement.width === pixels.width && placement.height === pixels.height) return pixels.data;
  const image = sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 }, limitInputPixels: false });
  const part = isWhole ? image : image.extract(source);
  try {
    return await part.resize(placement.width, placement.height, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  } catch (cause) {
    throw new CoxswainError('IMAGE_CORRUPT', `could not resize ${pixels.width} x ${pixels.height} pixels: ${messageOf(cause)}`, { cause });
  }
}

/** The whole pixels that the quad's bounding box touches, cut to the frame. */
function boundsInside(quad: Quad, frame: { readonly width: number; readonly height: number }): ImageFit['source'] {
  const xs = quad.map((point) => point.x);
  const ys = quad.map((point) => point.y);
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const width = Math.min(frame.width, Math.ceil(Math.max(...xs))) - left;
  const height = Math.min(frame.height, Math.ceil(Math.max(...ys))) - top;
  // Written so that a NaN among the corners fails too.
  if (width >= 1 && height >= 1) return { left, top, width, height };
  throw cropError(quad, frame);
}

export function cropError(quad: Quad, frame: { readonly width: number; readonly height: number }): CoxswainError {
  const corners = quad.map((point) => `(${point.x}, ${point.y})`).join(' ');
  return new CoxswainError(
    'CROP_INVALID',
    `the crop ${corners} holds no part of the ${frame.width} x ${frame.height} frame; check the stage that made it.`,
  );
}
