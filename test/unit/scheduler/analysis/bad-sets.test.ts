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

describe('a load of exactly 1 with jitter', () => {
  const full = [row(1, 2, 6, 8, { j: 2 }), row(2, 4, 6, 5)];
  /** Far below what a busy period without an end would take. */
  const TERMS = 10_000;

  test.each([
    ['edf-demand', 'schedulable'],
    ['qpa', 'schedulable'],
    ['np-edf', 'schedulable'],
    ['lp-edf', 'schedulable'],
    ['gang', 'schedulable'],
    ['rta', 'schedulable'],
    // Task 2 may wait for all of task 1, which has just begun.
    ['np-fp', 'unschedulable'],
  ] as const)('%s needs to look no further than the hyperperiod: %s', (name, verdict) => {
    const result = analyze(name, setOf(full), TERMS);
    expect([result.verdict, result.figures.limit ?? 6]).toEqual([verdict, 6]);
  });

  test('np-fp looks at the jobs of one hyperperiod of those that take the whole core', () => {
    const result = analyze('np-fp', setOf([row(1, 1, 4, 9, { j: 3 }), row(2, 3, 6, 12), row(3, 3, 12, 24, { j: 1 })]), TERMS);
    expect(result.tasks.map(({ verdict, jobs }) => [verdict, jobs])).toEqual([
      ['schedulable', 1],
      ['schedulable', 2],
      ['schedulable', 1],
    ]);
  });

  test('where periods repeat too late it says so, with what would help', () => {
    const thirds = [row(1, 1, 3, 4, { j: 1 }), row(2, 1_000_003, 3_000_009, 3_000_020, { j: 5 }), row(3, 1_000_033, 3_000_099, 3_000_120)];
    const result = analyze('edf-demand', setOf(thirds), 100_000);
    expect([result.verdict, result.reason]).toEqual(['unknown', expect.stringContaining('periods with a smaller common multiple')]);
  });

  test('the one that blocks does not also ask for something: its next job comes a period later', () => {
    // Job 1 of task 1 has begun; then the one that would be due at 6 arrived at -2, and cannot have.
    const tasks = [row(1, 2, 6, 8, { j: 2 }), row(2, 4, 6, 6)];
    expect(analyze('np-edf', setOf(tasks)).verdict).toBe('schedulable');
    expect(analyze('lp-edf', setOf(tasks)).tasks.map(({ maxNonPreemptive }) => maxNonPreemptive)).toEqual([2, 4]);
  });
});

describe('gangs that fit side by side', () => {
  const wide = (id: number, c: number, extra: Partial<TaskRow> = {}): TaskRow => row(id, c, 4, 4, { cores: 4, ...extra });
  const gangs = (tasks: readonly TaskRow[], cores: number | undefined) => analyze('gang', { ...setOf(tasks), cores });

  test('are not called unschedulable because they do not fit one after the other', () => {
    const { verdict, reason, tasks } = gangs([wide(1, 3), wide(2, 3)], 8);
    expect([verdict, reason]).toEqual(['unknown', expect.stringContaining('could run side by side')]);
    expect(tasks.map((task) => task.verdict)).toEqual(['unknown', 'unknown']);
  });

  test.each([
    ['one core fewer', [wide(1, 3), wide(2, 3)], 7],
    ['no more cores than the widest takes', [wide(1, 3), wide(2, 3)], undefined],
    ['a group of their own, which is as wide as its widest', [wide(1, 3, { group: 'a' }), wide(2, 3, { group: 'a' })], 8],
    ['cores that another group takes', [wide(1, 3), wide(2, 3), wide(3, 1, { group: 'b' })], 8],
    ['more work than cores', [wide(1, 3), wide(2, 3), wide(3, 3)], 8],
    ['a job that is late even alone', [wide(1, 3), wide(2, 5)], 8],
  ] as const)('are unschedulable with %s', (_, tasks, cores) => {
    expect(gangs(tasks, cores).verdict).toBe('unschedulable');
  });

  test('name the one that is late even alone, and do not judge the others', () => {
    const { reason, tasks } = gangs([wide(1, 3), wide(2, 5)], 8);
    expect([reason, ...tasks.map((task) => task.verdict)]).toEqual(['task 2 takes longer than its deadline', 'unknown', 'unschedulable']);
  });
});

describe('cbs', () => {
  const server = (q: number, t: number) => [{ id: 'S', q, t, jobs: [{ r: 0, c: q }] }];
  const pair = [row(1, 2, 10, 2), row(2, 2, 10, 3)];

  test.each([2, 3, 4, undefined])('sees what is missed without any server, played until %s, and does not blame the servers', (until) => {
    const result = analyze('cbs', { ...setOf(pair), servers: server(1, 5), until });
    expect(result).toMatchObject({ verdict: 'unschedulable', figures: { failedAt: 3, demand: 4 } });
    expect(result.reason).toBe('even without servers: at failedAt more work is due than there was time for');
  });

  test('counts a job that is not done at its deadline, in the very instant that the run ends', () => {
    // The server, with an earlier deadline, goes first.
    const result = analyze('cbs', { ...setOf([row(1, 2, 10, 3)]), servers: server(2, 2.5), until: 3 });
    expect([result.verdict, result.reason]).toEqual(['unschedulable', 'in the run played, task 1 missed a deadline']);
    expect(analyze('cbs', { ...setOf([row(1, 2, 10, 4)]), servers: server(2, 2.5), until: 4 }).verdict).toBe('unknown');
  });

  test('tells a load that is too much from one that is too much with the servers', () => {
    expect(analyze('cbs', { ...setOf([row(1, 9, 10)]), servers: server(1, 5) }).reason).toBe(
      'tasks and servers together have a load of 110 %',
    );
    expect(analyze('cbs', { ...setOf([row(1, 11, 10)]), servers: server(1, 5) }).reason).toContain(
      'even without servers: the load is 110 %, more than the whole core',
    );
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
