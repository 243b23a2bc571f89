import type { ElementType } from './element-type.ts';
import { GRAPH_LIMITS } from './graph.ts';

/**
 * Where a tensor comes from: fed from outside, stored in the model (or computed from stored ones alone, which a compiler does beforehand), known from
 * shapes alone, or computed while the model runs.
 */
export type TensorOrigin = 'input' | 'weight' | 'fixed' | 'activation';

/** What a rule says of one output: its type, its shape, and its numbers if they follow from what is known. */
export interface TensorSketch {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data?: readonly number[] | undefined;
  /** The narrower type it stands for, when it is the dequantised form of a quantised tensor: cores read and multiply that. */
  readonly quantizedFrom?: ElementType | undefined;
}

export interface Tensor extends TensorSketch {
  readonly name: string;
  readonly origin: TensorOrigin;
  readonly elements: number;
  /** The tensor whose memory it is: itself, or the one it is a view of. */
  readonly root: Tensor | undefined;
}

/** The product of the sizes; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  let elements = 1;
  for (const size of shape) elements *= size;
  return elements;
}

/** Whether sizes are counts and the whole stays inside the limits. */
export const isShape = (shape: readonly number[]): boolean =>
  shape.length <= GRAPH_LIMITS.rank &&
  shape.every((size) => Number.isSafeInteger(size) && size >= 0) &&
  elementsOf(shape) <= GRAPH_LIMITS.elements;

export const shapeText = (shape: readonly (number | string | null)[]): string => `[${shape.map((size) => size ?? '?').join(',')}]`;

/** The type that bytes and multiplications are counted in. */
export const countedType = (tensor: TensorSketch): ElementType => tensor.quantizedFrom ?? tensor.type;
