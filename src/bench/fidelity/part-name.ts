/** A profile as far as names of parts go. */
export interface NamedProfile {
  readonly id: string;
  readonly knownAs: readonly string[];
}

const wordsOf = (name: string): readonly string[] => name.toLowerCase().match(/[a-z0-9.]+/g) ?? [];

/** Words of `part` that one of the profile's names consists of, in a row: `RK3588` is in `RK3588_single_core`, `Hailo-8` is not in `Hailo-8L`. 0: none is. */
function matchLength(part: string, { id, knownAs }: NamedProfile): number {
  const words = wordsOf(part);
  const lengths = [id, ...knownAs].map((name) => {
    const wanted = wordsOf(name);
    const isThere = wanted.length > 0 && words.some((_, from) => wanted.every((word, index) => words[from + index] === word));
    return isThere ? wanted.length : 0;
  });
  return Math.max(...lengths);
}

/** The profile whose name for the part is the longest; undefined when none knows it. */
export function profileOfPart<T extends NamedProfile>(part: string, profiles: readonly T[]): T | undefined {
  let best: T | undefined;
  let longest = 0;
  for (const profile of profiles) {
    const length = matchLength(part, profile);
    if (length > longest) [best, longest] = [profile, length];
  }
  return best;
}
