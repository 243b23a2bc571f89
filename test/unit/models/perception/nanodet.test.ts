import { describe, expect, it } from 'vitest';
import { COCO_LABELS } from '../../../../src/models/perception/coco-labels.ts';
import { expectedBin, nanodet } from '../../../../src/models/perception/nanodet.ts';
import { float32, identityTransform, modelSpec, nanodetSpec, zeros } from '../model-specs.ts';

const codec = nanodet.create(nanodetSpec, {});

/** Logits that put all weight on one bin of three. */
function point(distances: Float32Array, cell: number, bins: readonly [number, number, number, number]): void {
  for (const [side, bin] of bins.entries()) distances[cell * 12 + side * 3 + bin] = 100;
}

describe('expectedBin', () => {
  it('is the softmax-weighted mean of the bin numbers', () => {
    // Weights 1, 2, 5 of 8: (2 + 10) / 8.
    expect(expectedBin(Float32Array.of(9, Math.log(1), Math.log(2), Math.log(5)), 1, 3)).toBeCloseTo(1.5, 6);
  });

  it('stays finite for logits whose exponentials are not', () => {
    expect(expectedBin(Float32Array.of(1000, 1000, -1000), 0, 3)).toBe(0.5);
  });
});

describe('nanodet', () => {
  it('knows the 80 labels of COCO in order', () => {
    expect(COCO_LABELS).toHaveLength(80);
    expect(new Set(COCO_LABELS).size).toBe(80);
    expect([COCO_LABELS[0], COCO_LABELS[2], COCO_LABELS[7], COCO_LABELS[79]]).toEqual(['person', 'car', 'truck', 'toothbrush']);
  });

  it('reaches from the cell centre by the expected bin times the stride on each side', () => {
    const outputs = zeros(nanodetSpec);
    // Stride 16, 4 x 4 cells: cell 6 is column 2, row 1, its centre (40, 24).
    outputs[1]?.fill(0.9, 6 * 80 + 2, 6 * 80 + 3);
    point(outputs[4] as Float32Array, 6, [1, 0, 1, 2]);
    expect(codec.decode(outputs, identityTransform(64, 64), {})).toEqual([
      { kind: 'object', label: 'car', score: expect.closeTo(0.9, 6), box: { x: 24, y: 24, width: 32, height: 32 } },
    ]);
  });

  it('clips boxes to the frame and drops those that lie in the bars of the letterbox', () => {
    const outputs = zeros(nanodetSpec);
    outputs[2]?.fill(0.9, 0, 1);
    point(outputs[5] as Float32Array, 0, [2, 2, 2, 2]);
    // The tensor's rows 32..64 hold the frame, whose height is 32: cell 0 of stride 8 ends at 4 + 8 < 32.
    outputs[0]?.fill(0.8, 0, 1);
    point(outputs[3] as Float32Array, 0, [1, 1, 1, 1]);
    const items = codec.decode(outputs, { ...identityTransform(64, 32), offsetY: -32 }, { overlapMax: 1 });
    expect(items).toEqual([{ kind: 'object', label: 'person', score: expect.closeTo(0.9, 6), box: { x: 0, y: 0, width: 64, height: 32 } }]);
  });

  it('reports only the labels asked for, at their own score in cells where another class is better', () => {
    const outputs = zeros(nanodetSpec);
    outputs[1]?.set([0.5, 0, 0.7], 5 * 80);
    point(outputs[4] as Float32Array, 5, [1, 1, 1, 1]);
    const labelled = (labels: string[]) =>
      codec.decode(outputs, identityTransform(64, 64), { labels }).map(({ label, score }) => [label, Math.round(score * 10)]);
    expect(labelled([])).toEqual([['car', 7]]);
    expect(labelled(['person'])).toEqual([['person', 5]]);
    expect(labelled(['dog'])).toEqual([]);
  });

  it('keeps boxes of two classes in one place and of one class only the best', () => {
    const outputs = zeros(nanodetSpec);
    for (const [cell, classIndex, score] of [
      [5, 0, 0.9],
      [6, 0, 0.8],
      [9, 1, 0.7],
    ] as const) {
      outputs[1]?.fill(score, cell * 80 + classIndex, cell * 80 + classIndex + 1);
      point(outputs[4] as Float32Array, cell, [2, 2, 2, 2]);
    }
    const items = codec.decode(outputs, identityTransform(64, 64), { overlapMax: 0.5 });
    expect(items.map(({ label }) => label)).toEqual(['person', 'bicycle']);
  });

  it('bounds its answer when every cell shouts', () => {
    const outputs = zeros(nanodetSpec).map((tensor) => tensor.fill(1));
    expect(codec.decode(outputs, identityTransform(64, 64), { objectsMax: 7, overlapMax: 1 })).toHaveLength(7);
  });

  it.each([
    ['an unknown key', { scoremin: 0.5 }, /unknown key "scoremin".*scoreMin, overlapMax, objectsMax, labels/],
    ['a score above 1', { scoreMin: 1.5 }, /scoreMin: got 1.5/],
    ['an unknown label', { labels: ['persn'] }, /labels/],
  ])('refuses options with %s', (_, options, message) => {
    expect(() => codec.decode(zeros(nanodetSpec), identityTransform(64, 64), options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('refuses a manifest entry whose tensors are not those of a NanoDet', () => {
    const wrong = [
      modelSpec('nanodet', [float32('image', 1, 64, 64, 3)], nanodetSpec.outputs),
      modelSpec('nanodet', [...nanodetSpec.inputs, float32('more', 1)], nanodetSpec.outputs),
      modelSpec('nanodet', nanodetSpec.inputs, nanodetSpec.outputs.slice(1)),
      modelSpec('nanodet', nanodetSpec.inputs, nanodetSpec.outputs.slice(0, 5)),
    ];
    for (const spec of wrong) expect(() => nanodet.create(spec, {})).toThrow(expect.objectContaining({ code: 'MODEL_CONTRACT' }));
  });

  it('finds its tensors by shape, whatever their order in the manifest', () => {
    const turned = nanodet.create(modelSpec('nanodet', nanodetSpec.inputs, nanodetSpec.outputs.toReversed()), {});
    const outputs = zeros(nanodetSpec);
    outputs[1]?.fill(0.9, 6 * 80, 6 * 80 + 1);
    point(outputs[4] as Float32Array, 6, [1, 0, 1, 2]);
    expect(turned.decode(outputs.toReversed(), identityTransform(64, 64), {})).toEqual(
      codec.decode(outputs, identityTransform(64, 64), {}),
    );
  });
});
