/**
 * A seeded generator whose streams can be forked by label, so that adding a consumer never shifts the numbers of the others.
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded through FNV-1a of seed and label; not for cryptography.
 */
export class Prng {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number | string) {
    this.#seed = String(seed);
    this.#a = fnv1a(this.#seed, 0x811c9dc5);
    this.#b = fnv1a(this.#seed, this.#a);
    this.#c = fnv1a(this.#seed, this.#b);
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** An independent generator; the same label from the same seed always gives the same numbers, however much was drawn before. */
  fork(label: string): Prng {
    return new Prng(`${this.#seed}/${label}`);
  }

  /** Uniform over 0 .. 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** Uniform over [0, 1). */
  ratio(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number, uniform over low..high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.ratio() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.ratio() < probability;
  }
}

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash | 0;
}
