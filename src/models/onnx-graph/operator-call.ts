import type { NumberType } from '../../core/layer-cost.ts';
import type { OnnxAttribute, OnnxNode } from './graph.ts';
import { NotInferable, unloadable } from './model-error.ts';
import { shapeText, type Tensor, type TensorSketch } from './tensor.ts';

/** A matrix product `[m, k] x [k, n]`, done `groups` times. */
export interface MatrixProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
}

/** What a node does, as far as it does not follow from the sizes of its inputs and outputs. */
export interface Work {
  readonly product?: MatrixProduct;
  /** The type multiplied in, where it is not that of the inputs. */
  readonly type?: NumberType;
  readonly elementOps?: number;
  /** Elements that go through a curve, each of which is among `elementOps`. */
  readonly curves?: number;
  /** Elements really read of each input, for operators that look at a part only; one left out is read whole. */
  readonly elementsRead?: readonly (number | undefined)[];
  /** Elements really written of each output, for state that is appended to in place. */
  readonly elementsWritten?: readonly (number | undefined)[];
  /** Indices of inputs and of outputs that are state kept in memory between runs. */
  readonly stateInputs?: readonly number[];
  readonly stateOutputs?: readonly number[];
}

export interface Inference {
  readonly outputs: readonly (TensorSketch | undefined)[];
  readonly work?: Work;
  /** The first output is the memory of the first input: nothing moves. */
  readonly isView?: boolean;
}

/** Says what comes out of a node and what that costs. Malformed nodes are `call.fail`; what only a run can tell is `call.unknown`. */
export type OperatorRule = (call: OperatorCall) => Inference;

/** A node with its inputs, as a rule sees it. */
export class OperatorCall {
  readonly node: OnnxNode;
  readonly opset: number;
  /** Trailing inputs may be missing, any may be left out. */
  readonly inputs: readonly (Tensor | undefined)[];

  constructor(node: OnnxNode, opset: number, inputs: readonly (Tensor | undefined)[]) {
    this.node = node;
    this.opset = opset;
    this.inputs = inputs;
  }

  get operator(): string {
    return this.node.operator;
  }

  input(index: number): Tensor {
    return this.inputs[index] ?? this.fail(`input ${index} is missing`);
  }

  shape(index: number): readonly number[] {
    return this.input(index).shape;
  }

  /** The numbers of an input, known without running the model. */
  values(index: number): readonly number[] {
    const tensor = this.input(index);
    return tensor.data ?? this.unknown(`the values of its input "${tensor.name}" are only known at run time`);
  }

  /** As `values`, or undefined when the input is left out or empty. */
  optionalValues(index: number): readonly number[] | undefined {
    const tensor = this.inputs[index];
    return tensor === undefined || tensor.elements === 0 ? undefined : this.values(index);
  }

  hasOutput(index: number): boolean {
    return (this.node.outputs[index] ?? '') !== '';
  }

  number(name: string, fallback: number): number {
    const attribute = this.attribute(name);
    return attribute?.kind === 'number' ? attribute.value : fallback;
  }

  numbers(name: string): readonly number[] | undefined {
    const attribute = this.attribute(name);
    return attribute?.kind === 'numbers' ? attribute.values : undefined;
  }

  text(name: string, fallback: string): string {
    const attribute = this.attribute(name);
    return attribute?.kind === 'text' ? attribute.value : fallback;
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.node.attributes.get(name);
  }

  /** Axes given as an attribute in old operator sets and as an input in new ones. */
  axes(inputIndex: number): readonly number[] | undefined {
    return this.numbers('axes') ?? this.optionalValues(inputIndex);
  }

  /** `axis` counted from the end when negative, held to `0..rank-1`, or to `0..rank` where an axis may stand behind the last. */
  axis(axis: number, rank: number, isBehindAllowed = false): number {
    const counted = axis < 0 ? axis + rank : axis;
    const isInside = Number.isInteger(counted) && counted >= 0 && (counted < rank || (isBehindAllowed && counted === rank));
    return isInside ? counted : this.fail(`axis ${axis} is outside a tensor of ${rank} axes`);
  }

  fail(problem: string): never {
    const inputs = this.inputs.map((input) => (input === undefined ? 'none' : shapeText(input.shape))).join(', ');
    throw unloadable(`node "${this.node.name}" (${this.node.operator}, inputs ${inputs})`, problem);
  }

  unknown(reason: string): never {
    throw new NotInferable(reason);
  }
}
