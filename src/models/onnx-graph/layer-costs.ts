import { type LayerCost, NUMBER_TYPE_BYTES, type NumberType } from '../../core/layer-cost.ts';
import type { BindOptions } from './bind-inputs.ts';
import { ELEMENT_BITS, type ElementType, isFloat, isInteger, numberTypeOf } from './element-type.ts';
import { fuseLayers } from './fuse-layers.ts';
import type { OnnxGraph } from './graph.ts';
import { inferGraph, type Step, type UnknownOperator } from './infer-graph.ts';
import type { Work } from './operator-call.ts';
import { operatorName } from './operators/registry.ts';
import { peakMemory } from './peak-memory.ts';
import { countedType, type Tensor } from './tensor.ts';

export interface LayerCostOptions extends BindOptions {
  /**
   * Cost the model as if its float tensors were converted to this type, as a compiler for an NPU does with a float model. With int4 the weights are int4
   * and activations fp16. Integer tensors stay as they are. Absent: as in the file.
   */
  readonly storedAs?: NumberType;
  /** Join activations, scalings and sums to the layer before, as compilers for NPUs do; false: a layer for every node. */
  readonly isFused?: boolean;
}

export interface GraphTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

export interface GraphCosts {
  /** In the order they run. Views (`Reshape` and its like) and what follows from constants alone are no layers. */
  readonly layers: readonly LayerCost[];
  readonly inputs: readonly GraphTensor[];
  /** The shape is undefined where an unknown operator hides it. */
  readonly outputs: readonly {
    readonly name: string;
    readonly type: ElementType | undefined;
    readonly shape: readonly number[] | undefined;
  }[];
  /** Bytes of the weights that the layers read, each tensor once: what the model occupies. Layers that share a weight, or read rows of it, count otherwise. */
  readonly weightBytes: number;
  /** Of an ideal allocator, one layer after another. */
  readonly peakActivationBytes: number;
  readonly macs: number;
  readonly elementOps: number;
  /** Operators whose cost is not in the sums. */
  readonly unknown: readonly UnknownOperator[];
}

/**
 * What each layer of a model asks of a core. Weights are what is stored in the file; activations are all other inputs and the outputs, each read and
 * written once. CONFIG_INVALID for open sizes that `options` does not bind, MODEL_UNLOADABLE for a graph whose nodes do not fit each other.
 */
export function layerCosts(graph: OnnxGraph, options: LayerCostOptions = {}): GraphCosts {
  const inferred = inferGraph(graph, options);
  const sizes = new TensorSizes(options.storedAs);
  const single = inferred.steps.map((step) => layerOf(step, sizes));
  const outputTensors = inferred.outputs.map((output) => output.tensor);
  const bytesOf = (tensor: Tensor): number => sizes.bytes(tensor);
  const fused = options.isFused ? fuseLayers(inferred.steps, single, outputTensors, bytesOf) : undefined;
  const layers = fused?.map((layer) => layer.cost) ?? single;
  return {
    layers,
    inputs: inferred.inputs.map(({ name, type, shape }) => ({ name, type, shape })),
    outputs: inferred.outputs.map(({ name, tensor }) => ({ name, type: tensor?.type, shape: tensor?.shape })),
    weightBytes: storedWeights(inferred.steps, sizes),
    peakActivationBytes: peakMemory(inferred.inputs, fused ?? inferred.steps, outputTensors, bytesOf),
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    elementOps: layers.reduce((sum, layer) => sum + layer.elementOps, 0),
    unknown: inferred.unknown,
  };
}

/** Bytes and number types under the conversion asked for. */
class TensorSizes {
  private readonly storedAs: NumberType | undefined;

  constructor(storedAs: NumberType | undefined) {
    this.storedAs = storedAs;
  }

  bytes(tensor: Tensor, elements = tensor.elements): number {
    const type = countedType(tensor);
    if (this.storedAs === undefined || !isFloat(type)) return Math.ceil((elements * ELEMENT_BITS[type]) / 8);
    const isHalf = this.storedAs === 'int4' && tensor.origin !== 'weight';
    return Math.ceil(elements * (isHalf ? NUMBER_TYPE_BYTES.fp16 : NUMBER_TYPE_BYTES[this.storedAs]));
  }

  /** Of a product, the wider of what is multiplied: quantised weights alone are widened to a float activation first. */
  type({ inputs, outputs, work }: Step): NumberType {
    const tensor = outputs.find((output) => output !== undefined) ?? inputs.find((input) => input !== undefined);
    const operands =
      work?.product === undefined ? [] : inputs.slice(0, 2).flatMap((input) => (input === undefined ? [] : [countedType(input)]));
    const own = operands.find(isFloat) ?? operands[0] ?? (tensor === undefined ? 'float32' : countedType(tensor));
    if (work?.type !== undefined) return work.type;
    const isQuantized = operands.length === 2 && operands.every(isInteger);
    if (isQuantized) return operands.some((type) => ELEMENT_BITS[type] > 8) ? 'int16' : 'int8';
    return this.storedAs !== undefined && isFloat(own) ? this.storedAs : numberTypeOf(own);
  }
}

function layerOf(step: Step, sizes: TensorSizes): LayerCost {
  const { node, work } = step;
  const { m, n, k, groups } = work?.product ?? { m: 0, n: 0, k: 0, groups: 0 };
  const { weightBytes, inputBytes, outputBytes, stateBytes } = traffic(step, work ?? {}, sizes);
  return {
    name: node.name,
    operator: operatorName(node),
    macs: m * n * k * groups,
    elementOps: work?.elementOps ?? 0,
    weightBytes,
    inputBytes,
    outputBytes,
    type: sizes.type(step),
    m,
    n,
    k,
    groups,
    ...(work?.curves === undefined ? {} : { curves: work.curves }),
    ...(stateBytes > 0 ? { stateBytes } : {}),
    ...(work === undefined ? { isUnknown: true as const } : {}),
  };
}

function traffic(
  { inputs, outputs }: Step,
  work: Work,
  sizes: TensorSizes,
): Pick<LayerCost, 'weightBytes' | 'inputBytes' | 'outputBytes'> & { stateBytes: number } {
  let [weightBytes, inputBytes, outputBytes, stateBytes] = [0, 0, 0, 0];
  inputs.forEach((input, index) => {
    if (input === undefined) return;
    const read = work.elementsRead?.[index];
    const bytes = sizes.bytes(input, read === undefined ? input.elements : read);
    if (input.origin === 'weight') weightBytes += bytes;
    else inputBytes += bytes;
    if (work.stateInputs?.includes(index)) stateBytes += bytes;
  });
  outputs.forEach((output, index) => {
    if (output === undefined) return;
    const bytes = sizes.bytes(output, work.elementsWritten?.[index] ?? output.elements);
    outputBytes += bytes;
    if (work.stateOutputs?.includes(index)) stateBytes += bytes;
  });
  return { weightBytes, inputBytes, outputBytes, stateBytes };
}

function storedWeights(steps: readonly Step[], sizes: TensorSizes): number {
  const weights = new Set<Tensor>();
  for (const { inputs } of steps) for (const input of inputs) if (input?.origin === 'weight') weights.add(input.root ?? input);
  return [...weights].reduce((sum, tensor) => sum + sizes.bytes(tensor), 0);
}
