/** Longer words are not compared: the work grows with the square of the length, and nobody mistypes a key that long. */
const LENGTH_MAX = 64;

/**
 * The candidate that `word` was most likely meant to be, or undefined when none is near: at most one edit in three letters, or one is the beginning of
 * the other (`deadline` for `deadlineMs`). Upper and lower case count as equal. Of equally near candidates the first is taken.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > LENGTH_MAX) return undefined;
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const meant = candidate.toLowerCase();
    if (meant.length > LENGTH_MAX) continue;
    const limit = Math.max(1, Math.floor(Math.max(typed.length, meant.length) / 3));
    const edits = editDistance(typed, meant);
    const isBeginning = typed.length >= 3 && meant.length >= 3 && (meant.startsWith(typed) || typed.startsWith(meant));
    const distance = isBeginning ? Math.min(edits, limit) : edits;
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, each one edit. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let edits = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
