/** The seeds of a simulation: those given, or the one in COXSWAIN_SEED, to repeat a failure. */
export function seedsToRun(...usual: readonly number[]): readonly (number | string)[] {
  const wanted = process.env.COXSWAIN_SEED;
  return wanted === undefined ? usual : [wanted];
}

/** Runs the body; when it throws, the message says which seed it was and how to run it again. */
export function underSeed<T>(seed: number | string, file: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${message}\nseed ${seed}; repeat: COXSWAIN_SEED=${seed} npx vitest run ${file}`, { cause });
  }
}
