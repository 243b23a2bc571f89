import type { Attribute, Node, Weight } from './onnx-file.ts';
import { BLOCK_SIZE, quantizeMatrix } from './quantize.ts';

export type DecoderType = 'fp32' | 'fp16' | 'int4';

/** What the activations and the cache are; int4 is a type of weights only. */
export type ActivationType = 'float32' | 'float16';

export const MICROSOFT = 'com.microsoft';

/** Values `[outputs, inputs]` of a linear layer, read when they are written. */
export interface Linear {
  readonly outputs: number;
  readonly inputs: number;
  read(): Float32Array;
}

/** Collects the nodes and weights of one graph. A node's outputs are named after it. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly weights: Weight[] = [];
  readonly type: DecoderType;

  constructor(type: DecoderType) {
    this.type = type;
  }

  get activation(): ActivationType {
    return this.type === 'fp16' ? 'float16' : 'float32';
  }

  /** Gives the name of the first output. */
  add(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { readonly domain?: string; readonly outputs?: readonly string[] } = {},
  ): string {
    const outputs = options.outputs ?? [`${name}/output_0`];
    const domain = options.domain === undefined ? {} : { domain: options.domain };
    this.nodes.push({ name, operator, ...domain, inputs, outputs, attributes });
    return outputs[0] ?? '';
  }

  /** Real numbers in the type of the activations. */
  reals(name: string, shape: readonly number[], read: () => Float32Array): string {
    const isHalf = this.activation === 'float16';
    this.weights.push({ name, type: this.activation, shape, bytes: () => (isHalf ? bytesOf(toHalf(read())) : bytesOf(read())) });
    return name;
  }

  /** Real numbers in half precision, whatever the activations are. */
  halves(name: string, shape: readonly number[], read: () => Float32Array): string {
    this.weights.push({ name, type: 'float16', shape, bytes: () => bytesOf(toHalf(read())) });
    return name;
  }

  integers(name: string, shape: readonly number[], values: readonly number[]): string {
    this.weights.push({ name, type: 'int64', shape, bytes: () => bytesOf(BigInt64Array.from(values, BigInt)) });
    return name;
  }

  /** `input` `[.., inputs]` times the matrix: `[.., outputs]`. */
  linear(name: string, input: string, linear: Linear): string {
    const { outputs, inputs } = linear;
    if (this.type !== 'int4') {
      const weight = this.reals(`${name}.weight`, [inputs, outputs], () => transpose(linear.read(), outputs, inputs));
      return this.add('MatMul', `${name}/MatMul`, [input, weight]);
    }
    const blocks = Math.ceil(inputs / BLOCK_SIZE);
    // Both parts are written one after the other, and quantising once for both halves the time.
    let quantized: ReturnType<typeof quantizeMatrix> | undefined;
    const make = (): ReturnType<typeof quantizeMatrix> => {
      quantized ??= quantizeMatrix(linear.read(), outputs, inputs);
      return quantized;
    };
    const nibbles = `${name}.weight_q4`;
    const scales = `${name}.weight_scales`;
    this.weights.push({ name: nibbles, type: 'uint8', shape: [outputs, blocks, BLOCK_SIZE / 2], bytes: () => make().nibbles });
    this.weights.push({
      name: scales,
      type: 'float32',
      shape: [outputs * blocks],
      bytes: () => {
        const bytes = bytesOf(make().scales);
        quantized = undefined;
        return bytes;
      },
    });
    const attributes = { K: inputs, N: outputs, bits: 4, block_size: BLOCK_SIZE, accuracy_level: 4 };
    return this.add('MatMulNBits', `${name}/MatMulNBits`, [input, nibbles, scales], attributes, { domain: MICROSOFT });
  }
}

const bytesOf = (values: Float32Array | Uint16Array | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) turned[column * rows + row] = values[row * columns + column] ?? 0;
  return turned;
}

/** IEEE 754 binary16, rounded to nearest, ties to even; beyond its range it is infinite. */
function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < halves.length; index += 1) halves[index] = halfOf(bits[index] ?? 0, values[index] ?? 0);
  return halves;
}

function halfOf(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (magnitude >= 65_520) return sign | 0x7c00;
  // Below 2^-14 halves are evenly spaced, 2^-24 apart.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = roundToEven(magnitude / 2 ** (exponent - 10));
  return exponent === -14 ? sign | steps : sign | (((exponent + 15) << 10) + steps - 1024);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
