import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type Stream, type StreamId } from '../core/stream.ts';
import { placeGang } from './place-gang.ts';
import { isTooMuch, placeShares, spreadMisfit } from './place-shares.ts';
import {
  classOf,
  costOn,
  createDraft,
  createItem,
  type Draft,
  hasRoom,
  type Item,
  leastLoaded,
  lodge,
  memoryProblem,
  namesOn,
  type PlaceableCore,
  type PlaceableModel,
  problemWith,
  ROUNDING_RATIO,
  reckonedOn,
  roomiest,
  type Seat,
  seatOf,
  sit,
  spread,
} from './placement-draft.ts';

export interface PlacementRequest {
  readonly models: readonly PlaceableModel[];
  readonly streams: readonly Stream[];
  /** At least one; a lower place in the list is preferred. */
  readonly cores: readonly PlaceableCore[];
  /**
   * Cores by stream, as the configuration says; they override everything. Streams of a model that name the same are placed together; those that name none go where
   * others of their model are pinned.
   */
  readonly pins?: Readonly<Record<StreamId, readonly CoreId[]>>;
  /** By model: cores that a job takes at once, or `auto` for as few as keep its deadline. Others take one. */
  readonly splits?: Readonly<Record<ModelId, number | 'auto'>>;
  /** Whether safety models are also loaded on a second core, where memory allows, to go on when the first is lost. */
  readonly hasSpares?: boolean;
}

export interface PlacedModel {
  readonly model: ModelId;
  /** That it serves there. A model whose streams are not all on the same cores has several rows. */
  readonly streams: readonly StreamId[];
  readonly cores: readonly CoreId[];
  /** Those of `cores` that only stand in for the others. */
  readonly spares: readonly CoreId[];
  /** Cores that a job takes at once, the first of `cores` if they are free; absent: one. */
  readonly split?: number;
  /** One sentence without a full stop, for `check` to print. */
  readonly reason: string;
}

export interface PlacedCore {
  readonly core: CoreId;
  readonly memoryBytes: number;
  /** Of the streams at home on it: cost by period; streams without a period count nothing. */
  readonly loadRatio: number;
  readonly streams: readonly StreamId[];
}

export interface Placement {
  /** Each model that a stream names, in the order of the request, and each stream in one row. */
  readonly models: readonly PlacedModel[];
  readonly cores: readonly PlacedCore[];
  /** What does not fit; a sentence each. The placement is the best there is all the same. */
  readonly problems: readonly string[];
}

/**
 * Chooses cores for models. Pins first; then hard models (safety, interactive) on as few cores as hold them and the background streams that share them, those
 * that are split first and then the heaviest, each on the least loaded core where all hard streams still fit by `hardSetProblem`, or, where no core holds all
 * of its streams, shared out over several; then background models on idle cores, else on cores without hard work, or the least loaded when there are none; then
 * spares. Hard models and spares are on idle cores only where there are no others. Deterministic: ties go to the earlier core and the smaller id.
 */
export function placeModels(request: PlacementRequest): Placement {
  assert(request.cores.length > 0, 'there is a core to place models on');
  const items = itemsOf(request);
  const isHard = (item: Item): boolean => item.rank < criticalityRank('background');
  // What is split is placed when the others are there, which it has to fit beside.
  const pinned = items
    .filter(({ pins }) => pins !== undefined)
    .sort((a, b) => Number(a.split !== undefined) - Number(b.split !== undefined));
  const free = items.filter(({ pins }) => pins === undefined).sort(byWeight);

  const coreCount = steadyOf(request.cores).length;
  const hard = free.filter(isHard);
  let draft = placeHard(request, pinned, hard, coreCount);
  // On fewer cores than that some would have more to do than they can.
  const fewest =
    overloadOf(draft) > 0 ? 1 : Math.max(1, Math.ceil(hard.reduce((sum, { loadRatio }) => sum + loadRatio, 0) - ROUNDING_RATIO));
  for (let count = fewest; count < coreCount; count += 1) {
    const attempt = placeHard(request, pinned, hard, count);
    if (attempt.problems.length > draft.problems.length || overloadOf(attempt) > overloadOf(draft) + ROUNDING_RATIO) continue;
    draft = attempt;
    break;
  }
  for (const item of free) if (!isHard(item)) placeBackground(draft, item, isHard);
  const placed = inOrder(draft, request);
  if (request.hasSpares === true) for (const item of placed) placeSpare(draft, item);
  return finish(draft, placed);
}

/** How much more the cores have to do than they can, over all of them: hard streams never, but a model brings its background streams along. */
const overloadOf = ({ seats }: Draft): number => seats.reduce((sum, { loadRatio }) => sum + Math.max(0, loadRatio - 1), 0);

/** Cores that something can be promised on, as long as there are any. */
function steadyOf(cores: readonly PlaceableCore[]): readonly PlaceableCore[] {
  const steady = cores.filter(({ isIdle }) => isIdle !== true);
  return steady.length > 0 ? steady : cores;
}

function steadySeats({ seats }: Draft): readonly Seat[] {
  const steady = steadyOf(seats.map(({ core }) => core));
  return seats.filter(({ core }) => steady.includes(core));
}

function itemsOf({ models, streams: all, pins, splits }: PlacementRequest): Item[] {
  const items: Item[] = [];
  for (const model of models) {
    const streams = all.filter((stream) => stream.model === model.id);
    const wished = [...new Set(streams.flatMap(({ id }) => pins?.[id] ?? []))];
    const groups = new Map<string, { readonly streams: Stream[]; readonly pins: readonly CoreId[] | undefined }>();
    for (const stream of streams) {
      const own = pins?.[stream.id] ?? (wished.length > 0 ? wished : undefined);
      const group = groups.get(String(own)) ?? { streams: [], pins: own };
      group.streams.push(stream);
      groups.set(String(own), group);
    }
    for (const group of groups.values()) items.push(createItem(model, group.streams, { split: splits?.[model.id], pins: group.pins }));
  }
  const known = new Set(models.map(({ id }) => id));
  for (const stream of all) assert(known.has(stream.model), `model ${stream.model} of stream ${stream.id} is among the models`);
  return items;
}

/** What has been placed, by model and stream as in the request. */
function inOrder({ placed }: Draft, { models, streams }: PlacementRequest): readonly Item[] {
  const modelOrder = new Map(models.map(({ id }, index) => [id, index]));
  const streamOrder = new Map(streams.map((stream, index) => [stream, index]));
  const orderOf = ({ model, streams: [first] }: Item): number =>
    (modelOrder.get(model.id) ?? 0) * streams.length + (first === undefined ? 0 : (streamOrder.get(first) ?? 0));
  return [...placed.keys()].sort((a, b) => orderOf(a) - orderOf(b));
}

/** Most important class first, then what takes several cores, then heaviest, then by id. */
function byWeight(a: Item, b: Item): number {
  return (
    a.rank - b.rank ||
    Number(b.split !== undefined) - Number(a.split !== undefined) ||
    b.loadRatio - a.loadRatio ||
    (a.model.id < b.model.id ? -1 : 1)
  );
}

function placeHard(request: PlacementRequest, pinned: readonly Item[], hard: readonly Item[], coresMax: number): Draft {
  const draft = createDraft(request.cores);
  for (const item of pinned) placePinned(draft, item);
  const steady = steadySeats(draft);
  const usable = steady.slice(0, coresMax);
  const misfits: (readonly [Seat, Item])[] = [];
  for (const item of hard) {
    // What is to be split may need more cores than the others.
    if (placeGang(draft, [usable, steady], item)) continue;
    if (isTooMuch(item) && placeShares(draft, byLoad(usable), item, NO_CORE_HOLDS_ALL) !== undefined) continue;
    const seat = leastLoaded(
      usable.filter((candidate) => hasRoom(candidate, item) && problemOn(draft, candidate, item) === undefined),
      item,
    );
    if (seat !== undefined) {
      sitOn(draft, seat, item, `${classOf(item)}, fits by memory and deadlines beside ${namesOn(seat)}`);
      continue;
    }
    if (placeShares(draft, byLoad(usable), item, NO_CORE_HOLDS_ALL) !== undefined) continue;
    const fallback =
      leastLoaded(
        usable.filter((candidate) => hasRoom(candidate, item)),
        item,
      ) ?? roomiest(usable, item);
    draft.problems.push(
      `Model ${item.model.id} does not fit on any core: ${problemOn(draft, fallback, item) ?? memoryProblem(fallback, item)}.`,
    );
    sitOn(draft, fallback, item, `${classOf(item)}, fits nowhere; this core comes nearest`);
    misfits.push([fallback, item]);
  }
  for (const [seat, item] of misfits) spreadMisfit(draft, seat, usable, item);
  return draft;
}

const NO_CORE_HOLDS_ALL = 'since no core holds all of them';

/** The least loaded first; ties as they were. */
const byLoad = (seats: readonly Seat[]): readonly Seat[] => [...seats].sort((a, b) => a.loadRatio - b.loadRatio);

function placePinned(draft: Draft, item: Item): void {
  const wished = [...new Set(item.pins)];
  const known = wished.filter((id) => draft.seats.some((seat) => seat.core.id === id));
  for (const id of wished)
    if (!known.includes(id)) draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, which does not exist.`);
  const reason = known.length > 0 ? 'pinned by the configuration' : 'its pins name no core that exists; this one has the most memory left';
  if (known.length > 0 && (placePinnedGang(draft, known, item) || placePinnedShares(draft, known, item))) return;
  if (item.isStateful && item.split === undefined && known.length > 1) {
    draft.problems.push(`Model ${item.model.id} keeps a state and can have one core only; it is placed on the first of its pins.`);
    known.length = 1;
  }
  const [home = roomiest(draft.seats, item).core.id, ...rest] = known;
  for (const id of [home, ...rest]) {
    const seat = seatOf(draft, id);
    if (!hasRoom(seat, item))
      draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, but there ${memoryProblem(seat, item)}.`);
    const problem = id === home ? problemOn(draft, seat, item) : undefined;
    if (problem !== undefined) draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, but there ${problem}.`);
    if (id === home) sitOn(draft, seat, item, reason);
    else lodge(draft, seat, item);
  }
}

const problemOn = (draft: Draft, seat: Seat, item: Item): string | undefined => problemWith(draft, [seat], item, reckonedOn(item, seat));

const sitOn = (draft: Draft, seat: Seat, item: Item, reason: string): void => sit(draft, [seat], item, reckonedOn(item, seat), reason);

/** On some of its pins; the others may stand in for them, but not where a state has to stay. */
function placePinnedGang(draft: Draft, pins: readonly CoreId[], item: Item): boolean {
  const seats = pins.map((id) => seatOf(draft, id));
  if (!placeGang(draft, [seats], item)) return false;
  const placed = draft.placed.get(item);
  assert(placed !== undefined, 'a gang that was placed has its cores');
  placed.reason = `pinned by the configuration; ${placed.reason}`;
  if (!item.isStateful) for (const seat of seats) if (!placed.cores.includes(seat.core.id)) lodge(draft, seat, item);
  return true;
}

/** Where the first of its pins cannot hold all of its streams: each on one of them, and the others stand in. */
function placePinnedShares(draft: Draft, pins: readonly CoreId[], item: Item): boolean {
  const [first, ...others] = pins.map((id) => seatOf(draft, id));
  if (first === undefined || others.length === 0 || problemOn(draft, first, item) === undefined) return false;
  const shares = placeShares(draft, [first, ...others], item, 'pinned by the configuration');
  for (const share of shares ?? []) {
    const placed = draft.placed.get(share);
    if (placed === undefined || share.isStateful) continue;
    for (const id of pins) {
      if (placed.cores.includes(id) || !hasRoom(seatOf(draft, id), share)) continue;
      lodge(draft, seatOf(draft, id), share);
      placed.spares.push(id);
    }
  }
  return shares !== undefined;
}

function placeBackground(draft: Draft, item: Item, isHard: (item: Item) => boolean): void {
  const roomy = draft.seats.filter((seat) => hasRoom(seat, item));
  const idle = roomy.filter(({ core }) => core.isIdle === true);
  const quiet = roomy.filter((seat) => !seat.items.some(isHard));
  const { split } = item;
  if (typeof split === 'number' && placeGang(draft, [quiet, draft.seats], item)) return;
  if (sitWhereIdle(draft, idle, item, 'no guarantee, on a core that has what others leave')) return;
  if (sitWhereIdle(draft, quiet, item, 'no guarantee, away from safety and interactive work')) return;
  const shared = leastLoaded(roomy, item) ?? roomiest(draft.seats, item);
  if (!hasRoom(shared, item)) draft.problems.push(`Model ${item.model.id} does not fit on any core: ${memoryProblem(shared, item)}.`);
  sitOn(draft, shared, item, 'no guarantee, on the least loaded core, since each has safety or interactive work or no memory left');
}

/** On the least loaded; where one core cannot do all of it, on as many as can, each job on whichever is free. */
function sitWhereIdle(draft: Draft, seats: readonly Seat[], item: Item, reason: string): boolean {
  const home = leastLoaded(seats, item);
  if (home === undefined) return false;
  const others = isTooMuch(item) && !item.isStateful ? byLoad(seats).filter((seat) => seat !== home) : [];
  const more = others.slice(0, Math.ceil(item.loadRatio - ROUNDING_RATIO) - 1);
  if (more.length === 0) sitOn(draft, home, item, reason);
  else spread(draft, [home, ...more], item, reckonedOn(item, home), `${reason}; one core cannot do all of it`);
  return true;
}

function placeSpare(draft: Draft, item: Item): void {
  const placed = draft.placed.get(item);
  if (placed === undefined || item.rank !== criticalityRank('safety') || item.isStateful || item.pins !== undefined) return;
  const others = steadySeats(draft).filter((seat) => !placed.cores.includes(seat.core.id) && hasRoom(seat, item));
  // On a core like its own all that is known of it stays true.
  const home = draft.seats.find(({ core }) => core.id === placed.cores[0]);
  const alike = others.filter((seat) => home === undefined || costOn(item.model, seat) === costOn(item.model, home));
  const spare = leastLoaded(alike.length > 0 ? alike : others, item);
  if (spare === undefined) {
    placed.reason += '; no other core has memory for a spare';
    return;
  }
  lodge(draft, spare, item);
  placed.spares.push(spare.core.id);
  placed.reason += `; spare on core ${spare.core.id}`;
}

function finish(draft: Draft, items: readonly Item[]): Placement {
  const models = items.map((item): PlacedModel => {
    const placed = draft.placed.get(item);
    assert(placed !== undefined, 'every model is placed');
    const { cores, spares, width, reason } = placed;
    const streams = item.streams.map(({ id }) => id);
    return { model: item.model.id, streams, cores, spares, ...(width > 1 ? { split: width } : {}), reason };
  });
  const cores = draft.seats.map(
    (seat): PlacedCore => ({
      core: seat.core.id,
      memoryBytes: seat.memoryBytes,
      loadRatio: seat.loadRatio,
      streams: seat.items.flatMap((item) => item.streams.map((stream) => stream.id)),
    }),
  );
  return { models, cores, problems: draft.problems };
}
