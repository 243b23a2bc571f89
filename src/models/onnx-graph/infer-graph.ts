import { type BindOptions, bindInputs, boundSize } from './bind-inputs.ts';
import { GRAPH_LIMITS, type OnnxBlock, type OnnxConstant, type OnnxGraph, type OnnxNode } from './graph.ts';
import { NotInferable, unloadable } from './model-error.ts';
import { type Inference, OperatorCall, type Work } from './operator-call.ts';
import { operatorName, ruleOf } from './operators/registry.ts';
import { knownValues } from './read-constant.ts';
import { elementsOf, isShape, shapeText, type Tensor, type TensorOrigin, type TensorSketch } from './tensor.ts';

/** A kind of node whose cost cannot be told, and why. `node` is the first of `count`. */
export interface UnknownOperator {
  readonly operator: string;
  readonly node: string;
  readonly count: number;
  readonly reason: string;
}

/** A node that runs, in order. Views and what a compiler computes beforehand are left out; branches taken stand in place of their `If`. */
export interface Step {
  readonly node: OnnxNode;
  readonly inputs: readonly (Tensor | undefined)[];
  /** Undefined where left out, or of unknown shape. */
  readonly outputs: readonly (Tensor | undefined)[];
  /** Undefined when unknown. */
  readonly work: Work | undefined;
}

export interface InferredGraph {
  readonly inputs: readonly Tensor[];
  /** In the order of the file; `tensor` is undefined where the shape could not be told. */
  readonly outputs: readonly { readonly name: string; readonly tensor: Tensor | undefined }[];
  readonly steps: readonly Step[];
  readonly unknown: readonly UnknownOperator[];
  /** Every value of the main graph and of the branches taken, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A value whose shape could not be told. */
const GAP = Symbol('a value of unknown shape');
type Value = Tensor | typeof GAP;

class Names {
  private readonly values = new Map<string, Value>();
  private readonly outer: Names | undefined;

  constructor(outer: Names | undefined) {
    this.outer = outer;
  }

  get(name: string): Value {
    return this.values.get(name) ?? this.outer?.get(name) ?? GAP;
  }

  set(name: string, value: Value): void {
    if (name !== '') this.values.set(name, value);
  }
}

/** Operators whose result follows from shapes: no weights, however constant. */
const FILLERS: ReadonlySet<string> = new Set(['ConstantOfShape', 'Shape', 'Size', 'Range', 'Expand', 'EyeLike']);

/**
 * Walks the graph once, from its bound inputs to its outputs. CONFIG_INVALID for sizes left open, MODEL_UNLOADABLE for a node whose inputs do not fit it.
 * Work and memory are bounded by `GRAPH_LIMITS`, whatever shapes the file names: no tensor is ever allocated.
 */
export function inferGraph(graph: OnnxGraph, options: BindOptions = {}): InferredGraph {
  return new Walk(graph, options).run();
}

class Walk {
  private readonly graph: OnnxGraph;
  private readonly options: BindOptions;
  private readonly steps: Step[] = [];
  private readonly tensors = new Map<string, Tensor>();
  private readonly unknown = new Map<string, { operator: string; node: string; count: number; reason: string }>();
  private walked = 0;
  private followedCount = 0;

  constructor(graph: OnnxGraph, options: BindOptions) {
    this.graph = graph;
    this.options = options;
  }

  run(): InferredGraph {
    const names = new Names(undefined);
    const inputs: Tensor[] = [];
    bindInputs(this.graph.inputs, this.options).forEach((sketch, index) => {
      const name = this.graph.inputs[index]?.name ?? '';
      const tensor = sketch && this.make(name, sketch, 'input');
      if (tensor !== undefined) inputs.push(tensor);
      names.set(name, tensor ?? GAP);
    });
    this.walk(this.graph, names);
    const outputs = this.graph.outputs.map(({ name }) => ({ name, tensor: known(names.get(name)) }));
    return { inputs, outputs, steps: this.steps, unknown: [...this.unknown.values()], tensors: this.tensors };
  }

  private walk(block: OnnxBlock, names: Names): void {
    for (const constant of block.constants.values()) names.set(constant.name, this.stored(constant.name, constant));
    for (const node of block.nodes) {
      this.walked += 1;
      if (this.walked > GRAPH_LIMITS.steps) throw unloadable('graph', `more than ${GRAPH_LIMITS.steps} nodes run, branches included`);
      this.visit(node, names, block);
    }
  }

  private visit(node: OnnxNode, names: Names, block: OnnxBlock): void {
    const values = node.inputs.map((name) => (name === '' ? undefined : names.get(name)));
    const inputs = values.map((value) => (value === undefined ? undefined : known(value)));
    const gap = values.indexOf(GAP);
    if (gap >= 0) return this.skip(node, inputs, names, block, `its input "${node.inputs[gap]}" has no known shape`);
    if (node.domain === '' && node.operator === 'If') return this.branch(node, inputs[0], names, block);
    const rule = ruleOf(node);
    if (rule === undefined) return this.skip(node, inputs, names, block, 'there is no rule for this operator');
    const opset = this.graph.opsets.get(node.domain) ?? 1;
    try {
      this.record(node, inputs, rule(new OperatorCall(node, opset, trimmed(inputs))), names);
    } catch (thrown) {
      if (!(thrown instanceof NotInferable)) throw thrown;
      this.skip(node, inputs, names, block, thrown.message);
    }
  }

  /** The branch that a known condition takes is walked in place of the node. */
  private branch(node: OnnxNode, condition: Tensor | undefined, names: Names, block: OnnxBlock): void {
    const taken = condition?.data?.[0];
    if (taken === undefined) return this.skip(node, [condition], names, block, 'which branch it takes is only known at run time');
    const attribute = node.attributes.get(taken === 0 ? 'else_branch' : 'then_branch');
    if (attribute?.kind !== 'block') throw unloadable(`node "${node.name}" (If)`, 'a branch is missing');
    const inner = new Names(names);
    this.walk(attribute.block, inner);
    node.outputs.forEach((name, index) => {
      const result = attribute.block.outputs[index];
      if (result === undefined) throw unloadable(`node "${node.name}" (If)`, `a branch does not make output ${index}`);
      this.bind(names, name, inner.get(result.name));
    });
  }

  private record(node: OnnxNode, inputs: readonly (Tensor | undefined)[], inference: Inference, names: Names): void {
    const { outputs: sketches, work = {}, isView = false } = inference;
    const isFolded =
      node.operator === 'Constant' || (inputs.length > 0 && inputs.every((input) => input === undefined || isKnownBefore(input)));
    const origin = isFolded ? foldedOrigin(node, inputs) : 'activation';
    const outputs = node.outputs.map((name, index) => {
      const sketch = sketches[index];
      if (name === '' || sketch === undefined) return undefined;
      const root = isView && index === 0 ? inputs[0] : undefined;
      const so = sketch.data !== undefined && origin === 'activation' ? 'fixed' : origin;
      return this.make(name, sketch, root !== undefined && so === 'activation' ? root.origin : so, root);
    });
    node.outputs.forEach((name, index) => {
      this.bind(names, name, outputs[index] ?? GAP);
    });
    const isKnown = isFolded || outputs.every((output) => output === undefined || output.data !== undefined);
    if (!isKnown && !isView) this.steps.push({ node, inputs, outputs, work });
  }

  /** Outputs of a node that is not understood have the shapes that the file declares for them, if it does. */
  private skip(node: OnnxNode, inputs: readonly (Tensor | undefined)[], names: Names, block: OnnxBlock, reason: string): void {
    const operator = operatorName(node);
    const key = `${operator}: ${reason.replace(/"[^"]*"/, '')}`;
    const entry = this.unknown.get(key);
    if (entry === undefined) this.unknown.set(key, { operator, node: node.name, count: 1, reason });
    else entry.count += 1;
    const outputs = node.outputs.map((name) => {
      const sketch = this.declared(block, name);
      return sketch === undefined ? undefined : this.make(name, sketch, 'activation');
    });
    node.outputs.forEach((name, index) => {
      this.bind(names, name, outputs[index] ?? GAP);
    });
    this.steps.push({ node, inputs, outputs, work: undefined });
  }

  private declared(block: OnnxBlock, name: string): TensorSketch | undefined {
    const port = block.declared.get(name);
    if (port?.type === undefined || port.shape === undefined) return undefined;
    const shape = port.shape.map((dimension) => boundSize(dimension, this.options.dims ?? {}));
    return shape.every((size) => size !== undefined) && isShape(shape) ? { type: port.type, shape } : undefined;
  }

  private bind(names: Names, name: string, value: Value): void {
    names.set(name, value);
    if (value !== GAP && name !== '') this.tensors.set(name, value);
  }

  private stored(name: string, constant: OnnxConstant): Tensor {
    return this.make(name, { type: constant.type, shape: constant.shape, data: knownValues(constant) }, 'weight');
  }

  private make(name: string, sketch: TensorSketch, origin: TensorOrigin, root?: Tensor): Tensor {
    if (!isShape(sketch.shape))
      throw unloadable(`value "${name}"`, `the shape ${shapeText(sketch.shape)} is not one, or exceeds ${GRAPH_LIMITS.elements} elements`);
    const { type, shape, quantizedFrom } = sketch;
    return {
      name,
      type,
      shape,
      data: this.followed(sketch.data),
      quantizedFrom,
      origin,
      elements: elementsOf(shape),
      root: root?.root ?? root,
    };
  }

  /** Values are forgotten where they are too many, and altogether once too many were followed: what needs them is then named unknown. */
  private followed(data: readonly number[] | undefined): readonly number[] | undefined {
    if (data === undefined || data.length > GRAPH_LIMITS.knownValues) return undefined;
    this.followedCount += data.length;
    return this.followedCount <= GRAPH_LIMITS.knownValuesTotal ? data : undefined;
  }
}

const known = (value: Value): Tensor | undefined => (value === GAP ? undefined : value);

/** A compiler computes it before the model runs. */
const isKnownBefore = ({ origin }: Tensor): boolean => origin === 'weight' || origin === 'fixed';

function foldedOrigin({ operator }: OnnxNode, inputs: readonly (Tensor | undefined)[]): TensorOrigin {
  if (operator === 'Constant') return 'weight';
  return !FILLERS.has(operator) && inputs.some((input) => input?.origin === 'weight') ? 'weight' : 'fixed';
}

/** Inputs left out at the end are as if they were not there. */
function trimmed(inputs: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] {
  const last = inputs.findLastIndex((input) => input !== undefined);
  return inputs.slice(0, last + 1);
}
