/** The seeds of a simulation: those given; COXSWAIN_SEEDS=n adds as many more, COXSWAIN_SEED=s runs that one alone, to repeat a failure. */
export function seedsToRun(...usual: readonly number[]): readonly (number | string)[] {
  const wanted = process.env.COXSWAIN_SEED;
  if (wanted !== undefined) return [wanted];
  const more = Number(process.env.COXSWAIN_SEEDS ?? 0);
  return [...usual, ...Array.from({ length: more }, (_, index) => 1_000 + index)];
}

/** Runs the body; when it throws, the message says which seed it was and how to run it again. */
export function underSeed<T>(seed: number | string, file: string, body: () => T): T {
  const explain = (cause: unknown): never => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${message}\nseed ${seed}; repeat: COXSWAIN_SEED=${seed} npx vitest run ${file}`, { cause });
  };
  try {
    const result = body();
    return result instanceof Promise ? (result.catch(explain) as T) : result;
  } catch (cause) {
    return explain(cause);
  }
}
