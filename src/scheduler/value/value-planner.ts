import { isOutOfTurn, isReady } from '../precedence.ts';
import { standsBack } from '../resume.ts';
import type { Agenda, SchedulerState } from '../state.ts';
import { type Outlook, outlookOf, type Prospect, type Task } from './outlook.ts';
import { type First, Timetable } from './timetable.ts';

/** Up to this many streams every order of them is tried (24); beyond, one at a time is put first or last. */
const PERMUTED_MAX = 4;
/** A gain below this is rounding. */
const GAIN_MIN = 1e-9;
/** Looks at a task in one decision, at some tens of nanoseconds each; the longest of the XRBench cells need half. */
const WORK_MAX = 50_000;

const NOTHING: Agenda = { starts: [], yields: [] };

/** How a timetable is filled. */
interface Manner {
  /** By prospect: smaller goes first among equal classes, and where that is the same the deadline decides. */
  readonly order: readonly number[];
  /** Of the cores where a task fits: the fastest, or the one that leaves the most value. */
  readonly seeks: 'speed' | 'value';
}

/**
 * Chooses the victims by value. Each time something has changed, the next while is planned in some dozens of manners: the jobs that wait and those that are
 * expected are taken into a timetable one by one, in the order of their deadlines or in an order of the streams, as long as nobody taken in before is late
 * for it. What the timetable with the most quality begins with is done. Quality of a stream, after XRBench: value of its results in time over all its
 * jobs, times the share not lost, what it got lately included. Losing a job of a stream that loses many anyway so costs least: this starves where turns
 * would share. Receding-horizon planning over periodic releases that are foreseen; nothing is known of a job that has not come but its period.
 */
export function assignByValue(state: SchedulerState): Agenda {
  if (state.waitingCount === 0) return NOTHING;
  const outlook = outlookOf(state);
  const timetable = new Timetable(outlook, WORK_MAX);
  let best: readonly First[] = [];
  let bestQuality = Number.NEGATIVE_INFINITY;
  for (const seeks of seeksFor(outlook)) {
    for (const order of ordersOf(outlook)) {
      const isFull = fill(outlook, timetable, { order, seeks });
      const quality = qualityOf(outlook, timetable);
      if (quality > bestQuality + GAIN_MIN) {
        best = timetable.firsts();
        bestQuality = quality;
      }
      if (isFull || timetable.isExhausted) break;
    }
  }
  return agendaOf(outlook, best, state);
}

/** Returns whether every task is in time. */
function fill(outlook: Outlook, timetable: Timetable, manner: Manner): boolean {
  timetable.clear();
  const left: number[] = [];
  for (const task of inOrder(outlook, manner)) {
    const { place, urgentAt, dueAt } = outlook.tasks[task] as Task;
    const { fastest, dearest } = outlook.prospects[place] as Prospect;
    const cores = manner.seeks === 'speed' ? fastest : dearest;
    // Where those that follow keep their time, if that is anywhere.
    if (urgentAt < dueAt && cores.some((core) => timetable.take(task, core, urgentAt))) continue;
    if (!cores.some((core) => timetable.take(task, core, dueAt))) left.push(task);
  }
  if (outlook.drop !== 'infeasible' && left.length > 0) fillLate(outlook, timetable, left);
  timetable.settle();
  return left.length === 0;
}

function inOrder({ tasks, prospects }: Outlook, { order }: Manner): number[] {
  const rankOf = (task: number): number => prospects[tasks[task]?.place ?? 0]?.stream.rank ?? 0;
  const orderOf = (task: number): number => order[tasks[task]?.place ?? 0] ?? 0;
  const urgentAt = (task: number): number => tasks[task]?.urgentAt ?? 0;
  return [...tasks.keys()].sort((a, b) => rankOf(a) - rankOf(b) || orderOf(a) - orderOf(b) || urgentAt(a) - urgentAt(b) || a - b);
}

/** What cannot be in time may still be delivered: first what gains the most for the time that it takes, on the core that has the least to do. */
function fillLate(outlook: Outlook, timetable: Timetable, left: readonly number[]): void {
  const { tasks, prospects, cores } = outlook;
  const shares = prospects.map((_, place) => shareOf(outlook, timetable, place));
  const gainOf = (task: number): number => {
    const { place = 0, restUs = [] } = tasks[task] ?? {};
    const { value, ended } = shares[place] ?? { value: 0, ended: 1 };
    return value / ended ** 2 / Math.min(...restUs);
  };
  const gains = new Map(left.map((task) => [task, gainOf(task)]));
  // What gains nothing is left to be given up, where anything is.
  const worthIt = left.filter((task) => outlook.drop === 'none' || (gains.get(task) ?? 0) > 0);
  const dearestFirst = worthIt.sort((a, b) => (gains.get(b) ?? 0) - (gains.get(a) ?? 0) || a - b);
  for (const task of dearestFirst) {
    const byLoad = [...cores.keys()].sort((a, b) => timetable.loadUs(a) - timetable.loadUs(b) || a - b);
    byLoad.some((core) => timetable.take(task, core, Number.POSITIVE_INFINITY));
  }
}

interface Share {
  readonly value: number;
  readonly lost: number;
  readonly ended: number;
}

/** What a stream has got if all goes as planned. */
function shareOf({ tasks, prospects, drop, endsAt }: Outlook, timetable: Timetable, place: number): Share {
  const { stream, values, settledValue, settledDone, settledLate } = prospects[place] as Prospect;
  const { record } = stream;
  let value = record.valueSum + settledValue;
  let lost = record.lostCount + (drop === 'infeasible' ? settledLate : 0);
  let ended = record.endedCount + settledDone + settledLate;
  tasks.forEach((task, index) => {
    if (task.place !== place) return;
    ended += 1;
    const core = timetable.coreOf(index);
    if (core < 0 || (timetable.isLate(index) && timetable.endsAt(index) > endsAt)) lost += 1;
    else if (!timetable.isLate(index)) value += values[core] as number;
  });
  return { value, lost, ended };
}

/** One result of a class is worth more than all that a lower class can get. */
const CLASS_WEIGHT = 1_000;

function qualityOf(outlook: Outlook, timetable: Timetable): number {
  let sum = 0;
  outlook.prospects.forEach(({ stream }, place) => {
    const { value, lost, ended } = shareOf(outlook, timetable, place);
    if (ended > 0) sum += (value / ended) * (1 - lost / ended) * CLASS_WEIGHT ** -stream.rank;
  });
  return sum;
}

function agendaOf(outlook: Outlook, firsts: readonly First[], state: SchedulerState): Agenda {
  const starts: Agenda['starts'][number][] = [];
  const yields: Agenda['yields'][number][] = [];
  for (const first of firsts) {
    const core = outlook.cores[first.core];
    const job = outlook.tasks[first.task]?.job;
    if (core === undefined || job?.phase !== 'waiting' || !isReady(state, job) || standsBack(state, job)) continue;
    // What the plan gave up before this job waits until it is given up in earnest.
    if (isOutOfTurn(job)) continue;
    if (core.running === undefined) starts.push({ job, core });
    else if (core.running.leavesAt === undefined) yields.push({ job, core });
  }
  return { starts, yields };
}

/** Where all cores leave the same value there is nothing to seek but speed. */
function seeksFor({ prospects }: Outlook): Manner['seeks'][] {
  const isAlike = prospects.every(({ values }) => values.every((value) => value === values[0]));
  return isAlike ? ['speed'] : ['speed', 'value'];
}

/** The plainest first, since of equally good ones the first is taken. */
function* ordersOf(outlook: Outlook): Generator<readonly number[]> {
  const { prospects } = outlook;
  yield prospects.map(() => 0);
  const moved = [...prospects.keys()].filter((place) => hasHope(outlook, place));
  if (moved.length <= PERMUTED_MAX) {
    for (const sequence of permutations(moved)) if (isInOrderOfNeed(outlook, sequence)) yield orderBy(prospects.length, sequence);
    return;
  }
  for (const chosen of moved) {
    yield prospects.map((_, place) => (place === chosen ? 0 : 1));
    yield prospects.map((_, place) => (place === chosen ? 1 : 0));
  }
}

/** A stream without a task that could be in time on an idle machine changes nothing wherever it stands. */
const hasHope = ({ tasks }: Outlook, place: number): boolean =>
  tasks.some((task) => task.place === place && task.arrivesAt + Math.min(...task.restUs) <= task.dueAt);

/** What needs the result of another gains nothing by going before it. */
function isInOrderOfNeed({ prospects }: Outlook, sequence: readonly number[]): boolean {
  return sequence.every((place, index) => {
    const after = prospects[place]?.stream.after;
    return after === undefined || !sequence.slice(index).some((later) => prospects[later]?.stream === after);
  });
}

function orderBy(count: number, sequence: readonly number[]): number[] {
  const order = new Array<number>(count).fill(sequence.length);
  sequence.forEach((place, index) => {
    order[place] = index;
  });
  return order;
}

function* permutations(items: readonly number[]): Generator<readonly number[]> {
  if (items.length <= 1) {
    yield items;
    return;
  }
  for (const first of items) {
    for (const rest of permutations(items.filter((item) => item !== first))) yield [first, ...rest];
  }
}
