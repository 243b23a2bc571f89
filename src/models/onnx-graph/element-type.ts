import type { NumberType } from '../../core/layer-cost.ts';

/** Bits of one element of each ONNX tensor type. A string has no fixed size and counts as 0. */
export const ELEMENT_BITS = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  string: 0,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
  uint2: 2,
  int2: 2,
} as const;

export type ElementType = keyof typeof ELEMENT_BITS;

/** `TensorProto.DataType` numbers the types from 1 in the order of the table above. */
const BY_CODE = Object.keys(ELEMENT_BITS) as ElementType[];

export const elementTypeOf = (code: number): ElementType | undefined => BY_CODE[code - 1];

export const elementCodeOf = (type: ElementType): number => BY_CODE.indexOf(type) + 1;

export const isFloat = (type: ElementType): boolean => /^b?float/.test(type);

export const isInteger = (type: ElementType): boolean => /^u?int/.test(type);

/** The nearest type that a core has a rate for: 8-bit floats count as int8, everything of 32 bits and more as fp32. */
export function numberTypeOf(type: ElementType): NumberType {
  const bits = ELEMENT_BITS[type];
  if (bits <= 4) return type === 'string' ? 'fp32' : 'int4';
  if (bits === 8) return 'int8';
  if (bits === 16) return isFloat(type) ? 'fp16' : 'int16';
  return 'fp32';
}
