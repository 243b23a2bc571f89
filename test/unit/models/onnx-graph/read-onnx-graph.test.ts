import { describe, expect, it } from 'vitest';
import { layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { type ReadOptions, readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { message, onnxModel, type TestConstant, type TestGraph, type TestModel, type TestNode } from '../../../support/onnx-model.ts';

const relu = (input: string, output: string, name?: string): TestNode => ({
  op: 'Relu',
  inputs: [input],
  outputs: [output],
  ...(name === undefined ? {} : { name }),
});
const x = { name: 'x', shape: [1, 4] };
const y = { name: 'y' };

const read = (model: TestModel, options?: ReadOptions) => readOnnxGraph(onnxModel(model), options);
const unloadable = (words: string) => expect.objectContaining({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining(words) });
const refuses = (model: TestModel, words: string): void => {
  expect(() => layerCosts(read(model))).toThrow(unloadable(words));
};

/** A model whose graph is the given bytes. */
const rawModel = (graph: Uint8Array): Uint8Array =>
  message((writer) =>
    writer
      .tag(7, 2)
      .bytes(graph)
      .tag(8, 2)
      .bytes(message((inner) => inner.tag(1, 2).string('').tag(2, 0).int64(17))),
  );

const withConstant = (constant: TestConstant): TestModel => ({
  nodes: [{ op: 'Add', inputs: ['x', constant.name], outputs: ['y'] }],
  inputs: [x],
  outputs: [y],
  constants: [constant],
});

describe('reading a model', () => {
  it('takes weights as views of the file', () => {
    const bytes = onnxModel(withConstant({ name: 'w', shape: [1, 4], values: [1, 2, 3, 4] }));
    const stored = readOnnxGraph(bytes).constants.get('w')?.stored;
    expect(stored?.kind === 'raw' && stored.bytes.buffer === bytes.buffer).toBe(true);
  });

  it('sorts nodes that come before what they read', () => {
    const graph = read({ nodes: [relu('b', 'y', 'last'), relu('x', 'a', 'first'), relu('a', 'b', 'middle')], inputs: [x], outputs: [y] });
    expect(graph.nodes.map((node) => node.name)).toEqual(['first', 'middle', 'last']);
  });

  it('sorts a node behind what only its branch reads', () => {
    const branch: TestGraph = { nodes: [relu('late', 'inner')], outputs: [{ name: 'inner' }] };
    const choose: TestNode = {
      op: 'If',
      name: 'choose',
      inputs: ['c'],
      outputs: ['y'],
      attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
    };
    const graph = read({ nodes: [choose, relu('x', 'late', 'maker')], inputs: [x, { name: 'c', type: 'bool', shape: [] }], outputs: [y] });
    expect(graph.nodes.map((node) => node.name)).toEqual(['maker', 'choose']);
  });

  it('does not count an initialiser that is listed among the inputs as an input', () => {
    const model = withConstant({ name: 'w', shape: [4] });
    expect(read({ ...model, inputs: [x, { name: 'w', shape: [4] }] }).inputs.map((input) => input.name)).toEqual(['x']);
  });

  it('reads numbers listed one by one as well as raw ones', () => {
    const listed = message((writer) => {
      writer.tag(1, 0).int64(2).tag(2, 0).int32(7).tag(8, 2).string('shape');
      writer.tag(7, 2).bytes(message((packed) => packed.int64(2).int64(-1)));
    });
    const node = message((writer) =>
      writer.tag(1, 2).string('x').tag(1, 2).string('shape').tag(2, 2).string('y').tag(4, 2).string('Reshape'),
    );
    const graph = message((writer) =>
      writer
        .tag(1, 2)
        .bytes(node)
        .tag(5, 2)
        .bytes(listed)
        .tag(12, 2)
        .bytes(message((port) => port.tag(1, 2).string('y'))),
    );
    const input = onnxModel({ inputs: [{ name: 'x', shape: [4, 6] }] });
    expect(layerCosts(readOnnxGraph(Buffer.concat([input, rawModel(graph)]))).outputs[0]?.shape).toEqual([2, 12]);
  });
});

describe('a hostile file', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'no graph in 0 bytes'],
    ['a text', Buffer.from('this is not a model at all, is it?'), 'cannot be read'],
    ['zeros', new Uint8Array(1000), 'cannot be read'],
    ['a graph without an operator set', message((writer) => writer.tag(7, 2).bytes(new Uint8Array(0))), 'no operator set'],
    ['a length beyond the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0x7f, 0), 'truncated, damaged'],
    ['a graph written as a number', Uint8Array.of(0x38, 1), 'wire type 0 where 2 belongs'],
  ])('that is %s is refused', (_, bytes, words) => {
    expect(() => readOnnxGraph(bytes)).toThrow(unloadable(words));
  });

  it('says which model and which node', () => {
    const node = message((writer) => writer.tag(1, 2).string('x'));
    const graph = message((writer) => writer.tag(1, 2).bytes(node));
    expect(() => readOnnxGraph(rawModel(graph), { name: 'lane.onnx' })).toThrow(
      unloadable('lane.onnx: graph.node[0]: a node names no operator'),
    );
  });

  it('with a value made twice is refused', () => {
    refuses(
      { nodes: [relu('x', 'y', 'one'), relu('x', 'y', 'two')], inputs: [x], outputs: [y] },
      '"y" is made twice, the second time by node "two"',
    );
    refuses({ nodes: [relu('x', 'x', 'self')], inputs: [x], outputs: [{ name: 'x' }] }, '"x" is made twice');
    refuses({ inputs: [x, x], outputs: [{ name: 'x' }] }, 'two inputs are named "x"');
    refuses(
      {
        ...withConstant({ name: 'w', shape: [4] }),
        constants: [
          { name: 'w', shape: [4] },
          { name: 'w', shape: [4] },
        ],
      },
      'two initialisers are named "w"',
    );
  });

  it('with a cycle is refused', () => {
    const add: TestNode = { op: 'Add', name: 'a', inputs: ['x', 'q'], outputs: ['p'] };
    refuses(
      { nodes: [add, relu('p', 'q', 'b'), relu('q', 'y', 'c')], inputs: [x], outputs: [y] },
      'the nodes "a", "b", "c" wait for each other in a cycle',
    );
    refuses(
      { nodes: [{ op: 'Add', name: 'own', inputs: ['x', 'y'], outputs: ['y'] }], inputs: [x], outputs: [y] },
      '"own" wait for each other',
    );
  });

  it('that reads or promises what nothing makes is refused', () => {
    refuses({ nodes: [relu('ghost', 'y', 'n')], outputs: [y] }, 'node "n" (Relu) reads "ghost", which nothing makes');
    refuses({ nodes: [], inputs: [x], outputs: [y] }, 'nothing makes the output "y"');
  });

  it('with a tensor of other bytes than its shape needs is refused', () => {
    const bytes = message((writer) =>
      writer.tag(1, 0).int64(4).tag(2, 0).int32(1).tag(8, 2).string('w').tag(9, 2).bytes(new Uint8Array(15)),
    );
    expect(() => readOnnxGraph(rawModel(message((writer) => writer.tag(5, 2).bytes(bytes))))).toThrow(
      unloadable('"w" float32[4] needs 16 bytes and has 15'),
    );
    const empty = message((writer) => writer.tag(1, 0).int64(4).tag(2, 0).int32(1).tag(8, 2).string('w'));
    expect(() => readOnnxGraph(rawModel(message((writer) => writer.tag(5, 2).bytes(empty))))).toThrow(
      unloadable('needs 4 values and has 0'),
    );
  });

  it.each([
    [[-1], 'sizes are 0 or more'],
    [[2 ** 30, 2 ** 30], 'has more than 1099511627776 elements'],
    [new Array<number>(40).fill(1), 'more than 32 numbers'],
  ])('with a tensor of shape %j is refused', (shape, words) => {
    const bytes = message((writer) => {
      for (const size of shape) writer.tag(1, 0).int64(size);
      writer.tag(2, 0).int32(1).tag(8, 2).string('w').tag(9, 2).bytes(new Uint8Array(4));
    });
    expect(() => readOnnxGraph(rawModel(message((writer) => writer.tag(5, 2).bytes(bytes))))).toThrow(unloadable(words));
  });

  it('with an unknown element type is refused', () => {
    const bytes = message((writer) => writer.tag(2, 0).int32(99).tag(8, 2).string('w'));
    expect(() => readOnnxGraph(rawModel(message((writer) => writer.tag(5, 2).bytes(bytes))))).toThrow(
      unloadable('unknown element type 99'),
    );
  });

  it('nested too deep is refused at the bound, one level before it is read', () => {
    const nested = (depth: number): TestGraph =>
      depth === 0
        ? { nodes: [relu('x', 'y0')], outputs: [{ name: 'y0' }] }
        : {
            nodes: [{ op: 'If', inputs: ['c'], outputs: [`y${depth}`], attributes: { then_branch: { graph: nested(depth - 1) } } }],
            outputs: [{ name: `y${depth}` }],
          };
    const model = (depth: number): TestModel => ({ ...nested(depth), inputs: [x, { name: 'c', type: 'bool', shape: [] }] });
    expect(read(model(16)).nodes).toHaveLength(1);
    expect(() => read(model(17))).toThrow(unloadable('subgraphs lie 17 deep; at most 16 are allowed'));
  });

  it('of 200 000 nodes is read and of one more is refused', () => {
    const node = message((writer) => writer.tag(4, 2).string('Relu'));
    const field = message((writer) => writer.tag(1, 2).bytes(node));
    const nodes = (count: number): Uint8Array => Buffer.concat(new Array<Uint8Array>(count).fill(field));
    expect(readOnnxGraph(rawModel(nodes(200_000))).nodes).toHaveLength(200_000);
    expect(() => readOnnxGraph(rawModel(nodes(200_001)))).toThrow(unloadable('more than 200000 nodes'));
  });

  it('that asks for 200 000 x 200 000 ones takes no memory for them', () => {
    const bomb = onnxModel({
      nodes: [
        { op: 'ConstantOfShape', inputs: ['s'], outputs: ['ones'] },
        { op: 'Add', inputs: ['x', 'ones'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', shape: [1, 1] }],
      outputs: [y],
      constants: [{ name: 's', type: 'int64', shape: [2], values: [200_000, 200_000] }],
    });
    const before = process.memoryUsage().rss;
    const costs = layerCosts(readOnnxGraph(bomb));
    expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
    expect(costs.outputs[0]?.shape).toEqual([200_000, 200_000]);
    expect(costs.peakActivationBytes).toBe(160e9 + 4);
  });

  it('whose shapes grow beyond all bounds is refused', () => {
    const shape = { name: 's', type: 'int64' as const, shape: [2], values: [2 ** 21, 2 ** 21] };
    refuses(
      { nodes: [{ op: 'ConstantOfShape', inputs: ['s'], outputs: ['y'] }], outputs: [y], constants: [shape] },
      'exceeds 1099511627776 elements',
    );
    const tiles = { ...shape, values: [2 ** 40, 2 ** 40] };
    refuses(
      { nodes: [{ op: 'Tile', inputs: ['x', 's'], outputs: ['y'] }], inputs: [x], outputs: [y], constants: [tiles] },
      'exceeds 1099511627776 elements',
    );
  });
});

describe('weights in other files', () => {
  const external = (location: string, more: { offset?: string; length?: string } = {}): TestModel =>
    withConstant({ name: 'w', shape: [1, 4], external: { location, ...more } });

  it('are named with their places, and not opened', () => {
    expect(read(external('weights/part.bin', { offset: '4096', length: '16' })).externalData).toEqual([
      { tensor: 'w', location: 'weights/part.bin', offset: 4096, length: 16 },
    ]);
    expect(layerCosts(read(external('part.bin'))).weightBytes).toBe(16);
  });

  it.each(['../secret', '/etc/passwd', 'a/../../b', '\\\\server\\share', 'C:\\weights', 'a\0b', ''])(
    'outside the folder of the model are refused: %j',
    (location) => {
      expect(() => read(external(location))).toThrow(unloadable("only a path below the model's own folder is allowed"));
    },
  );

  it('must be as long as their shape says, and lie inside their file', () => {
    expect(() => read(external('w.bin', { length: '15' }))).toThrow(unloadable('needs 16 bytes and names 15'));
    expect(() => read(external('w.bin', { offset: '-4' }))).toThrow(unloadable('the offset "-4"'));
    const sizes = (size: number | undefined): ReadOptions => ({ externalSize: () => size });
    expect(read(external('w.bin', { offset: '84' }), sizes(100)).externalData).toHaveLength(1);
    expect(() => read(external('w.bin', { offset: '85' }), sizes(100))).toThrow(
      unloadable('needs the 16 bytes from 85 on of "w.bin", which has 100'),
    );
    expect(() => read(external('w.bin'), sizes(undefined))).toThrow(
      unloadable('needs the 16 bytes from 0 on of "w.bin", and no such file lies beside the model'),
    );
  });

  it('of a constant that a shape is made of leave that shape unknown', () => {
    const model: TestModel = {
      nodes: [{ op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] }],
      inputs: [x],
      outputs: [y],
      constants: [{ name: 's', type: 'int64', shape: [2], external: { location: 's.bin' } }],
    };
    expect(layerCosts(read(model)).unknown[0]).toMatchObject({
      operator: 'Reshape',
      reason: expect.stringContaining('only known at run time'),
    });
  });
});
