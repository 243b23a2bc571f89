/** Counts by reason; only reasons that occurred are listed. */
export type CountsBy<Reason extends string> = string extends Reason
  ? Readonly<Record<string, number>>
  : Readonly<Partial<Record<Reason, number>>>;

/** A counter per reason. Reasons come from a fixed list of ours or from a caller that bounds them. */
export class Tally<Reason extends string> {
  readonly #counts = new Map<Reason, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get size(): number {
    return this.#counts.size;
  }

  has(reason: Reason): boolean {
    return this.#counts.has(reason);
  }

  add(reason: Reason, count = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
    this.#total += count;
  }

  /** In the order of first occurrence. The object has no prototype, so a label such as `__proto__` is a plain key. */
  counts(): CountsBy<Reason> {
    const counts: Record<string, number> = Object.create(null);
    for (const [reason, count] of this.#counts) counts[reason] = count;
    return counts as CountsBy<Reason>;
  }
}
