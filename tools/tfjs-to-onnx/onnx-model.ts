import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The part of ONNX that the converter emits. Field numbers below are those of onnx.proto (ONNX 1.x, frozen by its compatibility rules). */
export interface OnnxModel {
  readonly opset: number;
  readonly producer: string;
  readonly graphName: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly initializers: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxPort {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Plain numbers are integers; a float is written `{ float: 0.1 }`. An empty input name means "left out". */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

const ELEMENT_FLOAT = 1;
const ELEMENT_INT64 = 7;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;
/** IR version 8 is the one opset 17 came with. */
const IR_VERSION = 8;

/** The same model gives the same bytes: nothing here depends on time, on the machine or on iteration order of anything unordered. */
export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(IR_VERSION);
  writer.tag(2, WireType.LengthDelimited).string(model.producer);
  message(writer, 7, () => encodeGraph(writer, model));
  message(writer, 8, () => {
    writer.tag(1, WireType.LengthDelimited).string('');
    writer.tag(2, WireType.Varint).int64(model.opset);
  });
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

function encodeGraph(writer: BinaryWriter, model: OnnxModel): void {
  for (const node of model.nodes) message(writer, 1, () => encodeNode(writer, node));
  writer.tag(2, WireType.LengthDelimited).string(model.graphName);
  for (const tensor of model.initializers) message(writer, 5, () => encodeTensor(writer, tensor));
  for (const port of model.inputs) message(writer, 11, () => encodePort(writer, port));
  for (const port of model.outputs) message(writer, 12, () => encodePort(writer, port));
}

function encodeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(node.name);
  writer.tag(4, WireType.LengthDelimited).string(node.type);
  for (const [name, value] of Object.entries(node.attributes)) message(writer, 5, () => encodeAttribute(writer, name, value));
}

function encodeAttribute(writer: BinaryWriter, name: string, value: OnnxAttribute): void {
  writer.tag(1, WireType.LengthDelimited).string(name);
  if (typeof value === 'number') {
    writer.tag(3, WireType.Varint).int64(value);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_INT);
  } else if (typeof value === 'string') {
    writer.tag(4, WireType.LengthDelimited).string(value);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_STRING);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_FLOAT);
  } else {
    for (const item of value) writer.tag(8, WireType.Varint).int64(item);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_INTS);
  }
}

function encodeTensor(writer: BinaryWriter, tensor: OnnxTensor): void {
  for (const size of tensor.shape) writer.tag(1, WireType.Varint).int64(size);
  writer.tag(2, WireType.Varint).int32(tensor.data instanceof Float32Array ? ELEMENT_FLOAT : ELEMENT_INT64);
  writer.tag(8, WireType.LengthDelimited).string(tensor.name);
  writer.tag(9, WireType.LengthDelimited).bytes(littleEndianBytes(tensor.data));
}

/** ONNX raw data is little-endian, and so is every machine Node runs this on; a view is enough. */
function littleEndianBytes(data: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function encodePort(writer: BinaryWriter, port: OnnxPort): void {
  writer.tag(1, WireType.LengthDelimited).string(port.name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.tag(1, WireType.Varint).int32(ELEMENT_FLOAT);
      message(writer, 2, () => {
        for (const size of port.shape) message(writer, 1, () => writer.tag(1, WireType.Varint).int64(size));
      });
    }),
  );
}
