import { type ConstTensor, TfAttributes, type TfGraph, type TfNode } from '../../tools/tfjs-to-onnx/graph-model.ts';

/** A node in the terms a test wants to write; attribute texts are plain and lists are lists. */
export interface NodeSketch {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number | boolean | readonly number[] | readonly string[]>>;
}

export interface GraphSketch {
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly constants: Readonly<Record<string, ConstTensor>>;
  /** In an order in which every node comes after its inputs. */
  readonly nodes: readonly NodeSketch[];
  readonly outputs: readonly string[];
}

export function graphOf(sketch: GraphSketch): TfGraph {
  const source = (name: string, op: string): TfNode => ({ name, op, inputs: [], attributes: new TfAttributes({}) });
  const ref = (text: string) => {
    const [node = '', output = '0'] = text.split(':');
    return { node, output: Number(output) };
  };
  return {
    nodes: [
      source(sketch.input.name, 'Placeholder'),
      ...Object.keys(sketch.constants).map((name) => source(name, 'Const')),
      ...sketch.nodes.map((node) => ({ name: node.name, op: node.op, inputs: node.inputs.map(ref), attributes: attributesOf(node) })),
    ],
    constants: new Map(Object.entries(sketch.constants)),
    inputs: [sketch.input],
    outputs: sketch.outputs.map((name) => ({ name, tensor: ref(name) })),
  };
}

/** As TF.js writes them: texts in base64, integers as text inside lists, decimals as `f`. */
function attributesOf(node: NodeSketch): TfAttributes {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const entries = Object.entries(node.attributes ?? {}).map(([name, value]) => {
    if (typeof value === 'string') return [name, { s: base64(value) }] as const;
    if (typeof value === 'boolean') return [name, { b: value }] as const;
    if (typeof value === 'number') return [name, Number.isInteger(value) ? { i: String(value) } : { f: value }] as const;
    const isText = typeof value[0] === 'string';
    return [name, { list: isText ? { s: value.map((item) => base64(String(item))) } : { i: value.map(String) } }] as const;
  });
  return new TfAttributes(Object.fromEntries(entries));
}

export function floats(shape: readonly number[], data: ArrayLike<number>): ConstTensor {
  return { dtype: 'float32', shape, data: Float32Array.from(data) };
}

export function integers(...data: readonly number[]): ConstTensor {
  return { dtype: 'int32', shape: [data.length], data: Int32Array.from(data) };
}

/** Numbers in -1..1 that are exactly singles, the same in every run: a 32-bit xorshift of the seed. */
export function randomFloats(count: number, seed: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}
