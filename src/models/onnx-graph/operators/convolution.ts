import type { ElementType } from '../element-type.ts';
import type { Inference, OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf } from '../tensor.ts';
import { readWindow, slide, slideBack } from './window.ts';

interface Filter {
  readonly batch: number;
  readonly channels: number;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly groups: number;
  /** The first two sizes of the weights. */
  readonly weight: readonly [number, number];
}

/** Input [N, C, sizes...] at index 0, weights [.., .., kernel...] at `weightIndex`. */
function readFilter(call: OperatorCall, weightIndex: number): Filter {
  const [batch, channels, ...sizes] = call.shape(0);
  const [first, second, ...kernel] = call.shape(weightIndex);
  const groups = call.number('group', 1);
  if (batch === undefined || channels === undefined || first === undefined || second === undefined || sizes.length !== kernel.length)
    return call.fail('it needs [N,C,...] and weights with as many axes');
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    call.fail(`${channels} channels do not fall into ${groups} groups`);
  return { batch, channels, sizes, kernel, groups, weight: [first, second] };
}

/** `m` output pixels, `n` output channels of a group, `k` input channels of a group times the kernel's area. */
function convolve(call: OperatorCall, weightIndex: number, type: ElementType): Inference {
  const { batch, channels, sizes, kernel, groups, weight } = readFilter(call, weightIndex);
  const [outputs, perGroup] = weight;
  if (perGroup * groups !== channels) call.fail(`its weights want ${perGroup * groups} channels and its input has ${channels}`);
  if (outputs % groups !== 0) call.fail(`${outputs} output channels do not fall into ${groups} groups`);
  const spatial = slide(call, sizes, readWindow(call, kernel));
  const product = { m: batch * elementsOf(spatial), n: outputs / groups, k: perGroup * elementsOf(kernel), groups };
  const shape = [batch, outputs, ...spatial];
  const activation = call.text('activation', '') === '' ? 0 : elementsOf(shape);
  return { outputs: [{ type, shape }], work: { product, elementOps: activation } };
}

const conv: OperatorRule = (call) => convolve(call, 1, call.input(0).type);
const quantizedConv: OperatorRule = (call) => withType(convolve(call, 3, call.input(0).type));
const integerConv: OperatorRule = (call) => withType(convolve(call, 1, 'int32'));

function withType(inference: Inference): Inference {
  return { ...inference, work: { ...inference.work, type: 'int8' } };
}

/** Each input pixel spreads over the kernel: `m` input pixels, `n` output channels of a group times the kernel's area, `k` input channels of a group. */
const convTranspose: OperatorRule = (call) => {
  const { type } = call.input(0);
  const { batch, channels, sizes, kernel, groups, weight } = readFilter(call, 1);
  const [inputs, perGroup] = weight;
  if (inputs !== channels) call.fail(`its weights want ${inputs} channels and its input has ${channels}`);
  const spatial = slideBack(call, sizes, readWindow(call, kernel));
  const product = { m: batch * elementsOf(sizes), n: perGroup * elementsOf(kernel), k: channels / groups, groups };
  return { outputs: [{ type, shape: [batch, perGroup * groups, ...spatial] }], work: { product } };
};

export const convolutionRules: Readonly<Record<string, OperatorRule>> = {
  Conv: conv,
  'com.microsoft.FusedConv': conv,
  QLinearConv: quantizedConv,
  ConvInteger: integerConv,
  ConvTranspose: convTranspose,
};
