import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** ONNX models of any shape, written field by field as onnx.proto numbers them. */
const CODE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, uint4: 21, int4: 22 } as const;
const BITS = { float32: 32, uint8: 8, int8: 8, int32: 32, int64: 64, bool: 8, float16: 16, uint4: 4, int4: 4 } as const;

export type TestType = keyof typeof CODE;

export interface TestPort {
  readonly name: string;
  readonly type?: TestType;
  /** A string is an open size with a name, null one without. */
  readonly shape?: readonly (number | string | null)[];
}

export interface TestConstant {
  readonly name: string;
  readonly type?: TestType;
  readonly shape: readonly number[];
  /** Zeros if absent. */
  readonly values?: readonly number[];
  /** Bytes in another file instead. */
  readonly external?: { readonly location: string; readonly offset?: string; readonly length?: string };
}

export type TestAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly graph: TestGraph }
  | { readonly tensor: TestConstant };

export interface TestNode {
  readonly op: string;
  readonly name?: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, TestAttribute>>;
}

export interface TestGraph {
  readonly nodes?: readonly TestNode[];
  readonly inputs?: readonly TestPort[];
  readonly outputs?: readonly TestPort[];
  readonly constants?: readonly TestConstant[];
  readonly declared?: readonly TestPort[];
}

export interface TestModel extends TestGraph {
  readonly opset?: number;
}

export function onnxModel({ opset = 17, ...graph }: TestModel): Uint8Array {
  return message((writer) => {
    writer.tag(1, 0).int64(8).tag(7, 2).bytes(graphBytes(graph));
    writer.tag(8, 2).bytes(message((inner) => inner.tag(1, 2).string('').tag(2, 0).int64(opset)));
    writer.tag(8, 2).bytes(message((inner) => inner.tag(1, 2).string('com.microsoft').tag(2, 0).int64(1)));
  });
}

/** `bytes` with more graph outputs: protobuf merges the parts of a message that is written in several. */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const graph = message((writer) => {
    for (const name of names) writer.tag(12, 2).bytes(message((port) => port.tag(1, 2).string(name)));
  });
  return Buffer.concat([bytes, message((writer) => writer.tag(7, 2).bytes(graph))]);
}

export function message(write: (writer: BinaryWriter) => unknown): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

function graphBytes({ nodes = [], inputs = [], outputs = [], constants = [], declared = [] }: TestGraph): Uint8Array {
  return message((writer) => {
    for (const node of nodes) writer.tag(1, 2).bytes(nodeBytes(node));
    writer.tag(2, 2).string('test');
    for (const constant of constants) writer.tag(5, 2).bytes(constantBytes(constant));
    for (const port of inputs) writer.tag(11, 2).bytes(portBytes(port));
    for (const port of outputs) writer.tag(12, 2).bytes(portBytes(port));
    for (const port of declared) writer.tag(13, 2).bytes(portBytes(port));
  });
}

function nodeBytes({ op, name, domain, inputs, outputs, attributes = {} }: TestNode): Uint8Array {
  return message((writer) => {
    for (const input of inputs) writer.tag(1, 2).string(input);
    for (const output of outputs) writer.tag(2, 2).string(output);
    if (name !== undefined) writer.tag(3, 2).string(name);
    writer.tag(4, 2).string(op);
    for (const [key, value] of Object.entries(attributes)) writer.tag(5, 2).bytes(attributeBytes(key, value));
    if (domain !== undefined) writer.tag(7, 2).string(domain);
  });
}

function attributeBytes(name: string, value: TestAttribute): Uint8Array {
  return message((writer) => {
    writer.tag(1, 2).string(name);
    if (typeof value === 'number') writer.tag(3, 0).int64(value).tag(20, 0).int32(2);
    else if (typeof value === 'string') writer.tag(4, 2).string(value).tag(20, 0).int32(3);
    else if ('float' in value) writer.tag(2, 5).float(value.float).tag(20, 0).int32(1);
    else if ('tensor' in value) writer.tag(5, 2).bytes(constantBytes(value.tensor)).tag(20, 0).int32(4);
    else if ('graph' in value) writer.tag(6, 2).bytes(graphBytes(value.graph)).tag(20, 0).int32(5);
    else {
      for (const item of value) writer.tag(8, 0).int64(item);
      writer.tag(20, 0).int32(7);
    }
  });
}

function constantBytes({ name, type = 'float32', shape, values, external }: TestConstant): Uint8Array {
  return message((writer) => {
    for (const size of shape) writer.tag(1, 0).int64(size);
    writer.tag(2, 0).int32(CODE[type]).tag(8, 2).string(name);
    if (external === undefined) writer.tag(9, 2).bytes(rawBytes(type, shape, values));
    else {
      for (const [key, value] of Object.entries(external))
        writer.tag(13, 2).bytes(message((entry) => entry.tag(1, 2).string(key).tag(2, 2).string(value)));
      writer.tag(14, 0).int32(1);
    }
  });
}

function rawBytes(type: TestType, shape: readonly number[], values: readonly number[] | undefined): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (values === undefined) return new Uint8Array(Math.ceil((count * BITS[type]) / 8));
  if (type === 'float32') return new Uint8Array(Float32Array.from(values).buffer);
  if (type === 'int64') return new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  if (type === 'int32') return new Uint8Array(Int32Array.from(values).buffer);
  return Uint8Array.from(values);
}

function portBytes({ name, type = 'float32', shape }: TestPort): Uint8Array {
  const tensor = message((writer) => {
    writer.tag(1, 0).int32(CODE[type]);
    if (shape !== undefined) writer.tag(2, 2).bytes(shapeBytes(shape));
  });
  const typed = message((writer) => writer.tag(1, 2).bytes(tensor));
  return message((writer) => writer.tag(1, 2).string(name).tag(2, 2).bytes(typed));
}

function shapeBytes(shape: readonly (number | string | null)[]): Uint8Array {
  return message((writer) => {
    for (const size of shape) {
      const axis = message((inner) =>
        typeof size === 'number' ? inner.tag(1, 0).int64(size) : size === null ? inner : inner.tag(2, 2).string(size),
      );
      writer.tag(1, 2).bytes(axis);
    }
  });
}
