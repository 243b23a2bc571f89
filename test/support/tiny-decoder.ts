import { readDecoderConfig } from '../../src/models/language/decoder-config.ts';
import { writeDecoder } from '../../tools/decoder/write-decoder.ts';

/** The `config.json` of a decoder that tests can afford, with every part a big one has: several layers, shared KV heads, a vocabulary that is not round. */
export const TINY_CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  num_hidden_layers: 3,
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  vocab_size: 203,
  max_position_embeddings: 96,
  rope_theta: 10_000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: 2,
};

export const tinyDecoderConfig = (changes: Readonly<Record<string, unknown>> = {}) =>
  readDecoderConfig('tiny', JSON.stringify({ ...TINY_CONFIG, ...changes }));

/** Writes a tiny decoder with random weights; gives its folder. */
export function writeTinyDecoder(
  out: string,
  options: Partial<Parameters<typeof writeDecoder>[0]> & { readonly changes?: Readonly<Record<string, unknown>> } = {},
): string {
  const { changes = {}, ...rest } = options;
  writeDecoder({
    config: JSON.stringify({ ...TINY_CONFIG, ...changes }),
    weights: 7,
    types: ['fp32'],
    layout: 'fused',
    keepsLogits: false,
    out,
    ...rest,
  });
  return out;
}
