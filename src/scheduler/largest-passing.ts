/** The largest whole number from `low` to below `beyond` that passes, by bisection: `low` passes, and none passes above one that does not. */
export function largestPassing(low: number, beyond: number, passes: (candidate: number) => boolean): number {
  let good = low;
  let bad = beyond;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (passes(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
