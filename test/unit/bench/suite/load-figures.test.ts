import { describe, expect, it } from 'vitest';
import { figuresOf, latencyFigures } from '../../../../src/bench/suite/load-figures.ts';
import type { LoadLog, PlayLog } from '../../../../src/bench/suite/play-workload.ts';
import type { Load } from '../../../../src/core/bench-suite.ts';
import { durationUs } from '../../../../src/core/units.ts';

const load = (id: string, criticality: Load['criticality']): Load => ({
  ...{ id, model: 'm', criticality, queueMax: 1, cores: undefined },
  pattern: { kind: 'uniform', periodUs: 1_000, phaseUs: 0 },
  deadlineUs: durationUs(1_000),
});
const log = (id: string, latencies: number[], rest: Partial<LoadLog> = {}, criticality: Load['criticality'] = 'safety'): LoadLog => ({
  ...{ load: load(id, criticality), requested: latencies.length, late: 0, latencies, lost: new Map(), turns: undefined },
  ...rest,
});
const play = (loads: readonly LoadLog[]): PlayLog => ({ spanUs: durationUs(2_000_000), loads, busRatio: 0.5, busyRatio: 1 });

describe('latencies', () => {
  it('are given by nearest rank, in milliseconds, whatever their order', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => ((index * 7) % 1_000) + 1);
    expect(latencyFigures(values)).toEqual({ meanMs: 0.5005, p50Ms: 0.5, p99Ms: 0.99, p999Ms: 0.999, maxMs: 1 });
    expect(latencyFigures([5_000])).toEqual({ meanMs: 5, p50Ms: 5, p99Ms: 5, p999Ms: 5, maxMs: 5 });
  });

  it('are unknown, not zero, where nothing ended', () => {
    expect(latencyFigures([])).toEqual({ meanMs: null, p50Ms: null, p99Ms: null, p999Ms: null, maxMs: null });
  });
});

describe('the figures of a play', () => {
  const alone = new Map([
    ['a', latencyFigures([1_000, 1_000])],
    ['b', latencyFigures([3_000, 3_000])],
  ]);

  it('have the slowdown of the means as a ratio of sums, and the worst P99', () => {
    const figures = figuresOf(play([log('a', [2_000, 4_000]), log('b', [3_000, 3_000]), log('c', [9_000], {}, 'background')]), alone);
    expect(figures.slowdownMean).toBe(1.5);
    expect(figures.slowdownP99).toBe(4);
    expect(figures.loads.map(({ slowdownMean }) => slowdownMean)).toEqual([3, 1, null]);
    expect([figures.bestEffortPerSecond, figures.perSecond]).toEqual([0.5, 2.5]);
  });

  it('account for every request once: done, late, lost or unfinished', () => {
    const lost = new Map([
      ['queue-full', 2],
      ['infeasible', 1],
    ]);
    const [row] = figuresOf(play([log('a', [1, 2, 3], { requested: 8, late: 1, lost })]), alone).loads;
    expect(row).toMatchObject({
      requested: 8,
      done: 2,
      late: 1,
      lost: 3,
      missed: 4,
      unfinished: 2,
      lostBy: { infeasible: 1, 'queue-full': 2 },
    });
  });

  it('have no slowdown where a load gave no result', () => {
    const figures = figuresOf(play([log('a', []), log('b', [3_000])]), alone);
    expect([figures.slowdownMean, figures.slowdownP99]).toEqual([null, 1]);
  });
});
