import { describe, expect, it } from 'vitest';
import { blazeface } from '../../../../src/models/perception/blazeface.ts';
import { anchorCentres, anchorCount, BLAZEFACE_LAYERS } from '../../../../src/models/perception/blazeface-anchors.ts';
import { blazefaceSpec, float32, identityTransform, modelSpec, zeros } from '../model-specs.ts';

const codec = blazeface.create(blazefaceSpec, {});
const frame = identityTransform(256, 256);

/** Outputs in which no anchor sees a face. */
function silence(): Float32Array[] {
  const outputs = zeros(blazefaceSpec);
  outputs[0]?.fill(-20);
  outputs[1]?.fill(-20);
  return outputs;
}

function putFace(outputs: Float32Array[], layer: 0 | 1, anchor: number, logit: number, row: readonly number[]): void {
  (outputs[layer] as Float32Array)[anchor] = logit;
  (outputs[layer + 2] as Float32Array).set(row, anchor * 16);
}

describe('BlazeFace anchors', () => {
  it('are 896, in the centres of a 16 x 16 grid twice and of an 8 x 8 grid six times', () => {
    expect(BLAZEFACE_LAYERS.reduce((sum, layer) => sum + anchorCount(layer), 0)).toBe(896);
    const [fine, coarse] = BLAZEFACE_LAYERS.map(anchorCentres) as [Float32Array, Float32Array];
    expect([...fine.subarray(0, 6)]).toEqual([1 / 32, 1 / 32, 1 / 32, 1 / 32, 3 / 32, 1 / 32]);
    expect([...fine.subarray(-2)]).toEqual([31 / 32, 31 / 32]);
    expect([...coarse.subarray(12, 14)]).toEqual([3 / 16, 1 / 16]);
    expect([...coarse.subarray(-2)]).toEqual([15 / 16, 15 / 16]);
  });
});

describe('blazeface', () => {
  it('places box and keypoints relative to the anchor, in pixels', () => {
    const outputs = silence();
    // Anchor 68 of the coarse layer: cell 11, that is column 3, row 1, centre (112, 48).
    putFace(outputs, 1, 68, 2, [8, -8, 40, 20, ...[-10, -5, 10, -5, 0, 0, 0, 5, -15, 0, 15, 0]]);
    const [face, ...others] = codec.decode(outputs, frame, {});
    expect(others).toEqual([]);
    expect(face).toMatchObject({
      kind: 'face',
      score: expect.closeTo(1 / (1 + Math.exp(-2)), 6),
      box: { x: 100, y: 30, width: 40, height: 20 },
    });
    const points =
      face?.kind === 'face' ? face.keypoints.flatMap(({ x, y }) => [Math.round(x * 1e6) / 1e6, Math.round(y * 1e6) / 1e6]) : [];
    expect(points).toEqual([102, 43, 122, 43, 112, 48, 112, 53, 97, 48, 127, 48]);
  });

  it('averages overlapping boxes by score and keeps the best score', () => {
    const outputs = silence();
    const points = Array.from({ length: 12 }, () => 0);
    putFace(outputs, 0, 272, 20, [0, 0, 40, 40, ...points]);
    putFace(outputs, 0, 273, 0.5, [6, 0, 40, 40, ...points]);
    const [face, ...others] = codec.decode(outputs, frame, {});
    expect(others).toEqual([]);
    const [a, b] = [1 / (1 + Math.exp(-20)), 1 / (1 + Math.exp(-0.5))];
    // Anchors 272 and 273 share cell 136: column 8, row 8, centre (136, 136).
    expect(face).toMatchObject({ score: expect.closeTo(a, 6), box: { x: expect.closeTo(116 + (6 * b) / (a + b), 4), y: 116 } });
  });

  it('drops boxes without size and faces outside of the frame, and stays bounded when every anchor fires', () => {
    const outputs = silence();
    putFace(outputs, 0, 0, 5, [0, 0, -4, 10]);
    putFace(outputs, 0, 1, 5, [-100, -100, 20, 20]);
    expect(codec.decode(outputs, frame, {})).toEqual([]);
    const loud = zeros(blazefaceSpec).map((tensor) => tensor.fill(100));
    expect(codec.decode(loud, frame, { facesMax: 3, overlapMax: 1 })).toHaveLength(3);
    expect(codec.decode(silence(), frame, { scoreMin: 1 })).toEqual([]);
  });

  it('refuses outputs that are not those of its anchors, and unknown options', () => {
    const spec = modelSpec('blazeface', blazefaceSpec.inputs, [float32('scores', 1, 896, 1), float32('boxes', 1, 896, 16)]);
    expect(() => blazeface.create(spec, {})).toThrow(expect.objectContaining({ code: 'MODEL_CONTRACT' }));
    expect(() => codec.decode(silence(), frame, { iou: 1 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
