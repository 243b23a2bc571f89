import type { DecoderConfig } from '../../src/models/language/decoder-config.ts';

/** Reads a named weight, row-major. */
export type ReadWeight = (name: string, shape: readonly number[]) => ArrayLike<number>;

/**
 * A Llama in float64 and loops, written from the papers (RMSNorm, RoFormer, grouped queries, SwiGLU) and not from our graphs: it has no cache, no chunks and no
 * fusion, so it is what those are held to. Gives the logits of every token.
 */
export function referenceLogits(config: DecoderConfig, read: ReadWeight, tokens: readonly number[]): Float64Array[] {
  const { hidden, vocabulary, layers } = config;
  const embedding = read('model.embed_tokens.weight', [vocabulary, hidden]);
  let rows: Float64Array[] = tokens.map((token) =>
    Float64Array.from({ length: hidden }, (_, index) => embedding[token * hidden + index] ?? Number.NaN),
  );
  for (let layer = 0; layer < layers; layer += 1) rows = block(config, read, layer, rows);
  const norm = read('model.norm.weight', [hidden]);
  const head = config.tiedEmbedding ? embedding : read('lm_head.weight', [vocabulary, hidden]);
  return rows.map((row) => product(head, vocabulary, rootMeanSquareNorm(row, norm, config.normEpsilon)));
}

function block(config: DecoderConfig, read: ReadWeight, layer: number, rows: readonly Float64Array[]): Float64Array[] {
  const { hidden, intermediate, normEpsilon } = config;
  const weight = (name: string, ...shape: number[]): ArrayLike<number> => read(`model.layers.${layer}.${name}.weight`, shape);
  const attended = attention(
    config,
    read,
    layer,
    rows.map((row) => rootMeanSquareNorm(row, weight('input_layernorm', hidden), normEpsilon)),
  );
  const gate = weight('mlp.gate_proj', intermediate, hidden);
  const up = weight('mlp.up_proj', intermediate, hidden);
  const down = weight('mlp.down_proj', hidden, intermediate);
  return rows.map((row, position) => {
    const middle = sum(row, attended[position] ?? new Float64Array());
    const normed = rootMeanSquareNorm(middle, weight('post_attention_layernorm', hidden), normEpsilon);
    const gates = product(gate, intermediate, normed);
    const ups = product(up, intermediate, normed);
    const mixed = gates.map((value, index) => (value / (1 + Math.exp(-value))) * (ups[index] ?? Number.NaN));
    return sum(middle, product(down, hidden, mixed));
  });
}

function attention(config: DecoderConfig, read: ReadWeight, layer: number, rows: readonly Float64Array[]): Float64Array[] {
  const { hidden, heads, kvHeads, headSize } = config;
  const weight = (name: string, ...shape: number[]): ArrayLike<number> => read(`model.layers.${layer}.self_attn.${name}.weight`, shape);
  const project = (name: string, count: number): Float64Array[] =>
    rows.map((row) => product(weight(name, count * headSize, hidden), count * headSize, row));
  const turn = (vector: Float64Array, position: number, head: number): Float64Array =>
    rotated(vector.subarray(head * headSize, (head + 1) * headSize), position, config.ropeTheta);
  const queries = project('q_proj', heads);
  const keys = project('k_proj', kvHeads);
  const values = project('v_proj', kvHeads);
  const output = weight('o_proj', hidden, heads * headSize);
  return rows.map((_, position) => {
    const mixed = new Float64Array(heads * headSize);
    for (let head = 0; head < heads; head += 1) {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const query = turn(queries[position] ?? new Float64Array(), position, head);
      const scores = Array.from({ length: position + 1 }, (__, seen) => {
        const key = turn(keys[seen] ?? new Float64Array(), seen, kvHead);
        return query.reduce((total, value, index) => total + value * (key[index] ?? Number.NaN), 0) / Math.sqrt(headSize);
      });
      const highest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - highest));
      const whole = shares.reduce((total, share) => total + share, 0);
      for (const [seen, share] of shares.entries())
        for (let index = 0; index < headSize; index += 1)
          mixed[head * headSize + index] =
            (mixed[head * headSize + index] ?? 0) + (share / whole) * (values[seen]?.[kvHead * headSize + index] ?? Number.NaN);
    }
    return product(output, hidden, mixed);
  });
}

/** Element i of the first half turns with element i of the second by `position * theta^(-2i/size)`. */
function rotated(vector: Float64Array, position: number, theta: number): Float64Array {
  const half = vector.length / 2;
  return vector.map((value, index) => {
    const pair = index % half;
    const angle = position * theta ** ((-2 * pair) / vector.length);
    const other = vector[(index + half) % vector.length] ?? Number.NaN;
    return index < half ? value * Math.cos(angle) - other * Math.sin(angle) : value * Math.cos(angle) + other * Math.sin(angle);
  });
}

function rootMeanSquareNorm(row: Float64Array, weight: ArrayLike<number>, epsilon: number): Float64Array {
  const mean = row.reduce((total, value) => total + value * value, 0) / row.length;
  return row.map((value, index) => (value / Math.sqrt(mean + epsilon)) * (weight[index] ?? Number.NaN));
}

function product(matrix: ArrayLike<number>, rows: number, vector: Float64Array): Float64Array {
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let total = 0;
    for (let column = 0; column < vector.length; column += 1)
      total += (matrix[row * vector.length + column] ?? Number.NaN) * (vector[column] ?? Number.NaN);
    result[row] = total;
  }
  return result;
}

const sum = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, index) => value + (b[index] ?? Number.NaN));
