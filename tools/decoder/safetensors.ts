import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { halfToNumber } from '../tfjs-to-onnx/half-float.ts';
import { DecoderError } from './decoder-error.ts';
import type { DecoderWeights } from './decoder-weights.ts';

/** More than any header in use (names of some thousand tensors); a length beyond it is damage. */
const HEADER_BYTES_MAX = 64 * 1024 * 1024;

interface StoredTensor {
  readonly file: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly byteLength: number;
}

const TYPE_BYTES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Weights of one `.safetensors` file, or of all in a folder (a checkpoint in shards). Format: eight bytes of header length, a JSON header of names with type,
 * shape and place, then the values. Read tensor by tensor. Error: DecoderError.
 */
export function safetensorsWeights(path: string): DecoderWeights {
  const files = path.endsWith('.safetensors')
    ? [path]
    : list(path)
        .filter((name) => name.endsWith('.safetensors'))
        .sort()
        .map((name) => join(path, name));
  if (files.length === 0) throw new DecoderError(`${path} holds no .safetensors file`);
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) for (const [name, tensor] of readHeader(file)) tensors.set(name, tensor);
  return {
    origin: files.map((file) => file.slice(file.lastIndexOf('/') + 1)).join(', '),
    read(name, shape) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new DecoderError(`${path} has no tensor ${JSON.stringify(name)}`);
      if (tensor.shape.length !== shape.length || shape.some((size, axis) => size !== tensor.shape[axis]))
        throw new DecoderError(`${tensor.file}: ${name} is [${tensor.shape}]; config.json makes it [${shape}]`);
      return readTensor(name, tensor);
    },
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new DecoderError(`${folder} could not be read: ${String(cause)}`);
  }
}

function readHeader(file: string): Map<string, StoredTensor> {
  const fd = open(file);
  try {
    const { size } = fstatSync(fd);
    const headerBytes = Number(readBytes(fd, file, 0, 8).readBigUInt64LE());
    if (headerBytes > HEADER_BYTES_MAX || 8 + headerBytes > size)
      throw new DecoderError(`${file}: a header of ${headerBytes} bytes in a file of ${size}; it is truncated or no safetensors file`);
    const header = parseHeader(file, readBytes(fd, file, 8, headerBytes).toString('utf8'));
    return new Map(
      Object.entries(header)
        .filter(([name]) => name !== '__metadata__')
        .map(([name, entry]) => [name, storedTensor(file, name, entry, 8 + headerBytes, size)]),
    );
  } finally {
    closeSync(fd);
  }
}

function parseHeader(file: string, text: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text);
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch {
    // Told below, with what is not an object.
  }
  throw new DecoderError(`${file}: its header is not a JSON object`);
}

function storedTensor(file: string, name: string, entry: unknown, start: number, size: number): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isCount) || !Array.isArray(offsets) || !offsets.every(isCount))
    throw new DecoderError(`${file}: the header entry of ${name} lacks dtype, shape or data_offsets`);
  const [from = 0, to = 0] = offsets;
  const unit = TYPE_BYTES[dtype];
  const byteLength = shape.reduce((product, axis) => product * axis, unit ?? 0);
  if (unit !== undefined && (to - from !== byteLength || start + to > size))
    throw new DecoderError(`${file}: ${name} takes bytes ${from} to ${to}; ${dtype} [${shape}] needs ${byteLength} within ${size - start}`);
  return { file, type: dtype, shape, from: start + from, byteLength };
}

function readTensor(name: string, tensor: StoredTensor): Float32Array {
  if (TYPE_BYTES[tensor.type] === undefined)
    throw new DecoderError(`${tensor.file}: ${name} is ${tensor.type}; ${Object.keys(TYPE_BYTES).join(', ')} can be read`);
  const fd = open(tensor.file);
  const bytes = readBytes(fd, tensor.file, tensor.from, tensor.byteLength);
  closeSync(fd);
  if (tensor.type === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  if (tensor.type === 'F16') return Float32Array.from(words, halfToNumber);
  // A bfloat16 is the upper half of a float32.
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new DecoderError(`${file} could not be opened: ${String(cause)}`);
  }
}

function readBytes(fd: number, file: string, position: number, length: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) throw new DecoderError(`${file} ends before byte ${position + length}`);
    done += count;
  }
  return bytes;
}
