import { describe, expect, it } from 'vitest';
import { convertGraphModel } from '../../../../tools/tfjs-to-onnx/convert.ts';
import { parseGraphModel } from '../../../../tools/tfjs-to-onnx/graph-model.ts';
import { halfToNumber } from '../../../../tools/tfjs-to-onnx/half-float.ts';
import { floats, type GraphSketch, graphOf, integers, type NodeSketch, randomFloats } from '../../../support/tfjs-graph.ts';

const ONE_NODE = (node: NodeSketch, constants: GraphSketch['constants'] = {}): GraphSketch => ({
  input: { name: 'x', shape: [1, 4, 4, 3] },
  constants,
  nodes: [node],
  outputs: [node.name],
});

const convert = (sketch: GraphSketch) => convertGraphModel(graphOf(sketch), { graphName: 'test' });

describe('convertGraphModel', () => {
  it('names every operator it does not know', () => {
    const sketch: GraphSketch = {
      input: { name: 'x', shape: [1, 4, 4, 3] },
      constants: {},
      nodes: [
        { name: 'a', op: 'Einsum', inputs: ['x'] },
        { name: 'b', op: 'Erf', inputs: ['a'] },
        { name: 'c', op: 'Relu', inputs: ['b'] },
      ],
      outputs: ['c'],
    };
    expect(() => convert(sketch)).toThrow(/the graph uses Einsum, Erf, which cannot be converted/);
  });

  it.each<[string, RegExp, GraphSketch]>([
    [
      'channels first',
      /data format NCHW/,
      ONE_NODE(
        { name: 'y', op: 'Conv2D', inputs: ['x', 'f'], attributes: { data_format: 'NCHW' } },
        { f: floats([1, 1, 3, 2], randomFloats(6, 1)) },
      ),
    ],
    ['a filter that is computed', /needs a constant as input 1/, ONE_NODE({ name: 'y', op: 'Conv2D', inputs: ['x', 'x'], attributes: {} })],
    [
      'groups',
      /filter of 1 channels on an input of 3/,
      ONE_NODE({ name: 'y', op: 'Conv2D', inputs: ['x', 'f'], attributes: {} }, { f: floats([1, 1, 1, 3], randomFloats(3, 1)) }),
    ],
    [
      'an unknown fusion',
      /fused with Swish/,
      ONE_NODE(
        { name: 'y', op: '_FusedConv2D', inputs: ['x', 'f'], attributes: { fused_ops: ['Swish'] } },
        { f: floats([1, 1, 3, 2], randomFloats(6, 1)) },
      ),
    ],
    [
      'a window larger than the input',
      /window larger than its input/,
      ONE_NODE({ name: 'y', op: 'MaxPool', inputs: ['x'], attributes: { padding: 'VALID', ksize: [1, 5, 5, 1] } }),
    ],
    ['arithmetic with integers', /computes with integers/, ONE_NODE({ name: 'y', op: 'Relu', inputs: ['n'] }, { n: integers(1, 2) })],
    ['an output that is an input', /an input and an output/, { ...ONE_NODE({ name: 'y', op: 'Relu', inputs: ['x'] }), outputs: ['x'] }],
    [
      'an input of open size',
      /every size must be fixed/,
      { ...ONE_NODE({ name: 'y', op: 'Relu', inputs: ['x'] }), input: { name: 'x', shape: [-1, 4, 4, 3] } },
    ],
  ])('refuses %s', (_, message, sketch) => {
    expect(() => convert(sketch)).toThrow(message);
    expect(() => convert(sketch)).toThrow(expect.objectContaining({ name: 'ConversionError', code: 'unsupported' }));
  });

  it.each<[string, RegExp, GraphSketch]>([
    [
      'a reshape that loses elements',
      /reshapes \[1,4,4,3\] to \[5,9\]/,
      ONE_NODE({ name: 'y', op: 'Reshape', inputs: ['x', 's'] }, { s: integers(5, 9) }),
    ],
    [
      'a permutation that repeats an axis',
      /permutation/,
      ONE_NODE({ name: 'y', op: 'Transpose', inputs: ['x', 's'] }, { s: integers(0, 1, 1, 3) }),
    ],
    ['an axis that does not exist', /axis 4 of 4/, ONE_NODE({ name: 'y', op: 'ConcatV2', inputs: ['x', 'x', 's'] }, { s: integers(4) })],
    ['a padding below zero', /negative/, ONE_NODE({ name: 'y', op: 'Pad', inputs: ['x', 's'] }, { s: integers(0, 0, -1, 0, 0, 0, 0, 0) })],
    ['a missing input', /has no input 1/, ONE_NODE({ name: 'y', op: 'Transpose', inputs: ['x'] })],
  ])('calls %s malformed', (_, message, sketch) => {
    expect(() => convert(sketch)).toThrow(message);
    expect(() => convert(sketch)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('leaves no Transpose, Pad or Add between convolutions of a graph exported channels first', () => {
    const block = (index: number, input: string): NodeSketch[] => [
      { name: `pad${index}`, op: 'Pad', inputs: [input, 'amounts'] },
      { name: `in${index}`, op: 'Transpose', inputs: [`pad${index}`, 'last'] },
      { name: `conv${index}`, op: 'Conv2D', inputs: [`in${index}`, 'filter'], attributes: { padding: 'VALID', strides: [1, 1, 1, 1] } },
      { name: `biased${index}`, op: 'Add', inputs: [`conv${index}`, 'bias'] },
      { name: `out${index}`, op: 'Transpose', inputs: [`biased${index}`, 'first'] },
      { name: `act${index}`, op: 'LeakyRelu', inputs: [`out${index}`] },
    ];
    const bytes = convert({
      input: { name: 'x', shape: [1, 3, 4, 4] },
      constants: {
        amounts: { ...integers(0, 0, 0, 0, 1, 1, 1, 1), shape: [4, 2] },
        last: integers(0, 2, 3, 1),
        first: integers(0, 3, 1, 2),
        filter: floats([3, 3, 3, 3], randomFloats(81, 3)),
        bias: floats([3], randomFloats(3, 4)),
      },
      nodes: [...block(1, 'x'), ...block(2, 'act1')],
      outputs: ['act2'],
    });
    const text = Buffer.from(bytes).toString('latin1');
    // A node's type is field 4, length-delimited: the byte 0x22, the length, the text.
    const count = (type: string) => text.split(`"${String.fromCharCode(type.length)}${type}`).length - 1;
    expect({ conv: count('Conv'), transpose: count('Transpose'), pad: count('Pad'), add: count('Add') }).toEqual({
      conv: 2,
      transpose: 0,
      pad: 0,
      add: 0,
    });
  });

  it('gives the same bytes for the same graph', () => {
    const sketch = ONE_NODE(
      { name: 'y', op: 'Conv2D', inputs: ['x', 'f'], attributes: { padding: 'SAME' } },
      { f: floats([3, 3, 3, 2], randomFloats(54, 1)) },
    );
    expect(Buffer.from(convert(sketch)).equals(Buffer.from(convert(sketch)))).toBe(true);
  });
});

describe('parseGraphModel', () => {
  const model = (changes: Record<string, unknown> = {}) =>
    JSON.stringify({
      format: 'graph-model',
      signature: {
        inputs: { x: { name: 'x:0', tensorShape: { dim: [{ size: '2' }] } } },
        outputs: { y: { name: 'y:0' } },
      },
      modelTopology: {
        node: [
          { name: 'y', op: 'Add', input: ['x', 'w', '^x'], attr: {} },
          { name: 'x', op: 'Placeholder' },
          { name: 'w', op: 'Const' },
        ],
      },
      weightsManifest: [{ weights: [{ name: 'w', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } }] }],
      ...changes,
    });
  const weights = Uint8Array.of(0x00, 0x3c, 0x00, 0xc0);

  it('sorts nodes after their inputs, leaves out control inputs and widens half floats', () => {
    const graph = parseGraphModel(model(), weights);
    expect(graph.nodes.map((node) => node.name)).toEqual(['x', 'w', 'y']);
    expect(graph.nodes[2]?.inputs).toEqual([
      { node: 'x', output: 0 },
      { node: 'w', output: 0 },
    ]);
    expect(graph.constants.get('w')?.data).toEqual(Float32Array.of(1, -2));
    expect(graph.inputs).toEqual([{ name: 'x', shape: [2] }]);
  });

  it('reads weights from a buffer that starts at an odd address', () => {
    const padded = Buffer.concat([Buffer.of(9), weights]);
    expect(parseGraphModel(model(), padded.subarray(1)).constants.get('w')?.data).toEqual(Float32Array.of(1, -2));
  });

  it.each([
    ['truncated weights', weights.subarray(0, 3), {}, /ends at byte 4, but the weights have only 3/],
    ['weights that are left over', Uint8Array.of(...weights, 0), {}, /5 bytes, but the manifest describes 4/],
    ['another format', weights, { format: 'layers-model' }, /only "graph-model"/],
    [
      'quantised weights',
      weights,
      { weightsManifest: [{ weights: [{ name: 'w', shape: [4], dtype: 'float32', quantization: { dtype: 'uint8' } }] }] },
      /stored as uint8/,
    ],
    ['a constant without weights', new Uint8Array(), { weightsManifest: [] }, /constant w has no weights/],
    [
      'a reader of nothing',
      weights,
      { modelTopology: { node: [{ name: 'y', op: 'Relu', input: ['ghost'] }] } },
      /reads ghost, which does not exist/,
    ],
    [
      'a cycle',
      weights,
      {
        modelTopology: {
          node: [
            { name: 'a', op: 'Relu', input: ['b'] },
            { name: 'b', op: 'Relu', input: ['a'] },
          ],
        },
      },
      /cycle/,
    ],
    [
      'a name used twice',
      weights,
      {
        modelTopology: {
          node: [
            { name: 'a', op: 'Relu', input: [] },
            { name: 'a', op: 'Relu', input: [] },
          ],
        },
      },
      /two nodes are named a/,
    ],
  ] as const)('refuses %s', (_, bytes, changes, message) => {
    expect(() => parseGraphModel(model(changes), bytes)).toThrow(message);
  });

  it('survives a chain of 20 000 nodes', () => {
    const count = 20_000;
    const node = Array.from({ length: count }, (_, index) => ({
      name: `n${index}`,
      op: 'Relu',
      input: index + 1 < count ? [`n${index + 1}`] : [],
    }));
    expect(parseGraphModel(model({ modelTopology: { node }, weightsManifest: [] }), new Uint8Array()).nodes).toHaveLength(count);
  });
});

describe('halfToNumber', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65_504],
    [0x0400, 2 ** -14],
    [0x03ff, (1023 / 1024) * 2 ** -14],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('reads %i as %f', (bits, value) => {
    expect(halfToNumber(bits)).toBe(value);
  });

  it('reads a negative zero', () => {
    expect(Object.is(halfToNumber(0x8000), -0)).toBe(true);
  });
});
