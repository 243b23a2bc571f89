import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf } from '../tensor.ts';

/** The same elements in the same order under another shape: nothing moves. */
const view = (call: OperatorCall, shape: readonly number[]): ReturnType<OperatorRule> => {
  const { type, data, quantizedFrom, elements } = call.input(0);
  if (elementsOf(shape) !== elements)
    call.fail(`its new shape [${shape.join(',')}] has ${elementsOf(shape)} elements, its input ${elements}`);
  return { outputs: [{ type, shape, data, quantizedFrom }], isView: true };
};

/** 0 keeps a size (unless `allowzero`), one -1 takes what is left. The shape was an attribute before operator set 5. */
const reshape: OperatorRule = (call) => {
  const { shape, elements } = call.input(0);
  const wanted = call.numbers('shape') ?? call.values(1);
  const keepsZero = call.number('allowzero', 0) === 1;
  const sizes = wanted.map((size, axis) =>
    size === 0 && !keepsZero ? (shape[axis] ?? call.fail(`its new shape keeps axis ${axis}`)) : size,
  );
  const openAt = sizes.indexOf(-1);
  if (openAt >= 0) {
    if (sizes.indexOf(-1, openAt + 1) >= 0) call.fail(`its new shape [${wanted.join(',')}] leaves two sizes open`);
    const rest = elementsOf(sizes.filter((_, axis) => axis !== openAt));
    sizes[openAt] = rest === 0 ? 0 : elements / rest;
  }
  if (sizes.some((size) => !Number.isSafeInteger(size) || size < 0))
    call.fail(`${elements} elements do not fit the shape [${wanted.join(',')}]`);
  return view(call, sizes);
};

const flatten: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axis = call.axis(call.number('axis', 1), shape.length, true);
  return view(call, [elementsOf(shape.slice(0, axis)), elementsOf(shape.slice(axis))]);
};

const squeeze: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axes = call.axes(1)?.map((axis) => call.axis(axis, shape.length));
  for (const axis of axes ?? []) if (shape[axis] !== 1) call.fail(`axis ${axis} has ${shape[axis]} elements; only an axis of 1 can go`);
  return view(
    call,
    shape.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis))),
  );
};

const unsqueeze: OperatorRule = (call) => {
  const shape = call.shape(0);
  const given = call.axes(1) ?? call.fail('it names no axes');
  const rank = shape.length + given.length;
  const axes = new Set(given.map((axis) => call.axis(axis, rank)));
  if (axes.size !== given.length) call.fail(`it names an axis twice: [${given.join(',')}]`);
  const rest = shape.values();
  return view(
    call,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.next().value ?? 1))),
  );
};

const identity: OperatorRule = (call) => view(call, call.shape(0));

export const viewRules: Readonly<Record<string, OperatorRule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Identity: identity,
};
