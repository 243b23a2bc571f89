import sharp from 'sharp';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { readRegularFile } from './regular-file.ts';
import type { DecodedImage } from './source.ts';

export interface ImageDecodeRequest {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Bounds width x height of the file, before anything is decoded. */
  readonly pixelsMax: number;
}

/** No photo of a camera comes near; it bounds what a worker reads into memory. */
const IMAGE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Decodes a JPEG, PNG or WebP file into `out`, which holds exactly height x width x 3 bytes of RGB: turned upright, scaled to cover, centred, without
 * alpha, in sRGB. Nothing is written unless all of it decoded. For media workers: never on the main event loop.
 * Rejects with FILE_UNREADABLE, IMAGE_CORRUPT, IMAGE_TOO_LARGE.
 */
export async function decodeImageFile(request: ImageDecodeRequest, out: Uint8Array): Promise<DecodedImage> {
  const { path, width, height, pixelsMax } = request;
  const bytes = await readRegularFile(path, IMAGE_BYTES_MAX);
  if (!isKnownImage(bytes)) throw new CoxswainError('IMAGE_CORRUPT', `'${path}' is not a JPEG, PNG or WebP image`);
  const limits = { limitInputPixels: pixelsMax, failOn: 'error', sequentialRead: true } as const;
  try {
    const size = await sharp(bytes, limits).metadata();
    if (size.width * size.height > pixelsMax) throw tooLarge(path, `${size.width} x ${size.height} pixels`, pixelsMax);
    const { data, info } = await sharp(bytes, limits)
      .autoOrient()
      .resize(width, height, { fit: 'cover', position: 'centre' })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 || data.length !== out.length) {
      throw new CoxswainError(
        'IMAGE_CORRUPT',
        `'${path}' decoded to ${data.length} bytes in ${info.channels} channels, ${out.length} in 3 were asked for`,
      );
    }
    out.set(data);
    return { width: size.autoOrient.width, height: size.autoOrient.height };
  } catch (error) {
    if (error instanceof CoxswainError) throw error;
    // libvips has no error codes; this text is the one way to know its limit.
    if (/pixel limit/i.test(messageOf(error))) throw tooLarge(path, 'more pixels', pixelsMax);
    throw new CoxswainError('IMAGE_CORRUPT', `'${path}' could not be decoded: ${messageOf(error)}`, { cause: error });
  }
}

const tooLarge = (path: string, what: string, pixelsMax: number): CoxswainError =>
  new CoxswainError(
    'IMAGE_TOO_LARGE',
    `'${path}' has ${what}, at most ${pixelsMax} are allowed: make it smaller or raise the source's limit`,
  );

/** By the first bytes, so that of the many loaders of libvips (SVG, PDF, GIF ...) only three ever see a file. */
function isKnownImage(bytes: Uint8Array): boolean {
  const has = (offset: number, signature: readonly number[]): boolean => signature.every((byte, index) => bytes[offset + index] === byte);
  const isJpeg = has(0, [0xff, 0xd8, 0xff]);
  const isPng = has(0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const isWebp = has(0, [0x52, 0x49, 0x46, 0x46]) && has(8, [0x57, 0x45, 0x42, 0x50]);
  return isJpeg || isPng || isWebp;
}
