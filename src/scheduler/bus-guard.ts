import { type InstantUs, instantUs } from '../core/units.ts';
import type { DueList } from './due-list.ts';
import { expectedAt } from './expected.ts';
import { type CoreState, type HoldState, type JobState, leavesBy, type SchedulerState, type StreamState } from './state.ts';
import { aloneRestUs, aloneRowUs } from './steps.ts';

/** On a chip with more runs than that at once, or expected soon, the bus is not looked at: each decision would take too long. */
const FLOWS_MAX = 32;

const NEVER = Number.POSITIVE_INFINITY;

/** Later than that is late; less is rounding, where all is as tight as can be. */
const LATE_US = 1;

/**
 * Two runs that both want most of the memory bus stretch each other. Before a start beside others this module plays out how far each comes when they share the
 * bus as a fluid (max-min fair), with the start and without. Where somebody more urgent, running or expected on another core, would be late because of it and is
 * not otherwise, the candidate is held until that one is over. Background runs are never protected.
 *
 * A run takes `busRatio` of the bus all along, on average, and as long as the plan says when nobody takes that away from it (what was learnt contains the sharing
 * of the past). A peer is not held where that would make it late itself: then it is not the bus that is short, and who comes first goes first.
 */
export class BusGuard {
  #count = 0;
  readonly #ratio = new Float64Array(FLOWS_MAX);
  readonly #startAt = new Float64Array(FLOWS_MAX);
  /** Alone. */
  readonly #costUs = new Float64Array(FLOWS_MAX);
  /** By when the run must have ended; infinite for who is not protected. */
  readonly #dueAt = new Float64Array(FLOWS_MAX);
  readonly #stream: StreamState[] = [];
  readonly #leftUs = new Float64Array(FLOWS_MAX);
  readonly #endAt = new Float64Array(FLOWS_MAX);
  readonly #isHurt = new Uint8Array(FLOWS_MAX);

  /** Why the candidate should not take its next `steps` to the bus now; undefined: it may. */
  holdInstead(state: SchedulerState, core: CoreState, candidate: JobState, steps: number): HoldState | undefined {
    const ratio = candidate.model.busRatio;
    if (ratio === 0) return undefined;
    const { now } = state;
    const runUs = aloneRowUs(candidate, core, steps);
    if (mostDemandBeside(state, core, now + runUs) + ratio <= 1 || !this.#lookAt(state, core, candidate, ratio)) return undefined;
    const place = this.#count;
    this.#add(candidate.stream, ratio, now, runUs, NEVER);
    this.#playOut(now, place + 1);
    let isAnybodyLate = false;
    for (let other = 0; other < place; other += 1) {
      this.#isHurt[other] = this.#isLate(other) ? 1 : 0;
      if (this.#isHurt[other] === 1) isAnybodyLate = true;
    }
    if (!isAnybodyLate) return undefined;
    this.#playOut(now, place);
    const victim = this.#mostUrgentHurt(place);
    if (victim < 0) return undefined;
    const endAt = this.#endAt[victim] as number;
    const stream = this.#stream[victim] as StreamState;
    const isPeer = stream.rank === candidate.rank;
    if (isPeer && endAt + aloneRestUs(candidate, core) + candidate.stream.tail.highUs > candidate.deadlineAt) return undefined;
    const until = instantUs(Math.max(now + 1, Math.ceil(endAt)));
    return { job: candidate, for: stream.stream.id, until, likelyUntil: endAt, busRatio: ratio };
  }

  /** Of those that are late only with the candidate; -1: there is none. */
  #mostUrgentHurt(count: number): number {
    let victim = -1;
    for (let place = 0; place < count; place += 1) {
      if (this.#isHurt[place] === 0 || this.#isLate(place)) continue;
      if (victim < 0 || this.#goesBefore(place, victim)) victim = place;
    }
    return victim;
  }

  #goesBefore(a: number, b: number): boolean {
    const byClass = (this.#stream[a] as StreamState).rank - (this.#stream[b] as StreamState).rank;
    return byClass === 0 ? (this.#dueAt[a] as number) < (this.#dueAt[b] as number) : byClass < 0;
  }

  /** What runs and what is expected; false when all of it together leaves the bus to everybody, or when there is too much to look at. */
  #lookAt(state: SchedulerState, core: CoreState, candidate: JobState, ratio: number): boolean {
    this.#count = 0;
    let demand = ratio;
    let isAnybodyProtected = false;
    for (const other of state.cores) {
      if (other === core) continue;
      const { running } = other;
      // Of a gang its leading core stands for all.
      if (running !== undefined && running.core === other && running.model.busRatio > 0) {
        if (!this.#addRunning(state.now, other, running, candidate)) return false;
        demand += running.model.busRatio;
      }
      const expected = nextExpected(state.now, other, candidate);
      if (expected !== undefined) {
        if (!this.#addExpected(state.now, other, expected)) return false;
        demand += expected.model.busRatio;
      }
    }
    for (let place = 0; place < this.#count; place += 1) if (this.#dueAt[place] !== NEVER) isAnybodyProtected = true;
    return isAnybodyProtected && demand > 1 && this.#count < FLOWS_MAX;
  }

  #addRunning(now: InstantUs, core: CoreState, running: JobState, candidate: JobState): boolean {
    const runUs = running.reloadUs + aloneRowUs(running, core, running.granted);
    const costUs = Math.max(1, leavesBy(running, running.startedAt + runUs) - now);
    const isProtected = running.stream.stream.criticality !== 'background' && isMoreUrgent(running.rank, running.urgentAt, candidate);
    // What is left of a network that was cut has to be run after this segment.
    const afterUs = Math.max(0, aloneRestUs(running, core) - aloneRowUs(running, core, running.granted));
    const dueAt = isProtected ? running.deadlineAt - running.stream.tail.highUs - afterUs : NEVER;
    return this.#add(running.stream, running.model.busRatio, now, costUs, dueAt);
  }

  #addExpected(now: InstantUs, core: CoreState, stream: StreamState): boolean {
    const { running } = core;
    const freeAt = running === undefined ? now : running.startedAt + running.reloadUs + aloneRowUs(running, core, running.granted);
    const { captureAt, arrivalAt } = stream.releases;
    const { costUs } = stream.model.plan;
    const { deadlineUs } = stream.stream;
    const startAt = Math.max(now, arrivalAt, freeAt);
    // It may come as early as `captureAt`, and is then due as early; where that leaves it no time at all, it is the guess that is too wide.
    const dueAt = captureAt + deadlineUs - stream.tail.highUs;
    const canBeInTime = costUs + stream.tail.highUs <= deadlineUs;
    return this.#add(stream, stream.model.busRatio, startAt, costUs, canBeInTime ? Math.max(dueAt, arrivalAt + costUs) : dueAt);
  }

  /** Plain numbers: this is done several times a decision. */
  #add(stream: StreamState, ratio: number, startAt: number, costUs: number, dueAt: number): boolean {
    const place = this.#count;
    if (place === FLOWS_MAX) return false;
    this.#count += 1;
    this.#stream[place] = stream;
    this.#ratio[place] = ratio;
    this.#startAt[place] = startAt;
    this.#costUs[place] = costUs;
    this.#dueAt[place] = dueAt;
    return true;
  }

  /** Sets `endAt` of the first `count` flows, as far as anybody protected is still under way. */
  #playOut(now: number, count: number): void {
    let protectedLeft = 0;
    for (let place = 0; place < count; place += 1) {
      this.#leftUs[place] = this.#costUs[place] as number;
      this.#endAt[place] = NEVER;
      if (this.#dueAt[place] !== NEVER) protectedLeft += 1;
    }
    // Every turn somebody comes or goes.
    for (let at = now; protectedLeft > 0; ) {
      const level = this.#level(at, count);
      let next = NEVER;
      for (let place = 0; place < count; place += 1) {
        const left = this.#leftUs[place] as number;
        if (left === 0) continue;
        const startAt = this.#startAt[place] as number;
        next = Math.min(next, startAt > at ? startAt : at + left / this.#speed(place, level));
      }
      for (let place = 0; place < count; place += 1) {
        const left = this.#leftUs[place] as number;
        if (left === 0 || (this.#startAt[place] as number) > at) continue;
        const speed = this.#speed(place, level);
        if (at + left / speed <= next) {
          this.#leftUs[place] = 0;
          this.#endAt[place] = next;
          if (this.#dueAt[place] !== NEVER) protectedLeft -= 1;
        } else this.#leftUs[place] = left - (next - at) * speed;
      }
      at = next;
    }
  }

  #isLate(place: number): boolean {
    return (this.#endAt[place] as number) > (this.#dueAt[place] as number) + LATE_US;
  }

  /** Part of its own pace that a run keeps when nobody gets more of the bus than `level`. */
  #speed(place: number, level: number): number {
    return Math.min(1, level / (this.#ratio[place] as number));
  }

  /** The most that anybody gets: who wants less leaves the rest to the others. */
  #level(at: number, count: number): number {
    let free = 1;
    let greedy = 0;
    for (let place = 0; place < count; place += 1) if (this.#isOn(place, at)) greedy += 1;
    let level = greedy === 0 ? 1 : 1 / greedy;
    for (let didChange = true; didChange; ) {
      free = 1;
      greedy = 0;
      for (let place = 0; place < count; place += 1) {
        if (!this.#isOn(place, at)) continue;
        if ((this.#ratio[place] as number) <= level) free -= this.#ratio[place] as number;
        else greedy += 1;
      }
      const raised = greedy === 0 ? 1 : free / greedy;
      didChange = raised > level;
      if (didChange) level = raised;
    }
    return level;
  }

  #isOn(place: number, at: number): boolean {
    return (this.#leftUs[place] as number) > 0 && (this.#startAt[place] as number) <= at;
  }
}

/**
 * At least what other cores want of the bus until then. Mostly it has room for that and the candidate beside it: then nobody is stretched while the candidate runs,
 * and nothing is otherwise once it has ended.
 */
function mostDemandBeside(state: SchedulerState, core: CoreState, until: number): number {
  let demand = 0;
  for (const other of state.cores) {
    const { running } = other;
    if (running !== undefined && running.core === other) demand += running.model.busRatio;
    if (other !== core && other.homeBusRatio > 0 && other.arrivals.anyBy(until)) demand += other.homeBusRatio;
  }
  return demand;
}

const isMoreUrgent = (rank: number, urgentAt: number, candidate: JobState): boolean =>
  rank < candidate.rank || (rank === candidate.rank && urgentAt < candidate.urgentAt);

/** The most urgent one that is at home there, takes of the bus, and goes before the candidate. */
function nextExpected(now: InstantUs, core: CoreState, candidate: JobState): StreamState | undefined {
  const { homeStreams, expected, homeBusRatio } = core;
  let next: StreamState | undefined;
  if (homeBusRatio === 0) return next;
  if (expected === undefined) for (const stream of homeStreams) next = moreUrgentOf(now, next, stream, candidate);
  else
    for (let rank = 0; rank < expected.length && rank <= candidate.rank; rank += 1) {
      const order = expected[rank] as DueList;
      // By when they are due at the earliest, until none that follows can have an earlier deadline than a peer may have, or than what was found.
      const until = rank === candidate.rank ? candidate.urgentAt : NEVER;
      for (let index = 0; order.dueAt(index) < until && order.dueAt(index) <= expectedDeadlineAt(next); ) {
        const stream = expectedAt(now, core, order, index);
        if (stream === undefined) continue;
        next = moreUrgentOf(now, next, stream, candidate);
        index += 1;
      }
    }
  return next;
}

/** The other, if it is expected, goes before the candidate and has the earlier deadline. */
function moreUrgentOf(now: InstantUs, next: StreamState | undefined, other: StreamState, candidate: JobState): StreamState | undefined {
  if (other === candidate.stream || other.model.busRatio === 0 || !other.releases.predict(now)) return next;
  const deadlineAt = expectedDeadlineAt(other);
  if (!isMoreUrgent(other.rank, deadlineAt, candidate)) return next;
  const nextAt = expectedDeadlineAt(next);
  return next === undefined || deadlineAt < nextAt || (deadlineAt === nextAt && other.index < next.index) ? other : next;
}

/** Of the job that was predicted last; never where there is none. */
const expectedDeadlineAt = (next: StreamState | undefined): number =>
  next === undefined ? NEVER : next.releases.captureAt + next.stream.deadlineUs;
