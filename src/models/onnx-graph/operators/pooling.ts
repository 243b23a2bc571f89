import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf } from '../tensor.ts';
import { readWindow, slide } from './window.ts';

function imageShape(call: OperatorCall): { batch: number; channels: number; sizes: readonly number[] } {
  if (call.number('channels_last', 0) === 1) call.unknown('its channels_last layout is not read');
  const [batch, channels, ...sizes] = call.shape(0);
  return batch === undefined || channels === undefined ? call.fail('it needs [N,C,...]') : { batch, channels, sizes };
}

/** One comparison or addition for each place of the window. */
const pool: OperatorRule = (call) => {
  const { type, quantizedFrom } = call.input(0);
  const { batch, channels, sizes } = imageShape(call);
  const kernel = call.numbers('kernel_shape') ?? call.fail('it names no kernel_shape');
  if (kernel.length !== sizes.length) call.fail(`a kernel of ${kernel.length} axes over ${sizes.length}`);
  const spatial = slide(call, sizes, readWindow(call, kernel), call.number('ceil_mode', 0) === 1);
  const shape = [batch, channels, ...spatial];
  // The second output of MaxPool says where each maximum was.
  return {
    outputs: [
      { type, shape, quantizedFrom },
      { type: 'int64', shape },
    ],
    work: { elementOps: elementsOf(shape) * elementsOf(kernel) },
  };
};

const globalPool: OperatorRule = (call) => {
  const { type, elements, quantizedFrom } = call.input(0);
  const { batch, channels, sizes } = imageShape(call);
  return { outputs: [{ type, shape: [batch, channels, ...sizes.map(() => 1)], quantizedFrom }], work: { elementOps: elements } };
};

/** Operations for one output element: a copy, a weighted sum of 4 neighbours, or of 16. */
const INTERPOLATION_OPS: Readonly<Record<string, number>> = { nearest: 0, linear: 8, cubic: 32 };

/**
 * Sizes for the axes named; scales round down. The scales were attributes or input 1 before operator set 11, input 2 since, and sizes are input 3.
 * Factors are multiplied in single precision, as the runtimes do: rounding decides the size.
 */
const resize: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  const isOld = call.operator === 'Upsample' || call.opset < 11;
  const axes = (call.numbers('axes') ?? shape.map((_, axis) => axis)).map((axis) => call.axis(axis, shape.length));
  const sizes = isOld ? undefined : call.optionalValues(3);
  const scales = isOld ? (call.numbers('scales') ?? call.values(1)) : call.optionalValues(2);
  const given = sizes ?? scales ?? call.fail('it names neither scales nor sizes');
  if (given.length !== axes.length) call.fail(`${given.length} scales or sizes for ${axes.length} axes`);
  const resized = [...shape];
  const factor = commonFactor(
    call,
    axes.map((axis) => shape[axis] as number),
    sizes,
  );
  axes.forEach((axis, index) => {
    const before = shape[axis] as number;
    if (factor !== undefined) resized[axis] = Math.round(Math.fround(before * factor));
    else resized[axis] = sizes?.[index] ?? Math.floor(Math.fround(before * (scales?.[index] as number)));
  });
  const ops = INTERPOLATION_OPS[call.text('mode', 'nearest')] ?? call.fail(`the mode ${call.text('mode', '')}`);
  return { outputs: [{ type, shape: resized }], work: { elementOps: elementsOf(resized) * ops } };
};

/** With a policy that keeps the aspect ratio, all named axes grow by the smallest or the largest factor that the sizes ask for. */
function commonFactor(call: OperatorCall, before: readonly number[], sizes: readonly number[] | undefined): number | undefined {
  const policy = call.text('keep_aspect_ratio_policy', 'stretch');
  if (sizes === undefined || policy === 'stretch') return undefined;
  const factors = sizes.map((size, index) => Math.fround(size / (before[index] as number)));
  return policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors);
}

const gridSample: OperatorRule = (call) => {
  const { type } = call.input(0);
  const { batch, channels } = imageShape(call);
  const shape = [batch, channels, ...call.shape(1).slice(1, -1)];
  return { outputs: [{ type, shape }], work: { elementOps: elementsOf(shape) * 8 } };
};

const roiAlign: OperatorRule = (call) => {
  const { type } = call.input(0);
  const { channels } = imageShape(call);
  const [count] = call.shape(1);
  const shape = [count ?? call.fail('it has no regions'), channels, call.number('output_height', 1), call.number('output_width', 1)];
  const samples = Math.max(1, call.number('sampling_ratio', 0)) ** 2;
  return { outputs: [{ type, shape }], work: { elementOps: elementsOf(shape) * samples * 8 } };
};

export const poolingRules: Readonly<Record<string, OperatorRule>> = {
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  'com.microsoft.QLinearAveragePool': pool,
  GlobalMaxPool: globalPool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  'com.microsoft.QLinearGlobalAveragePool': globalPool,
  Resize: resize,
  Upsample: resize,
  GridSample: gridSample,
  RoiAlign: roiAlign,
};
