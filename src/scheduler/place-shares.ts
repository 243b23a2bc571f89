import type { Stream } from '../core/stream.ts';
import {
  classOf,
  createItem,
  type Draft,
  hasRoom,
  type Item,
  loadOf,
  problemWith,
  ROUNDING_RATIO,
  reckonedOn,
  rise,
  type Seat,
  sit,
} from './placement-draft.ts';

/** Whether one core alone could never do all of it, were there nothing else. */
export const isTooMuch = ({ loadRatio }: Item): boolean => loadRatio > 1 + ROUNDING_RATIO;

/**
 * Places a model whose streams no core can hold all on several, each with a copy and some of the streams: partitioned, so that every core is judged for itself
 * (partitioned scheduling: Davis and Burns, ACM Computing Surveys 43(4), 2011). On as few of the seats as hold them, the first ones; among these each stream,
 * the heaviest first, goes where the least is to do (worst fit decreasing). Where all of the seats do not hold them for sure, on as few as can do the work, if
 * one alone could not, and a problem is told. Cores that gangs tie together are judged as one, so they are left out. Returns what was placed; undefined when
 * nothing was.
 *
 * @param seats in order of preference
 */
export function placeShares(draft: Draft, seats: readonly Seat[], item: Item, why: string): readonly Item[] | undefined {
  if (!canShare(item)) return undefined;
  const able = seats.filter((seat) => hasRoom(seat, item) && !isTied(draft, seat));
  let possible: Doubtful | undefined;
  for (let copies = 2; copies <= able.length; copies += 1) {
    const shares = sharesOn(able.slice(0, copies), item);
    if (!shares.every(canDo)) continue;
    const [problem] = shares.flatMap((share) => problemOf(draft, share) ?? []);
    if (problem === undefined) return sitShares(draft, shares, item, why);
    possible ??= { shares, problem };
  }
  if (possible === undefined || !isTooMuch(item)) return undefined;
  const cores = possible.shares.map(({ seat }) => seat.core.id).join(', ');
  draft.problems.push(`Model ${item.model.id} does not fit for sure on cores ${cores}: ${possible.problem}.`);
  return sitShares(draft, possible.shares, item, why);
}

/** A way that does the work, and may be too late. */
interface Doubtful {
  readonly shares: readonly Share[];
  readonly problem: string;
}

const canShare = ({ streams, split }: Item): boolean => streams.length >= 2 && split === undefined;

/**
 * Shares the streams of a model that fits nowhere, and sits on one core, out over that and all those that nobody else needs: not enough, but more than one can
 * do, and at nobody's expense.
 */
export function spreadMisfit(draft: Draft, home: Seat, seats: readonly Seat[], item: Item): void {
  const free = seats.filter((seat) => seat.items.length === 0 && hasRoom(seat, item));
  if (!isTooMuch(item) || !canShare(item) || free.length === 0) return;
  rise(draft, [home], item);
  sitShares(draft, sharesOn([home, ...free], item), item, 'since it fits nowhere and these cores have nothing else to do');
}

function sitShares(draft: Draft, shares: readonly Share[], { streams }: Item, why: string): readonly Item[] {
  for (const { seat, item, costUs } of shares)
    sit(draft, [seat], item, costUs, `${classOf(item)}, ${item.streams.length} of its ${streams.length} streams, ${why}`);
  return shares.map(({ item }) => item);
}

/** Some of the streams on one core. */
interface Share {
  readonly seat: Seat;
  readonly item: Item;
  /** What a run takes there. */
  readonly costUs: number;
}

const isTied = ({ placed }: Draft, { items }: Seat): boolean => items.some((item) => (placed.get(item)?.width ?? 1) > 1);

/** Who gets no stream is left out. */
function sharesOn(seats: readonly Seat[], whole: Item): readonly Share[] {
  const { model, streams: all, split, pins } = whole;
  const bins = seats.map((seat) => ({
    seat,
    costUs: reckonedOn(whole, seat),
    loadRatio: seat.loadRatio,
    streams: new Set<Stream>(),
  }));
  const loadWith = (stream: Stream, costUs: number): number => loadOf({ streams: [stream] }, costUs);
  for (const stream of [...all].sort((a, b) => loadWith(b, model.costUs) - loadWith(a, model.costUs))) {
    const loads = bins.map(({ loadRatio, costUs }) => loadRatio + loadWith(stream, costUs));
    const least = Math.min(...loads);
    const bin = bins[loads.indexOf(least)];
    if (bin === undefined) continue;
    bin.streams.add(stream);
    bin.loadRatio = least;
  }
  return bins.flatMap(({ seat, costUs, streams }) => {
    const share = all.filter((stream) => streams.has(stream));
    return share.length === 0 ? [] : [{ seat, item: createItem(model, share, { split, pins }), costUs }];
  });
}

/** Also what has no guarantee. */
const canDo = ({ seat, item, costUs }: Share): boolean => seat.loadRatio + loadOf(item, costUs) <= 1 + ROUNDING_RATIO;

const problemOf = (draft: Draft, { seat, item, costUs }: Share): string | undefined => problemWith(draft, [seat], item, costUs);
