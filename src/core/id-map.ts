/** No key is negative, so this is none. */
const FREE = -1;

/** 2^32 divided by the golden ratio: neighbouring keys, and multiples of any size, land far apart (Knuth, TAOCP 3, 6.4). */
const SPREAD = 0x9e3779b1;

const CAPACITY_MIN = 16;

/**
 * Things by a whole number that is not negative, such as jobs by their id: for tables in which everything stays only for a while. A Map would do, but it is
 * built anew after as many deletions as it has places, and each table it leaves behind points to the next, so that they outlive the young generation of the
 * garbage collector one after the other. This one is an open table with linear probing and no tombstones: it allocates only when it has to grow.
 */
export class IdMap<T> {
  #keys: number[] = [];
  #values: (T | undefined)[] = [];
  #shift = 0;
  #size = 0;

  constructor() {
    this.#clear(CAPACITY_MIN);
  }

  get size(): number {
    return this.#size;
  }

  get(key: number): T | undefined {
    return this.#values[this.#placeOf(key)];
  }

  /** False, and nothing changed, when the key is taken. */
  add(key: number, value: T): boolean {
    const place = this.#placeOf(key);
    if (this.#keys[place] === key) return false;
    this.#keys[place] = key;
    this.#values[place] = value;
    this.#size += 1;
    if (2 * this.#size > this.#keys.length) this.#grow();
    return true;
  }

  /** What was there. */
  remove(key: number): T | undefined {
    const place = this.#placeOf(key);
    if (this.#keys[place] === FREE) return undefined;
    const value = this.#values[place];
    this.#size -= 1;
    this.#close(place);
    return value;
  }

  /** In no order that means anything, though the same after the same calls. */
  values(): T[] {
    return this.#values.filter((_, place) => this.#keys[place] !== FREE) as T[];
  }

  /** Where the key is, or where it would go. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let place = Math.imul(key, SPREAD) >>> this.#shift;
    while (keys[place] !== key && keys[place] !== FREE) place = (place + 1) & mask;
    return place;
  }

  /** Moves up whatever would not be found any more from where it belongs. */
  #close(place: number): void {
    const keys = this.#keys;
    const values = this.#values;
    const mask = keys.length - 1;
    let hole = place;
    for (let next = (hole + 1) & mask; keys[next] !== FREE; next = (next + 1) & mask) {
      const key = keys[next] as number;
      const home = Math.imul(key, SPREAD) >>> this.#shift;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      keys[hole] = key;
      values[hole] = values[next];
      hole = next;
    }
    keys[hole] = FREE;
    values[hole] = undefined;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#clear(keys.length * 2);
    for (const [place, key] of keys.entries()) {
      if (key === FREE) continue;
      const to = this.#placeOf(key);
      this.#keys[to] = key;
      this.#values[to] = values[place];
    }
  }

  #clear(capacity: number): void {
    this.#keys = new Array<number>(capacity).fill(FREE);
    this.#values = new Array<T | undefined>(capacity).fill(undefined);
    this.#shift = 32 - Math.log2(capacity);
  }
}
