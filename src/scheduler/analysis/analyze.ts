import type { TaskRow, TaskSet } from '../../core/task-set.ts';
import { amcRtb } from './amc-rtb.ts';
import { bandwidth } from './bandwidth.ts';
import { cbs } from './cbs.ts';
import { chain } from './chain.ts';
import { fromTicks } from './decimal-grid.ts';
import { edfDemand } from './edf-demand.ts';
import { edfVd } from './edf-vd.ts';
import { federated } from './federated.ts';
import { gang } from './gang.ts';
import { lpEdf } from './lp-edf.ts';
import { npEdf } from './np-edf.ts';
import { npFp } from './np-fp.ts';
import { qpa } from './qpa.ts';
import { rta } from './rta.ts';
import type { Finding, Stretch, Verdict } from './task.ts';
import { type TickedSet, ticked } from './ticked-set.ts';
import { TERMS_MAX, WorkBound } from './work-bound.ts';

/** Keys of a task beyond c, t and d. */
type Extra = 'b' | 'j' | 'crit' | 'cHi' | 'cores' | 'path' | 'segment' | 'group' | 'bytes' | 'budget';

interface Analysis {
  /** The extra keys of a task that it looks at. */
  readonly uses: readonly Extra[];
  /** What of the set it cannot do without. */
  readonly needs?: 'servers' | 'memory';
  readonly run: (set: TickedSet, bound: WorkBound) => Finding;
}

/** Every test by name. */
const ANALYSES = {
  rta: {
    uses: ['b', 'j'],
    run: (set, bound) => rta(set.tasks, set.order, bound),
  },
  'np-fp': {
    uses: ['b', 'j'],
    run: (set, bound) => npFp(set.tasks, set.order, bound),
  },
  'edf-demand': { uses: ['j'], run: (set, bound) => edfDemand(set.tasks, bound) },
  qpa: { uses: ['j'], run: (set, bound) => qpa(set.tasks, bound) },
  'np-edf': {
    uses: ['j', 'segment'],
    run: (set, bound) => npEdf(set.tasks, set.tick, bound),
  },
  'lp-edf': { uses: ['j'], run: (set, bound) => lpEdf(set.tasks, bound) },
  cbs: {
    uses: [],
    needs: 'servers',
    run: (set, bound) => cbs(set.tasks, set.servers, set.until, bound),
  },
  'amc-rtb': {
    uses: ['crit', 'cHi'],
    run: (set, bound) => amcRtb(set.tasks, set.order, bound),
  },
  'edf-vd': { uses: ['crit', 'cHi'], run: (set) => edfVd(set.tasks) },
  federated: { uses: ['path'], run: (set) => federated(set.tasks, set.cores) },
  gang: {
    uses: ['j', 'cores', 'segment', 'group'],
    run: (set, bound) => gang(set.tasks, set.cores, set.tick, bound),
  },
  chain: {
    uses: ['b', 'j'],
    run: (set, bound) => chain(set.tasks, set.chains, { via: set.via, order: set.order }, bound),
  },
  bandwidth: {
    uses: ['bytes', 'budget'],
    needs: 'memory',
    run: (set) => bandwidth(set.traffic, set.memory),
  },
} as const satisfies Record<string, Analysis>;

export type AnalysisName = keyof typeof ANALYSES;

export const ANALYSIS_NAMES = Object.keys(ANALYSES) as readonly AnalysisName[];

/** What `coxswain analyze --json` prints. Times are in the unit of the table. */
export interface AnalysisResult {
  readonly test: AnalysisName;
  /** Proven. When it is false, `verdict` tells a proof of the opposite from not knowing. */
  readonly schedulable: boolean;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly tasks: readonly AnalysedTask[];
  /** What else the test found, by name. */
  readonly figures: Readonly<Record<string, number>>;
  readonly iterations?: number;
  readonly points?: number;
  readonly timeline?: readonly Stretch[];
  /** The timeline with one character a tick, where it is short: digits and letters for tasks, S and the letters after it for servers. */
  readonly sketch?: string;
  /** Times were rounded to multiples of this, since the table has more digits than exact arithmetic takes; the verdict is that of the rounded table. */
  readonly roundedTo?: number;
  /** Keys given in the table that this test does not look at. */
  readonly ignored: readonly string[];
}

export interface AnalysedTask {
  readonly id: string;
  readonly schedulable: boolean;
  readonly verdict: Verdict;
  readonly [figure: string]: number | string | boolean;
}

/** Something in a table that a test cannot work with. `path` leads to it. */
export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Keys that make a set harder: leaving one of them out of account would give a wrong yes. */
const HARDENING: readonly Extra[] = ['b', 'j'];

/** What is wrong with this set for that test; empty when it can be run. */
export function misfitsOf(name: AnalysisName, set: TaskSet): readonly Misfit[] {
  const analysis: Analysis = ANALYSES[name];
  const misfits: Misfit[] = [];
  if (analysis.needs === 'servers' && set.servers.length === 0)
    misfits.push({
      path: ['servers'],
      text: `${name} needs at least one server, such as { "q": 3, "t": 8, "jobs": [{ "r": 3, "c": 4 }] }`,
    });
  if (analysis.needs === 'memory' && set.memory === undefined)
    misfits.push({ path: ['memory'], text: `${name} needs the memory, such as { "rate": 273, "guaranteed": 200, "period": 1 }` });
  for (const [index, task] of set.tasks.entries()) {
    for (const key of HARDENING) {
      if (task[key] !== undefined && task[key] !== 0 && !analysis.uses.includes(key))
        misfits.push({ path: ['tasks', index, key], text: `${name} does not know ${key}; remove it, or take one of ${usersOf(key)}` });
    }
    if (misfits.length >= MISFITS_MAX) break;
  }
  const scaled = ticked(set);
  return scaled.kind === 'misfit' ? [...misfits, scaled.misfit] : misfits;
}

const MISFITS_MAX = 50;

const usersOf = (key: Extra): string => ANALYSIS_NAMES.filter((name) => (ANALYSES[name].uses as readonly Extra[]).includes(key)).join(', ');

/**
 * Runs one test. Pure; bounded in its work.
 *
 * @param set without misfits for this test
 */
export function analyze(name: AnalysisName, set: TaskSet, termsMax = TERMS_MAX): AnalysisResult {
  const scaled = ticked(set);
  const bound = new WorkBound(termsMax);
  if (scaled.kind === 'misfit') throw new RangeError(scaled.misfit.text);
  const found = ANALYSES[name].run(scaled.set, bound);
  const { places } = scaled.set;
  const inUnit = (times: Readonly<Record<string, number>> = {}): Record<string, number> =>
    Object.fromEntries(Object.entries(times).map(([key, value]) => [key, fromTicks(value, places)]));
  const { timeline } = found;
  return {
    test: name,
    schedulable: found.verdict === 'schedulable',
    verdict: found.verdict,
    reason: found.reason,
    tasks: found.tasks.map(({ id, verdict, times, counts }) => ({
      id,
      schedulable: verdict === 'schedulable',
      verdict,
      ...inUnit(times),
      ...counts,
    })),
    figures: { ...inUnit(found.times), ...found.counts },
    ...(found.iterations === undefined ? {} : { iterations: found.iterations }),
    ...(found.points === undefined ? {} : { points: found.points }),
    ...(timeline === undefined ? {} : timelineOf(timeline, scaled.set)),
    ...(scaled.set.isRounded ? { roundedTo: fromTicks(1, places) } : {}),
    ignored: ignoredBy(ANALYSES[name].uses, set),
  };
}

const SKETCH_TICKS_MAX = 240;
const TASK_MARKS = '123456789abcdefghijklmnopqrstuvwxyz';
const SERVER_MARKS = 'STUVWXYZABCDEFGHIJKLMNOPQR';

function timelineOf(timeline: readonly Stretch[], { tasks, servers, places }: TickedSet): Pick<AnalysisResult, 'timeline' | 'sketch'> {
  const inUnit = timeline.map(({ from, to, id }) => ({ from: fromTicks(from, places), to: fromTicks(to, places), id }));
  const end = timeline.at(-1)?.to ?? 0;
  if (end > SKETCH_TICKS_MAX) return { timeline: inUnit };
  const marks = new Map([
    ...tasks.map(({ id }, index): [string, string] => [id, TASK_MARKS[index] ?? '?']),
    ...servers.map(({ id }, index): [string, string] => [id, SERVER_MARKS[index] ?? '?']),
  ]);
  let sketch = '';
  for (const { from, to, id } of timeline) sketch = sketch.padEnd(from, '-').padEnd(to, marks.get(id) ?? '?');
  return { timeline: inUnit, sketch };
}

/** Where the default says the same, nothing was left out of account. */
function ignoredBy(uses: readonly Extra[], { tasks }: TaskSet): string[] {
  const isGiven: Readonly<Record<Extra, (task: TaskRow) => boolean>> = {
    b: ({ b }) => b !== 0,
    j: ({ j }) => j !== 0,
    crit: ({ crit }) => crit !== 'LO',
    cHi: ({ cHi, c }) => cHi !== c,
    cores: ({ cores }) => cores !== 1,
    path: ({ path, c }) => path !== c,
    segment: ({ segment, c }) => segment !== c,
    group: ({ group }) => group !== '',
    bytes: ({ bytes }) => bytes !== 0,
    budget: ({ budget }) => budget !== undefined,
  };
  return (Object.keys(isGiven) as Extra[]).filter((key) => !uses.includes(key) && tasks.some(isGiven[key]));
}
