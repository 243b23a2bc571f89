import { describe, expect, test } from 'vitest';
import type { TaskRow, TaskSet } from '../../../../src/core/task-set.ts';
import { type AnalysisName, type AnalysisResult, analyze } from '../../../../src/scheduler/analysis/analyze.ts';
import { tokenBound } from '../../../../src/scheduler/analysis/cbs.ts';
import { demandAt } from '../../../../src/scheduler/analysis/demand.ts';
import { analysisTasks } from '../../../property/scheduler/analysis/analysis-task.ts';

/** The worked examples that the tests are known by, T1 to T12, in the unit and with the ids of their sources. */
const row = (id: string, c: number, t: number, d = t, extra: Partial<TaskRow> = {}): TaskRow => ({
  id,
  c,
  t,
  d,
  b: 0,
  j: 0,
  crit: 'LO',
  cHi: c,
  cores: 1,
  path: c,
  segment: c,
  group: '',
  bytes: 0,
  budget: undefined,
  ...extra,
});

const setOf = (tasks: readonly TaskRow[], extra: Partial<TaskSet> = {}): TaskSet => ({
  tasks,
  order: 'deadline',
  tick: undefined,
  cores: undefined,
  servers: [],
  until: undefined,
  chains: undefined,
  via: 'rta',
  memory: undefined,
  ...extra,
});

const run = (test: AnalysisName, tasks: readonly TaskRow[], extra: Partial<TaskSet> = {}): AnalysisResult =>
  analyze(test, setOf(tasks, extra));
const column = ({ tasks }: AnalysisResult, key: string): unknown[] => tasks.map((task) => task[key]);

const T1 = [row('1', 1, 4, 3), row('2', 1, 5, 4), row('3', 2, 6, 5), row('4', 1, 11, 10)];
const T2 = [row('1', 1, 4), row('2', 1, 5), row('3', 3, 9), row('4', 3, 18)];
const T5 = [row('A', 1, 2.5), row('B', 1, 3.5, 3.25), row('C', 1, 3.5, 3.25)];
const T6 = [row('1', 2, 6, 4), row('2', 2, 8, 5), row('3', 3, 9, 7)];

describe('fixed priorities', () => {
  test('T1: rta, deadline monotonic (Buttazzo): R = 1, 2, 4, 10', () => {
    const result = run('rta', T1);
    expect([result.schedulable, column(result, 'response')]).toEqual([true, [1, 2, 4, 10]]);
    expect(result.iterations).toBeGreaterThan(0);
  });

  test('T1 in any order of the table and in any unit gives the same', () => {
    const mixed = [3, 1, 0, 2].flatMap((place) => T1[place] ?? []);
    expect(column(run('rta', mixed), 'response')).toEqual([10, 2, 1, 4]);
    const tenths = T1.map(({ id, c, t, d }) => row(id, c / 10, t / 10, d / 10));
    expect(column(run('rta', tenths), 'response')).toEqual([0.1, 0.2, 0.4, 1]);
  });

  test('T2: rta (SchedCAT), D = T: R = 1, 2, 7, 18', () => {
    const result = run('rta', T2);
    expect([result.schedulable, column(result, 'response')]).toEqual([true, [1, 2, 7, 18]]);
  });

  test('blocking and jitter add to the response: T1 with B = 1 for the third and J = 1 for the first', () => {
    // Task 3: w = 2 + 1 + ceil((w + 1) / 4) + ceil(w / 5) has its least solution at 7: 3 + 2 + 2.
    const rows = [row('1', 1, 4, 3, { j: 1 }), T1[1] ?? row('2', 1, 5), row('3', 2, 6, 5, { b: 1 })];
    const result = run('rta', rows);
    expect([result.schedulable, column(result, 'response'), column(result, 'blocking')]).toEqual([false, [2, 2, 7], [0, 0, 1]]);
  });

  test('T5: np-fp: R_A = 2, R_B = 3, and the second job of C takes 3.5, which one that looks at the first only would not see', () => {
    const result = run('np-fp', T5);
    expect([result.schedulable, column(result, 'response')]).toEqual([false, [2, 3, 3.5]]);
    expect(column(result, 'schedulable')).toEqual([true, true, false]);
    expect(result.tasks[2]?.jobs).toBe(2);
  });
});

describe('EDF', () => {
  test('T6: edf-demand (Buttazzo): U = 11/12, L* = 25, feasible', () => {
    const result = run('edf-demand', T6);
    expect(result).toMatchObject({ schedulable: true, points: 6, figures: { limitByUtilisation: 25, limitByBusyPeriod: 16, limit: 16 } });
    const demand = [4, 5, 7, 10, 13, 16, 21, 22].map((t) =>
      demandAt(analysisTasks(T6.map(({ c, t: period, d }) => ({ cost: c, period, deadline: d }))), t),
    );
    expect(demand).toEqual([2, 4, 7, 9, 11, 16, 18, 20]);
  });

  test('T6: qpa comes to the same in fewer points', () => {
    const result = run('qpa', T6);
    expect(result.schedulable).toBe(true);
    expect(result.points).toBeLessThan(6);
  });

  test('T8: np-edf: {(3,5) (4,10)} fails at 5, {(1,4) (2,8) (2,12)} is feasible', () => {
    const bad = run('np-edf', [row('1', 3, 5), row('2', 4, 10)]);
    expect(bad).toMatchObject({ schedulable: false, verdict: 'unschedulable', figures: { failedAt: 5, demand: 3, blocking: 3 } });
    expect(run('np-edf', [row('1', 1, 4), row('2', 2, 8), row('3', 2, 12)]).schedulable).toBe(true);
  });

  test('T9: T6 is feasible preemptively, not without preemption (t = 5), and with Q_2 = 2, Q_3 = 1', () => {
    expect(run('np-edf', T6)).toMatchObject({ schedulable: false, figures: { failedAt: 5 } });
    const result = run('lp-edf', T6);
    expect([result.schedulable, column(result, 'maxNonPreemptive'), column(result, 'slices')]).toEqual([true, [2, 2, 1], [1, 1, 3]]);
  });

  test('T11: cbs: jobs of the server end at 12 and 20 and no hard deadline is missed', () => {
    const servers = [
      {
        id: 'S',
        q: 3,
        t: 8,
        jobs: [
          { r: 3, c: 4 },
          { r: 13, c: 3 },
        ],
      },
    ];
    const result = run('cbs', [row('1', 4, 7)], { servers, until: 25 });
    expect(result).toMatchObject({ schedulable: true, sketch: '1111SSS1111S-SS1111S-1111' });
    expect(result.tasks[1]).toMatchObject({ id: 'S', lastEnd: 20, response: 9, jobs: 2 });
    expect(result.timeline?.filter(({ id }) => id === 'S').map(({ to }) => to)).toEqual([7, 12, 15, 20]);
  });

  test('a token of cost c under (Q, P) takes at most c P / Q + 2 (P - Q)', () => {
    expect(tokenBound(6, 3, 8)).toBe(26);
  });
});

describe('mixed criticality', () => {
  const T12 = [row('1', 2, 10, 10, { crit: 'HI', cHi: 4 }), row('2', 3, 12), row('3', 5, 40, 40, { crit: 'HI', cHi: 8 }), row('4', 4, 50)];

  test('T12: amc-rtb: R(LO) = 2, 5, 10, 19; R(HI) = 4 and 19', () => {
    const result = run('amc-rtb', T12);
    expect([result.schedulable, column(result, 'response')]).toEqual([true, [2, 5, 10, 19]]);
    expect(column(result, 'responseHigh')).toEqual([4, undefined, 19, undefined]);
  });

  test('edf-vd: x = U_HI(LO) / (1 - U_LO(LO)) scales the deadlines of HI tasks where plain EDF is not enough', () => {
    // U_LO(LO) = 1/2, U_HI(LO) = 1/4, U_HI(HI) = 3/4: x = 1/2, x U_LO(LO) + U_HI(HI) = 1, met exactly.
    const result = run('edf-vd', [row('lo', 5, 10), row('hi', 2, 8, 8, { crit: 'HI', cHi: 6 })]);
    expect(result).toMatchObject({ schedulable: true, figures: { scale: 0.5, loadHighHigh: 0.75 } });
    expect(result.tasks[1]?.virtualDeadline).toBe(4);
    // A hair more in HI mode, and it proves nothing.
    expect(run('edf-vd', [row('lo', 5, 10), row('hi', 2, 8, 8, { crit: 'HI', cHi: 6.000001 })]).verdict).toBe('unknown');
    expect(run('edf-vd', [row('hi', 2, 8, 8, { crit: 'HI', cHi: 8.1 })]).verdict).toBe('unschedulable');
  });
});

describe('several cores and the bus', () => {
  test('federated: n = ceil((C - L) / (D - L)), answers within L + (C - L) / n', () => {
    const result = run('federated', [row('p', 30, 12, 10, { path: 4 }), row('s', 2, 10)], { cores: 6 });
    expect(result).toMatchObject({ schedulable: true, figures: { coresNeeded: 6 } });
    expect(result.tasks[0]).toMatchObject({ cores: 5, response: 4 + 26 / 5 });
    expect(run('federated', [row('p', 30, 12, 10, { path: 4 }), row('s', 2, 10)], { cores: 5 }).verdict).toBe('unknown');
    expect(run('federated', [row('p', 30, 12, 10, { path: 10 })]).verdict).toBe('unschedulable');
  });

  test('gang: the longest region is the blocking of everyone on its cores, and another group is not touched', () => {
    const wide = row('wide', 4, 20, 20, { cores: 4, group: 'a' });
    const fast = row('fast', 2, 5, 5, { cores: 4, group: 'a' });
    expect(run('gang', [wide, fast], { cores: 8 })).toMatchObject({
      schedulable: true,
      tasks: [{ blocking: 0, cores: 4 }, { blocking: 3 }],
    });
    const longer = { ...wide, c: 5, segment: 5 };
    expect(run('gang', [longer, fast], { cores: 8 }).verdict).toBe('unschedulable');
    // Cut into regions of 4, or moved to cores of its own, it fits again.
    expect(run('gang', [{ ...longer, segment: 4 }, fast], { cores: 8 }).schedulable).toBe(true);
    expect(run('gang', [{ ...longer, group: 'b' }, fast], { cores: 8 }).schedulable).toBe(true);
    expect(run('gang', [{ ...longer, group: 'b' }, fast], { cores: 7 }).verdict).toBe('unschedulable');
  });

  test('chain: at most the sum of periods and responses', () => {
    const chains = [
      { id: 'drive', tasks: ['1', '3'], d: 15 },
      { id: 'all', tasks: ['1', '2', '3', '4'], d: undefined },
    ];
    const result = run('chain', T1, { chains });
    expect(result.tasks.slice(0, 2)).toMatchObject([
      { id: 'drive', latency: 4 + 1 + 6 + 4, schedulable: true },
      { id: 'all', latency: 26 + 17 },
    ]);
    expect(run('chain', T1, { chains: [{ id: 'drive', tasks: ['1', '3'], d: 14.9 }] }).verdict).toBe('unknown');
    expect(run('chain', T1, { via: 'deadline' }).tasks[0]?.latency).toBe(26 + 22);
  });

  test('bandwidth: a regulated segment takes at most c + ceil(M / Q) P, and budgets are at most the guaranteed rate', () => {
    const memory = { rate: 10, guaranteed: 6, period: 1 };
    const regulated = row('camera', 2, 10, 10, { bytes: 13, budget: 2 });
    const result = run('bandwidth', [regulated, row('llm', 1, 50, 50, { bytes: 40, budget: 4 })], { memory });
    expect(result).toMatchObject({ schedulable: true, figures: { busShare: 1 } });
    expect(column(result, 'response')).toEqual([2 + 7, 1 + 10]);
    const greedy = run('bandwidth', [regulated, row('llm', 1, 50, 50, { bytes: 40, budget: 4.1 })], { memory });
    expect([greedy.verdict, greedy.reason]).toEqual(['unknown', expect.stringContaining('more than the guaranteed rate')]);
    // Alone on the bus, the longer of computing and moving.
    expect(run('bandwidth', [row('alone', 2, 10, 10, { bytes: 35 })], { memory }).tasks[0]?.response).toBe(3.5);
  });
});
