import { type Bpe, WORD_PATTERN } from './bpe.ts';

/** Tokens that no text makes: the template alone writes them. Their ids follow the vocabulary's in this order. */
export const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<tool_call>', '</tool_call>'] as const;

/**
 * ChatML. Calls are written as the model writes them, whether a message brings them as text or in the form of OpenAI. Tools are not listed: the model
 * has learnt its catalogue and would not read another.
 */
const CHAT_TEMPLATE = `{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}{%- endif -%}
{%- if message.tool_calls -%}
{%- for call in message.tool_calls -%}
{%- set function = call.function if call.function else call -%}
{{- '<tool_call>{"name":"' + function.name + '","arguments":' -}}
{%- if function.arguments is string -%}{{- function.arguments -}}{%- else -%}{{- function.arguments | tojson(separators=(',', ':')) -}}{%- endif -%}
{{- '}</tool_call>' -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

/** tokenizer.json as the `tokenizers` libraries read it. */
export function tokenizerJson(bpe: Bpe): object {
  const vocabulary = Object.fromEntries(bpe.tokens.map((token, id) => [token, id]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, index) => ({
      ...{ id: bpe.tokens.length + index, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
      // Calls stay in what is decoded, as the templates of other models have it.
      special: content.startsWith('<|'),
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false },
      ...{ byte_fallback: false, ignore_merges: false, vocab: vocabulary, merges: bpe.merges },
    },
  };
}

export function tokenizerConfig(contextTokens: number): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: false,
    add_prefix_space: false,
    bos_token: null,
    eos_token: '<|im_end|>',
    pad_token: '<|endoftext|>',
    unk_token: null,
    clean_up_tokenization_spaces: false,
    model_max_length: contextTokens,
    chat_template: CHAT_TEMPLATE,
  };
}

/** The shape of the model, chosen so that int4 blocks of 32 divide every row and a head is two of them wide or one. */
export const SHAPE = { hidden: 192, layers: 5, heads: 6, kvHeads: 2, headSize: 32, intermediate: 384, contextTokens: 1024 } as const;

/** config.json with the field names of the hub. */
export function modelConfig(vocabulary: number): object {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: SHAPE.hidden,
    intermediate_size: SHAPE.intermediate,
    num_hidden_layers: SHAPE.layers,
    num_attention_heads: SHAPE.heads,
    num_key_value_heads: SHAPE.kvHeads,
    head_dim: SHAPE.headSize,
    hidden_act: 'silu',
    max_position_embeddings: SHAPE.contextTokens,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    initializer_range: 0.02,
    torch_dtype: 'float32',
    use_cache: true,
    ...generationConfig(vocabulary),
  };
}

export function generationConfig(vocabulary: number): object {
  const id = (token: (typeof SPECIAL_TOKENS)[number]): number => vocabulary - SPECIAL_TOKENS.length + SPECIAL_TOKENS.indexOf(token);
  return { bos_token_id: id('<|endoftext|>'), eos_token_id: id('<|im_end|>'), pad_token_id: id('<|endoftext|>') };
}
