import type { Prng } from '../../../../src/core/prng.ts';

/** A task of a played schedule: whole numbers, known by its place in the list. */
export interface PlayedTask {
  readonly cost: number;
  readonly period: number;
  readonly deadline: number;
  /** Of its class; fixed priorities are the place in the list. */
  readonly rank?: number;
  /** Longest region without preemption; the whole job when absent. */
  readonly region?: number;
}

interface PlayedJob {
  readonly task: number;
  readonly release: number;
  readonly deadline: number;
  left: number;
}

export interface Played {
  /** The longest response of each task; 0 where no job ended. */
  readonly responses: number[];
  readonly isMissed: boolean;
}

export type Order = 'fixed' | 'edf' | 'class-edf';

/**
 * Plays single ticks of one core, written without any of the formulas that it is held against.
 *
 * @param releases instants by task, in order
 */
export function play(
  tasks: readonly PlayedTask[],
  releases: readonly (readonly number[])[],
  order: Order,
  isPreemptive: boolean,
  ticks: number,
): Played {
  const responses = tasks.map(() => 0);
  const next = tasks.map(() => 0);
  const waiting: PlayedJob[] = [];
  let running: PlayedJob | undefined;
  let regionLeft = 0;
  let isMissed = false;
  const goesBefore = (a: PlayedJob, b: PlayedJob): boolean => {
    if (order === 'fixed') return a.task !== b.task ? a.task < b.task : a.release < b.release;
    const rankOf = (job: PlayedJob): number => tasks[job.task]?.rank ?? 0;
    if (order === 'class-edf' && rankOf(a) !== rankOf(b)) return rankOf(a) < rankOf(b);
    if (a.deadline !== b.deadline) return a.deadline < b.deadline;
    return a.task !== b.task ? a.task < b.task : a.release < b.release;
  };
  for (let now = 0; now < ticks; now += 1) {
    for (const [index, task] of tasks.entries()) {
      const list = releases[index] ?? [];
      for (let at = list[next[index] ?? 0]; at === now; at = list[next[index] ?? 0]) {
        waiting.push({ task: index, release: now, deadline: now + task.deadline, left: task.cost });
        next[index] = (next[index] ?? 0) + 1;
      }
    }
    if (running === undefined || isPreemptive || regionLeft === 0) {
      let best: PlayedJob | undefined;
      for (const job of waiting) if (best === undefined || goesBefore(job, best)) best = job;
      running = best;
      const region = best === undefined ? 0 : (tasks[best.task]?.region ?? Number.POSITIVE_INFINITY);
      regionLeft = Math.min(best?.left ?? 0, region);
    }
    if (running !== undefined) {
      running.left -= 1;
      regionLeft -= 1;
      if (running.left === 0) {
        responses[running.task] = Math.max(responses[running.task] ?? 0, now + 1 - running.release);
        if (now + 1 > running.deadline) isMissed = true;
        waiting.splice(waiting.indexOf(running), 1);
        running = undefined;
      }
    }
    if (waiting.some((job) => job.deadline <= now)) isMissed = true;
  }
  return { responses, isMissed };
}

/** First at `offset`, then every period. */
export function periodic(task: PlayedTask, offset: number, ticks: number): number[] {
  const releases: number[] = [];
  for (let at = offset; at < ticks; at += task.period) releases.push(at);
  return releases;
}

/** At least a period apart, mostly exactly that. */
export function sporadic(task: PlayedTask, random: Prng, ticks: number): number[] {
  const releases: number[] = [];
  for (let at = random.integer(0, task.period); at < ticks; at += task.period + (random.chance(0.3) ? random.integer(0, 4) : 0))
    releases.push(at);
  return releases;
}

/** At every tick or up to `jitter` later, in order. With `isPressed` the first is as late as can be and all others on their tick. */
export function jittered(task: PlayedTask, jitter: number, isPressed: boolean, random: Prng, ticks: number): number[] {
  const releases: number[] = [];
  for (let tick = 0; tick < ticks; tick += task.period) {
    const late = isPressed ? (tick === 0 ? jitter : 0) : random.integer(0, jitter);
    releases.push(Math.max(tick + late, releases.at(-1) ?? 0));
  }
  return releases.filter((at) => at < ticks);
}

/** Their least common multiple is 120, so that a schedule repeats soon. */
const PERIODS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30];
export const HYPERPERIOD = 120;

export interface SetOptions {
  readonly tasksMax: number;
  /** Deadlines up to this many times the period; at least the cost. */
  readonly deadlineRatioMax: number;
}

/**
 * 2 to `tasksMax` tasks with a load up to 1, most of them above a half. Above 1 every schedule misses sooner or later, but with deadlines beyond periods
 * later than anybody wants to play.
 */
export function randomSet(random: Prng, { tasksMax, deadlineRatioMax }: SetOptions): PlayedTask[] {
  for (;;) {
    const count = random.integer(2, tasksMax);
    const tasks = Array.from({ length: count }, (): PlayedTask => {
      const period = PERIODS[random.integer(0, PERIODS.length - 1)] ?? 2;
      const cost = random.integer(1, Math.max(1, Math.ceil((1.4 * period) / count)));
      const deadline = Math.max(cost, random.integer(Math.ceil(period / 2), Math.ceil(period * deadlineRatioMax)));
      return { cost, period, deadline };
    });
    const load = tasks.reduce((sum, { cost, period }) => sum + cost / period, 0);
    if (load <= 1 + 1e-9 && (load >= 0.5 || random.chance(0.1))) return tasks;
  }
}
