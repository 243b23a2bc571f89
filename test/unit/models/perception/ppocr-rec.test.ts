import { describe, expect, it } from 'vitest';
import type { Quad } from '../../../../src/core/frame.ts';
import { ppocrRec } from '../../../../src/models/perception/ppocr-rec.ts';
import { float32, identityTransform, modelSpec, ppocrRecSpec } from '../model-specs.ts';

const FILES = { dictionary: 'a\nb\n文' };
const codec = ppocrRec.create(ppocrRecSpec, FILES);
const frame = identityTransform(64, 48);

function reading(text: readonly number[], probability = 0.9): Float32Array {
  const output = new Float32Array(40 * 5);
  for (let step = 0; step < 40; step += 1) output[step * 5 + (step % 2 === 1 ? (text[step >> 1] ?? 0) : 0)] = probability;
  return output;
}

describe('ppocr-rec', () => {
  it('reads with the dictionary and gives back the crop as the place', () => {
    const crop: Quad = [
      { x: 1, y: 1 },
      { x: 9, y: 1 },
      { x: 9, y: 4 },
      { x: 1, y: 4 },
    ];
    const items = codec.decode([reading([1, 2, 4, 3])], { ...frame, crop }, {});
    expect(items).toEqual([{ kind: 'text', label: 'text', score: expect.closeTo(0.9, 6), text: 'ab 文', quad: crop }]);
  });

  it('says nothing when it reads nothing, spaces only, too little or too uncertainly', () => {
    expect(codec.decode([reading([])], frame, {})).toEqual([]);
    expect(codec.decode([reading([4, 4])], frame, {})).toEqual([]);
    expect(codec.decode([reading([1])], frame, { lengthMin: 2 })).toEqual([]);
    expect(codec.decode([reading([1, 2], 0.4)], frame, {})).toEqual([]);
    expect(codec.decode([reading([1, 2], 0.4)], frame, { scoreMin: 0.3 })).toHaveLength(1);
  });

  it('fills the tensor with the text, then with zero', async () => {
    const tensor = new Float32Array(3 * 48 * 320).fill(9);
    const pixels = { data: new Uint8Array(3 * 64 * 48).fill(255), width: 64, height: 48 };
    const transform = await codec.encode(pixels, tensor);
    expect(new Set(tensor.subarray(0, 64))).toEqual(new Set([1]));
    expect(new Set(tensor.subarray(64, 320))).toEqual(new Set([0]));
    expect(tensor.filter((value) => value === 1)).toHaveLength(3 * 48 * 64);
    expect(transform.crop).toEqual([
      { x: 0, y: 0 },
      { x: 64, y: 0 },
      { x: 64, y: 48 },
      { x: 0, y: 48 },
    ]);
  });

  it('rejects a crop that holds nothing', async () => {
    const crop: Quad = [
      { x: 90, y: 1 },
      { x: 99, y: 1 },
      { x: 99, y: 4 },
      { x: 90, y: 4 },
    ];
    const pixels = { data: new Uint8Array(3 * 64 * 48), width: 64, height: 48, crop };
    await expect(codec.encode(pixels, new Float32Array(3 * 48 * 320))).rejects.toMatchObject({ code: 'CROP_INVALID' });
  });

  it('wants a dictionary, and as many classes as it has lines, blank and space', () => {
    expect(() => ppocrRec.create(ppocrRecSpec, {})).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    expect(() => ppocrRec.create(ppocrRecSpec, { dictionary: '' })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    expect(() => ppocrRec.create(ppocrRecSpec, { dictionary: 'a\nb' })).toThrow(expect.objectContaining({ code: 'MODEL_CONTRACT' }));
    expect(() => ppocrRec.create(ppocrRecSpec, { dictionary: 'a\r\nb\r\n文\r\n' })).not.toThrow();
    const wide = modelSpec('ppocr-rec', [float32('x', 1, 3, 48, 640)], [float32('p', 1, 80, 5)]);
    expect(() => ppocrRec.create(wide, FILES)).not.toThrow();
  });
});
