/**
 * A bound on the work of one analysis, counted in elementary terms (one task in one sum). Every recurrence and every sweep asks it, so that a hostile
 * table gives the verdict `unknown` instead of a hang.
 */
export class WorkBound {
  readonly termsMax: number;
  #terms = 0;

  constructor(termsMax: number) {
    this.termsMax = termsMax;
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
    return true;
  }
}

/** About three seconds of one slow core: a term of a recurrence took 3 to 5 ns; an instant of a sweep counts as many terms. */
export const TERMS_MAX = 800_000_000;
