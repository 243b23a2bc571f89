import { type InstantUs, instantUs } from '../core/units.ts';
import { highUsOn, typicalUsOn } from './cost-of.ts';
import { Demands } from './demands.ts';
import type { DueList } from './due-list.ts';
import { expectedAt } from './expected.ts';
import { endBy, tightUs } from './protected-span.ts';
import { claimUs, isFunded, standingDueAt, standsInBackground } from './server.ts';
import type { CoreState, HoldState, JobState, StreamState } from './state.ts';
import { typicalRestUs } from './steps.ts';

/**
 * Who is to be hurt where not everything protected can be in time, or where there are too many streams to search for an order. What the core would do
 * next with and without the candidate is played out, without preemption and without further holds, and the core is held for those that would be late because of it.
 *
 * Looked at are: the next job of each stream at home on this core that is of a higher class, or of the same class with an earlier deadline than the
 * candidate's (of a higher class the next two); and jobs already held on this core, which the candidate would overtake. Costs are high quantiles.
 */
export class Overload {
  readonly #demands = new Demands();

  /** Why the core should not be taken by the candidate for `costUs`; undefined: it may. */
  holdForVictims(now: InstantUs, core: CoreState, candidate: JobState, costUs: number): HoldState | undefined {
    const demands = this.#demands;
    this.#lookAt(now, core, candidate);
    const victim = demands.findVictim(now, now + costUs);
    if (victim < 0) return undefined;
    const arePeers = demands.victimRankMin === candidate.rank && demands.victimRankMax === candidate.rank;
    if (arePeers && this.#isWorthMore(candidate, costUs, victim)) return undefined;
    const { stream } = demands.stream[victim] as StreamState;
    // A hold ends at the release hoped for at the latest, and never lasts longer than one period of the stream that it is for.
    const until = Math.min(demands.holdUntil[victim] as number, now + Math.max(1, stream.periodUs));
    return {
      job: candidate,
      for: stream.id,
      until: instantUs(Math.max(now + 1, Math.ceil(until))),
      likelyUntil: demands.releaseAt[victim] as number,
    };
  }

  #lookAt(now: InstantUs, core: CoreState, candidate: JobState): void {
    const { held, expected, homeStreams } = core;
    this.#demands.count = 0;
    for (let index = 0; index < held.length; index += 1) this.#addHeld(core, candidate, held[index] as HoldState, index - held.length);
    if (expected === undefined) {
      for (const stream of homeStreams) if (stream.rank <= candidate.rank) this.#addExpected(now, core, candidate, stream);
    } else {
      for (let rank = 0; rank < expected.length && rank <= candidate.rank; rank += 1)
        this.#addMostUrgent(now, core, candidate, rank, expected[rank] as DueList);
    }
  }

  /** @param place before all streams of the plan, and in the order in which they were held */
  #addHeld(core: CoreState, candidate: JobState, { job, likelyUntil, until }: HoldState, place: number): void {
    const { stream } = job;
    if (stream === candidate.stream || standsInBackground(job)) return;
    const highUs = claimUs(job, core);
    const dueAt = endBy(stream, likelyUntil, highUs, standingDueAt(job));
    if (!this.#demands.hasRoomFor(dueAt)) return;
    const isTight = likelyUntil + highUs > dueAt;
    const costUs = isTight ? tightUs(likelyUntil, dueAt, Math.min(highUs, typicalRestUs(job, core))) : highUs;
    this.#demands.add(stream, place, likelyUntil, 0, dueAt, costUs, until);
  }

  /** Those of a class, by when they are due at the earliest, until nothing that follows can be among the most urgent. */
  #addMostUrgent(now: InstantUs, core: CoreState, candidate: JobState, rank: number, list: DueList): void {
    // Of a peer, only one that is due before the candidate counts.
    const until = rank === candidate.rank ? standingDueAt(candidate) : Number.POSITIVE_INFINITY;
    for (let index = 0, dueFrom = list.dueAt(0); dueFrom < until && this.#demands.hasRoomFor(dueFrom); dueFrom = list.dueAt(index)) {
      const stream = expectedAt(now, core, list, index);
      if (stream === undefined) continue;
      this.#addExpected(now, core, candidate, stream);
      index += 1;
    }
  }

  #addExpected(now: InstantUs, core: CoreState, candidate: JobState, stream: StreamState): void {
    if (stream === candidate.stream || !stream.releases.predict(now)) return;
    const demands = this.#demands;
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
    demands.add(stream, place, arrivalAt, delayUs, dueAt, costUs, arrivalBy);
    // A delay from below can push one protected job into the next release of another, so there one release is not far enough to look.
    if (isPeer || !demands.hasRoomFor(dueAt + intervalUs)) return;
    demands.add(stream, place, arrivalAt + intervalUs, delayUs, dueAt + intervalUs, costUs, arrivalBy);
  }

  /**
   * Between peers, where holding would make the candidate itself late: the stream that lost more lately has its turn; else two victims weigh more than
   * one; else whoever would be less late is the likelier to be in time after all and is spared.
   */
  #isWorthMore(candidate: JobState, costUs: number, victim: number): boolean {
    const { stream, delayUs, unhurtEndAt, endAt, dueAt, victimCount } = this.#demands;
    const goneAt = (unhurtEndAt[victim] as number) + (delayUs[victim] as number);
    const lateIfHeldUs = goneAt + costUs + candidate.stream.tail.highUs - standingDueAt(candidate);
    if (lateIfHeldUs <= 0) return false;
    // What is reserved is not given up for what is not.
    if (isFunded(candidate)) return true;
    const { lossesInARow } = stream[victim] as StreamState;
    if (candidate.stream.lossesInARow !== lossesInARow) return candidate.stream.lossesInARow > lossesInARow;
    if (victimCount > 1) return false;
    return (endAt[victim] as number) - (dueAt[victim] as number) <= lateIfHeldUs;
  }
}
