/** Counts by reason; only reasons that occurred are listed. */
export type CountsBy<Reason extends string> = string extends Reason
  ? Readonly<Record<string, number>>
  : Readonly<Partial<Record<Reason, number>>>;

/** A counter per reason. Reasons come from a fixed list of ours or from a caller that bounds them. */
export class Tally<Reason extends string> {
  /** None before the second reason: of ten thousand streams each has a few of these, and most are never asked for. */
  #counts: Map<Reason, number> | undefined;
  /** Of the latest reason, of which there are mostly more to come; not among the counts. */
  #latest: Reason | undefined;
  #latestCount = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get size(): number {
    return this.#settled().size;
  }

  has(reason: Reason): boolean {
    return this.#settled().has(reason);
  }

  add(reason: Reason, count = 1): void {
    if (reason !== this.#latest) {
      if (this.#latest !== undefined) this.#settled();
      this.#latest = reason;
    }
    this.#latestCount += count;
    this.#total += count;
  }

  /** In the order of first occurrence. The object has no prototype, so a label such as `__proto__` is a plain key. */
  counts(): CountsBy<Reason> {
    const counts: Record<string, number> = Object.create(null);
    for (const [reason, count] of this.#settled()) counts[reason] = count;
    return counts as CountsBy<Reason>;
  }

  /** With the latest among them. */
  #settled(): Map<Reason, number> {
    this.#counts ??= new Map();
    if (this.#latest !== undefined) this.#counts.set(this.#latest, (this.#counts.get(this.#latest) ?? 0) + this.#latestCount);
    this.#latest = undefined;
    this.#latestCount = 0;
    return this.#counts;
  }
}
