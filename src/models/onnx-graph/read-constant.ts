import { ELEMENT_BITS, type ElementType, elementTypeOf } from './element-type.ts';
import { type ConstantBytes, type ExternalData, GRAPH_LIMITS, type OnnxConstant } from './graph.ts';
import { ProtoMessage } from './proto-message.ts';

/** Fields of `TensorProto` in onnx.proto. */
const FIELD = { dims: 1, type: 2, floats: 4, int32s: 5, strings: 6, int64s: 7, name: 8, raw: 9, doubles: 10, uint64s: 11, external: 13 };

/** What a reading of a model carries along: how much was read so far, and what lies in other files. */
export interface ReadBudget {
  nodes: number;
  constants: number;
  readonly externalData: ExternalData[];
  /** Size of another file in bytes, undefined if there is none; absent when nobody looked. */
  readonly externalSize: ((location: string) => number | undefined) | undefined;
}

interface Parts {
  readonly message: ProtoMessage;
  readonly dims: number[];
  code: number;
  name: string;
  raw: Uint8Array | undefined;
  /** Packed lists, in the order of the file. */
  readonly packed: { readonly field: number; readonly bytes: Uint8Array }[];
  readonly unpacked: number[];
  readonly external: Map<string, string>;
  stringBytes: number;
}

/** Reads a `TensorProto`: name, type, shape and where its bytes are. Weights are neither copied nor decoded. */
export function readConstant(bytes: Uint8Array, place: string, budget: ReadBudget): OnnxConstant {
  budget.constants += 1;
  const parts = readParts(new ProtoMessage(bytes, place));
  const { message, dims, name } = parts;
  if (budget.constants > GRAPH_LIMITS.constants) message.fail(`more than ${GRAPH_LIMITS.constants} stored tensors`);
  const type = elementTypeOf(parts.code) ?? message.fail(`tensor "${name}" has the unknown element type ${parts.code}`);
  const elements = countElements(message, name, dims);
  const byteLength = type === 'string' ? parts.stringBytes : Math.ceil((elements * ELEMENT_BITS[type]) / 8);
  const stored = locate(parts, type, elements, byteLength, budget);
  return { name, type, shape: dims, byteLength, stored };
}

function readParts(message: ProtoMessage): Parts {
  const parts: Parts = {
    message,
    dims: [],
    code: 0,
    name: '',
    raw: undefined,
    packed: [],
    unpacked: [],
    external: new Map(),
    stringBytes: 0,
  };
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === FIELD.dims) message.integersInto(parts.dims, GRAPH_LIMITS.rank);
    else if (field === FIELD.type) parts.code = message.integer();
    else if (field === FIELD.name) parts.name = message.text();
    else if (field === FIELD.raw) parts.raw = message.bytes();
    else if (field === FIELD.strings) parts.stringBytes += message.bytes().length;
    else if (field === FIELD.external) readExternalEntry(message, parts.external);
    else if ([FIELD.floats, FIELD.int32s, FIELD.int64s, FIELD.doubles, FIELD.uint64s].includes(field)) readListed(message, field, parts);
  }
  return parts;
}

function readListed(message: ProtoMessage, field: number, parts: Parts): void {
  if (message.isDelimited) parts.packed.push({ field, bytes: message.bytes() });
  else readItems(message, field, parts.unpacked);
}

function readItems(message: ProtoMessage, field: number, values: number[]): void {
  if (field === FIELD.floats) message.floatsInto(values, GRAPH_LIMITS.elements);
  else if (field === FIELD.doubles) message.doublesInto(values, GRAPH_LIMITS.elements);
  else message.integersInto(values, GRAPH_LIMITS.elements);
}

function readExternalEntry(outer: ProtoMessage, entries: Map<string, string>): void {
  const message = new ProtoMessage(outer.bytes(), outer.place);
  let key = '';
  let value = '';
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) key = message.text();
    if (field === 2) value = message.text();
  }
  entries.set(key, value);
}

/** The number of elements of a stored shape, held to the limits. */
function countElements(message: ProtoMessage, name: string, dims: readonly number[]): number {
  let elements = 1;
  for (const size of dims) {
    if (!Number.isSafeInteger(size) || size < 0) message.fail(`tensor "${name}" has the shape [${dims.join(',')}]; sizes are 0 or more`);
    elements *= size;
  }
  if (elements > GRAPH_LIMITS.elements)
    message.fail(`tensor "${name}" of shape [${dims.join(',')}] has more than ${GRAPH_LIMITS.elements} elements`);
  return elements;
}

function locate(parts: Parts, type: ElementType, elements: number, byteLength: number, budget: ReadBudget): ConstantBytes {
  const { message, name, raw, external } = parts;
  if (external.size > 0) return locateExternal(parts, byteLength, budget);
  if (type === 'string') return { kind: 'listed', values: undefined };
  if (raw !== undefined) {
    if (raw.length !== byteLength)
      message.fail(
        `tensor "${name}" ${type}[${parts.dims.join(',')}] needs ${byteLength} bytes and has ${raw.length}; the file is damaged`,
      );
    return { kind: 'raw', bytes: raw };
  }
  const expected = ELEMENT_BITS[type] < 8 ? byteLength : elements * (type.startsWith('complex') ? 2 : 1);
  const count = parts.packed.reduce((sum, { field, bytes }) => sum + countPacked(field, bytes), parts.unpacked.length);
  if (count !== expected) message.fail(`tensor "${name}" ${type}[${parts.dims.join(',')}] needs ${expected} values and has ${count}`);
  const isKnown = count <= GRAPH_LIMITS.knownValues && ELEMENT_BITS[type] >= 8;
  return { kind: 'listed', values: isKnown ? decodeListed(parts) : undefined };
}

function countPacked(field: number, bytes: Uint8Array): number {
  if (field === FIELD.floats) return bytes.length / 4;
  if (field === FIELD.doubles) return bytes.length / 8;
  // The last byte of a varint is the one without the top bit.
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count += 1;
  return count;
}

function decodeListed({ message, packed, unpacked }: Parts): readonly number[] {
  const values = [...unpacked];
  for (const { field, bytes } of packed) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (field === FIELD.floats) for (let at = 0; at < bytes.length; at += 4) values.push(view.getFloat32(at, true));
    else if (field === FIELD.doubles) for (let at = 0; at < bytes.length; at += 8) values.push(view.getFloat64(at, true));
    else ProtoMessage.integersOf(bytes, message.place, values, GRAPH_LIMITS.knownValues);
  }
  return values;
}

/** Another file is only named: its location must lie below the model, as the ONNX specification demands, and nothing is opened. */
function locateExternal({ message, name, external }: Parts, byteLength: number, budget: ReadBudget): ConstantBytes {
  const location = external.get('location') ?? '';
  const isBelow =
    location !== '' && !/^([/\\]|[a-z]:)/i.test(location) && !location.includes('\0') && !location.split(/[/\\]/).includes('..');
  if (!isBelow)
    message.fail(`tensor "${name}" lies in the file ${JSON.stringify(location)}; only a path below the model's own folder is allowed`);
  const offset = readCount(message, name, 'offset', external.get('offset') ?? '0');
  const length = readCount(message, name, 'length', external.get('length') ?? String(byteLength));
  if (length !== byteLength) message.fail(`tensor "${name}" needs ${byteLength} bytes and names ${length} in ${JSON.stringify(location)}`);
  if (budget.externalSize !== undefined) {
    const needs = `tensor "${name}" needs the ${length} bytes from ${offset} on of ${JSON.stringify(location)}`;
    const size = budget.externalSize(location) ?? message.fail(`${needs}, and no such file lies beside the model`);
    if (offset + length > size) message.fail(`${needs}, which has ${size}; it is truncated, or another model's`);
  }
  budget.externalData.push({ tensor: name, location, offset, length });
  return { kind: 'external', location, offset, length };
}

function readCount(message: ProtoMessage, name: string, key: string, text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value)
    ? value
    : message.fail(`tensor "${name}" has the ${key} ${JSON.stringify(text)}; a count of bytes is needed`);
}

const SCALAR_READERS: Partial<Record<ElementType, (view: DataView, at: number) => number>> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  int32: (view, at) => view.getInt32(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint16: (view, at) => view.getUint16(at, true),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  bool: (view, at) => view.getUint8(at),
};

/** The numbers of a stored tensor, or undefined if it is too long to be needed for shapes, lies in another file, or is of a type no shape is made of. */
export function knownValues({ type, stored, byteLength }: OnnxConstant): readonly number[] | undefined {
  const read = SCALAR_READERS[type];
  if (read === undefined || stored.kind === 'external') return undefined;
  if (stored.kind === 'listed') return stored.values;
  const size = ELEMENT_BITS[type] / 8;
  const limit = type === 'bool' || /int(32|64)$/.test(type) ? GRAPH_LIMITS.knownValues : GRAPH_LIMITS.knownReals;
  if (byteLength / size > limit) return undefined;
  const view = new DataView(stored.bytes.buffer, stored.bytes.byteOffset, byteLength);
  return Array.from({ length: byteLength / size }, (_, index) => read(view, index * size));
}
