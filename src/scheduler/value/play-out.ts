import type { Outlook, Prospect } from './outlook.ts';

/** One way to go on: simple enough to be played through in a few microseconds. */
export interface Manner {
  /** By prospect, smaller goes first among equal classes; undefined: all alike, so that the deadline decides. */
  readonly order: readonly number[] | undefined;
  /** Whether a core stays idle for a frame expected that would go first and be missed. */
  readonly holds: boolean;
  /** Of the idle cores that are in time: the fastest, or the one that leaves the most value. */
  readonly seeks: 'speed' | 'value';
}

export interface Start {
  readonly place: number;
  readonly frame: number;
  readonly core: number;
}

/** What came of it, by prospect. */
export interface Played {
  /** Those at the very beginning. */
  readonly starts: readonly Start[];
  readonly valueSums: readonly number[];
  readonly doneCounts: readonly number[];
  readonly lostCounts: readonly number[];
}

/** Sums of fractions of a microsecond differ in their last digits. */
const EPSILON_US = 1e-6;

/** Plays the outlook through without preemption: frames in order of their stream, what cannot be in time is given up, then first by class and manner. */
export function playOut(outlook: Outlook, manner: Manner): Played {
  return new PlayOut(outlook, manner).run();
}

class PlayOut {
  readonly #outlook: Outlook;
  readonly #manner: Manner;
  readonly #freeAt: number[];
  /** By prospect: the frame that is next. */
  readonly #next: number[];
  /** By prospect and frame: when its result is there; infinite when it is lost. */
  readonly #endsAt: number[][];
  readonly #valueSums: number[];
  readonly #doneCounts: number[];
  readonly #lostCounts: number[];
  readonly #starts: Start[] = [];
  #now: number;

  constructor(outlook: Outlook, manner: Manner) {
    const { prospects } = outlook;
    this.#outlook = outlook;
    this.#manner = manner;
    this.#now = outlook.now;
    this.#freeAt = [...outlook.freeAt];
    this.#next = prospects.map(() => 0);
    this.#endsAt = prospects.map(() => []);
    this.#valueSums = prospects.map(() => 0);
    this.#doneCounts = prospects.map(() => 0);
    this.#lostCounts = prospects.map(() => 0);
  }

  run(): Played {
    while (this.#now < this.#outlook.endsAt) {
      this.#serve();
      this.#now = this.#nextInstant();
    }
    return { starts: this.#starts, valueSums: this.#valueSums, doneCounts: this.#doneCounts, lostCounts: this.#lostCounts };
  }

  #serve(): void {
    const { prospects } = this.#outlook;
    const ready: number[] = [];
    for (let place = 0; place < prospects.length; place += 1) if (this.#isReady(place)) ready.push(place);
    if (ready.length > 1) ready.sort((a, b) => this.#compare(a, b));
    for (const place of ready) {
      const core = this.#coreFor(place);
      if (core >= 0 && !(this.#manner.holds && this.#hurts(place, core))) this.#start(place, core);
    }
  }

  /** Whether the next frame of the prospect could start now; those that are lost by now are given up on the way. */
  #isReady(place: number): boolean {
    const { frames, costsUs, leastCostUs, tailUs } = this.#prospect(place);
    for (let at = this.#next[place] as number; ; at += 1) {
      this.#next[place] = at;
      const frame = frames[at];
      if (frame === undefined || frame.arrivesAt > this.#now) return false;
      const readyAt = Math.max(this.#now, this.#readyAt(place, at));
      let endsAt = readyAt + leastCostUs;
      if (endsAt + tailUs <= frame.deadlineAt + EPSILON_US) {
        endsAt = Number.POSITIVE_INFINITY;
        for (let core = 0; core < costsUs.length; core += 1) {
          endsAt = Math.min(endsAt, Math.max(readyAt, this.#freeAt[core] as number) + (costsUs[core] as number));
        }
      }
      if (endsAt + tailUs <= frame.deadlineAt + EPSILON_US) return readyAt <= this.#now + EPSILON_US;
      (this.#endsAt[place] as number[])[at] = Number.POSITIVE_INFINITY;
      this.#lostCounts[place] = (this.#lostCounts[place] as number) + 1;
    }
  }

  /** When what the frame needs is there, at the earliest. */
  #readyAt(place: number, at: number): number {
    const { frames, after } = this.#prospect(place);
    const frame = frames[at];
    if (frame === undefined || !Number.isNaN(frame.readyAt) || after < 0) return frame?.readyAt ?? 0;
    return this.#endsAt[after]?.[frame.before] ?? this.#now + this.#prospect(after).leastCostUs;
  }

  /** Class, order of the manner, successor-aware deadline, place. */
  #compare(a: number, b: number): number {
    const byClass = this.#prospect(a).stream.rank - this.#prospect(b).stream.rank;
    if (byClass !== 0) return byClass;
    const { order } = this.#manner;
    const byOrder = order === undefined ? 0 : (order[a] as number) - (order[b] as number);
    return byOrder || this.#urgentAt(a, this.#next[a] as number) - this.#urgentAt(b, this.#next[b] as number) || a - b;
  }

  #urgentAt(place: number, at: number): number {
    const { frames, followersUs } = this.#prospect(place);
    return (frames[at]?.deadlineAt ?? Number.POSITIVE_INFINITY) - followersUs;
  }

  /** An idle core that is in time, -1 when there is none. By value only among those that leave its followers their time, if there are any. */
  #coreFor(place: number): number {
    const { frames, costsUs, values, tailUs, followersUs } = this.#prospect(place);
    const deadlineAt = (frames[this.#next[place] as number]?.deadlineAt ?? 0) - tailUs + EPSILON_US;
    let best = -1;
    let isBestEarly = false;
    for (let core = 0; core < costsUs.length; core += 1) {
      const costUs = costsUs[core] as number;
      const endsAt = this.#now + costUs;
      if ((this.#freeAt[core] as number) > this.#now + EPSILON_US || endsAt > deadlineAt) continue;
      const isEarly = endsAt <= deadlineAt - followersUs;
      const isFaster = best < 0 || costUs < (costsUs[best] as number);
      const isWorthMore = best < 0 || (values[core] as number) > (values[best] as number);
      const isBetter = this.#manner.seeks === 'speed' ? isFaster : isEarly === isBestEarly ? isWorthMore : isEarly;
      if (best >= 0 && !isBetter) continue;
      best = core;
      isBestEarly = isEarly;
    }
    return best;
  }

  /** Whether some frame expected before the run would end, and that would go first, could be in time without the run and cannot with it. */
  #hurts(place: number, core: number): boolean {
    const { prospects } = this.#outlook;
    const endsAt = this.#now + (this.#prospect(place).costsUs[core] as number);
    for (let other = 0; other < prospects.length; other += 1) {
      if (other === place) continue;
      const { frames, costsUs, after, followersUs, tailUs } = this.#prospect(other);
      let at = this.#next[other] as number;
      if ((frames[at]?.arrivesAt ?? 0) <= this.#now) at += 1;
      const frame = frames[at];
      if (frame === undefined || frame.arrivesAt >= endsAt || !this.#goesFirst(other, at, place)) continue;
      const startsAt = frame.arrivesAt + (after < 0 ? 0 : this.#prospect(after).leastCostUs);
      const byUs = frame.deadlineAt - followersUs - tailUs + EPSILON_US;
      let isHurt = false;
      let isSaved = false;
      for (let on = 0; on < costsUs.length; on += 1) {
        const costUs = costsUs[on] as number;
        const freeAt = this.#freeAt[on] as number;
        if (Math.max(freeAt, startsAt) + costUs > byUs) continue;
        isHurt = true;
        if (on !== core || Math.max(endsAt, startsAt) + costUs <= byUs) isSaved = true;
      }
      if (isHurt && !isSaved) return true;
    }
    return false;
  }

  #goesFirst(other: number, at: number, place: number): boolean {
    const byClass = this.#prospect(other).stream.rank - this.#prospect(place).stream.rank;
    if (byClass !== 0) return byClass < 0;
    const { order } = this.#manner;
    if (order !== undefined && order[other] !== order[place]) return (order[other] as number) < (order[place] as number);
    return this.#urgentAt(other, at) < this.#urgentAt(place, this.#next[place] as number);
  }

  #start(place: number, core: number): void {
    const { costsUs, values, tailUs } = this.#prospect(place);
    const frame = this.#next[place] as number;
    const endsAt = this.#now + (costsUs[core] as number);
    if (this.#now === this.#outlook.now) this.#starts.push({ place, frame, core });
    this.#freeAt[core] = endsAt;
    (this.#endsAt[place] as number[])[frame] = endsAt + tailUs;
    this.#next[place] = frame + 1;
    this.#valueSums[place] = (this.#valueSums[place] as number) + (values[core] as number);
    this.#doneCounts[place] = (this.#doneCounts[place] as number) + 1;
  }

  /** A core comes free, a frame arrives, or what one needs is there. */
  #nextInstant(): number {
    let next = Number.POSITIVE_INFINITY;
    const now = this.#now + EPSILON_US;
    for (const at of this.#freeAt) if (at > now && at < next) next = at;
    for (let place = 0; place < this.#next.length; place += 1) {
      const { frames } = this.#prospect(place);
      const first = this.#next[place] as number;
      const readyAt = this.#readyAt(place, first);
      if (readyAt > now && readyAt < next) next = readyAt;
      // Of the first two, since the one that waits does not stand for the arrival of the next.
      for (let at = first; at < first + 2; at += 1) {
        const arrivesAt = frames[at]?.arrivesAt ?? Number.POSITIVE_INFINITY;
        if (arrivesAt > now && arrivesAt < next) next = arrivesAt;
      }
    }
    return next;
  }

  #prospect(place: number): Prospect {
    return this.#outlook.prospects[place] as Prospect;
  }
}
