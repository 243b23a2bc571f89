import type { SamplingOptions } from './sampling-options.ts';

/** Knows which tokens were there before, and makes them less likely. */
export interface Penalties {
  /** Whether there is anything to do at all. */
  readonly isActive: boolean;
  /** Counts a token of the prompt or of the answer. */
  note(id: number, isAnswer: boolean): void;
  /** Changes `logits` in place. */
  apply(logits: Float32Array): void;
}

/**
 * The repetition penalty is that of CTRL (Keskar et al. 2019) as transformers and llama.cpp apply it, over prompt and answer; frequency and presence penalties are
 * the OpenAI API's, over the answer. `size` is that of the vocabulary. Takes time by the number of different tokens seen.
 */
export function createPenalties(options: SamplingOptions, size: number): Penalties {
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = options;
  const isActive = repetitionPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
  const seen: number[] = [];
  const isSeen = new Uint8Array(isActive ? size : 0);
  const answerCounts = new Uint32Array(isActive ? size : 0);
  return {
    isActive,
    note: (id, isAnswer) => {
      if (!isActive || id < 0 || id >= size) return;
      if (isSeen[id] === 0) seen.push(id);
      isSeen[id] = 1;
      if (isAnswer) answerCounts[id] = (answerCounts[id] ?? 0) + 1;
    },
    apply: (logits) => {
      for (const id of seen) {
        const logit = logits[id];
        if (logit === undefined) continue;
        const repeated = logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty;
        const count = answerCounts[id] ?? 0;
        logits[id] = count === 0 ? repeated : repeated - frequencyPenalty * count - presencePenalty;
      }
    },
  };
}
