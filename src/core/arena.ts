import { assert } from './assert.ts';
import type { Region } from './region.ts';

/** Offsets and lengths are multiples of this, so that every typed array fits and no two regions share a cache line. */
const ALIGNMENT_BYTES = 64;

/** A region with the claims on it, of which none is left once it has been given back. */
class Block implements Region {
  readonly offsetBytes: number;
  readonly byteLength: number;
  #claims = 1;

  constructor(offsetBytes: number, byteLength: number) {
    this.offsetBytes = offsetBytes;
    this.byteLength = byteLength;
  }

  get isLive(): boolean {
    return this.#claims > 0;
  }

  claim(): void {
    this.#claims += 1;
  }

  unclaim(): void {
    this.#claims -= 1;
  }
}

/**
 * Hands out regions of a fixed stretch of shared memory: first fit, neighbours joined on release, so that any mixture of sizes finds its place again.
 * It knows addresses only; the bytes belong to whoever maps them. A region lives while somebody holds a claim on it: `allocate` gives the first
 * claim, `retain` one more, `release` takes one back.
 */
export class Arena {
  readonly byteLength: number;
  /** Where free stretches begin, ascending, never adjacent, and how long each of them is. */
  readonly #freeOffsets: number[];
  readonly #freeLengths: number[];
  #regionCount = 0;
  #usedBytes = 0;
  #usedBytesMax = 0;

  constructor(byteLength: number) {
    this.byteLength = byteLength - (byteLength % ALIGNMENT_BYTES);
    this.#freeOffsets = [0];
    this.#freeLengths = [this.byteLength];
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get usedBytesMax(): number {
    return this.#usedBytesMax;
  }

  get regionCount(): number {
    return this.#regionCount;
  }

  /** Undefined when no free stretch is long enough. The contents are whatever was there before. */
  allocate(byteLength: number): Region | undefined {
    assert(Number.isInteger(byteLength) && byteLength > 0, 'a region has a positive whole number of bytes');
    const roundedBytes = rounded(byteLength);
    const [offsets, lengths] = [this.#freeOffsets, this.#freeLengths];
    let index = 0;
    while (index < lengths.length && (lengths[index] as number) < roundedBytes) index += 1;
    if (index === lengths.length) return undefined;
    const offsetBytes = offsets[index] as number;
    offsets[index] = offsetBytes + roundedBytes;
    lengths[index] = (lengths[index] as number) - roundedBytes;
    if (lengths[index] === 0) this.#removeFree(index);
    this.#regionCount += 1;
    this.#usedBytes += roundedBytes;
    if (this.#usedBytes > this.#usedBytesMax) this.#usedBytesMax = this.#usedBytes;
    return new Block(offsetBytes, byteLength);
  }

  /** One more claim on a region that this arena handed out: the object itself, not another with the same address. */
  retain(region: Region): void {
    assert(region instanceof Block && region.isLive, 'only a live region is retained');
    region.claim();
  }

  release(region: Region): void {
    assert(region instanceof Block && region.isLive, 'a region is released once per claim');
    region.unclaim();
    if (region.isLive) return;
    const byteLength = rounded(region.byteLength);
    this.#regionCount -= 1;
    this.#usedBytes -= byteLength;
    this.#giveBack(region.offsetBytes, byteLength);
  }

  /** To the neighbours that it touches; a span of its own only where it touches none. */
  #giveBack(offsetBytes: number, byteLength: number): void {
    const [offsets, lengths] = [this.#freeOffsets, this.#freeLengths];
    let index = 0;
    while (index < offsets.length && (offsets[index] as number) < offsetBytes) index += 1;
    const endBytes = offsetBytes + byteLength;
    const touchesPrevious = index > 0 && (offsets[index - 1] as number) + (lengths[index - 1] as number) === offsetBytes;
    const touchesNext = index < offsets.length && endBytes === offsets[index];
    if (touchesPrevious) {
      lengths[index - 1] = (lengths[index - 1] as number) + byteLength;
      if (!touchesNext) return;
      lengths[index - 1] = (lengths[index - 1] as number) + (lengths[index] as number);
      this.#removeFree(index);
    } else if (touchesNext) {
      offsets[index] = offsetBytes;
      lengths[index] = (lengths[index] as number) + byteLength;
    } else this.#insertFree(index, offsetBytes, byteLength);
  }

  #insertFree(index: number, offsetBytes: number, byteLength: number): void {
    const [offsets, lengths] = [this.#freeOffsets, this.#freeLengths];
    offsets.push(0);
    lengths.push(0);
    for (let place = offsets.length - 1; place > index; place -= 1) {
      offsets[place] = offsets[place - 1] as number;
      lengths[place] = lengths[place - 1] as number;
    }
    offsets[index] = offsetBytes;
    lengths[index] = byteLength;
  }

  #removeFree(index: number): void {
    const [offsets, lengths] = [this.#freeOffsets, this.#freeLengths];
    for (let place = index + 1; place < offsets.length; place += 1) {
      offsets[place - 1] = offsets[place] as number;
      lengths[place - 1] = lengths[place] as number;
    }
    offsets.pop();
    lengths.pop();
  }
}

const rounded = (byteLength: number): number => Math.ceil(byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
