import { describe, expect, it } from 'vitest';
import type { Quad } from '../../../../src/core/frame.ts';
import { encodeImage, fitImage } from '../../../../src/models/perception/image-fit.ts';
import { createTensorWriter } from '../../../../src/models/perception/image-tensor.ts';

const write = createTensorWriter({ layout: 'nchw', channels: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] });

const quad = (left: number, top: number, right: number, bottom: number): Quad => [
  { x: left, y: top },
  { x: right, y: top },
  { x: right, y: bottom },
  { x: left, y: bottom },
];

function plain(width: number, height: number, value: number) {
  return { data: new Uint8Array(3 * width * height).fill(value), width, height };
}

describe('fitImage', () => {
  it('centres a wide frame between bars above and below', () => {
    const { placement, transform } = fitImage({ width: 1280, height: 720 }, 416, 416, 'letterbox');
    expect(placement).toEqual({ tensorWidth: 416, tensorHeight: 416, left: 0, top: 91, width: 416, height: 234 });
    expect(transform.scaleX).toBeCloseTo(1280 / 416, 12);
    expect(transform.scaleY * 91 + transform.offsetY).toBeCloseTo(0, 9);
    expect(transform.scaleY * (91 + 234) + transform.offsetY).toBeCloseTo(720, 9);
  });

  it('centres a tall frame between bars left and right', () => {
    const { placement, transform } = fitImage({ width: 100, height: 400 }, 200, 200, 'letterbox');
    expect(placement).toMatchObject({ left: 75, top: 0, width: 50, height: 200 });
    expect([75 * transform.scaleX + transform.offsetX, 125 * transform.scaleX + transform.offsetX]).toEqual([0, 100]);
  });

  it('bends the aspect ratio when it stretches', () => {
    const { placement, transform } = fitImage({ width: 100, height: 50 }, 200, 200, 'stretch');
    expect(placement).toMatchObject({ left: 0, top: 0, width: 200, height: 200 });
    expect(transform).toMatchObject({ scaleX: 0.5, scaleY: 0.25, offsetX: 0, offsetY: 0 });
  });

  it('looks at the whole pixels around a crop, cut to the frame, and maps back into the frame', () => {
    const { source, transform } = fitImage({ width: 100, height: 50, crop: quad(-20, 10.5, 60.2, 30) }, 61, 20, 'stretch');
    expect(source).toEqual({ left: 0, top: 10, width: 61, height: 20 });
    expect(transform).toMatchObject({ scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 10, frameWidth: 100, frameHeight: 50 });
  });

  it.each([
    ['outside of the frame', quad(200, 10, 220, 30)],
    ['left of the frame', quad(-30, 10, -10, 30)],
    ['without area', quad(20, 20, 20, 20)],
    ['with a corner that is no number', [{ x: Number.NaN, y: 0 }, ...quad(0, 0, 9, 9).slice(1)] as unknown as Quad],
  ])('refuses a crop %s', (_, crop) => {
    expect(() => fitImage({ width: 100, height: 50, crop }, 64, 64, 'letterbox')).toThrow(
      expect.objectContaining({ code: 'CROP_INVALID' }),
    );
  });
});

describe('encodeImage', () => {
  it.each([
    [1, 1],
    [20_000, 1],
    [1, 20_000],
    [32, 32],
  ])('takes a frame of %i x %i pixels', async (width, height) => {
    const tensor = new Float32Array(3 * 32 * 32).fill(-1);
    const transform = await encodeImage(plain(width, height, 200), tensor, { width: 32, height: 32, mode: 'letterbox' }, write);
    const values = new Set(tensor);
    expect([...values].sort()).toEqual(width === height ? [200] : [0, 200]);
    expect(transform).toMatchObject({ frameWidth: width, frameHeight: height });
  });

  it('encodes the crop and nothing beside it', async () => {
    const pixels = plain(64, 64, 0);
    for (let y = 16; y < 48; y += 1) pixels.data.fill(255, 3 * (64 * y + 16), 3 * (64 * y + 48));
    const tensor = new Float32Array(3 * 16 * 16);
    await encodeImage({ ...pixels, crop: quad(16, 16, 48, 48) }, tensor, { width: 16, height: 16, mode: 'stretch' }, write);
    expect(new Set(tensor)).toEqual(new Set([255]));
  });

  it('keeps the place of a bright pixel block when it shrinks the frame', async () => {
    const pixels = plain(128, 64, 0);
    for (let y = 8; y < 16; y += 1) pixels.data.fill(255, 3 * (128 * y + 96), 3 * (128 * y + 104));
    const tensor = new Float32Array(3 * 32 * 32);
    const transform = await encodeImage(pixels, tensor, { width: 32, height: 32, mode: 'letterbox' }, write);
    const brightest = tensor.subarray(0, 1024).indexOf(Math.max(...tensor.subarray(0, 1024)));
    const x = ((brightest % 32) + 0.5) * transform.scaleX + transform.offsetX;
    const y = (Math.floor(brightest / 32) + 0.5) * transform.scaleY + transform.offsetY;
    expect(x).toBeGreaterThan(96);
    expect(x).toBeLessThan(104);
    expect(y).toBeGreaterThan(8);
    expect(y).toBeLessThan(16);
  });

  it('reads calls that overlap each into its own tensor', async () => {
    const tensors = [10, 20, 30].map((value) => ({ value, tensor: new Float32Array(3 * 16 * 16) }));
    const size = { width: 16, height: 16, mode: 'stretch' } as const;
    await Promise.all(tensors.map(({ value, tensor }) => encodeImage(plain(50, 50, value), tensor, size, write)));
    for (const { value, tensor } of tensors) expect(new Set(tensor)).toEqual(new Set([value]));
  });

  it('holds the bytes to the size that they are said to have', async () => {
    const lying = { ...plain(4, 4, 0), width: 5 };
    await expect(encodeImage(lying, new Float32Array(12), { width: 2, height: 2, mode: 'stretch' }, write)).rejects.toThrow(
      'invariant broken',
    );
  });
});
