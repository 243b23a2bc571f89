/**
 * A block of the shared tensor arena. It is an address, not memory: whoever maps the arena (the runtime, a core process, a media worker) sees
 * the same bytes at `offsetBytes`. Offsets are multiples of 64, so every typed array fits and no two blocks share a cache line.
 */
export interface Region {
  readonly offsetBytes: number;
  readonly byteLength: number;
}
