/** Shapes of published models, as their `config.json` says them. A model made from one has random weights: it is for measuring, not for talking. */
export const DECODER_SHAPES = {
  'smollm2-135m': shapeOf({
    layers: 30,
    hidden: 576,
    heads: 9,
    kvHeads: 3,
    intermediate: 1536,
    vocabulary: 49_152,
    context: 2048,
    theta: 100_000,
  }),
  'tiny-3m': shapeOf({ layers: 6, hidden: 192, heads: 6, kvHeads: 2, intermediate: 512, vocabulary: 4096, context: 1024, theta: 10_000 }),
} as const;

export type DecoderShapeName = keyof typeof DECODER_SHAPES;

/** The keys of a Llama's `config.json`. */
export type DecoderConfigFile = Readonly<Record<string, unknown>>;

function shapeOf(shape: {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly theta: number;
}): DecoderConfigFile {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    num_hidden_layers: shape.layers,
    hidden_size: shape.hidden,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    intermediate_size: shape.intermediate,
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.context,
    rope_theta: shape.theta,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    attention_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 2,
  };
}
