import { describe, expect, it } from 'vitest';
import { CUT_BYTES_MAX, cutRows } from '../../../../src/models/onnx-graph/cut-rows.ts';
import { inferGraph } from '../../../../src/models/onnx-graph/infer-graph.ts';
import { type LastRow, lastRow } from '../../../../src/models/onnx-graph/last-row.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { onnxModel, type TestNode, withOutputs } from '../../../support/onnx-model.ts';

const ROWS = 11;
const node = (op: string, inputs: string[], output: string, attributes: TestNode['attributes'] = {}): TestNode => ({
  op,
  ...(op.startsWith('Skip') ? { domain: 'com.microsoft' } : {}),
  inputs,
  outputs: [output],
  attributes,
});

/** Rows `x` and `z` of width 4, a weight `w`, a vector `v`, and numbers that are not the same for all rows in `t`. */
const modelOf = (nodes: readonly TestNode[], rest: Partial<Parameters<typeof onnxModel>[0]> = {}): Uint8Array =>
  onnxModel({
    nodes,
    inputs: ['x', 'z'].map((name) => ({ name, shape: [1, 'rows', 4] })),
    outputs: [{ name: 'y' }],
    constants: [
      { name: 'w', shape: [4, 4] },
      { name: 'v', shape: [4] },
      { name: 't', shape: [1, ROWS, 4] },
      { name: 'lastAxis', type: 'int64', shape: [1], values: [-1] },
    ],
    ...rest,
  });

function lastRowOf(model: Uint8Array): LastRow | undefined {
  const graph = readOnnxGraph(model);
  return lastRow(graph, { output: 'y', rows: ROWS, tensors: inferGraph(graph, { dims: { rows: ROWS } }).tensors });
}

const cutsOf = (nodes: readonly TestNode[]): Record<string, string[]> | undefined => {
  const found = lastRowOf(modelOf(nodes));
  return found && Object.fromEntries([...found.cuts].map(([value, readers]) => [value, [...readers]]));
};

/** Mixes rows. */
const mix = (input: string, output: string): TestNode => node('Softmax', [input], output, { axis: 1 });

describe('the last row of an output', () => {
  it('is cut where rows are mixed last, and where others read them whole', () => {
    const nodes = [
      node('MatMul', ['x', 'w'], 'before'),
      node('SkipSimplifiedLayerNormalization', ['x', 'before', 'v'], 'normed'),
      mix('normed', 'mixed'),
      node('Add', ['before', 'mixed'], 'sum'),
      node('Pow', ['sum', 'v'], 'square'),
      node('ReduceMean', ['square'], 'mean', { axes: [-1], keepdims: 1 }),
      node('Div', ['sum', 'mean'], 'scaled'),
      node('MatMul', ['scaled', 'w'], 'y'),
    ];
    expect(cutsOf(nodes)).toEqual({ before: ['sum'], mixed: ['sum'] });
  });

  it('is cut for each of several that read it', () => {
    const nodes = [mix('x', 'p'), mix('z', 'q'), node('Sigmoid', ['p'], 'a'), node('Mul', ['p', 'a'], 'b'), node('Add', ['b', 'q'], 'y')];
    expect(cutsOf(nodes)).toEqual({ p: ['b', 'a'], q: ['y'] });
  });

  it.each([
    ['by an operator that is not known to go row by row', [node('Softmax', ['p'], 'y', { axis: -1 })]],
    ['with numbers of each row’s own', [node('Add', ['p', 't'], 'y')]],
    ['as a mean of rows', [node('ReduceMean', ['p'], 'y', { axes: [1], keepdims: 1 })]],
    ['as a product of rows with rows', [node('Transpose', ['z'], 'u', { perm: [0, 2, 1] }), node('MatMul', ['p', 'u'], 'y')]],
    ['and read on', [node('Relu', ['p'], 'y'), mix('y', 'more')]],
    ['as a norm over rows', [node('LayerNormalization', ['p', 'v'], 'y', { axis: 1 })]],
  ])('is left alone when it is made %s', (_, nodes) => {
    expect(cutsOf([mix('x', 'p'), ...nodes])).toBeUndefined();
  });

  it('keeps what is another output whole, and lets alone a graph with graphs in it', () => {
    const nodes = [mix('x', 'p'), node('Relu', ['p'], 'a'), node('Relu', ['a'], 'y')];
    const two = modelOf(nodes, { outputs: [{ name: 'y' }, { name: 'a' }] });
    expect([...(lastRowOf(two)?.cuts.keys() ?? [])]).toEqual(['a']);
    const branch = { nodes: [node('Relu', ['a'], 'inner')], outputs: [{ name: 'inner' }] };
    const choice = node('If', ['flag'], 'other', { then_branch: { graph: branch }, else_branch: { graph: branch } });
    const inside = modelOf([...nodes, choice], {
      inputs: [
        { name: 'x', shape: [1, 'rows', 4] },
        { name: 'flag', type: 'bool', shape: [1] },
      ],
    });
    expect(lastRowOf(inside)).toBeUndefined();
  });
});

describe('a file cut so', () => {
  const nodes = [node('MatMul', ['x', 'w'], 'a'), mix('a', 'b'), node('Add', ['a', 'b'], 'c'), node('MatMul', ['c', 'w'], 'y')];
  const declared = ['b', 'c'].map((name) => ({ name, shape: [1, 'rows', 4] }));

  it('has the node behind the cut read one row, and all else as it was', () => {
    const model = modelOf(nodes, { declared });
    const found = lastRowOf(model);
    const graph = readOnnxGraph(cutRows(model, found ?? { cuts: new Map(), narrowed: new Set() }));
    const { tensors } = inferGraph(graph, { dims: { rows: ROWS } });
    expect(Object.fromEntries(['a', 'b', 'c', 'y'].map((name) => [name, tensors.get(name)?.shape]))).toEqual({
      ...{ a: [1, ROWS, 4], b: [1, ROWS, 4] },
      ...{ c: [1, 1, 4], y: [1, 1, 4] },
    });
    expect([graph.declared.has('b'), graph.declared.has('c')]).toEqual([true, false]);
    expect(graph.nodes.filter(({ operator }) => operator === 'Gather').map(({ inputs }) => inputs[0])).toEqual(['a', 'b']);
    expect(graph.constants).toEqual(readOnnxGraph(model).constants);
  });

  it.each([
    ['behind it', 0],
    ['before it as well', 3],
  ])('is the same when it is written where it lay, with memory %s', (_, before) => {
    // Large numbers in between move towards the end, and what follows the shapes that are left out towards the beginning.
    const long = Array.from({ length: 40 }, (__, index) => ({ name: `c${index}`, shape: [1, 'rows', 4] }));
    for (const declaredNow of [[], declared, [...long.slice(0, 20), ...declared, ...declared, ...declared, ...declared, ...long]]) {
      const model = modelOf(nodes, { declared: declaredNow });
      const found = lastRowOf(model) ?? { cuts: new Map(), narrowed: new Set() };
      const copy = cutRows(Uint8Array.from(model), found);
      const memory = new Uint8Array(before + model.byteLength + CUT_BYTES_MAX);
      memory.set(model, before);
      const inPlace = cutRows(memory.subarray(before, before + model.byteLength), found, CUT_BYTES_MAX);
      expect(Buffer.compare(inPlace, copy)).toBe(0);
      expect([inPlace.buffer === memory.buffer, inPlace.byteOffset]).toEqual([true, before]);
    }
  });

  it('is cut once when its graph is written in two parts', () => {
    const model = withOutputs(modelOf(nodes), ['a']);
    const graph = readOnnxGraph(cutRows(model, lastRowOf(model) ?? { cuts: new Map(), narrowed: new Set() }));
    expect(graph.nodes.filter(({ operator }) => ['Constant', 'Gather'].includes(operator))).toHaveLength(3);
  });
});
