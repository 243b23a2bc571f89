import type { PlayedTask } from './played-schedule.ts';

/**
 * Whether somebody who knows all releases for ever could serve these strictly periodic tasks on one core without preemption and in time. By brute force over
 * the states of a core that has just come free: the tick within the hyperperiod, and for each task whether its latest job has run. A state is taken away when a
 * job in it cannot be in time any more or when no step from it leads to a state that is left; what is left at the end can go on for ever.
 *
 * @param tasks with whole numbers and deadlines within periods, so that at most one job of each is under way
 * @param offsets first releases, below the periods
 */
export function isClairvoyantInTime(tasks: readonly PlayedTask[], offsets: readonly number[]): boolean {
  const hyperperiod = tasks.reduce((multiple, { period }) => leastCommonMultiple(multiple, period), 1);
  const masks = 2 ** tasks.length;
  const isLeft = new Uint8Array(hyperperiod * masks).fill(1);
  const sinceRelease = (task: number, at: number): number => {
    const { period } = tasks[task] as PlayedTask;
    return (((at - (offsets[task] ?? 0)) % period) + period) % period;
  };
  /** The jobs run by `to`, when those of `done` had at `from` and the core was taken meanwhile; undefined when one was missed. */
  const doneAt = (done: number, from: number, to: number): number | undefined => {
    let then = done;
    for (const [task, { period }] of tasks.entries()) {
      const age = sinceRelease(task, from) + (to - from);
      if (age < period) continue;
      if ((done & (1 << task)) === 0 || age >= 2 * period) return undefined;
      then &= ~(1 << task);
    }
    return then;
  };
  const goesOn = (from: number, to: number, done: number): boolean => {
    const then = doneAt(done, from, to);
    return then !== undefined && isLeft[(to % hyperperiod) * masks + then] === 1;
  };
  const isAlive = (at: number, done: number): boolean => {
    let isAnyRunGood = false;
    for (const [task, { cost, deadline }] of tasks.entries()) {
      if ((done & (1 << task)) !== 0) continue;
      if (sinceRelease(task, at) + cost > deadline) return false;
      isAnyRunGood ||= goesOn(at, at + cost, done | (1 << task));
    }
    return isAnyRunGood || goesOn(at, at + 1, done);
  };
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (let state = isLeft.length - 1; state >= 0; state -= 1) {
      if (isLeft[state] === 0 || isAlive(Math.floor(state / masks), state % masks)) continue;
      isLeft[state] = 0;
      isChanged = true;
    }
  }
  const released = offsets.reduce((mask, offset, task) => (offset === 0 ? mask | (1 << task) : mask), 0);
  return isLeft[masks - 1 - released] === 1;
}

const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
