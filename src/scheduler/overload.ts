import { type InstantUs, instantUs } from '../core/units.ts';
import { highUsOn, typicalUsOn } from './cost-of.ts';
import { moveExpected } from './expected.ts';
import { endBy, tightUs } from './protected-span.ts';
import { claimUs, isFunded, standingDueAt, standsInBackground } from './server.ts';
import type { CoreState, HoldState, JobState, StreamState } from './state.ts';
import { typicalRestUs } from './steps.ts';
import type { WaitingList } from './waiting-list.ts';

/**
 * Who is to be hurt where not everything protected can be in time, or where there are too many streams to search for an order. What the core would do
 * next with and without the candidate is played out, without preemption and without further holds, and the core is held for those that would be late because of it.
 *
 * Looked at are: the next job of each stream at home on this core that is of a higher class, or of the same class with an earlier deadline than the
 * candidate's (of a higher class the next two); and jobs already held on this core, which the candidate would overtake. Costs are high quantiles.
 */
interface Demand {
  stream: StreamState;
  /** In the plan; what is held goes before. */
  place: number;
  releaseAt: number;
  /** How much later than `releaseAt` it may well come. */
  delayUs: number;
  /** By when its segment must end. */
  dueAt: number;
  costUs: number;
  /** How long to hold at most for it. */
  holdUntil: number;
  /** When it ends as last played out; 0 while it is being found. */
  endAt: number;
}

/** Only so many demands are played out, the most urgent ones: it bounds the time of a decision, and a core with more than that ahead of it is overloaded. */
const DEMANDS_MAX = 16;

/** Why the core should not be taken by the candidate for `costUs`; undefined: it may. */
export function holdForVictims(now: InstantUs, core: CoreState, candidate: JobState, costUs: number): HoldState | undefined {
  const demands = demandsOn(now, core, candidate);
  if (demands.length === 0) return undefined;
  if (fitsAnyway(demands, now + costUs)) return undefined;

  const victims = victimsOf(demands, now, now + costUs);
  const first = victims[0];
  if (first === undefined) return undefined;
  const isPeer = victims.every((victim) => victim.demand.stream.rank === candidate.rank);
  if (isPeer && isWorthMore(candidate, costUs, victims)) return undefined;
  // A hold ends at the release hoped for at the latest, and never lasts longer than one period of the stream that it is for.
  const until = Math.min(first.demand.holdUntil, now + Math.max(1, first.demand.stream.stream.periodUs));
  return {
    job: candidate,
    for: first.demand.stream.stream.id,
    until: instantUs(Math.max(now + 1, Math.ceil(until))),
    likelyUntil: first.demand.releaseAt,
  };
}

function demandsOn(now: InstantUs, core: CoreState, candidate: JobState): Demand[] {
  const demands = new MostUrgent();
  for (const [index, hold] of core.held.entries()) {
    const stream = hold.job.stream;
    if (stream === candidate.stream || standsInBackground(hold.job)) continue;
    const highUs = claimUs(hold.job, core);
    const dueAt = endBy(stream, hold.likelyUntil, highUs, standingDueAt(hold.job));
    if (!demands.hasRoomFor(dueAt)) continue;
    const isTight = hold.likelyUntil + highUs > dueAt;
    const costUs = isTight ? tightUs(hold.likelyUntil, dueAt, Math.min(highUs, typicalRestUs(hold.job, core))) : highUs;
    demands.add({
      stream,
      place: index - core.held.length,
      releaseAt: hold.likelyUntil,
      delayUs: 0,
      dueAt,
      costUs,
      holdUntil: hold.until,
      endAt: 0,
    });
  }
  if (core.expected === undefined) {
    for (const stream of core.homeStreams) if (stream.rank <= candidate.rank) addExpected(demands, now, core, candidate, stream);
  } else {
    for (const list of core.expected.slice(0, candidate.rank + 1)) addMostUrgent(demands, now, core, candidate, list);
  }
  return demands.items();
}

/** Those of a class, by when they are due at the earliest, until nothing that follows can be among the most urgent. */
function addMostUrgent(demands: MostUrgent, now: InstantUs, core: CoreState, candidate: JobState, list: WaitingList<StreamState>): void {
  const peersUntil = standingDueAt(candidate);
  for (let place = 0, stream = list.at(0); stream !== undefined; stream = list.at(place)) {
    const { dueFrom } = stream;
    if (dueFrom === Number.POSITIVE_INFINITY || !demands.hasRoomFor(dueFrom)) return;
    // Of a peer, only one that is due before the candidate counts.
    if (stream.rank === candidate.rank && dueFrom >= peersUntil) return;
    const isExpected = stream.releases.predict(now);
    const dueAt = isExpected ? stream.releases.captureAt + stream.stream.deadlineUs - stream.tail.highUs : Number.POSITIVE_INFINITY;
    if (dueAt > dueFrom) {
      // What was expected has not come, or will not any more; it is met again where it belongs now.
      moveExpected(stream, dueAt);
      continue;
    }
    addExpected(demands, now, core, candidate, stream);
    place += 1;
  }
}

function addExpected(demands: MostUrgent, now: InstantUs, core: CoreState, candidate: JobState, stream: StreamState): void {
  if (stream === candidate.stream || !stream.releases.predict(now)) return;
  const { captureAt, arrivalAt, arrivalLateAt, arrivalBy, intervalUs } = stream.releases;
  const deadlineAt = captureAt + stream.stream.deadlineUs;
  const isPeer = stream.rank === candidate.rank;
  if (isPeer && deadlineAt >= standingDueAt(candidate)) return;
  const highUs = highUsOn(stream.model, core);
  const dueAt = endBy(stream, arrivalAt, highUs, deadlineAt);
  if (!demands.hasRoomFor(dueAt)) return;
  const { index: place } = stream;
  const costUs = arrivalAt + highUs > dueAt ? tightUs(arrivalAt, dueAt, typicalUsOn(stream.model, core)) : highUs;
  const delayUs = arrivalLateAt - arrivalAt;
  demands.add({ stream, place, releaseAt: arrivalAt, delayUs, dueAt, costUs, holdUntil: arrivalBy, endAt: 0 });
  // A delay from below can push one protected job into the next release of another, so there one release is not far enough to look.
  if (isPeer || !demands.hasRoomFor(dueAt + intervalUs)) return;
  const releaseAt = arrivalAt + intervalUs;
  demands.add({ stream, place, releaseAt, delayUs, dueAt: dueAt + intervalUs, costUs, holdUntil: arrivalBy, endAt: 0 });
}

/** Up to DEMANDS_MAX demands, in the order of the plan; where there are more, the most urgent ones, in order of urgency. */
class MostUrgent {
  readonly #items: Demand[] = [];
  #areMore = false;

  hasRoomFor(dueAt: number): boolean {
    const last = this.#items[DEMANDS_MAX - 1];
    if (last === undefined) return true;
    this.#areMore = true;
    return dueAt < last.dueAt;
  }

  add(demand: Demand): void {
    const items = this.#items;
    let index = Math.min(items.length, DEMANDS_MAX - 1);
    for (; index > 0 && isMoreUrgent(demand, items[index - 1] as Demand); index -= 1) items[index] = items[index - 1] as Demand;
    items[index] = demand;
  }

  items(): Demand[] {
    return this.#areMore ? this.#items : this.#items.sort((a, b) => a.place - b.place || a.dueAt - b.dueAt);
  }
}

const isMoreUrgent = (a: Demand, b: Demand): boolean => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.place < b.place);

/** The cheap test that mostly suffices: all of them one after the other would still be in time for the most urgent. */
function fitsAnyway(demands: readonly Demand[], freeAt: number): boolean {
  let endAt = freeAt;
  let dueAt = Number.POSITIVE_INFINITY;
  for (const demand of demands) {
    endAt = Math.max(endAt, demand.releaseAt) + demand.costUs;
    if (demand.dueAt < dueAt) dueAt = demand.dueAt;
  }
  return endAt <= dueAt;
}

interface Victim {
  readonly demand: Demand;
  /** When it ends if the candidate waits. */
  readonly endUnhurtAt: number;
  /** By how much it is late if the candidate starts. */
  readonly lateUs: number;
}

/** Those that would be late because of the candidate, most urgent first: not those that cannot be in time by themselves, nor those it does not delay. */
function victimsOf(demands: Demand[], now: number, freeAt: number): Victim[] {
  demands.sort((a, b) => a.stream.rank - b.stream.rank || a.dueAt - b.dueAt);
  playOut(demands, now);
  const endsUnhurt = demands.map((demand) => demand.endAt);
  playOut(demands, freeAt);
  const victims: Victim[] = [];
  demands.forEach((demand, index) => {
    const endUnhurtAt = endsUnhurt[index] as number;
    const lateUs = demand.endAt - demand.dueAt;
    const canBeInTime = Math.max(now, demand.releaseAt) + demand.costUs <= demand.dueAt;
    if (lateUs > 0 && canBeInTime && demand.endAt > endUnhurtAt) victims.push({ demand, endUnhurtAt, lateUs });
  });
  return victims.sort((a, b) => a.demand.dueAt - b.demand.dueAt);
}

/** Sets `endAt` of each as a work-conserving core without preemption would serve them from `freeAt` on: by class, then by deadline, as they are sorted. */
function playOut(demands: readonly Demand[], freeAt: number): void {
  for (const demand of demands) demand.endAt = 0;
  let at = freeAt;
  for (let left = demands.length; left > 0; left -= 1) {
    let next: Demand | undefined;
    let soonest: Demand | undefined;
    for (const demand of demands) {
      if (demand.endAt !== 0) continue;
      if (demand.releaseAt <= at) {
        next = demand;
        break;
      }
      if (soonest === undefined || demand.releaseAt < soonest.releaseAt) soonest = demand;
    }
    next ??= soonest;
    if (next === undefined) return;
    at = Math.max(at, next.releaseAt) + next.costUs;
    next.endAt = at;
  }
}

/**
 * Between peers, where holding would make the candidate itself late: the stream that lost more lately has its turn; else two victims weigh more than
 * one; else whoever would be less late is the likelier to be in time after all and is spared.
 */
function isWorthMore(candidate: JobState, costUs: number, victims: readonly Victim[]): boolean {
  const first = victims[0];
  if (first === undefined) return true;
  const lateIfHeldUs = first.endUnhurtAt + first.demand.delayUs + costUs + candidate.stream.tail.highUs - standingDueAt(candidate);
  if (lateIfHeldUs <= 0) return false;
  // What is reserved is not given up for what is not.
  if (isFunded(candidate)) return true;
  const lossesInARow = first.demand.stream.lossesInARow;
  if (candidate.stream.lossesInARow !== lossesInARow) return candidate.stream.lossesInARow > lossesInARow;
  if (victims.length > 1) return false;
  return first.lateUs <= lateIfHeldUs;
}
