import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { convertNanodet } from '../../../../tools/samples/nanodet.ts';
import { parseGraphModel } from '../../../../tools/tfjs-to-onnx/graph-model.ts';
import { ortOutputs } from '../../../support/ort-outputs.ts';
import { obtainSampleFolder } from '../../../support/sample-files.ts';
import { randomFloats } from '../../../support/tfjs-graph.ts';
import { tensor } from '../../../support/tfjs-kernels.ts';
import { evaluateGraph } from '../../../support/tfjs-reference.ts';

const INPUT_SHAPE = [1, 3, 416, 416];
const OUTPUTS = {
  'Identity:0': 'scores_8',
  'Identity_1:0': 'scores_16',
  'Identity_2:0': 'scores_32',
  'Identity_3:0': 'boxes_8',
  'Identity_4:0': 'boxes_16',
  'Identity_5:0': 'boxes_32',
};

describe('NanoDet, converted', () => {
  let folder = '';
  beforeAll(() => {
    folder = obtainSampleFolder();
  }, 600_000);

  it('is the pinned file, byte for byte', async () => {
    const converted = await convertNanodet(join(folder, 'sources/nanodet.json'), join(folder, 'sources/nanodet.bin'));
    expect(Buffer.from(converted).equals(readFileSync(join(folder, 'models/nanodet.onnx')))).toBe(true);
  });

  it('gives on ONNX Runtime what the TF.js graph gives operator by operator in double precision', async () => {
    const graph = parseGraphModel(
      readFileSync(join(folder, 'sources/nanodet.json'), 'utf8'),
      readFileSync(join(folder, 'sources/nanodet.bin')),
    );
    const data = randomFloats(3 * 416 * 416, 2026).map((value) => 2 * value);
    const expected = evaluateGraph(graph, { input_1: tensor(INPUT_SHAPE, data) });
    const outputs = await ortOutputs(readFileSync(join(folder, 'models/nanodet.onnx')), { image: { shape: INPUT_SHAPE, data } });
    expect(Object.keys(outputs)).toEqual(Object.values(OUTPUTS));
    for (const [index, { name }] of graph.outputs.entries()) {
      const output = Object.entries(OUTPUTS).find(([tf]) => tf === name)?.[1] ?? '';
      const [got, want] = [outputs[output], expected[index]];
      expect(got?.shape).toEqual(want?.shape);
      const worst = (want?.data ?? new Float64Array([Number.NaN])).reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (got?.data[at] ?? Number.NaN))),
        0,
      );
      // Measured: 2.3e-7 for scores (which lie in 0..1) and 2.7e-6 for box logits (which lie in -5..5); on a photo 4.2e-7 and 7.1e-6.
      expect(worst).toBeLessThan(output.startsWith('scores') ? 2e-6 : 2e-5);
    }
  }, 300_000);
});
