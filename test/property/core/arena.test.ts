import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/arena.ts';
import type { Region } from '../../../src/core/region.ts';

const ARENA_BYTES = 64 * 200;

/** Each step allocates (size > 0), or retains or releases the live claim at an index. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('allocate' as const), size: fc.integer({ min: 1, max: 2_000 }) }),
    fc.record({ kind: fc.constant('retain' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }),
  ),
  { maxLength: 200 },
);

describe('Arena', () => {
  it('never overlaps live regions, keeps its account, and is whole again when all is released', () => {
    fc.assert(
      fc.property(steps, (program) => {
        const arena = new Arena(ARENA_BYTES);
        const claims: Region[] = [];
        for (const step of program) {
          if (step.kind === 'allocate') {
            const region = arena.allocate(step.size);
            if (region !== undefined) claims.push(region);
          } else if (claims.length > 0) {
            const index = step.pick % claims.length;
            const region = claims[index] as Region;
            if (step.kind === 'retain') {
              arena.retain(region);
              claims.push(region);
            } else {
              arena.release(region);
              claims.splice(index, 1);
            }
          }
          const live = [...new Set(claims)].sort((a, b) => a.offsetBytes - b.offsetBytes);
          for (const [index, region] of live.entries()) {
            const end = region.offsetBytes + region.byteLength;
            expect(region.offsetBytes % 64).toBe(0);
            expect(end).toBeLessThanOrEqual(live[index + 1]?.offsetBytes ?? ARENA_BYTES);
          }
          expect(arena.regionCount).toBe(live.length);
        }
        for (const region of claims) arena.release(region);
        expect(arena.usedBytes).toBe(0);
        expect(arena.allocate(ARENA_BYTES)).toBeDefined();
      }),
    );
  });

  it('refuses one byte more than there is, and a second release', () => {
    const arena = new Arena(ARENA_BYTES);
    expect(arena.allocate(ARENA_BYTES + 1)).toBeUndefined();
    const region = arena.allocate(ARENA_BYTES) as Region;
    expect(arena.allocate(1)).toBeUndefined();
    arena.release(region);
    expect(() => arena.release(region)).toThrow(/once per claim/);
  });
});
