import { malformed, unsupported } from './conversion-error.ts';
import type { GraphBuilder, Value } from './graph-builder.ts';
import { identityOrder } from './graph-builder.ts';
import type { ConstTensor, TfNode } from './graph-model.ts';

/** What one node of the TF graph is given while it is being translated. */
export class OperatorContext {
  readonly node: TfNode;
  readonly builder: GraphBuilder;
  /** How many nodes and graph outputs read output 0 of the first input. */
  readonly firstInputReaders: number;
  private readonly operands: readonly (Value | ConstTensor)[];

  constructor(node: TfNode, builder: GraphBuilder, operands: readonly (Value | ConstTensor)[], firstInputReaders: number) {
    this.node = node;
    this.builder = builder;
    this.operands = operands;
    this.firstInputReaders = firstInputReaders;
  }

  get inputCount(): number {
    return this.operands.length;
  }

  operand(index: number): Value | ConstTensor {
    const operand = this.operands[index];
    if (operand === undefined) throw malformed(`${this.describe()} has no input ${index}`);
    return operand;
  }

  /** An input as an ONNX tensor; a constant becomes an initializer. */
  value(index: number): Value {
    const operand = this.operand(index);
    if (!isConstant(operand)) return operand;
    if (operand.dtype !== 'float32') throw unsupported(`${this.describe()} computes with integers, which only shape arithmetic may`);
    const name = this.builder.floats(`${this.node.name}/input_${index}`, Float32Array.from(operand.data), operand.shape);
    return { name, shape: operand.shape, order: identityOrder(operand.shape.length) };
  }

  constant(index: number): ConstTensor {
    const operand = this.operand(index);
    if (!isConstant(operand)) throw unsupported(`${this.describe()} needs a constant as input ${index}`);
    return operand;
  }

  integers(index: number): number[] {
    return Array.from(this.constant(index).data);
  }

  /** A TF axis, which may count from the end. */
  axis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(positive) || positive < 0 || positive >= rank) throw malformed(`${this.describe()} has axis ${axis} of ${rank}`);
    return positive;
  }

  describe(): string {
    return `${this.node.op} "${this.node.name}"`;
  }
}

/** Translates one node and returns its outputs. */
export type Operator = (context: OperatorContext) => readonly Value[];

export function isConstant(operand: Value | ConstTensor): operand is ConstTensor {
  return 'data' in operand;
}

/** `sizes[index]`, where the caller has checked the rank. */
export function at(sizes: readonly number[], index: number): number {
  const size = sizes[index];
  if (size === undefined) throw malformed(`a shape [${sizes.join()}] has no axis ${index}`);
  return size;
}
