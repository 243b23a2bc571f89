import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Fields of `ModelProto`, `GraphProto`, `NodeProto`, `TensorProto` and `ValueInfoProto`, frozen by the compatibility rules of ONNX. */
export const GRAPH = 7;
export const NODE = 1;
export const INITIALIZER = 5;
export const GRAPH_INPUT = 11;
export const GRAPH_OUTPUT = 12;
export const VALUE_INFO = 13;
export const SPARSE_INITIALIZER = 15;
export const NODE_INPUT = 1;
export const NODE_OUTPUT = 2;
export const NODE_OPERATOR = 4;
export const NODE_ATTRIBUTE = 5;
export const VALUE_NAME = 1;
export const TENSOR_NAME = 8;

/** One field of a message, as it is written. */
export interface Field {
  readonly number: number;
  /** With its tag. */
  readonly whole: Uint8Array;
  /** What a delimited field holds; empty for others. */
  readonly body: Uint8Array;
}

/** The fields of a message in the order in which they are written; views, never copies. Throws what the reader throws for bytes that are no message. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const [number, wire] = reader.tag();
    let body = bytes.subarray(0, 0);
    if (wire === WireType.LengthDelimited) body = reader.bytes();
    else reader.skip(wire, number);
    yield { number, whole: bytes.subarray(from, reader.pos), body };
  }
}

/** The texts of a field that may stand several times. */
export const textsOf = (message: Uint8Array, field: number): string[] =>
  [...fieldsOf(message)].filter(({ number }) => number === field).map(({ body }) => new TextDecoder().decode(body));

/** A field that holds a message, with its tag. */
export function messageBytes(field: number, body: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter().tag(field, WireType.LengthDelimited).fork();
  body(writer);
  return writer.join().finish();
}
