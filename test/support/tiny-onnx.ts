import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { ModelSpec, StateSpec, TensorSpec } from '../../src/core/model.ts';
import { durationUs } from '../../src/core/units.ts';

/**
 * ONNX models of a node or two, written byte by byte, so that tests of devices need no download. Field numbers are those of onnx.proto3.
 */
const ELEMENT = { float32: 1, uint8: 2, int64: 7, bool: 9 } as const;

interface Value {
  readonly name: string;
  readonly type: keyof typeof ELEMENT;
  /** A string is a dimension that the model leaves open. */
  readonly shape: readonly (number | string)[];
}

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The `body` attribute of Loop. */
  readonly body?: Graph;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants?: Readonly<Record<string, readonly number[]>>;
  /** Constants of one float32 whose bytes are to be read from another file. */
  readonly fileConstants?: Readonly<Record<string, string>>;
}

export function encodeModel(graph: Graph): Uint8Array {
  const opset = message((writer) => writer.tag(1, 2).string('').tag(2, 0).int64(17));
  return message((writer) => writer.tag(1, 0).int64(8).tag(7, 2).bytes(encodeGraph(graph)).tag(8, 2).bytes(opset));
}

function encodeGraph({ nodes, inputs, outputs, constants = {}, fileConstants = {} }: Graph): Uint8Array {
  return message((writer) => {
    for (const node of nodes) writer.tag(1, 2).bytes(encodeNode(node));
    writer.tag(2, 2).string('tiny');
    for (const [name, values] of Object.entries(constants)) writer.tag(5, 2).bytes(encodeConstant(name, values));
    for (const [name, file] of Object.entries(fileConstants)) writer.tag(5, 2).bytes(encodeFileConstant(name, file));
    for (const value of inputs) writer.tag(11, 2).bytes(encodeValue(value));
    for (const value of outputs) writer.tag(12, 2).bytes(encodeValue(value));
  });
}

function encodeNode({ op, inputs, outputs, body }: Node): Uint8Array {
  return message((writer) => {
    for (const name of inputs) writer.tag(1, 2).string(name);
    for (const name of outputs) writer.tag(2, 2).string(name);
    writer.tag(4, 2).string(op);
    if (body === undefined) return;
    const GRAPH_ATTRIBUTE = 5;
    const attribute = message((inner) =>
      inner.tag(1, 2).string('body').tag(6, 2).bytes(encodeGraph(body)).tag(20, 0).int32(GRAPH_ATTRIBUTE),
    );
    writer.tag(5, 2).bytes(attribute);
  });
}

function encodeConstant(name: string, values: readonly number[]): Uint8Array {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return message((writer) =>
    writer.tag(1, 0).int64(values.length).tag(2, 0).int32(ELEMENT.float32).tag(8, 2).string(name).tag(9, 2).bytes(raw),
  );
}

function encodeFileConstant(name: string, file: string): Uint8Array {
  const EXTERNAL = 1;
  const location = message((writer) => writer.tag(1, 2).string('location').tag(2, 2).string(file));
  return message((writer) =>
    writer.tag(1, 0).int64(1).tag(2, 0).int32(ELEMENT.float32).tag(8, 2).string(name).tag(13, 2).bytes(location).tag(14, 0).int32(EXTERNAL),
  );
}

function encodeValue({ name, type, shape }: Value): Uint8Array {
  const dimensions = message((writer) => {
    for (const size of shape) {
      const dimension = message((inner) => (typeof size === 'number' ? inner.tag(1, 0).int64(size) : inner.tag(2, 2).string(size)));
      writer.tag(1, 2).bytes(dimension);
    }
  });
  const tensor = message((writer) => writer.tag(1, 0).int32(ELEMENT[type]).tag(2, 2).bytes(dimensions));
  const valueType = message((writer) => writer.tag(1, 2).bytes(tensor));
  return message((writer) => writer.tag(1, 2).string(name).tag(2, 2).bytes(valueType));
}

function message(write: (writer: BinaryWriter) => unknown): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

const float = (name: string, ...shape: (number | string)[]): Value => ({ name, type: 'float32', shape });
const spec = (name: string, ...shape: number[]): TensorSpec => ({ name, type: 'float32', shape });

/** `quotient = a / b`, 4 values each: 0 / 0 is NaN, 1 / 0 is infinite. */
export const DIVIDE: Graph = {
  nodes: [{ op: 'Div', inputs: ['a', 'b'], outputs: ['quotient'] }],
  inputs: [float('a', 1, 4), float('b', 1, 4)],
  outputs: [float('quotient', 1, 4)],
};

/** `sum = total + value`; the sum is also the next total. */
export const ACCUMULATE: Graph = {
  nodes: [
    { op: 'Add', inputs: ['value', 'total'], outputs: ['sum'] },
    { op: 'Identity', inputs: ['sum'], outputs: ['nextTotal'] },
  ],
  inputs: [float('value', 1, 4), float('total', 1, 4)],
  outputs: [float('sum', 1, 4), float('nextTotal', 1, 4)],
};

/** Counts to `times` (int64) in a loop of some microseconds a round: as slow as one likes, 10^15 is a hang. */
export const COUNT: Graph = {
  nodes: [
    {
      op: 'Loop',
      inputs: ['times', '', 'zero'],
      outputs: ['count'],
      body: {
        nodes: [
          { op: 'Identity', inputs: ['goOn'], outputs: ['goOnOut'] },
          { op: 'Add', inputs: ['before', 'one'], outputs: ['after'] },
        ],
        inputs: [{ name: 'round', type: 'int64', shape: [] }, { name: 'goOn', type: 'bool', shape: [] }, float('before', 1)],
        outputs: [{ name: 'goOnOut', type: 'bool', shape: [] }, float('after', 1)],
        constants: { one: [1] },
      },
    },
  ],
  inputs: [{ name: 'times', type: 'int64', shape: [1] }],
  outputs: [float('count', 1)],
  constants: { zero: [0] },
};

/** An output as long as its input, which the model leaves open. */
export const OPEN_IDENTITY: Graph = {
  nodes: [{ op: 'Identity', inputs: ['given'], outputs: ['same'] }],
  inputs: [float('given', 'n')],
  outputs: [float('same', 'n')],
};

/** `sum = given + weight`, the weight being the first 4 bytes of another file. */
export const readsFile = (file: string): Graph => ({
  nodes: [{ op: 'Add', inputs: ['given', 'weight'], outputs: ['sum'] }],
  inputs: [float('given', 1)],
  outputs: [float('sum', 1)],
  fileConstants: { weight: file },
});

/** The manifest entry of a model written to `file`. */
export function writeTinyModel(
  file: string,
  graph: Graph,
  tensors: Partial<Pick<ModelSpec, 'inputs' | 'outputs' | 'states' | 'constants'>>,
): ModelSpec {
  const bytes = encodeModel(graph);
  writeFileSync(file, bytes);
  return {
    id: file.replace(/^.*\/|\.onnx$/g, ''),
    file,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    inputs: [],
    outputs: [],
    states: [],
    constants: [],
    codec: 'none',
    costUs: durationUs(100),
    memoryBytes: 1_000_000,
    licence: 'Apache-2.0',
    files: {},
    ...tensors,
  };
}

const totalState: StateSpec = { input: spec('total', 1, 4), output: spec('nextTotal', 1, 4) };

export interface TinyModels {
  readonly divide: ModelSpec;
  readonly accumulate: ModelSpec;
  readonly count: ModelSpec;
}

/** Writes the three into `dir`. */
export function writeTinyModels(dir: string): TinyModels {
  return {
    divide: writeTinyModel(`${dir}/divide.onnx`, DIVIDE, { inputs: [spec('a', 1, 4), spec('b', 1, 4)], outputs: [spec('quotient', 1, 4)] }),
    accumulate: writeTinyModel(`${dir}/accumulate.onnx`, ACCUMULATE, {
      inputs: [spec('value', 1, 4)],
      outputs: [spec('sum', 1, 4)],
      states: [totalState],
    }),
    count: writeTinyModel(`${dir}/count.onnx`, COUNT, {
      inputs: [{ name: 'times', type: 'int64', shape: [1] }],
      outputs: [spec('count', 1)],
    }),
  };
}
