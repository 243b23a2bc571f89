import { describe, expect, it } from 'vitest';
import { layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { caseModel } from '../../../support/operator-case.ts';
import { OPERATOR_CASES } from '../../../support/operator-cases.ts';

describe('operators by hand', () => {
  it.each(OPERATOR_CASES)('$title makes $outputs', (given) => {
    const { outputs, unknown, macs, layers } = layerCosts(readOnnxGraph(caseModel(given)));
    expect(unknown).toEqual([]);
    expect(outputs.map(({ type, shape }) => `${type}[${shape?.join(',')}]`)).toEqual(given.outputs);
    if (given.macs !== undefined) expect(macs).toBe(given.macs);
    if (given.weightBytes !== undefined) expect(layers[0]?.weightBytes).toBe(given.weightBytes);
  });
});
