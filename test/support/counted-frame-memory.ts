import { assert } from '../../src/core/assert.ts';
import type { Region } from '../../src/core/region.ts';
import type { FrameMemory } from '../../src/sources/source.ts';

/** Frame memory on the heap that counts claims and is as strict as the arena: a release too many, or a use after it, breaks an invariant. */
export class CountedFrameMemory implements FrameMemory {
  /** Allocations fail beyond this. */
  bytesMax: number;
  readonly #blocks = new Map<Region, { claims: number; readonly bytes: Uint8Array }>();
  #nextOffset = 0;

  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.bytesMax = bytesMax;
  }

  get liveBytes(): number {
    return [...this.#blocks.keys()].reduce((sum, region) => sum + region.byteLength, 0);
  }

  get liveRegions(): number {
    return this.#blocks.size;
  }

  claims(region: Region): number {
    return this.#blocks.get(region)?.claims ?? 0;
  }

  allocate(byteLength: number): Region | undefined {
    if (this.liveBytes + byteLength > this.bytesMax) return undefined;
    const region: Region = { offsetBytes: this.#nextOffset, byteLength };
    this.#nextOffset += Math.ceil(byteLength / 64) * 64;
    this.#blocks.set(region, { claims: 1, bytes: new Uint8Array(byteLength) });
    return region;
  }

  retain(region: Region): void {
    this.#block(region).claims += 1;
  }

  release(region: Region): void {
    const block = this.#block(region);
    block.claims -= 1;
    if (block.claims === 0) this.#blocks.delete(region);
  }

  bytes(region: Region): Uint8Array {
    return this.#block(region).bytes;
  }

  #block(region: Region) {
    const block = this.#blocks.get(region);
    assert(block !== undefined, 'a region is used only while it is claimed');
    return block;
  }
}
