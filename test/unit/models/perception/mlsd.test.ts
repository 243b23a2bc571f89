import { describe, expect, it } from 'vitest';
import { findPeaks, mlsd } from '../../../../src/models/perception/mlsd.ts';
import { identityTransform, mlsdSpec, zeros } from '../model-specs.ts';

const codec = mlsd.create(mlsdSpec, {});

function outputsWith(
  ...lines: readonly { x: number; y: number; score: number; ends: readonly [number, number, number, number] }[]
): Float32Array[] {
  const outputs = zeros(mlsdSpec);
  for (const { x, y, score, ends } of lines) {
    (outputs[1] as Float32Array)[y * 32 + x] = score;
    outputs[0]?.set(ends, 4 * (y * 32 + x));
  }
  return outputs;
}

describe('findPeaks', () => {
  it('finds local maxima, best first, and one place of a plateau', () => {
    const map = new Float32Array(25);
    for (const [at, value] of [
      [0, 0.5],
      [6, 0.4],
      [13, 0.9],
      [14, 0.9],
      [24, 0.1],
    ] as const)
      map[at] = value;
    expect(findPeaks(map, 5, 5, 0.2)).toEqual([
      { at: 13, score: expect.closeTo(0.9, 6) },
      { at: 0, score: 0.5 },
    ]);
  });

  it('bounds a map that is all peak', () => {
    expect(findPeaks(new Float32Array(100 * 100).fill(0.7), 100, 100, 0.2)).toEqual([{ at: 0, score: expect.closeTo(0.7, 6) }]);
    const dots = Float32Array.from({ length: 128 * 128 }, (_, at) => ((at % 128) % 2 === 0 && Math.floor(at / 128) % 2 === 0 ? 1 : 0));
    expect(findPeaks(dots, 128, 128, 0.2)).toHaveLength(1000);
  });
});

describe('mlsd', () => {
  it('reaches from the centre by the offsets, in map pixels of two tensor pixels', () => {
    const items = codec.decode(outputsWith({ x: 10, y: 12, score: 0.8, ends: [-5, -2, 5, 4] }), identityTransform(64, 64), {});
    expect(items).toEqual([{ kind: 'line', label: 'line', score: expect.closeTo(0.8, 6), from: { x: 10, y: 20 }, to: { x: 30, y: 32 } }]);
  });

  it('drops faint and short lines and those beyond the bound', () => {
    const outputs = outputsWith(
      { x: 5, y: 5, score: 0.1, ends: [-5, 0, 5, 0] },
      { x: 15, y: 5, score: 0.9, ends: [0, 0, 1, 0] },
      { x: 5, y: 15, score: 0.8, ends: [-5, 0, 5, 0] },
      { x: 15, y: 15, score: 0.7, ends: [-5, 0, 5, 0] },
    );
    const scores = (options: { linesMax?: number }) =>
      codec.decode(outputs, identityTransform(64, 64), options).map(({ score }) => Math.round(score * 10));
    expect(scores({})).toEqual([8, 7]);
    expect(scores({ linesMax: 1 })).toEqual([8]);
  });

  it('cuts a line at the edge of the frame without turning it, and drops one that lies outside', () => {
    const items = codec.decode(outputsWith({ x: 2, y: 5, score: 0.9, ends: [-8, -4, 8, 4] }), identityTransform(64, 64), {});
    // From (-12, 2) to (20, 18): enters at x = 0, y = 8.
    expect(items).toMatchObject([{ from: { x: expect.closeTo(0, 9), y: expect.closeTo(8, 9) }, to: { x: 20, y: 18 } }]);
    expect(codec.decode(outputsWith({ x: 2, y: 5, score: 0.9, ends: [-30, 0, -5, 0] }), identityTransform(64, 64), {})).toEqual([]);
    expect(codec.decode(outputsWith({ x: 2, y: 0, score: 0.9, ends: [-2, -3, 20, -3] }), identityTransform(64, 64), {})).toEqual([]);
  });

  it('writes RGB unscaled with ones for alpha', async () => {
    const tensor = new Float32Array(64 * 64 * 4);
    await codec.encode(
      { data: new Uint8Array(3 * 64 * 64).map((_, index) => [10, 20, 255][index % 3] as number), width: 64, height: 64 },
      tensor,
    );
    expect([...tensor.subarray(0, 8)]).toEqual([10, 20, 255, 1, 10, 20, 255, 1]);
  });
});
