import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { edfDemand } from '../../../../src/scheduler/analysis/edf-demand.ts';
import { lpEdf } from '../../../../src/scheduler/analysis/lp-edf.ts';
import { npEdf } from '../../../../src/scheduler/analysis/np-edf.ts';
import { npFp } from '../../../../src/scheduler/analysis/np-fp.ts';
import { qpa } from '../../../../src/scheduler/analysis/qpa.ts';
import { rta } from '../../../../src/scheduler/analysis/rta.ts';
import type { AnalysisTask } from '../../../../src/scheduler/analysis/task.ts';
import { analysisTasks, plenty, setCount } from './analysis-task.ts';
import { HYPERPERIOD, type Order, type Played, periodic, play, randomSet } from './played-schedule.ts';

/** Release jitter, at every second set with a load of exactly 1: then no busy period ends, and only the hyperperiod says how far to look. */

type Row = Pick<AnalysisTask, 'cost' | 'period' | 'deadline' | 'jitter'>;

interface RowOptions {
  readonly deadlineRatioMax: number;
  readonly jitterRatioMax: number;
  readonly isFull: boolean;
}

function randomRows(random: Prng, { deadlineRatioMax, jitterRatioMax, isFull }: RowOptions): Row[] {
  for (;;) {
    const tasks = randomSet(random, { tasksMax: 3, deadlineRatioMax });
    const rows = tasks.map((task): Row => ({ ...task, jitter: random.integer(0, jitterRatioMax * task.period - 1) }));
    if (!isFull) return rows;
    const last = rows.at(-1);
    const others = rows.slice(0, -1).reduce((sum, { cost, period }) => sum + (cost * HYPERPERIOD) / period, 0);
    const cost = ((HYPERPERIOD - others) * (last?.period ?? 1)) / HYPERPERIOD;
    if (last !== undefined && cost >= 1 && Number.isInteger(cost))
      return [...rows.slice(0, -1), { ...last, cost, deadline: last.deadline + cost }];
  }
}

/**
 * The densest arrivals: each first job is released as late as may be, all others as they arrive, so that some may come at once. Each job of that instant is
 * played as a task of its own. A blocker's job comes alone, the others a tick later. Responses count from the arrival.
 */
function pressed(rows: readonly Row[], blocker: number | undefined, how: { order: Order; isPreemptive: boolean; region?: number }): Played {
  const ticks = rows.reduce((most, { deadline }) => Math.max(most, deadline), 3 * HYPERPERIOD) + HYPERPERIOD;
  const start = blocker === undefined ? 0 : 1;
  const parts = rows.flatMap((row, place) => {
    const task = { ...row, ...(how.region === undefined ? {} : { region: place === blocker ? how.region : 1 }) };
    const jitter = place === blocker ? 0 : row.jitter;
    const early = Math.ceil(jitter / row.period);
    const waits = Array.from({ length: early }, (_, job) => jitter - job * row.period);
    return [
      ...waits.map((waited) => ({ place, waited, task: { ...task, deadline: row.deadline - waited }, releases: [start] })),
      { place, waited: 0, task, releases: periodic(row, (place === blocker ? 0 : start) + early * row.period - jitter, ticks) },
    ];
  });
  const tasks = parts.map(({ task }) => task);
  const { responses, isMissed } = play(
    tasks,
    parts.map(({ releases }) => releases),
    how.order,
    how.isPreemptive,
    ticks,
  );
  const longest = rows.map((_, place) =>
    parts.reduce((most, part, index) => (part.place === place ? Math.max(most, (responses[index] ?? 0) + part.waited) : most), 0),
  );
  return { responses: longest, isMissed };
}

const patternsOf = (rows: readonly Row[]): (number | undefined)[] => [undefined, ...rows.keys()];

describe('EDF with jitter', () => {
  it('edf-demand and qpa agree with the schedule of the densest arrivals', () => {
    const random = new Prng('edf jitter');
    const seen = { schedulable: 0, unschedulable: 0, unknown: 0 };
    for (let index = 0; index < setCount(1_500); index += 1) {
      const rows = randomRows(random, { deadlineRatioMax: 3, jitterRatioMax: index % 3 === 0 ? 2 : 1, isFull: index % 2 === 0 });
      const { verdict } = edfDemand(analysisTasks(rows), plenty());
      const { isMissed } = pressed(rows, undefined, { order: 'edf', isPreemptive: true });
      expect({ rows, qpa: qpa(analysisTasks(rows), plenty()).verdict, isMissed }).toEqual({
        rows,
        qpa: verdict,
        isMissed: verdict !== 'schedulable',
      });
      if (index % 2 === 0) seen[verdict] += 1;
    }
    expect(Math.min(seen.schedulable, seen.unschedulable)).toBeGreaterThan(50);
  });

  it('np-edf agrees with the worst patterns of arrival', () => {
    const random = new Prng('np-edf jitter');
    const seen = { schedulable: 0, unschedulable: 0, unknown: 0 };
    for (let index = 0; index < setCount(1_500); index += 1) {
      const rows = randomRows(random, { deadlineRatioMax: 2.5, jitterRatioMax: 1, isFull: index % 2 === 0 });
      const { verdict } = npEdf(analysisTasks(rows), 1, plenty());
      const isMissed = patternsOf(rows).some((blocker) => pressed(rows, blocker, { order: 'edf', isPreemptive: false }).isMissed);
      expect({ rows, verdict, isMissed }).toEqual({ rows, verdict: isMissed ? 'unschedulable' : 'schedulable', isMissed });
      if (index % 2 === 0) seen[verdict] += 1;
    }
    expect(Math.min(seen.schedulable, seen.unschedulable)).toBeGreaterThan(50);
  });

  it('np-edf is right where it is sure, with jitter beyond the period too', () => {
    const random = new Prng('np-edf long jitter');
    const seen = { schedulable: 0, unschedulable: 0, unknown: 0 };
    for (let index = 0; index < setCount(1_500); index += 1) {
      const rows = randomRows(random, { deadlineRatioMax: 4, jitterRatioMax: 2, isFull: index % 2 === 0 });
      const { verdict } = npEdf(analysisTasks(rows), 1, plenty());
      const isMissed = patternsOf(rows).some((blocker) => pressed(rows, blocker, { order: 'edf', isPreemptive: false }).isMissed);
      if (verdict !== 'unknown') expect({ rows, verdict }).toEqual({ rows, verdict: isMissed ? 'unschedulable' : 'schedulable' });
      seen[verdict] += 1;
    }
    expect(Math.min(seen.schedulable, seen.unschedulable)).toBeGreaterThan(100);
    expect(seen.unknown).toBeLessThan(100);
  });

  it('lp-edf gives regions that keep every deadline, and none longer does', () => {
    const random = new Prng('lp-edf jitter');
    /** Ticks are cut in four, so that a blocker can begin a quarter before the others. */
    const FINE = 4;
    let restricted = 0;
    for (let index = 0; index < setCount(400); index += 1) {
      const rows = randomRows(random, { deadlineRatioMax: 1.6, jitterRatioMax: 1, isFull: index % 2 === 0 });
      const found = lpEdf(analysisTasks(rows), plenty());
      const uncut = found.verdict === 'schedulable' && found.tasks.every(({ counts }) => counts.slices === 1);
      expect({ rows, uncut }).toEqual({ rows, uncut: npEdf(analysisTasks(rows), 0, plenty()).verdict === 'schedulable' });
      if (found.verdict !== 'schedulable') continue;
      const fine = rows.map((row) => ({
        cost: row.cost * FINE,
        period: row.period * FINE,
        deadline: row.deadline * FINE,
        jitter: row.jitter * FINE,
      }));
      const isMissedWith = (blocker: number, region: number): boolean =>
        pressed(fine, blocker, { order: 'edf', isPreemptive: false, region }).isMissed;
      for (const [blocker, row] of rows.entries()) {
        const longest = found.tasks[blocker]?.times.maxNonPreemptive ?? 0;
        expect({ rows, blocker, isMissed: isMissedWith(blocker, Math.min(longest, row.cost) * FINE) }).toMatchObject({ isMissed: false });
        if (row.cost <= longest) continue;
        restricted += 1;
        // A quarter is lost to the start before the others; the second quarter is too much.
        expect({ rows, blocker, isMissed: isMissedWith(blocker, longest * FINE + 2) }).toMatchObject({ isMissed: true });
      }
    }
    expect(restricted).toBeGreaterThan(30);
  });
});

describe('fixed priorities with jitter', () => {
  it.each(['rta', 'np-fp'] as const)('%s is never exceeded and mostly reached', (name) => {
    const random = new Prng(`${name} jitter`);
    let tight = 0;
    let played = 0;
    for (let index = 0; index < setCount(800); index += 1) {
      const rows = randomRows(random, { deadlineRatioMax: 2, jitterRatioMax: index % 3 === 0 ? 2 : 1, isFull: index % 2 === 0 });
      const isPreemptive = name === 'rta';
      const found = (isPreemptive ? rta : npFp)(analysisTasks(rows), 'listed', plenty());
      const worst = rows.map(() => 0);
      for (const blocker of isPreemptive ? [undefined] : patternsOf(rows)) {
        const { responses } = pressed(rows, blocker, { order: 'fixed', isPreemptive });
        for (const [place, response] of responses.entries()) worst[place] = Math.max(worst[place] ?? 0, response);
      }
      for (const [place, row] of found.tasks.entries()) {
        if (row.times.response === undefined) continue;
        played += 1;
        expect({ rows, place, worst: worst[place], isWithin: (worst[place] ?? 0) <= row.times.response }).toMatchObject({ isWithin: true });
        // Time is continuous in the formula: there what blocks can begin any moment before, here one tick before.
        if (row.times.response - (worst[place] ?? 0) === (isPreemptive || row.times.blocking === 0 ? 0 : 1)) tight += 1;
      }
    }
    expect(tight / played).toBeGreaterThan(0.9);
  });
});
