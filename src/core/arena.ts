import { assert } from './assert.ts';
import type { Region } from './region.ts';

/** Offsets and lengths are multiples of this, so that every typed array fits and no two regions share a cache line. */
const ALIGNMENT_BYTES = 64;

interface Span {
  offsetBytes: number;
  byteLength: number;
}

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
  /** Sorted by offset, never adjacent. */
  readonly #free: Span[];
  #regionCount = 0;
  #usedBytes = 0;
  #usedBytesMax = 0;

  constructor(byteLength: number) {
    this.byteLength = byteLength - (byteLength % ALIGNMENT_BYTES);
    this.#free = [{ offsetBytes: 0, byteLength: this.byteLength }];
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
    const free = this.#free;
    let index = 0;
    while (index < free.length && (free[index] as Span).byteLength < roundedBytes) index += 1;
    const span = index < free.length ? free[index] : undefined;
    if (span === undefined) return undefined;
    const offsetBytes = span.offsetBytes;
    span.offsetBytes += roundedBytes;
    span.byteLength -= roundedBytes;
    if (span.byteLength === 0) removeAt(free, index);
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
    const free = this.#free;
    let index = 0;
    while (index < free.length && (free[index] as Span).offsetBytes < offsetBytes) index += 1;
    const previous = index > 0 ? free[index - 1] : undefined;
    const next = index < free.length ? free[index] : undefined;
    const touchesPrevious = previous !== undefined && previous.offsetBytes + previous.byteLength === offsetBytes;
    const touchesNext = next !== undefined && offsetBytes + byteLength === next.offsetBytes;
    if (touchesPrevious) {
      previous.byteLength += byteLength;
      if (!touchesNext) return;
      previous.byteLength += next.byteLength;
      removeAt(free, index);
    } else if (touchesNext) {
      next.offsetBytes = offsetBytes;
      next.byteLength += byteLength;
    } else {
      const span = { offsetBytes, byteLength };
      free.push(span);
      for (let place = free.length - 1; place > index; place -= 1) free[place] = free[place - 1] as Span;
      free[index] = span;
    }
  }
}

const rounded = (byteLength: number): number => Math.ceil(byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

/** As `splice(index, 1)`, which makes an array of what it removed. */
function removeAt(spans: Span[], index: number): void {
  for (let next = index + 1; next < spans.length; next += 1) spans[next - 1] = spans[next] as Span;
  spans.pop();
}
