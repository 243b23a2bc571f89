import { mayTake } from '../may-take.ts';
import type { Assignment, JobState, SchedulerState } from '../state.ts';
import { type Outlook, outlookOf } from './outlook.ts';
import { type Manner, type Played, playOut } from './play-out.ts';

/** Up to this many streams every order of them is tried (24); beyond, one at a time is put first or last. */
const PERMUTED_MAX = 4;
/** A gain below this is rounding. */
const GAIN_MIN = 1e-9;

/**
 * Chooses the victims by value. Each time a core could take a job, the next while is played through in some dozens of manners (deadline order and orders of
 * the streams, with and without holding, cores by speed or by value), and the starts of the one that leaves the most quality are made. Quality of a stream,
 * after XRBench: value of its results in time over all its jobs, times the share not lost, what it got lately included. Losing a job of a stream that loses
 * many anyway so costs least: this starves where turns would share. A rollout in the sense of Bertsekas and Castanon (1999), with periodic releases foreseen.
 */
export function assignByValue(state: SchedulerState): readonly Assignment[] {
  if (state.waitingCount === 0) return [];
  const outlook = outlookOf(state);
  if (!outlook.freeAt.some((at) => at <= state.now)) return [];
  let best: Played | undefined;
  let bestQuality = Number.NEGATIVE_INFINITY;
  for (const manner of mannersFor(outlook.prospects.length)) {
    const played = playOut(outlook, manner);
    const quality = qualityOf(outlook, played);
    if (best !== undefined && quality <= bestQuality + GAIN_MIN) continue;
    best = played;
    bestQuality = quality;
  }
  return assignmentsOf(outlook, best);
}

function assignmentsOf(outlook: Outlook, played: Played | undefined): Assignment[] {
  const assignments: Assignment[] = [];
  for (const start of played?.starts ?? []) {
    const job = outlook.prospects[start.place]?.frames[start.frame]?.job;
    const core = outlook.cores[start.core];
    if (job !== undefined && core !== undefined && keepsOrder(job) && mayTake(core, job)) assignments.push({ job, core });
  }
  return assignments;
}

/** A stateful stream runs in order: what the play gave up before this job waits until it is given up in earnest. */
const keepsOrder = (job: JobState): boolean =>
  !job.stream.stream.isStateful || (job.stream.runningCount === 0 && job.stream.waiting[0] === job);

/** One result of a class is worth more than all that a lower class can get. */
const CLASS_WEIGHT = 1_000;

function qualityOf(outlook: Outlook, { valueSums, doneCounts, lostCounts }: Played): number {
  let sum = 0;
  outlook.prospects.forEach(({ stream: { record, rank } }, place) => {
    const lost = record.lostCount + (lostCounts[place] as number);
    const ended = record.endedCount + (lostCounts[place] as number) + (doneCounts[place] as number);
    if (ended === 0) return;
    const quality = ((record.valueSum + (valueSums[place] as number)) / ended) * (1 - lost / ended);
    sum += quality * CLASS_WEIGHT ** -rank;
  });
  return sum;
}

/** The plainest first, since of equally good ones the first is taken. */
function* mannersFor(streamCount: number): Generator<Manner> {
  for (const order of ordersOf(streamCount)) {
    for (const holds of [false, true]) {
      for (const seeks of ['speed', 'value'] as const) yield { order, holds, seeks };
    }
  }
}

function* ordersOf(count: number): Generator<readonly number[] | undefined> {
  yield undefined;
  if (count <= PERMUTED_MAX) {
    yield* permutations(Array.from({ length: count }, (_, place) => place));
    return;
  }
  for (let chosen = 0; chosen < count; chosen += 1) {
    yield Array.from({ length: count }, (_, place) => (place === chosen ? 0 : 1));
    yield Array.from({ length: count }, (_, place) => (place === chosen ? 1 : 0));
  }
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
