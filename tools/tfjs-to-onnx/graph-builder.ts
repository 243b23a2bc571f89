import type { OnnxAttribute, OnnxTensor } from './onnx-model.ts';

/**
 * A tensor of the TF graph as the ONNX graph holds it. TF's convolutions want channels last and ONNX's want them second, so instead of a
 * Transpose around each one the builder remembers in which order the axes lie in memory, and transposes only where somebody truly needs
 * another order. `shape` is always in TF's axis order.
 */
export interface Value {
  /** Name of the ONNX tensor. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Axis `k` of the ONNX tensor is axis `order[k]` of the TF tensor. */
  readonly order: readonly number[];
  /** Padding asked for but not emitted: a convolution or a pooling can often do it by itself. `shape` already includes it. */
  readonly padding?: Padding;
  /** True only straight after a convolution without a bias, where an addition of a channel vector may become its bias. */
  readonly takesBias?: true;
}

/** Amounts are per TF axis. */
export interface Padding {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly fill: number;
}

/** A node that may still gain an input (a bias) or have its output renamed to a graph output. */
export interface NodeDraft {
  readonly name: string;
  readonly type: string;
  inputs: string[];
  outputs: string[];
  readonly attributes: Record<string, OnnxAttribute>;
}

export const CHANNELS_SECOND: readonly number[] = [0, 3, 1, 2];

export function identityOrder(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

function sameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, index) => axis === b[index]);
}

/** Collects nodes and initializers; every emitted tensor name is unique. */
export class GraphBuilder {
  readonly nodes: NodeDraft[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly names = new Set<string>();
  private readonly arranged = new Map<string, Value>();

  /** Emits one node with `outputCount` outputs and returns their names. */
  emit(type: string, base: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}, outputCount = 1): string[] {
    const outputs = Array.from({ length: outputCount }, (_, index) => this.uniqueName(index === 0 ? base : `${base}:${index}`));
    this.nodes.push({ name: outputs[0] ?? base, type, inputs: [...inputs], outputs: [...outputs], attributes });
    return outputs;
  }

  emitOne(type: string, base: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    return this.emit(type, base, inputs, attributes)[0] ?? base;
  }

  floats(base: string, data: Float32Array, shape: readonly number[]): string {
    const name = this.uniqueName(base);
    this.initializers.push({ name, shape, data });
    return name;
  }

  integers(base: string, values: readonly number[]): string {
    const name = this.uniqueName(base);
    this.initializers.push({ name, shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) });
    return name;
  }

  /** The node that produces an ONNX tensor, or undefined for graph inputs and initializers. */
  producer(tensor: string): NodeDraft | undefined {
    return this.nodes.findLast((node) => node.outputs.includes(tensor));
  }

  /** Emits the padding a value still owes, if any. */
  settled(value: Value): Value {
    if (value.padding === undefined) return value;
    const { before, after, fill } = value.padding;
    const inStorage = (amounts: readonly number[]) => value.order.map((axis) => amounts[axis] ?? 0);
    const pads = [...inStorage(before), ...inStorage(after)];
    return this.memoised(`${value.name}|pad|${pads.join()}|${fill}|${value.order.join()}`, () => ({
      name: this.emitOne('Pad', `${value.name}/pad`, [
        value.name,
        this.integers(`${value.name}/pads`, pads),
        this.floats(`${value.name}/fill`, Float32Array.of(fill), []),
      ]),
      shape: value.shape,
      order: value.order,
    }));
  }

  /** The same value with its axes in memory in the given order. */
  inOrder(value: Value, order: readonly number[]): Value {
    const settled = this.settled(value);
    if (sameOrder(settled.order, order)) return settled;
    const permutation = order.map((axis) => settled.order.indexOf(axis));
    return this.memoised(`${settled.name}|order|${settled.order.join()}|${order.join()}`, () => ({
      name: this.emitOne('Transpose', `${settled.name}/transpose`, [settled.name], { perm: permutation }),
      shape: settled.shape,
      order,
    }));
  }

  reserve(name: string): void {
    this.names.add(name);
  }

  private memoised(key: string, create: () => Value): Value {
    const known = this.arranged.get(key);
    if (known !== undefined) return known;
    const value = create();
    this.arranged.set(key, value);
    return value;
  }

  private uniqueName(base: string): string {
    let name = base;
    for (let suffix = 1; this.names.has(name); suffix++) name = `${base}#${suffix}`;
    this.names.add(name);
    return name;
  }
}
