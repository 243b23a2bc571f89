/**
 * What is wrong with a network of so many billion multiply-accumulates and million parameters; undefined when nothing is. Every parameter that a run reads is
 * multiplied once at least, so there cannot be more of them; rows of a table that are looked up are read one by one.
 */
export function networkSizeProblem({ gmac, paramsM }: { readonly gmac: number; readonly paramsM: number }): string | undefined {
  // Free of what decimal fractions leave behind.
  const most = Number((gmac * 1000).toPrecision(12));
  if (paramsM <= most) return undefined;
  return `got ${paramsM} million with ${gmac} billion multiply-accumulates; allowed are ${most} million at most, since a run multiplies each parameter that it reads at least once; give the multiply-accumulates of a whole run, and of a table only the rows that it reads`;
}
