import { describe, expect, it } from 'vitest';
import { durationUs } from '../../../src/core/units.ts';
import { CoreCosts } from '../../../src/scheduler/core-costs.ts';
import { Bench, type StreamOptions } from './harness.ts';

const observe = (costs: CoreCosts, place: number, times: number, us: number): void => {
  for (let n = 0; n < times; n += 1) costs.observe(place, durationUs(us));
};

describe('costs by core', () => {
  it('begin on each core with what is known of the model', () => {
    const costs = new CoreCosts(durationUs(1_000), [0, 1], true);
    expect([costs.typicalUs[0], costs.typicalUs[1]]).toEqual([1_000, 1_000]);
    observe(costs, 0, 30, 2_000);
    expect(costs.typicalUs[1]).toBeCloseTo(2_000, -2);
    expect(costs.highUs[1]).toBe(costs.highUs[0]);
  });

  it('come apart where cores differ, within a few runs', () => {
    const costs = new CoreCosts(durationUs(2_000), [0, 1], true);
    for (let n = 0; n < 10; n += 1) {
      observe(costs, 0, 1, 1_000);
      observe(costs, 1, 1, 3_000);
    }
    expect(costs.typicalUs[0]).toBeLessThan(1_200);
    expect(costs.highUs[0]).toBeLessThan(1_200);
    expect(costs.typicalUs[1]).toBeGreaterThan(2_700);
    expect(costs.highUs[1]).toBe(3_000);
    expect(costs.overall.typicalUs).toBeGreaterThan(1_500);
  });

  it('are forgotten of a core where the model has not run for long', () => {
    const costs = new CoreCosts(durationUs(1_000), [0, 1], true);
    observe(costs, 1, 20, 9_000);
    observe(costs, 0, 63, 1_000);
    expect(costs.typicalUs[1]).toBeGreaterThan(8_000);
    observe(costs, 0, 2, 1_000);
    expect(costs.typicalUs[1]).toBeLessThan(1_100);
    // And a new run there begins with what is known by then.
    observe(costs, 1, 1, 1_500);
    expect(costs.typicalUs[1]).toBeLessThan(1_400);
  });

  it('are one where cores are not told apart', () => {
    const costs = new CoreCosts(durationUs(1_000), [0, 1], false);
    observe(costs, 0, 20, 5_000);
    expect([costs.typicalUs[1], costs.highUs[1]]).toEqual([costs.overall.typicalUs, costs.overall.highUs]);
    expect(costs.typicalUs[0]).toBe(costs.typicalUs[1]);
  });

  it('are doubted everywhere', () => {
    const costs = new CoreCosts(durationUs(1_000), [0, 1], true);
    observe(costs, 0, 20, 1_000);
    const before = costs.typicalUs[0] as number;
    costs.doubt();
    expect([...costs.typicalUs].map((us) => us / before)).toEqual([expect.closeTo(0.9), expect.closeTo(0.9)]);
  });

  it('lose the margin of their seed on a core after three holds in a row, and only there', () => {
    const costs = new CoreCosts(durationUs(1_000), [0, 1], true);
    costs.hold(0);
    costs.hold(0);
    expect(costs.highUs[0]).toBe(1_250);
    costs.hold(0);
    expect([costs.highUs[0], costs.highUs[1]]).toEqual([1_000, 1_250]);
    observe(costs, 0, 1, 1_100);
    expect(costs.highUs[0]).toBe(1_100);
  });
});

describe('a model on two unequal cores', () => {
  const busy: StreamOptions = { id: 'busy', costMs: 40, deadlineMs: 1_000, cores: [0] };
  const job: StreamOptions = { id: 'job', costMs: 20, deadlineMs: 60, cores: [0, 1] };

  /** On core 0 a job takes 10 ms, on core 1 it takes 50 ms; ends at a quiet instant. */
  function learned(): Bench {
    const bench = new Bench([busy, job]);
    bench.up(0, 0);
    bench.up(0, 1);
    for (let n = 1; n <= 20; n += 1) {
      const first = bench.nextJob;
      bench.arrive(n * 100, 'job');
      bench.arrive(n * 100, 'job');
      bench.done(n * 100 + 10, first, 0);
      bench.decoded(n * 100 + 11, first);
      bench.done(n * 100 + 50, first + 1, 1);
      bench.decoded(n * 100 + 51, first + 1);
    }
    return bench;
  }

  it('waits for the fast core where the slow one would be too late', () => {
    const bench = learned();
    const other = bench.nextJob;
    expect(bench.arrive(3_000, 'busy')).toEqual([`start ${other} on 0`]);
    // Captured 10 ms ago: 50 ms are left, too few for core 1.
    expect(bench.arrive(3_005, 'job', 2_995)).toEqual([]);
    expect(bench.done(3_035, other, 0)).toEqual([`start ${other + 1} on 0`]);
  });

  it('is not given up while the fast core could still be in time', () => {
    const bench = learned();
    const first = bench.nextJob;
    // 20 ms left: more than core 0 takes, less than the model on average.
    expect(bench.arrive(3_000, 'job', 2_960)).toEqual([`start ${first} on 0`]);
    expect(bench.arrive(3_001, 'job', 2_955)).toEqual([`end ${first + 1} dropped infeasible`]);
  });
});
