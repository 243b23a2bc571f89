import { describe, expect, test } from 'vitest';
import type { TaskRow, TaskSet } from '../../../../src/core/task-set.ts';
import { ANALYSIS_NAMES, type AnalysisName, analyze, misfitsOf } from '../../../../src/scheduler/analysis/analyze.ts';

const row = (id: number, c: number, t: number, d = t, extra: Partial<TaskRow> = {}): TaskRow => ({
  id: String(id),
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

const setOf = (tasks: readonly TaskRow[]): TaskSet => ({
  tasks,
  order: 'deadline',
  tick: undefined,
  cores: undefined,
  servers: [{ id: 'server', q: 1, t: 1_000_000, jobs: [{ r: 0, c: 1 }] }],
  until: undefined,
  chains: undefined,
  via: 'rta',
  memory: { rate: 1, guaranteed: 1, period: 1 },
});

/** On one core and with no other test to say something of its own. */
const SINGLE_CORE: readonly AnalysisName[] = ['rta', 'np-fp', 'edf-demand', 'qpa', 'np-edf', 'lp-edf', 'cbs', 'amc-rtb', 'gang', 'chain'];

describe('overload', () => {
  test.each(SINGLE_CORE)('%s does not call a load above 1 schedulable, and says so at once', (name) => {
    const { schedulable, verdict } = analyze(name, setOf([row(1, 3, 5), row(2, 5, 10), row(3, 1, 1_000_000_007)]));
    expect([schedulable, verdict]).toEqual([false, name === 'amc-rtb' ? expect.any(String) : 'unschedulable']);
  });

  test.each(['edf-demand', 'qpa'] as const)('%s tells a load of exactly 1 from one that is a hair more', (name) => {
    const thirds = [row(1, 1, 3), row(2, 1, 3), row(3, 1, 3)];
    expect(analyze(name, setOf(thirds)).schedulable).toBe(true);
    expect(analyze(name, setOf([...thirds, row(4, 1, 999_999_999_999)])).verdict).toBe('unschedulable');
  });

  test('a job that takes longer than its deadline is named', () => {
    expect(analyze('edf-demand', setOf([row(1, 1, 100), row(2, 5, 100, 4)])).reason).toContain('task 2');
  });
});

describe('deadlines beyond periods', () => {
  test('are looked at with all jobs of the busy period', () => {
    // The set of Lehoczky 1990: the jobs of the second answer after 114, 102, 116, 104, 118, 106 and 94.
    const result = analyze('rta', { ...setOf([row(1, 26, 70), row(2, 62, 100, 120)]), order: 'listed' });
    expect(result.tasks[1]).toMatchObject({ response: 118, schedulable: true });
  });

  test('EDF with a load of 1 meets them', () => {
    expect(analyze('edf-demand', setOf([row(1, 5, 10, 17), row(2, 6, 12, 20)])).schedulable).toBe(true);
  });
});

describe('exact arithmetic', () => {
  test('decimals are what they say: ten tenths are one', () => {
    const tenths = Array.from({ length: 10 }, (_, index) => row(index + 1, 0.1, 1));
    expect(analyze('edf-demand', setOf(tenths))).toMatchObject({ schedulable: true, figures: { limit: 1 } });
    expect(analyze('rta', setOf(tenths)).tasks.map(({ response }) => response)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(analyze('edf-demand', setOf([...tenths, row(11, 0.000001, 1)])).verdict).toBe('unschedulable');
  });

  test('a table that spans more digits than are exact is refused, with the way to the value', () => {
    const [misfit] = misfitsOf('rta', setOf([row(1, 1e-9, 10), row(2, 1, 1e9)]));
    expect(misfit).toMatchObject({ path: ['tasks', 1, 't'], text: expect.stringContaining('15 digits') });
    expect(misfitsOf('rta', setOf([row(1, 1e-6, 10), row(2, 1, 1e9)]))).toEqual([]);
  });
});

describe('computed times', () => {
  const briefly = (tasks: readonly TaskRow[]): TaskSet => ({
    ...setOf(tasks),
    servers: [{ id: 'server', q: 1, t: 20, jobs: [{ r: 0, c: 1 }] }],
  });
  test('are taken although a double prints more digits than arithmetic is exact for, and the grid is told', () => {
    const noisy = briefly([row(1, 0.1 + 0.2, 1.1 * 1.1), row(2, 0.03675271599999999, 0.7)]);
    expect(misfitsOf('rta', noisy)).toEqual([]);
    const result = analyze('rta', noisy);
    expect(result).toMatchObject({ schedulable: true, roundedTo: 1e-10 });
    expect(result.tasks.map(({ response }) => response)).toEqual([0.336752716, 0.036752716]);
    expect(analyze('rta', briefly([row(1, 0.3, 1.21)])).roundedTo).toBeUndefined();
  });

  test('three thirds are the whole core', () => {
    const thirds = [row(1, 1 / 3, 1), row(2, 1 / 3, 1), row(3, 1 / 3, 1)];
    expect(analyze('edf-demand', briefly(thirds)).schedulable).toBe(true);
    expect(analyze('edf-demand', briefly([...thirds, row(4, 1e-9, 1)])).verdict).toBe('unschedulable');
  });

  test('that rounding would change are refused', () => {
    expect(misfitsOf('rta', briefly([row(1, 1 / 3e12, 10), row(2, 1, 1e6)]))).toMatchObject([{ path: ['tasks', 0, 'c'] }]);
  });

  test.each(SINGLE_CORE)('%s takes a random table as it comes out of a generator', (name) => {
    let state = 7;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const tasks = Array.from({ length: 12 }, (_, index) => {
      const period = 10 ** (1 + 2 * random());
      return row(index + 1, (period * random()) / 20, period);
    });
    expect(misfitsOf(name, briefly(tasks))).toEqual([]);
    expect(analyze(name, briefly(tasks)).verdict).not.toBe('unknown');
  });
});

describe('what a test does not know', () => {
  test('is refused where it makes a set harder, and told where it does not', () => {
    const blocked = setOf([row(1, 1, 4, 4, { b: 2 })]);
    expect(misfitsOf('edf-demand', blocked)).toMatchObject([
      { path: ['tasks', 0, 'b'], text: expect.stringContaining('rta, np-fp, chain') },
    ]);
    expect(misfitsOf('rta', blocked)).toEqual([]);
    expect(analyze('rta', setOf([row(1, 1, 4, 4, { crit: 'HI', cHi: 2 })])).ignored).toEqual(['crit', 'cHi']);
  });

  test('servers and memory are asked for', () => {
    const bare = { ...setOf([row(1, 1, 4)]), servers: [], memory: undefined };
    expect(misfitsOf('cbs', bare)[0]?.path).toEqual(['servers']);
    expect(misfitsOf('bandwidth', bare)[0]?.path).toEqual(['memory']);
  });
});

describe('bounded work', () => {
  /** Coprime periods near each other and a load of almost or exactly 1: what sweeps and recurrences like least. */
  const PRIMES = [999_979, 999_983, 1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099];

  test.each(SINGLE_CORE)('%s ends on a hostile set, with a verdict', (name) => {
    const tasks = PRIMES.map((period, index) => row(index + 1, 124_999, period, period - index));
    const result = analyze(name, setOf(tasks), 2_000_000);
    expect(['schedulable', 'unschedulable', 'unknown']).toContain(result.verdict);
  });

  test('the bound is told of', () => {
    const tasks = [row(1, 1, 2), row(2, 499_999_999, 1_000_000_007, 999_999_000)];
    const result = analyze('edf-demand', setOf(tasks), 1_000);
    expect([result.schedulable, result.verdict, result.reason]).toEqual([false, 'unknown', expect.stringContaining('bound on work')]);
  });

  test.each(ANALYSIS_NAMES)('%s takes ten thousand tasks', (name) => {
    const tasks = Array.from({ length: 10_000 }, (_, index) => row(index + 1, 1 + (index % 7), 100_000 + 13 * index));
    const result = analyze(name, setOf(tasks), 30_000_000);
    expect(result.tasks.length).toBeGreaterThanOrEqual(10_000);
  });
});
