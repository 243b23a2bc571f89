import type { Tensor } from './tensor.ts';

/** What runs at once: its inputs are held until it ends. */
export interface MemoryStep {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly (Tensor | undefined)[];
}

/** The tensor whose memory it is. */
const memoryOf = (tensor: Tensor): Tensor => tensor.root ?? tensor;

/** Inputs and what is computed while the model runs; weights lie elsewhere. */
const isActivation = ({ origin }: Tensor): boolean => origin === 'activation' || origin === 'input';

/**
 * The most bytes that activations hold at once when the steps run in order and every buffer is freed after its last reader: inputs from the start, graph
 * outputs to the end, views on the memory of what they show. What an ideal allocator needs; real ones need somewhat more.
 */
export function peakMemory(
  inputs: readonly Tensor[],
  steps: readonly MemoryStep[],
  outputs: readonly (Tensor | undefined)[],
  bytesOf: (tensor: Tensor) => number,
): number {
  const lastUse = new Map<Tensor, number>();
  for (const input of inputs) lastUse.set(memoryOf(input), -1);
  steps.forEach((step, index) => {
    for (const tensor of [...step.inputs, ...step.outputs]) if (tensor !== undefined) lastUse.set(memoryOf(tensor), index);
  });
  for (const output of outputs) if (output !== undefined) lastUse.set(memoryOf(output), steps.length);
  const freedAfter = new Map<number, Tensor[]>();
  for (const [tensor, index] of lastUse) {
    const list = freedAfter.get(index);
    if (list === undefined) freedAfter.set(index, [tensor]);
    else list.push(tensor);
  }
  const held = new Set<Tensor>();
  let now = 0;
  const hold = (tensor: Tensor | undefined): void => {
    if (tensor === undefined || !isActivation(tensor) || held.has(memoryOf(tensor))) return;
    held.add(memoryOf(tensor));
    now += bytesOf(memoryOf(tensor));
  };
  for (const input of inputs) hold(input);
  let peak = now;
  steps.forEach((step, index) => {
    for (const output of step.outputs) hold(output);
    peak = Math.max(peak, now);
    for (const tensor of freedAfter.get(index) ?? []) if (held.delete(tensor)) now -= bytesOf(tensor);
  });
  return peak;
}
