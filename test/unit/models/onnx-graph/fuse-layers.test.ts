import { describe, expect, it } from 'vitest';
import { type GraphCosts, layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { onnxModel, type TestNode } from '../../../support/onnx-model.ts';

const node = (op: string, inputs: string[], output: string): TestNode => ({ op, inputs, outputs: [output] });

/** Layers over an image of 2 x 8 x 8 floats (512 bytes), with 1 x 1 convolutions `w` of 16 bytes and constants `c` of 4. */
function fused(nodes: TestNode[], outputs: string[]): GraphCosts {
  const model = onnxModel({
    nodes,
    inputs: [{ name: 'x', shape: [1, 2, 8, 8] }],
    outputs: outputs.map((name) => ({ name })),
    constants: [
      { name: 'w', shape: [2, 2, 1, 1] },
      { name: 'c', shape: [1], values: [3] },
    ],
  });
  return layerCosts(readOnnxGraph(model), { isFused: true });
}

const operators = ({ layers }: GraphCosts): string[] => layers.map((layer) => layer.operator);

describe('joining pointwise layers', () => {
  it('takes an activation into the convolution before it', () => {
    const costs = fused([node('Conv', ['x', 'w'], 'a'), node('Relu', ['a'], 'y')], ['y']);
    expect(costs.layers).toEqual([
      expect.objectContaining({ operator: 'Conv', macs: 256, elementOps: 128, weightBytes: 16, inputBytes: 512, outputBytes: 512 }),
    ]);
    expect(costs.peakActivationBytes).toBe(1024);
  });

  it('takes a hard swish as a whole, though its input is read twice', () => {
    const swish = [node('Add', ['a', 'c'], 'b'), node('Clip', ['b'], 'd'), node('Mul', ['a', 'd'], 'e'), node('Div', ['e', 'c'], 'y')];
    const costs = fused([node('Conv', ['x', 'w'], 'a'), ...swish], ['y']);
    expect(costs.layers).toEqual([
      expect.objectContaining({ operator: 'Conv', weightBytes: 24, inputBytes: 512, outputBytes: 512, elementOps: 128 * 5 }),
    ]);
  });

  it('adds a shortcut to the later of two convolutions, which reads the earlier one', () => {
    const costs = fused([node('Conv', ['x', 'w'], 'a'), node('Conv', ['x', 'w'], 'b'), node('Add', ['a', 'b'], 'y')], ['y']);
    expect(costs.layers.map(({ operator, inputBytes }) => [operator, inputBytes])).toEqual([
      ['Conv', 512],
      ['Conv', 1024],
    ]);
  });

  it('leaves what others read, or the model returns, in memory', () => {
    const two = fused([node('Conv', ['x', 'w'], 'a'), node('Relu', ['a'], 'b'), node('Conv', ['a', 'w'], 'y')], ['y', 'b']);
    expect(operators(two)).toEqual(['Conv', 'Relu', 'Conv']);
    expect(operators(fused([node('Conv', ['x', 'w'], 'a'), node('Relu', ['a'], 'y')], ['a', 'y']))).toEqual(['Conv', 'Relu']);
  });

  it('does not take a sum that has to wait for a later layer', () => {
    // The pooled value is made after the first convolution: the product joins nothing that runs before it.
    const costs = fused([node('Conv', ['x', 'w'], 'a'), node('GlobalAveragePool', ['a'], 'p'), node('Mul', ['a', 'p'], 'y')], ['y']);
    expect(operators(costs)).toEqual(['Conv', 'GlobalAveragePool', 'Mul']);
  });

  it('does not take what grows on the way', () => {
    const costs = fused([node('GlobalAveragePool', ['x'], 'p'), node('Add', ['p', 'x'], 'y')], ['y']);
    expect(operators(costs)).toEqual(['GlobalAveragePool', 'Add']);
  });

  it('does not join what is unknown', () => {
    const costs = fused(
      [{ ...node('Magic', ['x'], 'a'), domain: 'acme' }, node('Relu', ['x'], 'b'), node('Add', ['b', 'c'], 'y')],
      ['y', 'a'],
    );
    expect(operators(costs)).toEqual(['acme.Magic', 'Relu']);
  });
});
