/** So many queues fit into a search. */
export const QUEUES_MAX = 17;

/** After so many jobs in time one after the other, it is believed that it goes on like that. */
const JOBS_MAX = 24;

/**
 * Work of one search, in queues looked at, some nanoseconds each. Of 1.5 million searches over random sets of four streams that ended in a yes, 98 in 100 needed at
 * most 32 and one in a thousand more than these.
 */
const WORK_MAX = 400;

/** Work of all searches at one instant, so that a decision on an overloaded machine takes its time once and not for each core and job. */
const WORK_AT_ONCE_MAX = 1_200;

/** In the place of a queue. */
const NOBODY = -1;

/** Jobs that come one after the other, a column each. Instants and spans in microseconds. */
class JobQueues {
  count = 0;
  /** When the next job can start at the earliest, and by when its run must have ended. */
  readonly releaseAt = new Float64Array(QUEUES_MAX);
  readonly dueAt = new Float64Array(QUEUES_MAX);
  readonly costUs = new Float64Array(QUEUES_MAX);
  /** The same of the one after it; infinite when there is none. */
  readonly thenReleaseAt = new Float64Array(QUEUES_MAX);
  readonly thenDueAt = new Float64Array(QUEUES_MAX);
  readonly thenCostUs = new Float64Array(QUEUES_MAX);
  /** The distance of all that come after that. */
  readonly intervalUs = new Float64Array(QUEUES_MAX);
  /** How much later than told a job may well come. */
  readonly delayUs = new Float64Array(QUEUES_MAX);
  /** Of its class; a smaller one goes first. */
  readonly rank = new Float64Array(QUEUES_MAX);
}

/**
 * Looks for an order in which a core without preemption has the jobs of all queues in time: earliest deadline first within the most important class that
 * waits; where that fails, another job of that class first, or nothing until a job comes that is not of a lower class. It looks as far as the first instant at which
 * nothing waits: from there on the core is as if it had never been busy. A branch and bound over active schedules (Baker and Su 1974; McMahon and Florian
 * 1975) that asks for deadlines instead of the least lateness. Allocates nothing.
 */
export class OrderSearch {
  readonly queues = new JobQueues();
  /** The queue whose job was late in the first order tried of the last search; -1: none was. */
  late = NOBODY;
  #workLeft = 0;
  #workLeftAtOnce = 0;
  #now = Number.NaN;
  #rankMax = 0;
  #waitingRank = 0;
  /** By how many jobs were put before: which was the last of them, when it began and by when it was due, and when the core is free for the next. */
  readonly #last = new Int8Array(JOBS_MAX + 1);
  readonly #lastStartAt = new Float64Array(JOBS_MAX + 1);
  readonly #lastDueAt = new Float64Array(JOBS_MAX + 1);
  readonly #freeAt = new Float64Array(JOBS_MAX + 1);

  /** Empties the queues. False when there is no time to search before the next instant. */
  begin(now: number): boolean {
    this.queues.count = 0;
    if (now !== this.#now) this.#workLeftAtOnce = WORK_AT_ONCE_MAX;
    this.#now = now;
    return this.#workLeftAtOnce > 0;
  }

  /**
   * Whether an order was found; when not, there may still be one beyond the bounds of the search.
   *
   * @param freeAt when the core can take the first job
   * @param rankMax queues of a lower class do not count
   * @param waitingRank of a job that waits although its queue says that it comes later; infinite: there is none
   */
  find(freeAt: number, rankMax: number, waitingRank = Number.POSITIVE_INFINITY): boolean {
    this.#rankMax = rankMax;
    this.late = NOBODY;
    const work = Math.min(WORK_MAX, this.#workLeftAtOnce);
    if (work <= 0) return false;
    this.#workLeft = work;
    this.#waitingRank = waitingRank;
    this.#last[0] = NOBODY;
    this.#freeAt[0] = freeAt;
    const isFound = this.#goesOn(0);
    this.#workLeftAtOnce -= work - this.#workLeft;
    return isFound;
  }

  /** Takes off what a search over so many queues would have cost where nothing waits, so that what was plain without one is not cheaper for those that follow. */
  charge(queues: number): void {
    this.#workLeftAtOnce -= queues;
  }

  /** From now on what does not wait yet comes late. */
  delay(now: number): void {
    const { count, releaseAt, thenReleaseAt, delayUs } = this.queues;
    for (let place = 0; place < count; place += 1) {
      if ((releaseAt[place] as number) > now) (releaseAt[place] as number) += delayUs[place] as number;
      (thenReleaseAt[place] as number) += delayUs[place] as number;
    }
  }

  /** When the first run of any could end. */
  firstEndAt(freeAt: number): number {
    const { count, releaseAt, costUs } = this.queues;
    let firstEndAt = Number.POSITIVE_INFINITY;
    for (let place = 0; place < count; place += 1) {
      firstEndAt = Math.min(firstEndAt, Math.max(freeAt, releaseAt[place] as number) + (costUs[place] as number));
    }
    return firstEndAt;
  }

  /** Whether all can be in time after so many jobs. Numbers that need not be whole are kept in columns, since to hand them on would allocate them. */
  #goesOn(ran: number): boolean {
    const { count, releaseAt, dueAt, costUs, rank } = this.queues;
    const rankMax = this.#rankMax;
    const freeAt = this.#freeAt[ran] as number;
    this.#workLeft -= count;
    let waitingRank = ran === 0 ? this.#waitingRank : Number.POSITIVE_INFINITY;
    let first = NOBODY;
    for (let place = 0; place < count; place += 1) {
      const ofRank = rank[place] as number;
      if (ofRank > rankMax) continue;
      const release = releaseAt[place] as number;
      const due = dueAt[place] as number;
      if (Math.max(release, freeAt) + (costUs[place] as number) > due) {
        if (this.late === NOBODY) this.late = place;
        return false;
      }
      if (release > freeAt || ofRank > waitingRank) continue;
      if (first === NOBODY || ofRank < waitingRank || due < (dueAt[first] as number)) first = place;
      waitingRank = ofRank;
    }
    // Where the work is spent before anybody was late, it is believed to go on like that as well.
    const isBelieved = ran === JOBS_MAX || (this.#workLeft <= 0 && this.late === NOBODY);
    if (waitingRank === Number.POSITIVE_INFINITY || isBelieved) return true;
    if (this.#workLeft <= 0) return false;
    // Mostly the most urgent one that waits goes first and all is well.
    const isFirstTried = first !== NOBODY && !this.#isTriedBefore(first, ran);
    if (isFirstTried && this.#isNext(first, ran)) return true;
    return this.#workLeft > 0 && this.#goesOnWithout(isFirstTried ? first : NOBODY, ran, waitingRank);
  }

  /** The same with others than that one first. */
  #goesOnWithout(tried: number, ran: number, waitingRank: number): boolean {
    let untried = this.#nextOnes(ran, waitingRank);
    if (tried !== NOBODY) untried &= ~(1 << tried);
    while (untried !== 0 && this.#workLeft > 0) {
      const next = this.#mostUrgent(untried, ran);
      untried &= ~(1 << next);
      if (this.#isNext(next, ran)) return true;
    }
    return false;
  }

  /**
   * As bits, the queues whose job is worth trying next: of those that wait the most important class, and those not below it that come before the run of
   * another could have ended, since to be idle for longer would be a waste.
   */
  #nextOnes(ran: number, waitingRank: number): number {
    const { count, releaseAt, costUs, rank } = this.queues;
    const freeAt = this.#freeAt[ran] as number;
    let firstEndAt = Number.POSITIVE_INFINITY;
    for (let place = 0; place < count; place += 1) {
      if ((rank[place] as number) > waitingRank) continue;
      const release = releaseAt[place] as number;
      const endAt = Math.max(release, freeAt) + (costUs[place] as number);
      if (endAt < firstEndAt) firstEndAt = endAt;
    }
    let next = 0;
    for (let place = 0; place < count; place += 1) {
      if ((rank[place] as number) > waitingRank || (releaseAt[place] as number) >= firstEndAt) continue;
      if (!this.#isTriedBefore(place, ran)) next |= 1 << place;
    }
    return next;
  }

  /** Two jobs that both waited when the first of them began are tried in one order only. */
  #isTriedBefore(place: number, ran: number): boolean {
    const { releaseAt, dueAt, rank } = this.queues;
    const last = this.#last[ran] as number;
    if (last === NOBODY || (releaseAt[place] as number) > (this.#lastStartAt[ran] as number) || rank[place] !== rank[last]) return false;
    const due = dueAt[place] as number;
    const lastDue = this.#lastDueAt[ran] as number;
    return due < lastDue || (due === lastDue && place < last);
  }

  #mostUrgent(untried: number, ran: number): number {
    const { count, releaseAt, dueAt } = this.queues;
    const freeAt = this.#freeAt[ran] as number;
    let best = NOBODY;
    let isBestWaiting = false;
    for (let place = 0; place < count; place += 1) {
      if ((untried & (1 << place)) === 0) continue;
      const isWaiting = (releaseAt[place] as number) <= freeAt;
      if (best !== NOBODY && (isWaiting === isBestWaiting ? (dueAt[place] as number) >= (dueAt[best] as number) : isBestWaiting)) continue;
      best = place;
      isBestWaiting = isWaiting;
    }
    return best;
  }

  #isNext(place: number, ran: number): boolean {
    const { releaseAt, dueAt, costUs, thenReleaseAt, thenDueAt, thenCostUs, intervalUs } = this.queues;
    const freeAt = this.#freeAt[ran] as number;
    const release = releaseAt[place] as number;
    const due = dueAt[place] as number;
    const cost = costUs[place] as number;
    const thenRelease = thenReleaseAt[place] as number;
    const thenDue = thenDueAt[place] as number;
    const interval = intervalUs[place] as number;
    releaseAt[place] = thenRelease;
    dueAt[place] = thenDue;
    costUs[place] = thenCostUs[place] as number;
    thenReleaseAt[place] = thenRelease + interval;
    thenDueAt[place] = thenDue + interval;
    const startAt = Math.max(release, freeAt);
    this.#last[ran + 1] = place;
    this.#lastStartAt[ran + 1] = startAt;
    this.#lastDueAt[ran + 1] = due;
    this.#freeAt[ran + 1] = startAt + cost;
    const isGood = this.#goesOn(ran + 1);
    releaseAt[place] = release;
    dueAt[place] = due;
    costUs[place] = cost;
    thenReleaseAt[place] = thenRelease;
    thenDueAt[place] = thenDue;
    return isGood;
  }
}
