import { z } from 'zod';
import { CoxswainError } from '../../core/errors.ts';

/** What a decoder-only language model is, as its `config.json` and `generation_config.json` say it. */
export interface DecoderConfig {
  /** `model_type` of the file, such as "llama". */
  readonly modelType: string;
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Tokens that a conversation may have, prompt and answers together. */
  readonly contextTokens: number;
  readonly tiedEmbedding: boolean;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  /** What begins a text, where the model wants one. */
  readonly bosTokenId: number | undefined;
  /** Each ends an answer; those of `generation_config.json` where it names any. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | undefined;
  /** Whether the weights are random numbers, for measuring alone: the mark that tools/decoder leaves. */
  readonly isRandom: boolean;
}

const COUNT_MAX = 10_000_000;
const count = z.int().min(1).max(COUNT_MAX);
const tokenId = z.int().min(0).max(COUNT_MAX);
const tokenIds = z.union([tokenId, z.array(tokenId).max(1000)]).nullish();

/** Only what is read here; a file has far more keys, which differ by architecture. */
const configSchema = z.looseObject({
  model_type: z.string().min(1).max(100),
  num_hidden_layers: count.max(10_000),
  hidden_size: count,
  num_attention_heads: count.max(100_000),
  num_key_value_heads: count.max(100_000).nullish(),
  head_dim: count.max(100_000).nullish(),
  intermediate_size: count,
  vocab_size: count,
  max_position_embeddings: count,
  tie_word_embeddings: z.boolean().nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: z.looseObject({ rope_theta: z.number().positive().nullish() }).nullish(),
  rms_norm_eps: z.number().positive().nullish(),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
  pad_token_id: tokenIds,
  is_encoder_decoder: z.boolean().nullish(),
  sliding_window: count.nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).max(10_000).nullish(),
  kv_lora_rank: z.int().nullish(),
  coxswain_random_seed: z.number().nullish(),
});

const generationSchema = z.looseObject({ bos_token_id: tokenIds, eos_token_id: tokenIds, pad_token_id: tokenIds });

type ConfigFile = z.infer<typeof configSchema>;

/**
 * Reads the text of `config.json`, and of `generation_config.json` where there is one. `place` is what the messages call the model.
 * Errors: MODEL_UNLOADABLE (not JSON, a key that is missing or cannot be), MODEL_UNSUPPORTED (a cache that is not one of keys and values of all tokens).
 */
export function readDecoderConfig(place: string, configText: string, generationText?: string): DecoderConfig {
  const file = parse(`${place}/config.json`, configText, configSchema);
  const generation = generationText === undefined ? {} : parse(`${place}/generation_config.json`, generationText, generationSchema);
  const unsupported = unsupportedIn(file);
  if (unsupported !== undefined) {
    const message = `${place}/config.json: ${unsupported}. Coxswain runs decoders that keep the keys and values of all tokens; use a model of that kind, such as one of the Llama or Qwen family.`;
    throw new CoxswainError('MODEL_UNSUPPORTED', message);
  }
  const heads = file.num_attention_heads;
  const kvHeads = file.num_key_value_heads ?? heads;
  const headSize = file.head_dim ?? file.hidden_size / heads;
  if (!Number.isInteger(headSize))
    throw unloadable(`${place}/config.json`, `hidden_size ${file.hidden_size} is not a multiple of num_attention_heads ${heads}`);
  if (heads % kvHeads !== 0)
    throw unloadable(`${place}/config.json`, `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  const eosTokenIds = listOf(generation.eos_token_id ?? file.eos_token_id);
  const outside = eosTokenIds.find((id) => id >= file.vocab_size);
  if (outside !== undefined) throw unloadable(`${place}/config.json`, `eos_token_id ${outside} is not below vocab_size ${file.vocab_size}`);
  return {
    modelType: file.model_type,
    layers: file.num_hidden_layers,
    hidden: file.hidden_size,
    heads,
    kvHeads,
    headSize,
    intermediate: file.intermediate_size,
    vocabulary: file.vocab_size,
    contextTokens: file.max_position_embeddings,
    tiedEmbedding: file.tie_word_embeddings ?? false,
    ropeTheta: file.rope_theta ?? file.rope_parameters?.rope_theta ?? 10_000,
    normEpsilon: file.rms_norm_eps ?? 1e-6,
    bosTokenId: listOf(generation.bos_token_id ?? file.bos_token_id)[0],
    eosTokenIds,
    padTokenId: listOf(generation.pad_token_id ?? file.pad_token_id)[0],
    isRandom: typeof file.coxswain_random_seed === 'number',
  };
}

/** Why the cache of this model is not the one we keep; undefined when it is. */
function unsupportedIn(file: ConfigFile): string | undefined {
  if (file.is_encoder_decoder === true) return 'is_encoder_decoder is true, so it is no decoder alone';
  if (typeof file.kv_lora_rank === 'number')
    return `kv_lora_rank is ${file.kv_lora_rank}: its cache is compressed (multi-head latent attention)`;
  const other = file.layer_types?.find((type) => type !== 'full_attention');
  if (other !== undefined) return `layer_types names ${JSON.stringify(other)}; only "full_attention" is possible`;
  const { sliding_window: window, max_position_embeddings: context } = file;
  // A window as wide as the context never slides.
  if (typeof window === 'number' && file.use_sliding_window !== false && window < context)
    return `sliding_window is ${window}, less than its context of ${context}`;
  return undefined;
}

const listOf = (value: number | readonly number[] | null | undefined): readonly number[] =>
  value === null || value === undefined ? [] : typeof value === 'number' ? [value] : value;

function parse<T>(place: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unloadable(place, 'it is not JSON', cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw unloadable(place, problems.join('; '));
}

const unloadable = (place: string, problem: string, cause?: unknown): CoxswainError =>
  new CoxswainError('MODEL_UNLOADABLE', `${place}: ${problem}. Obtain the model's files again from one place.`, { cause });
