import { CoxswainError } from '../../core/errors.ts';
import { Prng } from '../../core/prng.ts';
import type { AllowedTokens } from './allowed-tokens.ts';
import { createCandidates } from './candidates.ts';
import { createPenalties } from './penalties.ts';
import type { SamplingOptions } from './sampling-options.ts';

/** A token and its natural log-probability by the model itself: before penalties, temperature, filters and constraint. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

export type Choice =
  | {
      readonly kind: 'token';
      readonly id: number;
      /** Of the chosen token; only when asked for. */
      readonly logprob?: number;
      /** The likeliest tokens, best first; only when asked for. */
      readonly top?: readonly TokenLogprob[];
    }
  /** `non-finite`: a logit is NaN or +Infinity. `none-allowed`: every token that is allowed has -Infinity. */
  | { readonly kind: 'error'; readonly reason: 'non-finite' | 'none-allowed'; readonly message: string };

export interface Sampler {
  /** Counts a token of the prompt, or one of the answer, for the penalties. */
  note(id: number, isAnswer: boolean): void;
  /** Chooses from `logits` (one per token id, finite or -Infinity; not changed) among the allowed tokens, or all. */
  choose(logits: Float32Array, allowed?: AllowedTokens): Choice;
}

/** Beyond this many, the k best are found as the nucleus is. */
const HEAP_MAX = 2_048;

/**
 * Makes the sampler of one answer. `size` is that of the vocabulary; logits past it (padding of the model's last layer) are never chosen.
 * In order, as Hugging Face's transformers has it: constraint; repetition, frequency and presence penalty; temperature; top-k; top-p of what top-k left; min-p.
 * (llama.cpp by default puts temperature last.) Temperature 0 takes the likeliest token, the lowest id of equal ones, and leaves the filters out.
 * Errors: MODEL_CONTRACT when there are fewer logits than tokens.
 */
export function createSampler(options: SamplingOptions, size: number): Sampler {
  const prng = new Prng(options.seed).fork('sampler');
  const penalties = createPenalties(options, size);
  const candidates = createCandidates(size);
  const scratch = new Float32Array(size);
  const inverseTemperature = options.temperature === 0 ? 1 : 1 / options.temperature;
  const { topK, topP, minP } = options;

  /** Fills `candidates.order` and `.weights`; answers how many are left. */
  const select = (scores: Float32Array, count: number): number => {
    const isFewest = topK > 0 && topK < count;
    if (!isFewest || topK > HEAP_MAX) {
      const left = candidates.selectTopP(scores, count, inverseTemperature, isFewest ? 1 : topP);
      if (!isFewest) return left;
      const best = candidates.order.subarray(0, left).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      return nucleusOf(scores, Math.min(best.length, topK));
    }
    return nucleusOf(scores, candidates.selectTopK(scores, count, topK));
  };

  /** Weighs the places in `order`, best first, and cuts them at top-p. */
  const nucleusOf = (scores: Float32Array, count: number): number => {
    const { order, weights } = candidates;
    const top = scores[order[0] ?? 0] ?? 0;
    let total = 0;
    for (let index = 0; index < count; index += 1) {
      const weight = Math.exp(((scores[order[index] as number] as number) - top) * inverseTemperature);
      weights[index] = weight;
      total += weight;
    }
    let mass = 0;
    for (let index = 0; index < count; index += 1) {
      mass += weights[index] as number;
      if (mass >= topP * total) return index + 1;
    }
    return count;
  };

  const draw = (count: number): number => {
    const { order, weights } = candidates;
    let total = 0;
    // The best weight is 1, so min-p is a bound on weights, wherever in the order it comes.
    for (let index = 0; index < count; index += 1) if ((weights[index] as number) >= minP) total += weights[index] as number;
    let left = prng.ratio() * total;
    let place = -1;
    for (let index = 0; index < count; index += 1) {
      const weight = weights[index] as number;
      if (weight < minP || weight === 0) continue;
      place = order[index] as number;
      left -= weight;
      if (left < 0) break;
    }
    return place;
  };

  return {
    note: penalties.note,
    choose: (logits, allowed) => {
      if (logits.length < size) {
        const message = `the model gives ${logits.length} logits, its tokenizer has ${size} tokens. Use files that belong to one model.`;
        throw new CoxswainError('MODEL_CONTRACT', message);
      }
      const flaw = findNonFinite(logits);
      if (flaw >= 0) return { kind: 'error', reason: 'non-finite', message: `the logit of token ${flaw} is ${logits[flaw]}` };
      const ids = allowed?.ids;
      const scores = gather(logits, size, allowed, scratch, penalties.isActive ? penalties.apply : undefined);
      const count = ids?.length ?? size;
      const place = options.temperature === 0 ? candidates.best(scores, count) : draw(select(scores, count));
      if (place < 0) return { kind: 'error', reason: 'none-allowed', message: 'every token that is allowed has a logit of -Infinity' };
      const id = ids === undefined ? place : (ids[place] ?? 0);
      return options.logprobs === undefined
        ? { kind: 'token', id }
        : { kind: 'token', id, ...logprobsOf(logits, size, id, options.logprobs) };
    },
  };
}

/** The id of the first logit that is NaN or +Infinity, or -1. */
function findNonFinite(logits: Float32Array): number {
  for (let id = 0; id < logits.length; id += 1) if (!((logits[id] as number) < Number.POSITIVE_INFINITY)) return id;
  return -1;
}

/** Scores of the allowed tokens: one for each of `allowed.ids`, or one for each id with -Infinity where it is not allowed. */
function gather(
  logits: Float32Array,
  size: number,
  allowed: AllowedTokens | undefined,
  scratch: Float32Array,
  penalize: ((logits: Float32Array) => void) | undefined,
): Float32Array {
  if (allowed === undefined && penalize === undefined) return logits;
  if (allowed?.ids !== undefined && penalize === undefined) {
    const { ids } = allowed;
    for (let at = 0; at < ids.length; at += 1) scratch[at] = logits[ids[at] as number] as number;
    return scratch;
  }
  scratch.set(logits.length === size ? logits : logits.subarray(0, size));
  penalize?.(scratch);
  if (allowed === undefined) return scratch;
  const { bits, ids } = allowed;
  if (ids !== undefined) {
    // Ids ascend and are never below their place, so nothing is read after it was written over.
    for (let at = 0; at < ids.length; at += 1) scratch[at] = scratch[ids[at] as number] as number;
    return scratch;
  }
  for (let index = 0; bits !== undefined && index < bits.length; index += 1) {
    const word = bits[index] as number;
    if (word === 0xffffffff) continue;
    const end = Math.min(size, index * 32 + 32);
    for (let id = index * 32; id < end; id += 1) if (((word >>> (id & 31)) & 1) === 0) scratch[id] = Number.NEGATIVE_INFINITY;
  }
  return scratch;
}

function logprobsOf(logits: Float32Array, size: number, id: number, topCount: number): { logprob: number; top: TokenLogprob[] } {
  let best = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < size; at += 1) if ((logits[at] as number) > best) best = logits[at] as number;
  let total = 0;
  for (let at = 0; at < size; at += 1) total += Math.exp((logits[at] as number) - best);
  const norm = best + Math.log(total);
  const top: TokenLogprob[] = [];
  for (let at = 0; at < size && topCount > 0; at += 1) {
    const logit = logits[at] as number;
    if (top.length === topCount && !(logit - norm > (top[topCount - 1]?.logprob ?? 0))) continue;
    let place = top.length;
    while (place > 0 && (top[place - 1]?.logprob ?? 0) < logit - norm) place -= 1;
    top.splice(place, 0, { id: at, logprob: logit - norm });
    if (top.length > topCount) top.pop();
  }
  return { logprob: (logits[id] as number) - norm, top };
}
