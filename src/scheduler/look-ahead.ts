import { assert } from '../core/assert.ts';
import { type InstantUs, instantUs } from '../core/units.ts';
import { isIdleInTime } from './busy-period.ts';
import { highUsOn, typicalUsOn } from './cost-of.ts';
import { mayTake } from './may-take.ts';
import { OrderSearch, QUEUES_MAX } from './order-search.ts';
import { Overload } from './overload.ts';
import { endBy, tightUs } from './protected-span.ts';
import { claimUs, standingDueAt, standsInBackground } from './server.ts';
import { type CoreState, type HoldState, isTalk, type JobState, type StreamState } from './state.ts';
import { typicalRestUs } from './steps.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** A core with more protected streams than that is not looked through: each decision would take too long. The search has room for these and the candidate. */
const STREAMS_MAX = QUEUES_MAX - 1;

/**
 * Segments cannot be taken back, so a long one started just before the release of an urgent one makes that one miss. Before a start this module looks for an
 * order in which everything protected is in time after it. Where there is none, but there is one without the start, the core is held. Costs are high quantiles.
 *
 * Protected are the streams at home on this core that are not of a lower class than the candidate, with what waits of them and what is expected, and the jobs
 * held on this core just now. Background streams are never protected: idling for them wastes more.
 *
 * Where no order was found either way, overload.ts weighs who is to be hurt. The idea is clairvoyant non-preemptive EDF (Ekelin, ECRTS 2006; Nasri and
 * Fohler, ECRTS 2016), with learnt releases in the place of known ones and a search in the place of a rule.
 */
export class LookAhead {
  readonly #search = new OrderSearch();
  readonly #overload = new Overload();
  /** By queue of the search: whose it is, and how long to hold at most for its next job. */
  readonly #streams: StreamState[] = [];
  readonly #holdUntil = new Float64Array(QUEUES_MAX);
  /** Where and when not everything of that class and above can be in time, whatever is done; it is not tried again for the next candidate. */
  #overloadedCore: CoreState | undefined;
  #overloadedAt = Number.NaN;
  #overloadedRank = 0;

  /** Why the core should not be taken by the candidate for `forUs`; undefined: it may. */
  holdInstead(now: InstantUs, core: CoreState, candidate: JobState, forUs: number): HoldState | undefined {
    if (core.homeStreams.length === 0 && core.held.length === 0) return undefined;
    const search = this.#search;
    const { rank } = candidate;
    const isOverloaded = this.#overloadedCore === core && this.#overloadedAt === now && this.#overloadedRank <= rank;
    const endAt = now + forUs;
    const isHopeless = (isOverloaded && rank === 0) || !search.begin(now);
    if (!isHopeless && !isOverloaded && this.#isPlain(now, endAt, core, candidate)) return undefined;
    if (isHopeless || !this.#lookAt(now, core, candidate)) return this.#holdForVictims(now, core, candidate, forUs);
    if (!isOverloaded && search.find(endAt, rank)) return undefined;
    const { late } = search;
    const isMostImportantLate = rank > 0 && !search.find(endAt, 0);
    const mostImportantLate = search.late;
    if (!isOverloaded) {
      const isBackground = standsInBackground(candidate);
      if (!isBackground) this.#addCandidate(now, core, candidate);
      if (search.find(now, rank, isBackground ? NEVER : rank)) return this.#holdFor(late, now, candidate);
      this.#overloadedCore = core;
      this.#overloadedAt = now;
      this.#overloadedRank = rank;
    }
    if (isMostImportantLate && search.find(now, 0)) return this.#holdFor(mostImportantLate, now, candidate);
    return this.#holdForVictims(now, core, candidate, forUs);
  }

  /** The plainest case, and the most frequent: nobody waits, and whatever comes is in time in any order. */
  #isPlain(now: InstantUs, endAt: number, core: CoreState, candidate: JobState): boolean {
    const { homeStreams, homeWaitingCount } = core;
    if (homeStreams.length > STREAMS_MAX || homeWaitingCount > (isAtHome(candidate, core) ? 1 : 0)) return false;
    if (!isIdleInTime(now, core, candidate, endAt)) return false;
    this.#search.charge(homeStreams.length);
    return true;
  }

  /** Where no order was found, or was looked for. */
  #holdForVictims(now: InstantUs, core: CoreState, candidate: JobState, forUs: number): HoldState | undefined {
    return isIdleInTime(now, core, candidate, now + forUs) ? undefined : this.#overload.holdForVictims(now, core, candidate, forUs);
  }

  /** For the stream that would be late. */
  #holdFor(place: number, now: InstantUs, candidate: JobState): HoldState {
    const stream = this.#streams[place];
    assert(stream !== undefined, 'an order that fails has somebody late in it');
    // A hold ends at the release hoped for at the latest, and never lasts longer than one period of the stream that it is for.
    const until = Math.min(this.#holdUntil[place] as number, now + (stream.stream.periodUs || NEVER));
    return {
      job: candidate,
      for: stream.stream.id,
      until: instantUs(Math.max(now + 1, Math.ceil(until))),
      likelyUntil: this.#search.queues.releaseAt[place] as number,
    };
  }

  /** False when there is more to look at than fits. */
  #lookAt(now: InstantUs, core: CoreState, candidate: JobState): boolean {
    let streams = core.held.length;
    for (const stream of core.homeStreams) {
      if (stream.rank <= candidate.rank) streams += 1;
      if (streams > STREAMS_MAX) return false;
    }
    for (const { job } of core.held) {
      if (!standsInBackground(job) && !core.homeStreams.includes(job.stream)) this.#addStream(now, core, job.stream, job);
    }
    for (const stream of core.homeStreams) {
      if (stream.rank <= candidate.rank) this.#addStream(now, core, stream, firstWaiting(stream, core, candidate));
    }
    return true;
  }

  /** What waits of the stream, then what is expected of it; nothing that is late whatever is done. */
  #addStream(now: InstantUs, core: CoreState, stream: StreamState, waiting: JobState | undefined): void {
    const { releases, model } = stream;
    const isForeseen = releases.predict(now);
    const { arrivalAt } = releases;
    const highUs = highUsOn(model, core);
    const expectedDueAt = endBy(stream, arrivalAt, highUs, releases.captureAt + stream.stream.deadlineUs);
    const isTight = arrivalAt + highUs > expectedDueAt;
    const costUs = isTight ? tightUs(arrivalAt, expectedDueAt, typicalUsOn(model, core)) : highUs;
    const isExpected = isForeseen && arrivalAt + costUs <= expectedDueAt;
    const waitingDueAt = waiting === undefined ? 0 : waitingEndBy(now, core, waiting);
    const restUs = waiting === undefined ? NEVER : waitingUs(now, core, waiting, waitingDueAt);
    const isWaiting = now + restUs <= waitingDueAt;
    if (!isWaiting && !isExpected) return;

    const { queues } = this.#search;
    const place = queues.count;
    queues.count += 1;
    this.#streams[place] = stream;
    this.#holdUntil[place] = isWaiting ? waitingDueAt : releases.arrivalBy;
    queues.releaseAt[place] = isWaiting ? now : arrivalAt;
    queues.dueAt[place] = isWaiting ? waitingDueAt : expectedDueAt;
    queues.costUs[place] = isWaiting ? restUs : costUs;
    const thenAfterUs = isWaiting ? 0 : releases.intervalUs;
    queues.thenReleaseAt[place] = isExpected ? arrivalAt + thenAfterUs : NEVER;
    queues.thenDueAt[place] = isExpected ? expectedDueAt + thenAfterUs : NEVER;
    queues.thenCostUs[place] = costUs;
    queues.intervalUs[place] = releases.intervalUs;
    queues.delayUs[place] = releases.arrivalLateAt - arrivalAt;
    queues.rank[place] = waiting?.rank ?? stream.rank;
  }

  /** It waits, and can begin when the run of another has ended; what is waited for may come late. */
  #addCandidate(now: InstantUs, core: CoreState, candidate: JobState): void {
    this.#search.delay(now);
    const { queues } = this.#search;
    const place = queues.count;
    const releaseAt = this.#search.firstEndAt(now);
    queues.count += 1;
    this.#streams[place] = candidate.stream;
    this.#holdUntil[place] = candidate.deadlineAt;
    queues.releaseAt[place] = releaseAt;
    const dueAt = waitingEndBy(now, core, candidate);
    queues.dueAt[place] = dueAt;
    queues.costUs[place] = waitingUs(now, core, candidate, dueAt);
    queues.thenReleaseAt[place] = NEVER;
    queues.thenDueAt[place] = NEVER;
    queues.thenCostUs[place] = 0;
    queues.intervalUs[place] = 0;
    queues.delayUs[place] = 0;
    queues.rank[place] = candidate.rank;
  }
}

/** Whether the job waits as one of a stream that is at home there. */
function isAtHome({ phase, stream }: JobState, core: CoreState): boolean {
  if (phase !== 'waiting') return false;
  for (const home of stream.homes) if (home.core === core) return true;
  return false;
}

/** By when a job that waits must have run. */
const waitingEndBy = (now: number, core: CoreState, job: JobState): number =>
  endBy(job.stream, now, claimUs(job, core), standingDueAt(job));

function waitingUs(now: number, core: CoreState, job: JobState, dueAt: number): number {
  const highUs = claimUs(job, core);
  return now + highUs <= dueAt ? highUs : tightUs(now, dueAt, Math.min(highUs, typicalRestUs(job, core)));
}

/**
 * The job of the stream that is held here; else the oldest that needs this core: not the candidate, nor one that waits for a result or a listener, nor one that
 * another idle core takes in this very dispatch.
 */
function firstWaiting(stream: StreamState, core: CoreState, candidate: JobState): JobState | undefined {
  for (const { job } of core.held) if (job.stream === stream && job !== candidate && !standsInBackground(job)) return job;
  if (stream.after !== undefined) return undefined;
  const job = stream.waiting[0] === candidate ? stream.waiting[1] : stream.waiting[0];
  if (job === undefined || job.rank > candidate.rank || isTalk(job.model)) return undefined;
  const { cores } = job.model.group;
  if (cores.length === 1) return job;
  for (const other of cores) if (other !== core && other.running === undefined && mayTake(other, job)) return undefined;
  return job;
}
