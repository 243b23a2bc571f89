import type { Outlook, Prospect, Task } from './outlook.ts';

/** What a core does first. */
export interface First {
  readonly core: number;
  readonly task: number;
}

/** Sums of fractions of a microsecond differ in their last digits. */
const EPSILON_US = 1e-6;
const NOBODY = -1;
const ALL = -1;

/**
 * Which core runs which tasks, and when: on each core, by successor-aware deadline, interrupted at borders where that can be. A task is taken in only
 * when all that were taken in before stay in time, and so does it; those taken in as late run when nobody else wants the core and hurt nobody.
 *
 * The order is preemptive EDF on each core with release times and precedences (Chetto, Silly and Bouchentouf 1990), which is optimal where borders are
 * close and switching is free. Where a run cannot be interrupted, the core waits for a more urgent task that the run would make miss, as clairvoyant
 * non-preemptive EDF does (Ekelin, ECRTS 2006).
 */
export class Timetable {
  readonly #outlook: Outlook;
  /** By core: tasks in order of urgency, then the late ones as they came. */
  readonly #lists: number[][];
  readonly #coreOf: Int32Array;
  readonly #isLate: Uint8Array;
  readonly #leftUs: Float64Array;
  readonly #endsAt: Float64Array;
  /** By core: what it runs, and what it does for the moment. */
  readonly #current: Int32Array;
  readonly #picked: Int32Array;
  readonly #first: Int32Array;
  /** Whether the last play of the core was of a task that was not taken in. */
  readonly #isStale: Uint8Array;
  /** Tasks on another core than the one whose result they need; without any, a core can be played by itself. */
  #crossings = 0;
  #workLeft: number;

  /** @param workMax how many looks at a task all plays together may take; beyond, nothing more is taken in */
  constructor(outlook: Outlook, workMax: number) {
    const { cores, tasks } = outlook;
    this.#outlook = outlook;
    this.#lists = cores.map(() => []);
    this.#coreOf = new Int32Array(tasks.length).fill(NOBODY);
    this.#isLate = new Uint8Array(tasks.length);
    this.#leftUs = new Float64Array(tasks.length);
    this.#endsAt = new Float64Array(tasks.length);
    this.#current = new Int32Array(cores.length);
    this.#picked = new Int32Array(cores.length);
    this.#first = new Int32Array(cores.length);
    this.#isStale = new Uint8Array(cores.length);
    this.#workLeft = workMax;
  }

  get isExhausted(): boolean {
    return this.#workLeft <= 0;
  }

  clear(): void {
    for (const list of this.#lists) list.length = 0;
    this.#coreOf.fill(NOBODY);
    this.#isLate.fill(0);
    this.#isStale.fill(1);
    this.#crossings = 0;
  }

  /** -1: it is not taken in. */
  coreOf(task: number): number {
    return this.#coreOf[task] as number;
  }

  isLate(task: number): boolean {
    return this.#isLate[task] === 1;
  }

  /** When a task that was taken in ends, as last played; of a late one infinite when that is beyond the outlook. To be asked after `settle`. */
  endsAt(task: number): number {
    return this.#endsAt[task] as number;
  }

  /** Time that was given to a core's tasks, late ones included. */
  loadUs(core: number): number {
    let sumUs = 0;
    for (const task of this.#lists[core] as number[]) sumUs += this.#task(task).restUs[core] as number;
    return sumUs;
  }

  /** Takes the task in on that core, to end by that instant or, if that is infinite, late, if that hurts nobody; false: it stays out. */
  take(task: number, core: number, by: number): boolean {
    const { arrivesAt, restUs, before } = this.#task(task);
    const isLate = by === Number.POSITIVE_INFINITY;
    if (this.#workLeft <= 0 || (before >= 0 && this.#coreOf[before] === NOBODY)) return false;
    const leftUs = restUs[core] as number;
    const startsAt = Math.max(arrivesAt, this.#outlook.freeAt[core] as number);
    if (leftUs === Number.POSITIVE_INFINITY || startsAt + leftUs > by + EPSILON_US) return false;
    const list = this.#lists[core] as number[];
    this.#isLate[task] = isLate ? 1 : 0;
    let at = list.length;
    while (!isLate && at > 0 && this.#goesBefore(task, list[at - 1] as number)) at -= 1;
    list.splice(at, 0, task);
    this.#coreOf[task] = core;
    const crossing = before >= 0 && this.#coreOf[before] !== core ? 1 : 0;
    this.#crossings += crossing;
    const only = this.#crossings === 0 ? core : ALL;
    if (this.#play(only) && (isLate || (this.#endsAt[task] as number) <= by + EPSILON_US)) {
      this.#setStale(only, 0);
      return true;
    }
    this.#setStale(only, 1);
    this.#crossings -= crossing;
    list.splice(at, 1);
    this.#coreOf[task] = NOBODY;
    this.#isLate[task] = 0;
    return false;
  }

  /** Plays again what was last played for nothing. */
  settle(): void {
    if (this.#crossings > 0 && this.#isStale.includes(1)) this.#play(ALL);
    else for (let core = 0; core < this.#lists.length; core += 1) if (this.#isStale[core] === 1) this.#play(core);
    this.#isStale.fill(0);
  }

  /** What each core does at the very beginning. To be asked after `settle`. */
  firsts(): First[] {
    const firsts: First[] = [];
    this.#first.forEach((task, core) => {
      if (task !== NOBODY) firsts.push({ core, task });
    });
    return firsts;
  }

  #setStale(only: number, isStale: 0 | 1): void {
    if (only === ALL) this.#isStale.fill(isStale);
    else this.#isStale[only] = isStale;
  }

  #goesBefore(task: number, other: number): boolean {
    if (this.#isLate[other] === 1) return true;
    const byUrgency = this.#task(task).urgentAt - this.#task(other).urgentAt;
    return byUrgency < 0 || (byUrgency === 0 && task < other);
  }

  /** Plays one list through, or all; false as soon as a task that is to be in time is not. */
  #play(only: number): boolean {
    const { now, endsAt } = this.#outlook;
    const [from, to] = only === ALL ? [0, this.#lists.length] : [only, only + 1];
    let open = 0;
    for (let core = from; core < to; core += 1) open += this.#begin(core);
    let at = now;
    while (open > 0 || at < endsAt) {
      this.#workLeft -= 1;
      let next = Number.POSITIVE_INFINITY;
      for (let core = from; core < to; core += 1) next = Math.min(next, this.#choose(core, at));
      if (next === Number.POSITIVE_INFINITY || this.#workLeft <= 0) return open === 0;
      for (let core = from; core < to; core += 1) {
        const ended = this.#advance(core, at, next);
        if (ended < 0) return false;
        open -= ended;
      }
      at = next;
    }
    return true;
  }

  /** Returns how many tasks of the core have to be in time. */
  #begin(core: number): number {
    let open = 0;
    this.#current[core] = NOBODY;
    this.#first[core] = NOBODY;
    for (const task of this.#lists[core] as number[]) {
      const { restUs, core: runsOn } = this.#task(task);
      this.#leftUs[task] = restUs[core] as number;
      this.#endsAt[task] = Number.POSITIVE_INFINITY;
      if (runsOn === core) this.#current[core] = task;
      if (this.#isLate[task] === 0) open += 1;
    }
    return open;
  }

  /** Decides what the core does from `at` on, and returns when it has to be asked again at the latest. */
  #choose(core: number, at: number): number {
    this.#picked[core] = NOBODY;
    const freeAt = this.#outlook.freeAt[core] as number;
    if (freeAt > at + EPSILON_US) return freeAt;
    const current = this.#current[core] as number;
    const isBusy = current !== NOBODY && this.#endsAt[current] === Number.POSITIVE_INFINITY;
    if (isBusy && this.#task(current).borderUs === Number.POSITIVE_INFINITY) return this.#run(core, current, at, Number.POSITIVE_INFINITY);
    let next = Number.POSITIVE_INFINITY;
    let best = NOBODY;
    const list = this.#lists[core] as number[];
    for (let index = 0; index < list.length && best === NOBODY; index += 1) {
      const task = list[index] as number;
      if (this.#endsAt[task] !== Number.POSITIVE_INFINITY) continue;
      this.#workLeft -= 1;
      const readyAt = this.#readyAt(task);
      if (readyAt > at + EPSILON_US) next = Math.min(next, readyAt);
      else if (task === current || !this.#hurts(task, core, at)) best = task;
    }
    if (at === this.#outlook.now) this.#first[core] = best;
    if (isBusy && best !== current && best !== NOBODY) {
      const borderUs = this.#toBorderUs(current, core);
      if (borderUs > EPSILON_US) return this.#run(core, current, at, at + borderUs);
      this.#leftUs[current] = (this.#leftUs[current] as number) + this.#prospect(current).switchUs;
    }
    return best === NOBODY ? next : this.#run(core, best, at, next);
  }

  #run(core: number, task: number, at: number, next: number): number {
    this.#current[core] = task;
    this.#picked[core] = task;
    return Math.min(next, at + (this.#leftUs[task] as number));
  }

  /** When it and what it needs are there; infinite while that is not known. */
  #readyAt(task: number): number {
    const { arrivesAt, before } = this.#task(task);
    return before < 0 ? arrivesAt : Math.max(arrivesAt, (this.#endsAt[before] as number) + this.#prospect(before).tailUs);
  }

  /** Time to the next border of what runs. */
  #toBorderUs(task: number, core: number): number {
    const { restUs, borderUs, toBorderUs } = this.#task(task);
    const leftUs = this.#leftUs[task] as number;
    const ranUs = (restUs[core] as number) - leftUs - toBorderUs;
    const borderInUs = ranUs <= 0 ? -ranUs : Math.ceil(ranUs / borderUs - EPSILON_US) * borderUs - ranUs;
    return Math.min(leftUs, borderInUs);
  }

  /** Whether a task that is not there yet, or not chosen, could be in time without this one going first and cannot with it. */
  #hurts(task: number, core: number, at: number): boolean {
    const leftUs = this.#leftUs[task] as number;
    const goneAt = at + Math.min(leftUs, this.#task(task).borderUs);
    for (const other of this.#lists[core] as number[]) {
      if (other === task || this.#isLate[other] === 1 || this.#endsAt[other] !== Number.POSITIVE_INFINITY) continue;
      this.#workLeft -= 1;
      const otherUs = this.#leftUs[other] as number;
      const by = this.#task(other).urgentAt + EPSILON_US;
      if (goneAt + otherUs <= by) continue;
      const readyAt = Math.max(at, this.#expectedAt(other));
      if (readyAt < goneAt && readyAt + otherUs <= by) return true;
    }
    return false;
  }

  #expectedAt(task: number): number {
    const readyAt = this.#readyAt(task);
    if (readyAt !== Number.POSITIVE_INFINITY) return readyAt;
    const { arrivesAt, before } = this.#task(task);
    return Math.max(arrivesAt, this.#task(before).arrivesAt + (this.#leftUs[before] as number) + this.#prospect(before).tailUs);
  }

  /** Lets time pass; returns how many tasks that have to be in time ended, -1 when one of them was late. */
  #advance(core: number, from: number, to: number): number {
    const task = this.#picked[core] as number;
    if (task === NOBODY) return 0;
    const leftUs = (this.#leftUs[task] as number) - (to - from);
    this.#leftUs[task] = leftUs;
    if (leftUs > EPSILON_US) return 0;
    this.#endsAt[task] = to;
    if (this.#isLate[task] === 1) return 0;
    return to > this.#task(task).dueAt + EPSILON_US ? -1 : 1;
  }

  #prospect(task: number): Prospect {
    return this.#outlook.prospects[this.#task(task).place] as Prospect;
  }

  #task(task: number): Task {
    return this.#outlook.tasks[task] as Task;
  }
}
