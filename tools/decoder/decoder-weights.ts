import { Prng } from '../../src/core/prng.ts';
import type { DecoderConfig } from '../../src/models/language/decoder-config.ts';

/** Where a decoder's weights come from, by the names that the hub's checkpoints of the Llama family use. */
export interface DecoderWeights {
  /** Row-major values. A linear layer is `[outputs, inputs]`. Error: DecoderError for one that is missing or of another shape. */
  read(name: string, shape: readonly number[]): Float32Array;
  /** For the metadata of the file. */
  readonly origin: string;
}

/** What each layer has, and what there is once. */
export const weightNames = {
  embedding: 'model.embed_tokens.weight',
  norm: 'model.norm.weight',
  head: 'lm_head.weight',
  ofLayer: (layer: number) => {
    const place = `model.layers.${layer}`;
    return {
      attentionNorm: `${place}.input_layernorm.weight`,
      query: `${place}.self_attn.q_proj.weight`,
      key: `${place}.self_attn.k_proj.weight`,
      value: `${place}.self_attn.v_proj.weight`,
      output: `${place}.self_attn.o_proj.weight`,
      feedForwardNorm: `${place}.post_attention_layernorm.weight`,
      gate: `${place}.mlp.gate_proj.weight`,
      up: `${place}.mlp.up_proj.weight`,
      down: `${place}.mlp.down_proj.weight`,
    };
  },
} as const;

/**
 * Seeded noise of the size that keeps activations near 1: uniform with a variance of 1/inputs, norms near 1. Good for measuring and for comparing
 * implementations; such a model has learnt nothing.
 */
export function randomWeights(seed: number, config: DecoderConfig): DecoderWeights {
  return {
    origin: `random, seed ${seed}`,
    read(name, shape) {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      const prng = new Prng(seed).fork(name);
      const isNorm = shape.length === 1;
      // A small embedding, so that what the layers add decides the next token rather than the last one repeating itself.
      const inputs = name === weightNames.embedding ? 1000 : (shape[1] ?? config.hidden);
      const width = isNorm ? 0.1 : Math.sqrt(3 / inputs);
      const middle = isNorm ? 1 : 0;
      for (let index = 0; index < values.length; index += 1) values[index] = middle + width * (2 * prng.ratio() - 1);
      return values;
    },
  };
}
