import { describe, expect, it } from 'vitest';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { type NodeRun, type SplitGraph, splitGraph } from '../../../../src/models/onnx-graph/split-graph.ts';
import { onnxModel, type TestModel, type TestNode } from '../../../support/onnx-model.ts';

const op = (name: string, inputs: readonly string[], ...outputs: string[]): TestNode => ({ op: name, inputs, outputs });

/** `a = x + w`, `b = relu(a)`, `c = b * w`, `y = c + a`, all of 4 values; `b` is given too. */
const MODEL: TestModel = {
  nodes: [op('Add', ['x', 'w'], 'a'), op('Relu', ['a'], 'b'), op('Mul', ['b', 'w'], 'c'), op('Add', ['c', 'a'], 'y')],
  inputs: [{ name: 'x', shape: [4] }],
  outputs: [
    { name: 'y', shape: [4] },
    { name: 'b', shape: [4] },
  ],
  constants: [{ name: 'w', shape: [4], values: [1, 2, 3, 4] }],
};

const run = (operator: string, us = 10): NodeRun => ({ operator, us, outputs: [{ type: 'float32', shape: [4] }] });
const RUNS = ['Add', 'Relu', 'Mul', 'Add'].map((operator) => run(operator));

function split(model: TestModel, runs: readonly NodeRun[], blocks: number): SplitGraph {
  const made = splitGraph(onnxModel(model), runs, blocks);
  if (made.kind === 'whole') throw new Error(made.reason);
  return made;
}

const wholeReason = (model: TestModel, runs: readonly NodeRun[] = RUNS): string => {
  const made = splitGraph(onnxModel(model), runs, 2);
  return made.kind === 'whole' ? made.reason : '';
};

describe('a graph cut into parts', () => {
  const parts = split(MODEL, RUNS, 2);
  const [first, second] = parts.parts.map((part) => readOnnxGraph(part));

  it('reads in each part what others made and gives what others read, and what the whole gives', () => {
    expect(first?.nodes.map(({ operator }) => operator)).toEqual(['Add', 'Relu']);
    expect(first?.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(first?.outputs.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(second?.nodes.map(({ operator }) => operator)).toEqual(['Mul', 'Add']);
    expect(second?.inputs).toEqual([
      { name: 'b', type: 'float32', shape: [4] },
      { name: 'a', type: 'float32', shape: [4] },
    ]);
    expect(second?.outputs.map(({ name }) => name)).toEqual(['y']);
  });

  it('has the weights that a part reads in that part, the same in two where two read them, and the operator sets in all', () => {
    expect([...(first?.constants.keys() ?? [])]).toEqual(['w']);
    expect([...(second?.constants.keys() ?? [])]).toEqual(['w']);
    expect(second?.opsets).toEqual(readOnnxGraph(onnxModel(MODEL)).opsets);
  });

  it('tells what part of the time each takes and what crosses', () => {
    expect(parts.shares).toEqual([0.5, 0.5]);
    expect(parts.crossingBytes).toBe(32);
  });

  it('is cut where its time is halved, not its nodes', () => {
    const uneven = split(MODEL, [run('Add', 90), ...RUNS.slice(1)], 2);
    expect(uneven.parts.map((part) => readOnnxGraph(part).nodes.length)).toEqual([1, 3]);
    expect(uneven.shares).toEqual([0.75, 0.25]);
  });

  it('is not cut where something of no fixed type would cross', () => {
    const texts: NodeRun = { operator: 'Relu', us: 10, outputs: [{ type: 'string', shape: [4] }] };
    const around = split(MODEL, [run('Add'), texts, run('Mul'), run('Add')], 4);
    expect(around.parts.map((part) => readOnnxGraph(part).nodes.length)).toEqual([1, 2, 1]);
  });
});

describe('a graph that stays whole', () => {
  it.each<[string, string, TestModel, readonly NodeRun[] | undefined]>([
    ['has a graph in a node', 'holds a graph', { ...MODEL, nodes: withGraph() }, undefined],
    ['is told with runs of other nodes', '1 runs of nodes', MODEL, [run('Add')]],
    ['is told with runs in another order', 'in another order', MODEL, ['Add', 'Mul', 'Relu', 'Add'].map((name) => run(name))],
    ['has nodes out of order', 'not in the order', { ...MODEL, nodes: [...(MODEL.nodes ?? [])].reverse() }, undefined],
    ['gives what no node made', 'made by no node', { ...MODEL, outputs: [{ name: 'w', shape: [4] }] }, undefined],
    ['makes a value twice', 'made twice', { ...MODEL, nodes: [...(MODEL.nodes ?? []).slice(0, 3), op('Add', ['c', 'a'], 'a')] }, undefined],
    ['takes no time', 'no time', MODEL, ['Add', 'Relu', 'Mul', 'Add'].map((name) => run(name, 0))],
  ])('is one that %s', (_, reason, model, runs) => {
    expect(wholeReason(model, runs)).toContain(reason);
  });

  it('has but one node', () => {
    const single: TestModel = { ...MODEL, nodes: [op('Add', ['x', 'w'], 'y')], outputs: [{ name: 'y', shape: [4] }] };
    expect(wholeReason(single, [run('Add')])).toContain('no border');
  });

  it('throws for bytes that are no model, wherever they end', () => {
    const bytes = onnxModel(MODEL);
    const cut = [1, 9, 40, bytes.length - 3].map((length) => bytes.subarray(0, length));
    for (const damaged of [...cut, Buffer.from('no model at all')]) {
      const made = attempt(() => splitGraph(damaged, RUNS, 2));
      expect(made instanceof Error || made.kind === 'whole').toBe(true);
    }
  });
});

function withGraph(): readonly TestNode[] {
  const [first, ...others] = MODEL.nodes ?? [];
  return [{ ...(first as TestNode), attributes: { body: { graph: {} } } }, ...others];
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (thrown) {
    return thrown as Error;
  }
}
