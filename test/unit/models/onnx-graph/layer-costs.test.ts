import { describe, expect, it } from 'vitest';
import { type GraphCosts, type LayerCostOptions, layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { onnxModel, type TestConstant, type TestModel, type TestNode } from '../../../support/onnx-model.ts';

const costs = (model: TestModel, options: LayerCostOptions = {}): GraphCosts => layerCosts(readOnnxGraph(onnxModel(model)), options);
const node = (op: string, inputs: string[], outputs: string[], attributes: TestNode['attributes'] = {}, domain?: string): TestNode => ({
  op,
  inputs,
  outputs,
  attributes,
  ...(domain === undefined ? {} : { domain }),
});
const list = (name: string, ...values: number[]): TestConstant => ({ name, type: 'int64', shape: [values.length], values });
const y = { name: 'y' };

describe('the cost of a layer', () => {
  const conv: TestModel = {
    nodes: [node('Conv', ['x', 'w', 'b'], ['y'], { group: 2 })],
    inputs: [{ name: 'x', shape: [1, 8, 10, 10] }],
    outputs: [y],
    constants: [
      { name: 'w', shape: [6, 4, 3, 3] },
      { name: 'b', shape: [6] },
    ],
  };

  it('is its product, its bytes and its type', () => {
    expect(costs(conv).layers).toEqual([
      {
        name: 'Conv #0',
        operator: 'Conv',
        type: 'fp32',
        ...{ m: 64, n: 3, k: 36, groups: 2, macs: 64 * 3 * 36 * 2 },
        ...{ elementOps: 0, weightBytes: (6 * 36 + 6) * 4, inputBytes: 800 * 4, outputBytes: 6 * 64 * 4 },
      },
    ]);
  });

  it('can be told as if the model were stored in another type', () => {
    expect(costs(conv, { storedAs: 'int8' }).layers[0]).toMatchObject({
      type: 'int8',
      weightBytes: 222,
      inputBytes: 800,
      outputBytes: 384,
    });
    expect(costs(conv, { storedAs: 'int4' }).layers[0]).toMatchObject({ type: 'int4', weightBytes: 108 + 3, inputBytes: 1600 });
    expect(costs(conv, { storedAs: 'int8' }).weightBytes).toBe(222);
  });

  it('counts a quantised convolution written with quantise and dequantise nodes as int8', () => {
    const one: TestConstant = { name: 's', shape: [], values: [0.1] };
    const model: TestModel = {
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['xq']),
        node('DequantizeLinear', ['xq', 's', 'z'], ['xd']),
        node('DequantizeLinear', ['w', 's', 'z'], ['wd']),
        node('Conv', ['xd', 'wd'], ['y']),
      ],
      inputs: [{ name: 'x', shape: [1, 4, 8, 8] }],
      outputs: [y],
      constants: [one, { name: 'z', type: 'int8', shape: [], values: [0] }, { name: 'w', type: 'int8', shape: [2, 4, 1, 1] }],
    };
    const { layers } = costs(model);
    expect(layers.map((layer) => layer.operator)).toEqual(['QuantizeLinear', 'DequantizeLinear', 'Conv']);
    expect(layers[2]).toMatchObject({ type: 'int8', weightBytes: 8, inputBytes: 256, outputBytes: 2 * 64 * 4 });
  });

  it('counts the KV cache as state, read once and appended to', () => {
    const model: TestModel = {
      nodes: [
        node(
          'GroupQueryAttention',
          ['q', 'k', 'v', 'pk', 'pv', 'len', 'total'],
          ['y', 'ok', 'ov'],
          { num_heads: 4, kv_num_heads: 2 },
          'com.microsoft',
        ),
      ],
      inputs: [
        { name: 'q', shape: ['batch', 'sequence', 128] },
        { name: 'k', shape: ['batch', 'sequence', 64] },
        { name: 'v', shape: ['batch', 'sequence', 64] },
        { name: 'pk', shape: ['batch', 2, 'past', 32] },
        { name: 'pv', shape: ['batch', 2, 'past', 32] },
        { name: 'len', type: 'int32', shape: ['batch', 1] },
        { name: 'total', type: 'int32', shape: [] },
      ],
      outputs: [y, { name: 'ok' }, { name: 'ov' }],
    };
    const { layers, outputs } = costs(model, { dims: { batch: 1, sequence: 1, past: 99 } });
    expect(outputs[1]?.shape).toEqual([1, 2, 100, 32]);
    expect(layers[0]).toMatchObject({ m: 2, n: 100, k: 32, groups: 4, stateBytes: 2 * 2 * 32 * 4 * 100 });
    // A buffer longer than what is in use: the graph says how much is.
    const used = costs(model, { dims: { batch: 1, sequence: 1, past: 512 }, values: { total: [100] } });
    expect(used.outputs[1]?.shape).toEqual([1, 2, 512, 32]);
    expect(used.layers[0]).toMatchObject({ n: 100, stateBytes: 2 * 2 * 32 * 4 * 100 });
  });
});

describe('the whole model', () => {
  it('follows a shape that the graph computes itself', () => {
    const model: TestModel = {
      nodes: [
        node('Shape', ['x'], ['shape']),
        node('Gather', ['shape', 'one'], ['rows']),
        node('Mul', ['rows', 'two'], ['twice']),
        node('Concat', ['first', 'twice', 'open'], ['wanted'], { axis: 0 }),
        node('Reshape', ['x', 'wanted'], ['y']),
      ],
      inputs: [{ name: 'x', shape: ['batch', 'sequence', 8] }],
      outputs: [y],
      constants: [list('one', 1), list('two', 2), list('first', 1), list('open', -1)],
    };
    const result = costs(model, { dims: { batch: 3, sequence: 10 } });
    expect(result.outputs[0]?.shape).toEqual([1, 20, 12]);
    expect(result.layers).toEqual([]);
  });

  it('computes what stands on constants alone beforehand', () => {
    const model: TestModel = {
      nodes: [node('Transpose', ['w'], ['wt']), node('MatMul', ['x', 'wt'], ['y'])],
      inputs: [{ name: 'x', shape: [2, 5] }],
      outputs: [y],
      constants: [{ name: 'w', shape: [3, 5] }],
    };
    expect(costs(model)).toMatchObject({ weightBytes: 60, layers: [{ operator: 'MatMul', weightBytes: 60, inputBytes: 40 }] });
  });

  it('counts a weight once that two layers read', () => {
    const model: TestModel = {
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'w'], ['y'])],
      inputs: [{ name: 'x', shape: [2, 5] }],
      outputs: [y],
      constants: [{ name: 'w', shape: [5, 5] }],
    };
    expect(costs(model)).toMatchObject({ weightBytes: 100, macs: 100, layers: [{ weightBytes: 100 }, { weightBytes: 100 }] });
  });

  it('holds as many bytes of activations as are alive at once', () => {
    // x (400) lives with a (400), then a with b (400) while x is gone; the reshaped b is b.
    const chain: TestModel = {
      nodes: [node('Relu', ['x'], ['a']), node('Relu', ['a'], ['b']), node('Reshape', ['b', 's'], ['y'])],
      inputs: [{ name: 'x', shape: [10, 10] }],
      outputs: [y],
      constants: [list('s', 100)],
    };
    expect(costs(chain).peakActivationBytes).toBe(800);
    const skip: TestModel = {
      ...chain,
      nodes: [node('Relu', ['x'], ['a']), node('Relu', ['a'], ['b']), node('Add', ['b', 'x'], ['y'])],
      constants: [],
    };
    expect(costs(skip).peakActivationBytes).toBe(1200);
  });

  it('takes the branch that a known value chooses', () => {
    const branch = (op: string) => ({ graph: { nodes: [node(op, ['x', 'x'], [`${op}-out`])], outputs: [{ name: `${op}-out` }] } });
    const model: TestModel = {
      nodes: [
        node('Equal', ['rate', 'sixteen'], ['wide']),
        node('If', ['wide'], ['y'], { then_branch: branch('MatMul'), else_branch: branch('Add') }),
      ],
      inputs: [
        { name: 'x', shape: [4, 4] },
        { name: 'rate', type: 'int64', shape: [1] },
      ],
      outputs: [y],
      constants: [list('sixteen', 16_000)],
    };
    expect(costs(model, { values: { rate: [16_000] } }).layers.map((layer) => layer.operator)).toEqual(['MatMul']);
    expect(costs(model, { values: { rate: [8_000] } }).layers.map((layer) => layer.operator)).toEqual(['Add']);
    expect(costs(model).unknown).toEqual([
      { operator: 'If', node: 'If #1', count: 1, reason: 'which branch it takes is only known at run time' },
    ]);
  });
});

describe('what is not known', () => {
  it('is named, counted, and marked in the layers; declared shapes lead past it', () => {
    const model: TestModel = {
      nodes: [
        node('Magic', ['x'], ['a'], {}, 'acme'),
        node('Magic', ['x'], ['b'], {}, 'acme'),
        node('Relu', ['a'], ['y']),
        node('Relu', ['b'], ['z']),
      ],
      inputs: [{ name: 'x', shape: [4] }],
      outputs: [y, { name: 'z' }],
      declared: [{ name: 'a', shape: ['n'] }],
    };
    const { unknown, layers, outputs } = costs(model, { dims: { n: 7 } });
    expect(unknown).toEqual([
      { operator: 'acme.Magic', node: 'Magic #0', count: 2, reason: 'there is no rule for this operator' },
      { operator: 'Relu', node: 'Relu #3', count: 1, reason: 'its input "b" has no known shape' },
    ]);
    expect(layers.map((layer) => layer.isUnknown ?? false)).toEqual([true, true, false, true]);
    expect(outputs.map((output) => output.shape)).toEqual([[7], undefined]);
  });

  it.each([
    ['NonZero', ['x'], 'only known at run time'],
    ['NonMaxSuppression', ['x', 'x'], 'depends on the data'],
    ['Reshape', ['x', 'n'], 'the values of its input "n" are only known at run time'],
  ])('%s says why', (op, inputs, reason) => {
    const model: TestModel = {
      nodes: [node(op, inputs, ['y'])],
      inputs: [
        { name: 'x', shape: [4] },
        { name: 'n', type: 'int64', shape: [1] },
      ],
      outputs: [y],
    };
    expect(costs(model).unknown[0]?.reason).toContain(reason);
  });
});

describe('open sizes', () => {
  const model: TestModel = {
    nodes: [node('Concat', ['past', 'x'], ['y'], { axis: 1 })],
    inputs: [
      { name: 'past', shape: ['batch', 'past_length', 8] },
      { name: 'x', shape: ['batch', null, 8] },
      { name: 'mask', shape: ['batch', 'past_length + 1'] },
    ],
    outputs: [y],
  };
  const invalid = (words: string) => expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) });

  it('are bound by name, by place, or as a sum of names', () => {
    const { outputs, inputs } = costs(model, { dims: { batch: 2, past_length: 5, 'x[1]': 3 } });
    expect(outputs[0]?.shape).toEqual([2, 8, 8]);
    expect(inputs[2]?.shape).toEqual([2, 6]);
  });

  it('are all named when they are missing', () => {
    expect(() => costs(model, { dims: { batch: 2 } })).toThrow(invalid('"past_length", "x[1]", "past_length + 1"'));
  });

  it('may be given as whole shapes, which must fit', () => {
    const shapes = { past: [1, 2, 8], x: [1, 1, 8], mask: [1, 3] };
    expect(costs(model, { shapes }).outputs[0]?.shape).toEqual([1, 3, 8]);
    expect(() => costs(model, { shapes: { ...shapes, x: [1, 1, 9] } })).toThrow(invalid('9 was given for axis 2'));
    expect(() => costs(model, { shapes: { ...shapes, x: [1, 8] } })).toThrow(invalid('[batch,?,8], and [1,8] was given'));
    expect(() => costs(model, { shapes: { ...shapes, x: [1, 0.5, 8] } })).toThrow(invalid('cannot have the shape [1,0.5,8]'));
  });

  it('take as many numbers as they have places', () => {
    const fed = {
      ...model,
      inputs: [
        { name: 'past', shape: [1, 1, 2] },
        { name: 'x', shape: [1, 1, 2] },
      ],
    };
    expect(() => costs(fed, { values: { x: [1, 2, 3] } })).toThrow(invalid('takes 2 numbers, and 3 were given'));
  });
});

describe('a graph whose nodes do not fit', () => {
  it.each([
    [
      'MatMul',
      [
        [2, 3],
        [4, 5],
      ],
      {},
      '[2,3] x [4,5]: the inner sizes 3 and 4 differ',
    ],
    ['Add', [[2, 3], [4]], {}, 'the shapes [2,3] and [4] do not stretch to each other'],
    [
      'Conv',
      [
        [1, 3, 8, 8],
        [4, 5, 3, 3],
      ],
      {},
      'its weights want 5 channels and its input has 3',
    ],
    [
      'Conv',
      [
        [1, 3, 2, 2],
        [4, 3, 3, 3],
      ],
      {},
      'its window of 3 is larger than its padded input of 2',
    ],
    [
      'Conv',
      [
        [1, 3, 8, 8],
        [4, 3, 3, 3],
      ],
      { strides: [0, 1] },
      'below 1',
    ],
    [
      'Conv',
      [
        [1, 3, 8, 8],
        [4, 3, 3, 3],
      ],
      { pads: [1] },
      'pads has 1 numbers; 4 are needed',
    ],
    [
      'Concat',
      [
        [2, 3],
        [2, 4],
      ],
      { axis: 0 },
      '[2,4] cannot be laid beside [2,3]',
    ],
    [
      'Concat',
      [
        [2, 3],
        [2, 4],
      ],
      { axis: 2 },
      'axis 2 is outside a tensor of 2 axes',
    ],
    ['Transpose', [[2, 3]], { perm: [0, 0] }, 'is not an order of its axes'],
    [
      'Gemm',
      [
        [2, 3, 4],
        [4, 5],
      ],
      {},
      'it needs two matrices',
    ],
    ['DepthToSpace', [[1, 3, 4, 4]], { blocksize: 2 }, 'the shape [1,0.75,8,8] is not one'],
    [
      'LSTM',
      [
        [2, 3, 4],
        [1, 7, 4],
      ],
      { hidden_size: 2 },
      'weights of 7 rows for 4 gates of 2',
    ],
    [
      'Einsum',
      [
        [2, 3],
        [4, 5],
      ],
      { equation: 'ij,jk->ik' },
      'j is both 3 and 4',
    ],
  ])('is refused: %s of %j', (op, shapes, attributes, words) => {
    const inputs = shapes.map((shape, index) => ({ name: `in${index}`, shape }));
    const model: TestModel = {
      nodes: [
        node(
          op,
          inputs.map((input) => input.name),
          ['y'],
          attributes,
        ),
      ],
      inputs,
      outputs: [y],
    };
    expect(() => costs(model)).toThrow(expect.objectContaining({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining(words) }));
  });
});

it('a graph of nothing but long lists of numbers ends in seconds, its later values unknown', () => {
  const length = 4096;
  const steps = 3000;
  const nodes = Array.from({ length: steps }, (_, at) => node('Add', [`v${at}`, 'one'], [`v${at + 1}`]));
  const model: TestModel = {
    nodes: [...nodes, node('Reshape', ['x', `v${steps}`], ['y'])],
    inputs: [{ name: 'x', shape: [1] }],
    outputs: [y],
    constants: [{ name: 'v0', type: 'int64', shape: [length], values: new Array<number>(length).fill(1) }, list('one', 0)],
  };
  expect(costs(model).unknown[0]).toMatchObject({ operator: 'Reshape' });
});

it('laying empty tensors of billions of rows side by side takes no time', () => {
  const empty = (name: string): TestConstant => ({ name, type: 'int64', shape: [2 ** 39, 0] });
  const model: TestModel = { nodes: [node('Concat', ['a', 'b'], ['y'], { axis: 1 })], outputs: [y], constants: [empty('a'), empty('b')] };
  expect(costs(model).outputs[0]?.shape).toEqual([2 ** 39, 0]);
});
