/** Weights of a linear layer in blocks of 32 along its inputs, as `MatMulNBits` of com.microsoft takes them. */
export interface QuantizedMatrix {
  /** `[outputs, blocks, 16]`: two weights a byte, the earlier one in the low half; a weight is `scale * (nibble - 8)`. */
  readonly nibbles: Uint8Array;
  /** `[outputs * blocks]` */
  readonly scales: Float32Array;
  readonly blocks: number;
}

export const BLOCK_SIZE = 32;

/** The middle of 0..15, which stands for zero when no zero points are given. */
const ZERO_POINT = 8;

/**
 * Symmetric: the value of the largest magnitude in a block becomes nibble 0, so that of the uneven range -8..7 the longer side is used for it. `values` are
 * `[outputs, inputs]`; a last block that is not full is filled with zeros.
 */
export function quantizeMatrix(values: Float32Array, outputs: number, inputs: number): QuantizedMatrix {
  const blocks = Math.ceil(inputs / BLOCK_SIZE);
  const nibbles = new Uint8Array((outputs * blocks * BLOCK_SIZE) / 2);
  const scales = new Float32Array(outputs * blocks);
  for (let row = 0; row < outputs; row += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const from = row * inputs + block * BLOCK_SIZE;
      const to = Math.min(from + BLOCK_SIZE, (row + 1) * inputs);
      const scale = Math.fround(extremeOf(values, from, to) / -ZERO_POINT);
      const place = row * blocks + block;
      scales[place] = scale;
      packBlock(values, from, to, scale, nibbles.subarray((place * BLOCK_SIZE) / 2, ((place + 1) * BLOCK_SIZE) / 2));
    }
  }
  return { nibbles, scales, blocks };
}

/** What `quantizeMatrix` made of the weights, as float32: for comparisons. */
export function dequantizeMatrix({ nibbles, scales, blocks }: QuantizedMatrix, outputs: number, inputs: number): Float32Array {
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row += 1) {
    for (let column = 0; column < inputs; column += 1) {
      const place = row * blocks * BLOCK_SIZE + column;
      const byte = nibbles[place >> 1] ?? 0;
      const nibble = place % 2 === 0 ? byte & 15 : byte >> 4;
      values[row * inputs + column] = (scales[row * blocks + Math.floor(column / BLOCK_SIZE)] ?? 0) * (nibble - ZERO_POINT);
    }
  }
  return values;
}

function extremeOf(values: Float32Array, from: number, to: number): number {
  let extreme = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index] ?? 0;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  return extreme;
}

function packBlock(values: Float32Array, from: number, to: number, scale: number, bytes: Uint8Array): void {
  bytes.fill(ZERO_POINT | (ZERO_POINT << 4));
  if (scale === 0) return;
  for (let index = from; index < to; index += 1) {
    const nibble = Math.max(0, Math.min(15, Math.round((values[index] ?? 0) / scale) + ZERO_POINT));
    const place = index - from;
    const byte = bytes[place >> 1] ?? 0;
    bytes[place >> 1] = place % 2 === 0 ? (byte & 0xf0) | nibble : (byte & 0x0f) | (nibble << 4);
  }
}
