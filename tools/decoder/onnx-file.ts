import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** `TensorProto.DataType`. */
const ELEMENT_CODE = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export const ELEMENT_BYTES = { float32: 4, uint8: 1, int32: 4, int64: 8, bool: 1, float16: 2 } as const;
export type ElementType = keyof typeof ELEMENT_CODE;

export interface Port {
  readonly name: string;
  readonly type: ElementType;
  /** A text names an open size. */
  readonly shape: readonly (number | string)[];
}

/** A stored tensor. Its bytes are made when they are written, so that one at a time lies in memory. */
export interface Weight {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  bytes(): Uint8Array;
}

export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly tensor: Weight };

export interface Node {
  readonly name: string;
  readonly operator: string;
  /** That of ONNX itself when absent. */
  readonly domain?: string;
  /** An empty name is one left out, of inputs and outputs alike. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxFile {
  readonly producer: string;
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly weights: readonly Weight[];
  readonly nodes: readonly Node[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** IR version 8 came with opset 17, the newest that needs nothing of ONNX Runtime beyond what the exports of the hub need. */
const IR_VERSION = 8;
const OPSET = 17;

/** Weights of fewer bytes stay in the graph file, where shape inference finds them. */
const EXTERNAL_BYTES_MIN = 1024;

/** A page: what a mapping of the file has to begin at. */
const ALIGN_BYTES = 4096;

/** A protobuf message may not be longer than 2 GiB. */
export const SINGLE_FILE_BYTES_MAX = 1.9e9;

export const byteLengthOf = ({ type, shape }: Pick<Weight, 'type' | 'shape'>): number =>
  shape.reduce((product, size) => product * size, ELEMENT_BYTES[type]);

/**
 * Writes the model as `file`, whole or not at all; with `isExternal` its weights go into `file` + "_data", as the exports of the hub name it. The same model
 * gives the same bytes.
 */
export function writeOnnxFile(file: string, model: OnnxFile, isExternal: boolean): void {
  mkdirSync(dirname(file), { recursive: true });
  const external = isExternal ? writeWeights(`${file}_data`, model.weights) : new Map<string, Place>();
  const temporary = `${file}.part`;
  writeFileSync(temporary, encode(model, external));
  renameSync(temporary, file);
}

interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

function writeWeights(file: string, weights: readonly Weight[]): Map<string, Place> {
  const places = new Map<string, Place>();
  const temporary = `${file}.part`;
  const fd = openSync(temporary, 'w');
  let offset = 0;
  for (const weight of weights) {
    const length = byteLengthOf(weight);
    if (length < EXTERNAL_BYTES_MIN) continue;
    offset = Math.ceil(offset / ALIGN_BYTES) * ALIGN_BYTES;
    writeFully(fd, bytesOf(weight), offset);
    places.set(weight.name, { location: basename(file), offset, length });
    offset += length;
  }
  closeSync(fd);
  renameSync(temporary, file);
  return places;
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, position + written);
}

function bytesOf(weight: Weight): Uint8Array {
  const bytes = weight.bytes();
  if (bytes.length !== byteLengthOf(weight))
    throw new Error(`${weight.name} has ${bytes.length} bytes; its shape [${weight.shape}] holds ${byteLengthOf(weight)}`);
  return bytes;
}

function encode(model: OnnxFile, external: ReadonlyMap<string, Place>): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(IR_VERSION);
  writer.tag(2, WireType.LengthDelimited).string(model.producer);
  message(writer, 7, () => {
    for (const node of model.nodes) message(writer, 1, () => encodeNode(writer, node));
    writer.tag(2, WireType.LengthDelimited).string(model.name);
    for (const weight of model.weights) message(writer, 5, () => encodeWeight(writer, weight, external.get(weight.name)));
    for (const port of model.inputs) message(writer, 11, () => encodePort(writer, port));
    for (const port of model.outputs) message(writer, 12, () => encodePort(writer, port));
  });
  for (const [domain, version] of [
    ['', OPSET],
    ['com.microsoft', 1],
  ] as const)
    message(writer, 8, () => {
      writer.tag(1, WireType.LengthDelimited).string(domain);
      writer.tag(2, WireType.Varint).int64(version);
    });
  for (const [key, value] of Object.entries(model.metadata)) message(writer, 14, () => encodeEntry(writer, key, value));
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

function encodeEntry(writer: BinaryWriter, key: string, value: string): void {
  writer.tag(1, WireType.LengthDelimited).string(key);
  writer.tag(2, WireType.LengthDelimited).string(value);
}

function encodeNode(writer: BinaryWriter, node: Node): void {
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(node.name);
  writer.tag(4, WireType.LengthDelimited).string(node.operator);
  for (const [name, value] of Object.entries(node.attributes)) message(writer, 5, () => encodeAttribute(writer, name, value));
  if (node.domain !== undefined) writer.tag(7, WireType.LengthDelimited).string(node.domain);
}

/** Field of the value and number of the type, as `AttributeProto` has them. */
function encodeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  const type = (code: number): unknown => writer.tag(20, WireType.Varint).int32(code);
  writer.tag(1, WireType.LengthDelimited).string(name);
  if (typeof value === 'number') {
    writer.tag(3, WireType.Varint).int64(value);
    type(2);
  } else if (typeof value === 'string') {
    writer.tag(4, WireType.LengthDelimited).string(value);
    type(3);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    type(1);
  } else if ('tensor' in value) {
    message(writer, 5, () => encodeWeight(writer, value.tensor, undefined));
    type(4);
  } else {
    for (const item of value) writer.tag(8, WireType.Varint).int64(item);
    type(7);
  }
}

function encodeWeight(writer: BinaryWriter, weight: Weight, place: Place | undefined): void {
  for (const size of weight.shape) writer.tag(1, WireType.Varint).int64(size);
  writer.tag(2, WireType.Varint).int32(ELEMENT_CODE[weight.type]);
  writer.tag(8, WireType.LengthDelimited).string(weight.name);
  if (place === undefined) {
    writer.tag(9, WireType.LengthDelimited).bytes(bytesOf(weight));
    return;
  }
  for (const [key, value] of Object.entries(place)) message(writer, 13, () => encodeEntry(writer, key, String(value)));
  writer.tag(14, WireType.Varint).int32(1);
}

function encodePort(writer: BinaryWriter, port: Port): void {
  writer.tag(1, WireType.LengthDelimited).string(port.name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.tag(1, WireType.Varint).int32(ELEMENT_CODE[port.type]);
      message(writer, 2, () => {
        for (const size of port.shape)
          message(writer, 1, () => {
            if (typeof size === 'number') writer.tag(1, WireType.Varint).int64(size);
            else writer.tag(2, WireType.LengthDelimited).string(size);
          });
      });
    }),
  );
}
