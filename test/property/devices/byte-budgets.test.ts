import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import type { Regulation } from '../../../src/devices/sim/byte-budget.ts';
import { compileSegment } from '../../../src/devices/sim/segment-cost.ts';
import { SimChip } from '../../../src/devices/sim/sim-chip.ts';
import { layer, twoCores } from '../../support/soc-profiles.ts';
import { type Ask, bytesOf, computeOf, play } from './sim-rig.ts';

const CORES = 4;
const BUS = 100_000;
const profile = twoCores({ coresPerCluster: CORES });
const RUNS = 60 * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));

const layers = fc.array(fc.record({ computeUs: fc.integer({ min: 0, max: 3_000 }), bytes: fc.integer({ min: 0, max: 60_000_000 }) }), {
  minLength: 1,
  maxLength: 4,
});
const ask = fc.record({
  core: fc.integer({ min: 0, max: CORES - 1 }),
  at: fc.integer({ min: 0, max: 10_000 }),
  width: fc.integer({ min: 1, max: 3 }),
  stream: fc.constantFrom('a', 'b', 'free'),
  layers,
});
const regulations = fc.record({
  periodUs: fc.integer({ min: 100, max: 2_000 }),
  parts: fc.tuple(fc.double({ min: 0.02, max: 2, noNaN: true }), fc.double({ min: 0.02, max: 2, noNaN: true })),
});

const regulationOf = ({ periodUs, parts: [a, b] }: { periodUs: number; parts: [number, number] }): Regulation => ({
  periodUs: durationUs(periodUs),
  bytesByStream: new Map([
    ['a', a * BUS * periodUs],
    ['b', b * BUS * periodUs],
  ]),
});

/** Bytes that each stream moved in each period, by how far every segment had come at every border of periods and not by the budgets' own account. */
function movedByPeriod(asks: readonly Ask[], regulation: Regulation): ReadonlyMap<string, readonly number[]> {
  const clock = new SimClock();
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error('a profile has a mode');
  const chip = new SimChip({ profile, mode, regulation }, { clock });
  const moved = new Map<string, number[]>();
  const under = new Map<number, { readonly ask: Ask; seen: number }>();
  const add = (
    { ask: { stream = '' }, seen }: { readonly ask: Ask; readonly seen: number },
    progress: number,
    period: number,
    bytes: number,
  ) => {
    const row = moved.get(stream) ?? [];
    row[period] = (row[period] ?? 0) + (progress - seen) * bytes;
    moved.set(stream, row);
  };
  const waiting = asks.map((one) => ({ ...one }));
  let left = asks.length;
  const periodOf = (at: number): number => Math.floor(at / regulation.periodUs);
  const startNext = (core: number): void => {
    const index = waiting.findIndex((one) => one.core === core && one.at <= clock.now());
    const one = waiting[index];
    if (one === undefined || under.has(core)) return;
    waiting.splice(index, 1);
    const entry = { ask: one, seen: 0 };
    under.set(core, entry);
    chip.begin({
      core,
      others: Array.from({ length: (one.width ?? 1) - 1 }, (_, place) => 100 + place),
      cost: compileSegment(
        one.layers.map(({ computeUs, bytes }) => layer(computeUs, bytes)),
        profile,
      ),
      stream: one.stream,
      killAt: instantUs(Number.MAX_SAFE_INTEGER),
      isHung: false,
      onEnd: () => {
        // Told on the whole microsecond after it, which may be the first of the next period: what was left counts to the one before.
        add(entry, 1, periodOf(clock.now() - 1), bytesOf(one));
        under.delete(core);
        left -= 1;
        startNext(core);
      },
    });
  };
  for (const { at, core } of asks) clock.at(instantUs(at), () => startNext(core));
  const border = (): void => {
    for (const [core, entry] of under) {
      const progress = chip.progress(core);
      add(entry, progress, periodOf(clock.now() - 1), bytesOf(entry.ask));
      entry.seen = progress;
    }
    if (left > 0) clock.at(instantUs(clock.now() + regulation.periodUs), border);
  };
  clock.at(instantUs(regulation.periodUs), border);
  while (left > 0 && clock.step());
  chip.dispose();
  return moved;
}

describe('byte budgets of streams', () => {
  it('are never exceeded in a period, on however many cores a stream runs at once, and gangs count once', () => {
    let usedUp = 0;
    fc.assert(
      fc.property(fc.array(ask, { minLength: 1, maxLength: 16 }), regulations, (asks, given) => {
        const regulation = regulationOf(given);
        const moved = movedByPeriod(asks, regulation);
        for (const [stream, budget] of regulation.bytesByStream) {
          // A few bytes may be on their way in the microsecond in which a segment ends.
          for (const bytes of moved.get(stream) ?? []) {
            expect(bytes ?? 0).toBeLessThanOrEqual(budget * (1 + 1e-6) + 10);
            if ((bytes ?? 0) > budget * 0.999) usedUp += 1;
          }
        }
      }),
      { numRuns: RUNS },
    );
    expect(usedUp).toBeGreaterThan(RUNS);
  });

  it('lose no byte and account for each of them and each wait', () => {
    fc.assert(
      fc.property(fc.array(ask, { minLength: 1, maxLength: 16 }), regulations, (asks, given) => {
        const { done, figures } = play(profile, asks, regulationOf(given));
        expect(done).toHaveLength(asks.length);
        for (const { stream, movedBytes, stalls, stalledUs } of figures.budgets) {
          const asked = asks.filter((one) => one.stream === stream).reduce((sum, one) => sum + bytesOf(one), 0);
          expect(Math.abs(movedBytes - asked)).toBeLessThanOrEqual(1e-6 * asked + 1e-3);
          expect(stalledUs).toBeLessThanOrEqual(stalls * given.periodUs + 1e-6);
          expect(stalls > 0).toBe(stalledUs > 0);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('hand out anew at multiples of the period, however long it goes on', () => {
    const periodUs = durationUs(700);
    const quarter = (BUS * periodUs) / 4;
    const one = { core: 0, at: 350, stream: 'a', layers: [{ computeUs: 0, bytes: quarter * 10_000 }] };
    const { flows } = play(profile, [one], { periodUs, bytesByStream: new Map([['a', quarter]]) });
    const begins = flows.filter(({ bytesPerUs }, index) => bytesPerUs > 0 && (flows[index - 1]?.bytesPerUs ?? 0) === 0).slice(1);
    expect(begins.length).toBeGreaterThan(9_000);
    for (const { at } of begins) expect(at % periodUs).toBe(0);
  });

  it('leave those alone that have none', () => {
    fc.assert(
      fc.property(fc.array(ask, { minLength: 1, maxLength: 10 }), (asks) => {
        const ofOthers = { periodUs: durationUs(100), bytesByStream: new Map([['nobody', 1]]) };
        expect(play(profile, asks, ofOthers).done).toEqual(play(profile, asks).done);
      }),
      { numRuns: 30 },
    );
  });

  it('do not hold up what moves nothing', () => {
    const idle = { core: 1, at: 0, stream: 'a', layers: [{ computeUs: 3_000, bytes: 0 }] };
    const greedy = { core: 0, at: 0, stream: 'a', layers: [{ computeUs: 0, bytes: BUS * 5_000 }] };
    const { done } = play(profile, [idle, greedy], { periodUs: durationUs(1_000), bytesByStream: new Map([['a', BUS]]) });
    expect(done.find(({ core }) => core === 1)?.endedAt).toBe(computeOf(idle));
  });
});
