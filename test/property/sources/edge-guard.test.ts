import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createEdgeGuard } from '../../../src/sources/edge-guard.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';

it('lets only fresh frames in strict order pass, answers every frame once, and frees exactly the refused', () => {
  const step = fc.record({
    sequence: fc.integer({ min: -2, max: 30 }),
    ageUs: fc.integer({ min: -100_000, max: 200_000 }),
    passUs: fc.nat(20_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new SimClock(instantUs(1_000_000));
      const memory = new CountedFrameMemory();
      const guard = createEdgeGuard({ staleAfterUs: durationUs(100_000), bytesMax: 100 }, { clock, memory });
      const passed: { sequence: number; capturedAt: number }[] = [];
      for (const { sequence, ageUs, passUs } of steps) {
        clock.runFor(durationUs(passUs));
        const region = memory.allocate(12);
        if (region === undefined) return;
        const capturedAt = instantUs(clock.now() - ageUs);
        const event = guard.admit({
          kind: 'frame',
          frame: { source: 'x', sequence, capturedAt, payload: { kind: 'image', region, width: 2, height: 2 } },
        });
        expect(memory.claims(region)).toBe(event.kind === 'frame' ? 1 : 0);
        if (event.kind !== 'frame') continue;
        expect(ageUs).toBeLessThanOrEqual(100_000);
        passed.push({ sequence, capturedAt });
      }
      for (const [index, { sequence, capturedAt }] of passed.entries()) {
        const before = passed[index - 1];
        if (before === undefined) continue;
        expect(sequence).toBeGreaterThan(before.sequence);
        expect(capturedAt).toBeGreaterThanOrEqual(before.capturedAt);
      }
      const refused = Object.values(guard.counts).reduce((sum, count) => sum + count, 0);
      expect(refused + passed.length).toBe(steps.length);
    }),
  );
});
