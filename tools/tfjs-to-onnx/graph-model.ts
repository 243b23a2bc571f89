import { malformed, unsupported } from './conversion-error.ts';
import { halvesToFloats } from './half-float.ts';

/** A constant of the graph. Integers of every width become `int32`: the graphs only use them for shapes, axes and permutations. */
export interface ConstTensor {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** One output of one node: `split:1` is `{ node: 'split', output: 1 }`. */
export interface TensorRef {
  readonly node: string;
  readonly output: number;
}

export interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  readonly attributes: TfAttributes;
}

export interface TfGraph {
  /** In an order in which every node comes after its inputs. */
  readonly nodes: readonly TfNode[];
  readonly constants: ReadonlyMap<string, ConstTensor>;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly tensor: TensorRef }[];
}

interface RawAttribute {
  s?: string;
  b?: boolean;
  i?: string | number;
  f?: number;
  list?: { i?: (string | number)[]; s?: string[] };
}

/** Typed, defaulted access to a node's attributes. TF.js writes strings in base64 and 64-bit integers as text. */
export class TfAttributes {
  private readonly raw: Readonly<Record<string, RawAttribute>>;

  constructor(raw: Readonly<Record<string, RawAttribute>>) {
    this.raw = raw;
  }

  text(name: string, fallback: string): string {
    const value = this.raw[name]?.s;
    return value === undefined ? fallback : Buffer.from(value, 'base64').toString('utf8');
  }

  texts(name: string): readonly string[] {
    return (this.raw[name]?.list?.s ?? []).map((value) => Buffer.from(value, 'base64').toString('utf8'));
  }

  flag(name: string, fallback: boolean): boolean {
    return this.raw[name]?.b ?? fallback;
  }

  number(name: string, fallback: number): number {
    const value = this.raw[name];
    return value?.f ?? (value?.i === undefined ? fallback : Number(value.i));
  }

  integers(name: string): readonly number[] | undefined {
    return this.raw[name]?.list?.i?.map(Number);
  }
}

interface RawNode {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, RawAttribute>;
}

interface RawModel {
  format?: string;
  signature?: { inputs?: Record<string, RawPort>; outputs?: Record<string, RawPort> };
  modelTopology?: { node?: RawNode[] };
  weightsManifest?: { weights?: RawWeight[] }[];
}

interface RawPort {
  name: string;
  tensorShape?: { dim?: { size?: string | number }[] };
}

interface RawWeight {
  name: string;
  shape: number[];
  dtype: string;
  quantization?: { dtype: string };
}

/**
 * Reads a TF.js graph model: `json` is `model.json`, `weights` the concatenation of its weight shards.
 * Throws {@link ConversionError} `malformed` if the weights do not fill the manifest exactly, a name is used twice or unknown, or
 * the graph has a cycle; `unsupported` for a layers model or another weight encoding than float32, int32 and float16.
 */
export function parseGraphModel(json: string, weights: Uint8Array): TfGraph {
  const model = JSON.parse(json) as RawModel;
  if (model.format !== 'graph-model')
    throw unsupported(`model format is ${JSON.stringify(model.format)}; only "graph-model" can be converted`);
  const rawNodes = model.modelTopology?.node ?? [];
  const constants = readWeights(model.weightsManifest?.flatMap((group) => group.weights ?? []) ?? [], weights);
  const nodes = new Map<string, TfNode>();
  for (const raw of rawNodes) {
    if (nodes.has(raw.name)) throw malformed(`two nodes are named ${raw.name}`);
    if (raw.op === 'Const' && !constants.has(raw.name)) throw malformed(`constant ${raw.name} has no weights`);
    nodes.set(raw.name, { name: raw.name, op: raw.op, inputs: dataInputs(raw), attributes: new TfAttributes(raw.attr ?? {}) });
  }
  const ports = (group: Record<string, RawPort> | undefined) => Object.values(group ?? {});
  return {
    nodes: sortTopologically(nodes),
    constants,
    inputs: ports(model.signature?.inputs).map((port) => ({
      name: parseRef(port.name).node,
      shape: (port.tensorShape?.dim ?? []).map((dim) => Number(dim.size ?? 1)),
    })),
    outputs: ports(model.signature?.outputs).map((port) => ({ name: port.name, tensor: parseRef(port.name) })),
  };
}

/** `name`, `name:2`; control inputs (`^name`) order execution only and carry no data. */
function parseRef(text: string): TensorRef {
  const colon = text.lastIndexOf(':');
  return colon < 0 ? { node: text, output: 0 } : { node: text.slice(0, colon), output: Number(text.slice(colon + 1)) };
}

function dataInputs(raw: RawNode): readonly TensorRef[] {
  return (raw.input ?? []).filter((input) => !input.startsWith('^')).map(parseRef);
}

function readWeights(entries: readonly RawWeight[], bytes: Uint8Array): ReadonlyMap<string, ConstTensor> {
  const constants = new Map<string, ConstTensor>();
  let offset = 0;
  for (const entry of entries) {
    const count = entry.shape.reduce((product, size) => product * size, 1);
    const encoding = entry.quantization?.dtype ?? entry.dtype;
    const width = encoding === 'float16' ? 2 : encoding === 'float32' || encoding === 'int32' ? 4 : 0;
    if (width === 0) throw unsupported(`weight ${entry.name} is stored as ${encoding}; known are float16, float32 and int32`);
    const end = offset + count * width;
    if (end > bytes.length) throw malformed(`weight ${entry.name} ends at byte ${end}, but the weights have only ${bytes.length}`);
    if (constants.has(entry.name)) throw malformed(`weight ${entry.name} is listed twice`);
    // A copy of its own: slice() of a Buffer would only be a view, at an offset that need not be aligned.
    constants.set(entry.name, decodeWeight(entry, encoding, new Uint8Array(bytes.subarray(offset, end))));
    offset = end;
  }
  if (offset !== bytes.length) throw malformed(`the weights have ${bytes.length} bytes, but the manifest describes ${offset}`);
  return constants;
}

function decodeWeight(entry: RawWeight, encoding: string, bytes: Uint8Array): ConstTensor {
  if (encoding === 'float16') return { dtype: 'float32', shape: entry.shape, data: halvesToFloats(bytes) };
  if (encoding === 'float32') return { dtype: 'float32', shape: entry.shape, data: new Float32Array(bytes.buffer) };
  return { dtype: 'int32', shape: entry.shape, data: new Int32Array(bytes.buffer) };
}

function sortTopologically(nodes: ReadonlyMap<string, TfNode>): readonly TfNode[] {
  const sorted: TfNode[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of nodes.values()) {
    // An explicit stack: depth of a graph is data, and data must not be able to overflow the call stack.
    const stack = [{ node: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined || state.get(top.node.name) === 'done') {
        stack.pop();
        continue;
      }
      state.set(top.node.name, 'open');
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        state.set(top.node.name, 'done');
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const producer = nodes.get(input.node);
      if (producer === undefined) throw malformed(`node ${top.node.name} reads ${input.node}, which does not exist`);
      if (state.get(input.node) === 'open') throw malformed(`the graph has a cycle through ${input.node}`);
      if (state.get(input.node) === undefined) stack.push({ node: producer, next: 0 });
    }
  }
  return sorted;
}
