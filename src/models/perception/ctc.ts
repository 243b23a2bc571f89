/** What a greedy reading found; `score` is the mean probability of the characters kept, 0 when there are none. */
export interface Reading {
  readonly text: string;
  readonly score: number;
}

/**
 * Greedy decoding of connectionist temporal classification (Graves et al., 2006): the best class of each step, repeats joined, blanks dropped.
 * `probabilities` is `steps x classes`; class 0 is the blank and class i > 0 reads as `characters[i - 1]`. The lowest of equal classes wins.
 */
export function readCtc(probabilities: Float32Array, classes: number, characters: readonly string[]): Reading {
  const steps = Math.floor(probabilities.length / classes);
  let text = '';
  let count = 0;
  let total = 0;
  let previous = 0;
  for (let step = 0; step < steps; step += 1) {
    const start = step * classes;
    let best = start;
    let bestValue = probabilities[start] as number;
    for (let at = start + 1, end = start + classes; at < end; at += 1) {
      const value = probabilities[at] as number;
      if (value > bestValue) {
        bestValue = value;
        best = at;
      }
    }
    const index = best - start;
    if (index !== 0 && index !== previous) {
      text += characters[index - 1] ?? '';
      total += bestValue;
      count += 1;
    }
    previous = index;
  }
  return { text, score: count === 0 ? 0 : total / count };
}
