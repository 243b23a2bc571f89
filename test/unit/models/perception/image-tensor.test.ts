import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../../src/core/assert.ts';
import { createTensorWriter } from '../../../../src/models/perception/image-tensor.ts';

/** Two pixels side by side. */
const RGB = Uint8Array.of(10, 20, 30, 40, 50, 60);
const WHOLE = { tensorWidth: 2, tensorHeight: 1, left: 0, top: 0, width: 2, height: 1 };

describe('createTensorWriter', () => {
  it('writes planes in the order blue, green, red with each channel its own mean and deviation', () => {
    const write = createTensorWriter({ layout: 'nchw', channels: 'bgr', mean: [10, 20, 30], std: [1, 2, 3] });
    const tensor = new Float32Array(6);
    write(RGB, WHOLE, tensor);
    expect([...tensor]).toEqual([0, 10, 0, 15, 0, 30]);
  });

  it('writes interleaved red, green, blue', () => {
    const write = createTensorWriter({ layout: 'nhwc', channels: 'rgb', mean: [0, 0, 0], std: [10, 10, 10] });
    const tensor = new Float32Array(6);
    write(RGB, WHOLE, tensor);
    expect([...tensor]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('fills the fourth channel with its constant, in the bars too', () => {
    const write = createTensorWriter({ layout: 'nhwc', channels: 'rgba', mean: [0, 0, 0], std: [1, 1, 1], alpha: 1 });
    const tensor = new Float32Array(12).fill(-7);
    write(RGB, { ...WHOLE, tensorWidth: 3 }, tensor);
    expect([...tensor]).toEqual([10, 20, 30, 1, 40, 50, 60, 1, 0, 0, 0, 1]);
  });

  it('leaves black, normalised, wherever the image does not reach, whatever the tensor held before', () => {
    const write = createTensorWriter({ layout: 'nchw', channels: 'rgb', mean: [1, 2, 3], std: [1, 1, 1] });
    const tensor = new Float32Array(3 * 2 * 3).fill(99);
    write(RGB, { tensorWidth: 2, tensorHeight: 3, left: 0, top: 1, width: 2, height: 1 }, tensor);
    expect([...tensor]).toEqual([-1, -1, 9, 39, -1, -1, -2, -2, 18, 48, -2, -2, -3, -3, 27, 57, -3, -3]);
  });

  it('refuses a tensor of another size', () => {
    const write = createTensorWriter({ layout: 'nchw', channels: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] });
    expect(() => write(RGB, WHOLE, new Float32Array(5))).toThrow(InvariantError);
    expect(() => write(RGB.subarray(1), WHOLE, new Float32Array(6))).toThrow(InvariantError);
  });
});
