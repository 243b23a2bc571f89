import { CoxswainError } from '../../core/errors.ts';
import type { NumberType } from '../../core/layer-cost.ts';

/** What a decoder-only language model is, as its `config.json` says it. */
export interface LanguageModelShape {
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** hidden / heads when absent. */
  readonly headSize?: number;
  /** Width of the feed-forward network, of one expert where there are several. */
  readonly intermediate: number;
  /** `gated`: three matrices (gate, up, down), as in Llama and Qwen; `plain`: two, as in GPT-J. */
  readonly feedForward?: 'gated' | 'plain';
  readonly vocabulary: number;
  /** Bits of a weight, its share of the scales included: 4.5 for blocks of 32 with a 16-bit scale. */
  readonly bits: number;
  /** Bits of the output head and of the embedding, which many formats keep wider. As `bits` when absent. */
  readonly headBits?: number;
  /** Bits of a number in the KV cache. */
  readonly kvBits: number;
  /** The output head is the embedding: it is stored once. */
  readonly tiedEmbedding?: boolean;
  /** Mixture of experts: how many there are, and how many each token uses. */
  readonly experts?: { readonly count: number; readonly active: number };
}

/** Bits of a working number between the layers. Language models run on fp16 activations, whatever the weights are. */
export const ACTIVATION_BYTES = 2;

/** Every optional field filled in and checked. */
export type CompleteShape = Required<LanguageModelShape>;

/** CONFIG_INVALID names the field that cannot be. */
export function completeShape(shape: LanguageModelShape): CompleteShape {
  const complete: CompleteShape = {
    headSize: shape.hidden / shape.heads,
    feedForward: 'gated',
    headBits: shape.bits,
    tiedEmbedding: false,
    experts: { count: 1, active: 1 },
    ...shape,
  };
  const counts = ['layers', 'hidden', 'heads', 'kvHeads', 'headSize', 'intermediate', 'vocabulary'] as const;
  for (const field of counts) requireCount(field, complete[field]);
  requireCount('experts.count', complete.experts.count);
  requireCount('experts.active', complete.experts.active);
  for (const field of ['bits', 'headBits', 'kvBits'] as const) requireBits(field, complete[field]);
  if (complete.heads % complete.kvHeads !== 0) throw invalid(`heads ${complete.heads} is not a multiple of kvHeads ${complete.kvHeads}`);
  if (complete.experts.active > complete.experts.count)
    throw invalid(`experts.active ${complete.experts.active} exceeds experts.count ${complete.experts.count}`);
  return complete;
}

/** The largest models published stay below in every field; beyond, sums would lose their last digits. */
const COUNT_MAX = 10_000_000;

export function requireCount(field: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least || value > COUNT_MAX)
    throw invalid(`${field} is ${value}; a whole number from ${least} to ${COUNT_MAX} is needed`);
}

function requireBits(field: string, value: number): void {
  if (!(value >= 1 && value <= 32)) throw invalid(`${field} is ${value}; 1 to 32 bits are possible`);
}

const invalid = (problem: string): CoxswainError => new CoxswainError('CONFIG_INVALID', `language model shape: ${problem}`);

/** Parameters by what they are for. */
export interface ParameterCounts {
  /** Rows looked up, one per token: only that row is read. */
  readonly embedding: number;
  readonly attentionPerLayer: number;
  /** Of one expert. */
  readonly feedForwardPerExpert: number;
  /** Router and the two norms. */
  readonly otherPerLayer: number;
  readonly finalNorm: number;
  /** Multiplied for every token that is sampled, whether tied to the embedding or not. */
  readonly head: number;
  /** Tied weights counted once. Biases, a thousandth at most, are left out. */
  readonly total: number;
  /** Of those, what one token multiplies or looks at: less than `total` with experts. */
  readonly active: number;
}

export function parameterCounts(shape: CompleteShape): ParameterCounts {
  const { layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, experts } = shape;
  const attentionPerLayer = hidden * headSize * (2 * heads + 2 * kvHeads);
  const feedForwardPerExpert = (shape.feedForward === 'gated' ? 3 : 2) * hidden * intermediate;
  const otherPerLayer = 2 * hidden + (experts.count > 1 ? hidden * experts.count : 0);
  const embedding = vocabulary * hidden;
  const shared = layers * (attentionPerLayer + otherPerLayer) + hidden;
  const tables = embedding * (shape.tiedEmbedding ? 1 : 2);
  return {
    embedding,
    attentionPerLayer,
    feedForwardPerExpert,
    otherPerLayer,
    finalNorm: hidden,
    head: embedding,
    total: shared + layers * experts.count * feedForwardPerExpert + tables,
    active: shared + layers * experts.active * feedForwardPerExpert + tables,
  };
}

/**
 * The type that a core multiplies weights of so many bits in. Formats near 4 bits (4.25 to 5 with their scales) go through int4 units where there are any,
 * those of 5 to 9 bits are widened to int8.
 */
export function multipliedAs(bits: number): NumberType {
  if (bits <= 5) return 'int4';
  if (bits <= 9) return 'int8';
  return bits <= 16 ? 'fp16' : 'fp32';
}
