/**
 * A bound on the work of one analysis, counted in elementary terms (one task in one sum). Every recurrence and every sweep asks it, so that a hostile
 * table gives the verdict `unknown` instead of a hang.
 */
export class WorkBound {
  readonly termsMax: number;
  readonly #whole: WorkBound | undefined;
  #terms = 0;

  /** @param whole of which this is a part: what is spent here is spent there as well */
  constructor(termsMax: number, whole?: WorkBound) {
    this.termsMax = termsMax;
    this.#whole = whole;
  }

  /** An equal share of what is left, where so many are to have one. */
  shareOf(count: number): WorkBound {
    return new WorkBound(Math.max(0, Math.floor((this.termsMax - this.#terms) / count)), this);
  }

  get terms(): number {
    return this.#terms;
  }

  get isSpent(): boolean {
    return this.#terms >= this.termsMax;
  }

  /** False when the work may not be done any more. */
  spend(terms: number): boolean {
    if (this.isSpent) return false;
    this.#terms += terms;
    if (this.#whole !== undefined) this.#whole.#terms += terms;
    return true;
  }
}

/** About three seconds of one slow core: a term of a recurrence took 3 to 5 ns; an instant of a sweep counts as many terms. */
export const TERMS_MAX = 800_000_000;
