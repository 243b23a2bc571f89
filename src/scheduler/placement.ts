import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type Stream, type StreamId } from '../core/stream.ts';
import { placeGang } from './place-gang.ts';
import {
  classOf,
  costOn,
  createDraft,
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
  roomiest,
  type Seat,
  seatOf,
  sit,
} from './placement-draft.ts';

export interface PlacementRequest {
  readonly models: readonly PlaceableModel[];
  readonly streams: readonly Stream[];
  /** At least one; a lower place in the list is preferred. */
  readonly cores: readonly PlaceableCore[];
  /** Cores by model, as the configuration says; they override everything. */
  readonly pins?: Readonly<Record<ModelId, readonly CoreId[]>>;
  /** By model: cores that a job takes at once, or `auto` for as few as keep its deadline. Others take one. */
  readonly splits?: Readonly<Record<ModelId, number | 'auto'>>;
  /** Whether safety models are also loaded on a second core, where memory allows, to go on when the first is lost. */
  readonly hasSpares?: boolean;
}

export interface PlacedModel {
  readonly model: ModelId;
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
  /** Each model that a stream names, in the order of the request. */
  readonly models: readonly PlacedModel[];
  readonly cores: readonly PlacedCore[];
  /** What does not fit; a sentence each. The placement is the best there is all the same. */
  readonly problems: readonly string[];
}

/**
 * Chooses cores for models. Pins first; then hard models (safety, interactive) on as few cores as hold them and the background streams that share them, those that are split first and then the heaviest, each
 * on the least loaded core where all hard streams still fit by `hardSetProblem`; then background models on idle cores, else on cores without hard work, or the least loaded when there are
 * none; then spares. Hard models and spares are on idle cores only where there are no others. Deterministic: ties go to the earlier core and the smaller id.
 */
export function placeModels(request: PlacementRequest): Placement {
  assert(request.cores.length > 0, 'there is a core to place models on');
  const items = itemsOf(request);
  const isHard = (item: Item): boolean => item.rank < criticalityRank('background');
  // What is split is placed when the others are there, which it has to fit beside.
  const pinned = items
    .filter((item) => request.pins?.[item.model.id] !== undefined)
    .sort((a, b) => Number(a.split !== undefined) - Number(b.split !== undefined));
  const free = items.filter((item) => !pinned.includes(item)).sort(byWeight);

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
  if (request.hasSpares === true) for (const item of items) placeSpare(draft, request, item);
  return finish(draft, items);
}

/** Sums of the same loads in another order are not quite the same. */
const ROUNDING_RATIO = 1e-9;

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

function itemsOf(request: PlacementRequest): Item[] {
  const items: Item[] = [];
  for (const model of request.models) {
    const streams = request.streams.filter((stream) => stream.model === model.id);
    if (streams.length === 0) continue;
    items.push({
      model,
      streams,
      rank: Math.min(...streams.map((stream) => criticalityRank(stream.criticality))),
      isStateful: streams.some((stream) => stream.isStateful),
      loadRatio: streams.reduce((sum, stream) => sum + (stream.periodUs > 0 ? model.costUs / stream.periodUs : 0), 0),
      split: request.splits?.[model.id],
    });
  }
  for (const stream of request.streams) {
    assert(
      items.some((item) => item.model.id === stream.model),
      `model ${stream.model} of stream ${stream.id} is among the models`,
    );
  }
  return items;
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
  for (const item of pinned) placePinned(draft, request, item);
  const steady = steadySeats(draft);
  const usable = steady.slice(0, coresMax);
  for (const item of hard) {
    // What is to be split may need more cores than the others.
    if (placeGang(draft, [usable, steady], item)) continue;
    const seat = leastLoaded(
      usable.filter((candidate) => hasRoom(candidate, item) && problemOn(draft, candidate, item) === undefined),
      item,
    );
    if (seat !== undefined) {
      sitOn(draft, seat, item, `${classOf(item)}, fits by memory and deadlines beside ${namesOn(seat)}`);
      continue;
    }
    const fallback =
      leastLoaded(
        usable.filter((candidate) => hasRoom(candidate, item)),
        item,
      ) ?? roomiest(usable, item);
    draft.problems.push(
      `Model ${item.model.id} does not fit on any core: ${problemOn(draft, fallback, item) ?? memoryProblem(fallback, item)}.`,
    );
    sitOn(draft, fallback, item, `${classOf(item)}, fits nowhere; this core comes nearest`);
  }
  return draft;
}

function placePinned(draft: Draft, request: PlacementRequest, item: Item): void {
  const wished = [...new Set(request.pins?.[item.model.id] ?? [])];
  const known = wished.filter((id) => draft.seats.some((seat) => seat.core.id === id));
  for (const id of wished)
    if (!known.includes(id)) draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, which does not exist.`);
  if (item.isStateful && item.split === undefined && known.length > 1) {
    draft.problems.push(`Model ${item.model.id} keeps a state and can have one core only; it is placed on the first of its pins.`);
    known.length = 1;
  }
  const reason = known.length > 0 ? 'pinned by the configuration' : 'its pins name no core that exists; this one has the most memory left';
  if (known.length > 0 && placePinnedGang(draft, known, item)) return;
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

const problemOn = (draft: Draft, seat: Seat, item: Item): string | undefined =>
  problemWith(draft, [seat], item, costOn(item.model, seat) ?? item.model.costUs);

const sitOn = (draft: Draft, seat: Seat, item: Item, reason: string): void =>
  sit(draft, [seat], item, costOn(item.model, seat) ?? item.model.costUs, reason);

/** On some of its pins; the others may stand in for them, but not where a state has to stay. */
function placePinnedGang(draft: Draft, pins: readonly CoreId[], item: Item): boolean {
  const seats = pins.map((id) => seatOf(draft, id));
  if (!placeGang(draft, [seats], item)) return false;
  const placed = draft.placed.get(item.model.id);
  assert(placed !== undefined, 'a gang that was placed has its cores');
  placed.reason = `pinned by the configuration; ${placed.reason}`;
  if (!item.isStateful) for (const seat of seats) if (!placed.cores.includes(seat.core.id)) lodge(draft, seat, item);
  return true;
}

function placeBackground(draft: Draft, item: Item, isHard: (item: Item) => boolean): void {
  const roomy = draft.seats.filter((seat) => hasRoom(seat, item));
  const quietSeats = roomy.filter((seat) => !seat.items.some(isHard));
  const { split } = item;
  if (typeof split === 'number' && placeGang(draft, [quietSeats, draft.seats], item)) return;
  const idle = leastLoaded(
    roomy.filter(({ core }) => core.isIdle === true),
    item,
  );
  if (idle !== undefined) {
    sitOn(draft, idle, item, 'no guarantee, on a core that has what others leave');
    return;
  }
  const quiet = leastLoaded(quietSeats, item);
  if (quiet !== undefined) {
    sitOn(draft, quiet, item, 'no guarantee, away from safety and interactive work');
    return;
  }
  const shared = leastLoaded(roomy, item) ?? roomiest(draft.seats, item);
  if (!hasRoom(shared, item)) draft.problems.push(`Model ${item.model.id} does not fit on any core: ${memoryProblem(shared, item)}.`);
  sitOn(draft, shared, item, 'no guarantee, on the least loaded core, since each has safety or interactive work or no memory left');
}

function placeSpare(draft: Draft, request: PlacementRequest, item: Item): void {
  const placed = draft.placed.get(item.model.id);
  const isPinned = request.pins?.[item.model.id] !== undefined;
  if (placed === undefined || item.rank !== criticalityRank('safety') || item.isStateful || isPinned) return;
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
    const placed = draft.placed.get(item.model.id);
    assert(placed !== undefined, 'every model is placed');
    const { cores, spares, width, reason } = placed;
    return { model: item.model.id, cores, spares, ...(width > 1 ? { split: width } : {}), reason };
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
