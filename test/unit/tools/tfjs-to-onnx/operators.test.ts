import { describe, expect, it } from 'vitest';
import { CONVERTIBLE_OPERATORS, convertGraphModel } from '../../../../tools/tfjs-to-onnx/convert.ts';
import { ortOutputs } from '../../../support/ort-outputs.ts';
import { graphOf } from '../../../support/tfjs-graph.ts';
import { tensor } from '../../../support/tfjs-kernels.ts';
import { OPERATOR_CASES, random } from '../../../support/tfjs-operator-cases.ts';
import { evaluateGraph } from '../../../support/tfjs-reference.ts';

/** Sums have at most 300 terms of size 1 to 4 here, so single precision leaves an error of a few 1e-6. */
const TOLERANCE = 1e-5;

describe('a converted operator gives what TensorFlow defines', () => {
  it.each(OPERATOR_CASES.map((entry) => [entry.title, entry] as const))('%s', async (_, entry) => {
    const sketch = {
      input: { name: 'x', shape: entry.shape },
      constants: entry.constants ?? {},
      nodes: entry.nodes,
      outputs: entry.outputs ?? ['y'],
    };
    const graph = graphOf(sketch);
    const input = random(entry.shape, 77);
    const expected = evaluateGraph(graph, { x: tensor(entry.shape, input.data) });
    const outputs = await ortOutputs(convertGraphModel(graph, { graphName: 'test' }), {
      x: { shape: entry.shape, data: Float32Array.from(input.data) },
    });
    expect(Object.keys(outputs).sort()).toEqual([...sketch.outputs].sort());
    for (const [index, name] of sketch.outputs.entries()) {
      const [got, want] = [outputs[name], expected[index]];
      expect(got?.shape).toEqual(want?.shape);
      const scale = Math.max(1, ...(want?.data.map(Math.abs) ?? []));
      const worst = (want?.data ?? new Float64Array()).reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (got?.data[at] ?? Number.NaN))),
        0,
      );
      expect(worst / scale).toBeLessThan(TOLERANCE);
    }
  });

  it('is tested here for every operator the converter knows', () => {
    const tested = new Set(OPERATOR_CASES.flatMap((entry) => entry.nodes.map((node) => node.op)));
    expect(CONVERTIBLE_OPERATORS.filter((op) => !tested.has(op))).toEqual([]);
  });
});
