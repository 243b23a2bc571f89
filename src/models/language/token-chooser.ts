import type { SpokenToken } from '../../core/turn-task.ts';

/** Chooses the tokens of one answer, one after the other: a sampler, with its constraints, that lives as long as the turn. */
export interface TokenChooser {
  /** `logits`: one finite number for each token of the vocabulary, the caller's again after the call; they may be changed meanwhile. */
  choose(logits: Float32Array): SpokenToken;
  /** Whether the answer is over with the token chosen last, though that is none that ends it. */
  readonly isOver?: boolean;
}

/** The likeliest token, of equals the one with the smallest number. */
export const greedyChooser: TokenChooser = {
  choose(logits) {
    let best = 0;
    let highest = logits[0] ?? Number.NEGATIVE_INFINITY;
    for (let id = 1; id < logits.length; id += 1) {
      const logit = logits[id] as number;
      if (logit > highest) {
        highest = logit;
        best = id;
      }
    }
    return { id: best };
  },
};
