import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { assert } from '../../core/assert.ts';
import { CoxswainError } from '../../core/errors.ts';
import { type ConstantSpec, TENSOR_TYPE_BYTES, type TensorSpec, tensorBytes, tensorElements } from '../../core/model.ts';
import type { Region } from '../../core/region.ts';

/** What regions have against being those of the tensors; undefined when nothing. */
export function regionMismatch(
  side: string,
  specs: readonly TensorSpec[],
  regions: readonly Region[],
  arena: ArrayBuffer,
): string | undefined {
  if (specs.length !== regions.length) return `${regions.length} ${side} regions for ${specs.length} ${side}s`;
  for (const [index, spec] of specs.entries()) {
    const { offsetBytes, byteLength } = regions[index] as Region;
    const wanted = tensorBytes(spec);
    if (byteLength !== wanted) return `${side} ${JSON.stringify(spec.name)} has a region of ${byteLength} bytes and needs ${wanted}`;
    const isInside = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes + byteLength <= arena.byteLength;
    if (!isInside || offsetBytes % TENSOR_TYPE_BYTES[spec.type] !== 0) {
      return `${side} ${JSON.stringify(spec.name)} lies at byte ${offsetBytes} of an arena of ${arena.byteLength}`;
    }
  }
  return undefined;
}

/** A view of the arena. */
export function arenaTensor(spec: TensorSpec, arena: ArrayBuffer, region: Region | undefined): Tensor {
  return tensorOver(spec, arena, region?.offsetBytes ?? 0);
}

export const zeroTensor = (spec: TensorSpec): Tensor => tensorOver(spec, new ArrayBuffer(tensorBytes(spec)), 0);

export function constantTensor(spec: ConstantSpec): Tensor {
  const tensor = zeroTensor(spec);
  const { data } = tensor;
  for (const [index, value] of spec.values.entries()) {
    if (data instanceof BigInt64Array) data[index] = BigInt(value);
    else if (data instanceof Float32Array || data instanceof Uint8Array) data[index] = value;
  }
  return tensor;
}

/** A view, never a copy. */
function tensorOver(spec: TensorSpec, buffer: ArrayBuffer, offsetBytes: number): Tensor {
  const count = tensorElements(spec);
  switch (spec.type) {
    case 'float32':
      return new Tensor('float32', new Float32Array(buffer, offsetBytes, count), spec.shape);
    case 'int64':
      return new Tensor('int64', new BigInt64Array(buffer, offsetBytes, count), spec.shape);
    case 'uint8':
      return new Tensor('uint8', new Uint8Array(buffer, offsetBytes, count), spec.shape);
  }
}

/** Memory for what goes from one block of a network to a later one, whose shape is known. */
export function crossingTensor(value: InferenceSession.ValueMetadata): Tensor {
  assert(value.isTensor, 'what crosses is a tensor', value.name);
  const shape = value.shape.map((size) => {
    assert(typeof size === 'number', 'what crosses has a fixed shape', value.name);
    return size;
  });
  const count = shape.reduce((product, size) => product * size, 1);
  switch (value.type) {
    case 'float32':
      return new Tensor(value.type, new Float32Array(count), shape);
    case 'int64':
      return new Tensor(value.type, new BigInt64Array(count), shape);
    case 'int32':
      return new Tensor(value.type, new Int32Array(count), shape);
    case 'int8':
      return new Tensor(value.type, new Int8Array(count), shape);
    case 'uint8':
    case 'bool':
      return new Tensor(value.type, new Uint8Array(count), shape);
    default:
      throw new CoxswainError('MODEL_UNLOADABLE', `${value.name} is of type ${value.type}, which cannot cross from one block to another`);
  }
}
