import { GRAPH_LIMITS } from './graph.ts';
import type { OperatorCall } from './operator-call.ts';
import { elementsOf, shapeText } from './tensor.ts';

/** Steps between neighbours along each axis of a dense tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  return strides;
}

/**
 * The numbers of a tensor of `shape`, each taken from `data` at the sum over the axes of `offset(axis, coordinate)`; undefined if they are not known or too
 * many to be followed.
 */
export function pick(
  data: readonly number[] | undefined,
  shape: readonly number[],
  offset: (axis: number, coordinate: number) => number,
): number[] | undefined {
  const count = elementsOf(shape);
  if (data === undefined || count > GRAPH_LIMITS.knownValues) return undefined;
  const strides = stridesOf(shape);
  const picked: number[] = [];
  for (let flat = 0; flat < count; flat += 1) {
    let from = 0;
    let rest = flat;
    for (let axis = 0; axis < shape.length; axis += 1) {
      const coordinate = Math.floor(rest / (strides[axis] as number));
      rest -= coordinate * (strides[axis] as number);
      from += offset(axis, coordinate);
    }
    picked.push(data[from] ?? 0);
  }
  return picked;
}

/** The shape that all of `shapes` stretch to under numpy's rules. */
export function broadcastShape(call: OperatorCall, shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((size, at) => {
      const axis = at + rank - shape.length;
      const so = result[axis] as number;
      if (so !== 1 && size !== 1 && so !== size)
        call.fail(`the shapes ${shapes.map(shapeText).join(' and ')} do not stretch to each other`);
      if (size !== 1) result[axis] = size;
    });
  }
  return result;
}

/** The numbers of `data`, a tensor of shape `from`, stretched to `to`. */
export function stretch(
  data: readonly number[] | undefined,
  from: readonly number[],
  to: readonly number[],
): readonly number[] | undefined {
  if (data === undefined || elementsOf(from) === elementsOf(to)) return data;
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return pick(data, to, (axis, at) => (axis < lead || from[axis - lead] === 1 ? 0 : at * (strides[axis - lead] as number)));
}
