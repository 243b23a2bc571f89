import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationUs } from '../../../src/core/units.ts';
import { PLAN_DEFAULTS, type SchedulerPlan, type ServerPlan } from '../../../src/scheduler/scheduler.ts';
import { InvariantChecker } from '../../simulation/checkers.ts';
import { type Played, type PlayedJob, playSteps } from '../../support/step-player.ts';
import { setCount } from './analysis/analysis-task.ts';

const EPSILON = 1e-9;
/** Long beside what look-ahead grants late releases. */
const TICK = 100_000;

interface Task {
  readonly criticality: Stream['criticality'];
  readonly cost: number;
  readonly period: number;
}

interface Reservation {
  readonly criticality: Stream['criticality'];
  readonly budget: number;
  readonly period: number;
}

/** Tasks and servers on one core, in steps of a tick at known costs; each server has work without end. */
function planOf(tasks: readonly Task[], servers: readonly Reservation[]): SchedulerPlan {
  const stream = (id: string, criticality: Stream['criticality'], period: number, deadline: number): Stream => ({
    id,
    model: id,
    criticality,
    periodUs: durationUs(period * TICK),
    deadlineUs: durationUs(deadline * TICK),
    freshness: { kind: 'queue', jobsMax: 100 },
    isStateful: false,
  });
  const model = (id: string, cost: number) => ({
    model: id,
    cores: [0],
    costUs: durationUs(cost * TICK),
    exactCosts: [{ core: 0, costUs: durationUs(cost * TICK) }],
    steps: {
      kind: 'blocks' as const,
      shares: Array.from({ length: cost }, () => 1 / cost),
      switchUs: Array.from({ length: cost - 1 }, () => durationUs(0)),
    },
  });
  return {
    ...PLAN_DEFAULTS,
    cores: [0],
    tailUs: durationUs(0),
    preemption: { kind: 'between-steps' },
    timeouts: { floorUs: durationUs(1e12), factor: 4, ceilingUs: durationUs(1e12) },
    streams: [
      ...tasks.map(({ criticality, period }, index) => stream(`task ${index}`, criticality, period, period)),
      ...servers.map(({ criticality }, index) => stream(`work ${index}`, criticality, 0, 1e6)),
    ],
    models: [...tasks.map(({ cost }, index) => model(`task ${index}`, cost)), ...servers.map((_, index) => model(`work ${index}`, WORK))],
    servers: servers.map(
      ({ budget, period }, index): ServerPlan => ({
        id: `server ${index}`,
        streams: [`work ${index}`],
        budgetUs: durationUs(budget * TICK),
        periodUs: durationUs(period * TICK),
      }),
    ),
  };
}

const WORK = 2_000;
const TICKS = 600;

function play(
  tasks: readonly Task[],
  servers: readonly Reservation[],
  random: Prng,
): { readonly plan: SchedulerPlan; readonly jobs: readonly PlayedJob[]; readonly played: Played } {
  const plan = planOf(tasks, servers);
  const jobs: PlayedJob[] = servers.map((_, index) => ({ stream: `work ${index}`, at: random.integer(0, 20) * TICK }));
  tasks.forEach(({ period }, index) => {
    for (let at = random.integer(0, period); at < TICKS; at += period) jobs.push({ stream: `task ${index}`, at: at * TICK });
  });
  const checker = new InvariantChecker(plan);
  const played = playSteps(plan, jobs, {
    until: TICKS * TICK,
    see: (events, decisions) => {
      const last = events.at(-1);
      for (const event of events) checker.see({ event, decisions: event === last ? decisions : [] });
    },
  });
  return { plan, jobs, played };
}

/** By tick: how much of it the stream had the core for, up to then. */
function supplyOf({ stretches }: Played, stream: string): number[] {
  const supply = Array.from({ length: TICKS + 1 }, () => 0);
  for (const { stream: of, from, to } of stretches)
    if (of === stream) for (let at = from / TICK; at < to / TICK; at += 1) supply[at + 1] = 1;
  for (let at = 1; at <= TICKS; at += 1) supply[at] = (supply[at] ?? 0) + (supply[at - 1] ?? 0);
  return supply;
}

/** The least that a window of the supply falls short of, or exceeds, what a reservation of Q in every P promises: (L - 2 (P - Q)) Q / P. */
function shortest(supply: readonly number[], from: number, { budget, period }: Reservation): number {
  let least = Number.POSITIVE_INFINITY;
  // supply(t) - t Q / P may nowhere fall by more than 2 (P - Q) Q / P below an earlier value.
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = from; at < supply.length; at += 1) {
    const ahead = (supply[at] ?? 0) - (at * budget) / period;
    highest = Math.max(highest, ahead);
    least = Math.min(least, ahead - highest + (2 * (period - budget) * budget) / period);
  }
  return least;
}

const loadOf = (servers: readonly Reservation[], tasks: readonly Task[]): number =>
  servers.reduce((sum, { budget, period }) => sum + budget / period, 0) + tasks.reduce((sum, { cost, period }) => sum + cost / period, 0);

function drawServers(random: Prng): Reservation[] {
  return Array.from({ length: random.integer(1, 3) }, () => {
    const period = random.integer(4, 40);
    return { criticality: random.chance(0.5) ? 'interactive' : 'background', budget: random.integer(1, Math.ceil(period / 3)), period };
  });
}

function drawTasks(random: Prng, criticality: Stream['criticality'], countMax: number): Task[] {
  return Array.from({ length: random.integer(0, countMax) }, () => {
    const period = random.integer(5, 40);
    return { criticality, cost: random.integer(1, Math.ceil(period / 3)), period };
  });
}

/** Jobs of tasks of that class that had the time to end and were not done. */
function lostOf({ jobs, played }: ReturnType<typeof play>, tasks: readonly Task[], criticality: Stream['criticality']): number[] {
  return jobs.flatMap(({ stream, at }, index) => {
    const task = tasks[Number(stream.split('task ')[1] ?? -1)];
    if (task?.criticality !== criticality || at / TICK + task.period > TICKS) return [];
    return played.ends.get(index + 1)?.outcome.kind === 'done' ? [] : [index + 1];
  });
}

const SETS = setCount(40);

/** Random sets that pass, with how they are played. */
function forSets(
  label: string,
  draw: (random: Prng) => Drawn | undefined,
  see: (drawn: Drawn, run: ReturnType<typeof play>) => void,
): void {
  const random = new Prng(label);
  for (let found = 0, index = 0; found < SETS; index += 1) {
    const drawn = draw(random.fork(String(index)));
    if (drawn === undefined) continue;
    found += 1;
    see(drawn, play(drawn.tasks, drawn.servers, random.fork(`run ${index}`)));
  }
}

interface Drawn {
  readonly servers: readonly Reservation[];
  readonly tasks: readonly Task[];
}

/** By server: what the tightest window of it had beyond what it was promised. */
const surpluses = ({ servers }: Drawn, { jobs, played }: ReturnType<typeof play>): number[] =>
  servers.map((server, place) => shortest(supplyOf(played, `work ${place}`), (jobs[place]?.at ?? 0) / TICK, server));

/**
 * At the last instant that something unreserved runs, every server has at most its budget ahead of it, due later; from then on only servers and what is above them
 * run, so each gets its budget no later than its deadline, the costs of all of them and the step that had begun, over what those above leave.
 */
function expectLag(drawn: Drawn, run: ReturnType<typeof play>): void {
  const above = drawn.tasks.filter(({ criticality }) => criticality === 'safety');
  const costs = [...drawn.servers.map(({ budget }) => budget), ...above.map(({ cost }) => cost)].reduce((sum, cost) => sum + cost, 0);
  const late = (costs + 1) / (1 - loadOf([], above));
  for (const [place, surplus] of surpluses(drawn, run).entries()) {
    const { budget = 0, period = 1 } = drawn.servers[place] ?? {};
    if (surplus < (-late * budget) / period - EPSILON) expect({ drawn, place, surplus, late }).toBe('within the lag');
  }
}

describe('a server with work without end', () => {
  it('has in every window what a reservation promises wherever tasks and servers fit together, and no task is late', () => {
    let tight = 0;
    forSets(
      'fits',
      (random) => {
        const drawn = { servers: drawServers(random), tasks: drawTasks(random, 'interactive', 4) };
        const load = loadOf(drawn.servers, drawn.tasks);
        // One step may have begun when something more urgent comes.
        const blocking = 1 / Math.min(...[...drawn.servers, ...drawn.tasks].map(({ period }) => period));
        return load + blocking <= 1 && load > 0.7 ? drawn : undefined;
      },
      (drawn, run) => {
        for (const surplus of surpluses(drawn, run)) {
          if (surplus < -EPSILON) expect({ drawn, surplus }).toBe('at least 0');
          if (surplus < 1) tight += 1;
        }
        expect({ drawn, lost: lostOf(run, drawn.tasks, 'interactive') }).toEqual({ drawn, lost: [] });
      },
    );
    expect(tight).toBeGreaterThan(SETS / 20);
  });

  it('is behind that by no more than the time of all budgets, however much unreserved streams of its class want', () => {
    let overloaded = 0;
    forSets(
      'overload',
      (random) => {
        const drawn = { servers: drawServers(random), tasks: drawTasks(random, 'interactive', 8) };
        return loadOf(drawn.servers, []) <= 1 && loadOf(drawn.servers, drawn.tasks) > 1.1 ? drawn : undefined;
      },
      (drawn, run) => {
        if (lostOf(run, drawn.tasks, 'interactive').length > 0) overloaded += 1;
        expectLag(drawn, run);
      },
    );
    expect(overloaded).toBeGreaterThan(SETS / 2);
  });

  it('costs a safety stream nothing, and makes up for the time that it waited for one', () => {
    forSets(
      'safety',
      (random) => {
        const drawn = { servers: drawServers(random), tasks: [...drawTasks(random, 'safety', 3), ...drawTasks(random, 'interactive', 4)] };
        const above = drawn.tasks.filter(({ criticality }) => criticality === 'safety');
        return above.length > 0 && loadOf([], above) <= 0.5 && loadOf(drawn.servers, above) <= 1 ? drawn : undefined;
      },
      (drawn, run) => {
        expect({ drawn, lost: lostOf(run, drawn.tasks, 'safety') }).toEqual({ drawn, lost: [] });
        expectLag(drawn, run);
      },
    );
  });
});
