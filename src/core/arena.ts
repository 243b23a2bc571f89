import { assert } from './assert.ts';
import type { Region } from './region.ts';

/** Offsets and lengths are multiples of this, so that every typed array fits and no two regions share a cache line. */
const ALIGNMENT_BYTES = 64;

interface Span {
  offsetBytes: number;
  byteLength: number;
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
  readonly #claims = new Map<number, { readonly byteLength: number; count: number }>();
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
    return this.#claims.size;
  }

  /** Undefined when no free stretch is long enough. The contents are whatever was there before. */
  allocate(byteLength: number): Region | undefined {
    assert(Number.isInteger(byteLength) && byteLength > 0, 'a region has a positive whole number of bytes');
    const roundedBytes = Math.ceil(byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    const index = this.#free.findIndex((span) => span.byteLength >= roundedBytes);
    const span = this.#free[index];
    if (span === undefined) return undefined;
    const offsetBytes = span.offsetBytes;
    span.offsetBytes += roundedBytes;
    span.byteLength -= roundedBytes;
    if (span.byteLength === 0) this.#free.splice(index, 1);
    this.#claims.set(offsetBytes, { byteLength: roundedBytes, count: 1 });
    this.#usedBytes += roundedBytes;
    this.#usedBytesMax = Math.max(this.#usedBytesMax, this.#usedBytes);
    return { offsetBytes, byteLength };
  }

  retain(region: Region): void {
    const claim = this.#claims.get(region.offsetBytes);
    assert(claim !== undefined, 'only a live region is retained');
    claim.count += 1;
  }

  release(region: Region): void {
    const claim = this.#claims.get(region.offsetBytes);
    assert(claim !== undefined, 'a region is released once per claim');
    claim.count -= 1;
    if (claim.count > 0) return;
    this.#claims.delete(region.offsetBytes);
    this.#usedBytes -= claim.byteLength;
    this.#giveBack({ offsetBytes: region.offsetBytes, byteLength: claim.byteLength });
  }

  #giveBack(span: Span): void {
    const free = this.#free;
    const nextIndex = free.findIndex((other) => other.offsetBytes > span.offsetBytes);
    const index = nextIndex === -1 ? free.length : nextIndex;
    const next = free[index];
    if (next !== undefined && span.offsetBytes + span.byteLength === next.offsetBytes) {
      span.byteLength += next.byteLength;
      free.splice(index, 1);
    }
    const previous = free[index - 1];
    if (previous !== undefined && previous.offsetBytes + previous.byteLength === span.offsetBytes) previous.byteLength += span.byteLength;
    else free.splice(index, 0, span);
  }
}
