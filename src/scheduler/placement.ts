import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import { criticalityRank, type Stream, type StreamId } from '../core/stream.ts';
import { hardSetProblem, type Task } from './hard-set.ts';

export type PlaceableModel = Pick<ModelSpec, 'id' | 'costUs' | 'memoryBytes'>;

export interface PlaceableCore {
  readonly id: CoreId;
  /** What its models may take together. */
  readonly memoryBytes: number;
}

export interface PlacementRequest {
  readonly models: readonly PlaceableModel[];
  readonly streams: readonly Stream[];
  /** At least one; a lower place in the list is preferred. */
  readonly cores: readonly PlaceableCore[];
  /** Cores by model, as the configuration says; they override everything. */
  readonly pins?: Readonly<Record<ModelId, readonly CoreId[]>>;
  /** Whether safety models are also loaded on a second core, where memory allows, to go on when the first is lost. */
  readonly hasSpares?: boolean;
}

export interface PlacedModel {
  readonly model: ModelId;
  readonly cores: readonly CoreId[];
  /** Those of `cores` that only stand in for the others. */
  readonly spares: readonly CoreId[];
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

interface Item {
  readonly model: PlaceableModel;
  readonly streams: readonly Stream[];
  readonly rank: number;
  readonly isStateful: boolean;
  readonly loadRatio: number;
}

interface Seat {
  readonly core: PlaceableCore;
  readonly items: Item[];
  memoryBytes: number;
  loadRatio: number;
}

interface Draft {
  readonly seats: readonly Seat[];
  readonly placed: Map<ModelId, { cores: CoreId[]; spares: CoreId[]; reason: string }>;
  readonly problems: string[];
}

/**
 * Chooses cores for models. Pins first; then hard models (safety, interactive) on as few cores as hold them, heaviest first, each on the least loaded core
 * where all hard streams still fit by `hardSetProblem`; then background models on cores without hard work, or the least loaded when there are none;
 * then spares. Deterministic: ties go to the earlier core and the smaller id.
 */
export function placeModels(request: PlacementRequest): Placement {
  assert(request.cores.length > 0, 'there is a core to place models on');
  const items = itemsOf(request);
  const isHard = (item: Item): boolean => item.rank < criticalityRank('background');
  const pinned = items.filter((item) => request.pins?.[item.model.id] !== undefined);
  const free = items.filter((item) => !pinned.includes(item)).sort(byWeight);

  let draft = placeHard(request, pinned, free.filter(isHard), request.cores.length);
  for (let count = 1; count < request.cores.length; count += 1) {
    const attempt = placeHard(request, pinned, free.filter(isHard), count);
    if (attempt.problems.length > draft.problems.length) continue;
    draft = attempt;
    break;
  }
  for (const item of free) if (!isHard(item)) placeBackground(draft, item, isHard);
  if (request.hasSpares === true) for (const item of items) placeSpare(draft, request, item);
  return finish(draft, items);
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

/** Most important class first, then heaviest, then by id. */
function byWeight(a: Item, b: Item): number {
  return a.rank - b.rank || b.loadRatio - a.loadRatio || (a.model.id < b.model.id ? -1 : 1);
}

function placeHard(request: PlacementRequest, pinned: readonly Item[], hard: readonly Item[], coresMax: number): Draft {
  const seats = request.cores.map((core): Seat => ({ core, items: [], memoryBytes: 0, loadRatio: 0 }));
  const draft: Draft = { seats, placed: new Map(), problems: [] };
  for (const item of pinned) placePinned(draft, request, item);
  const usable = seats.slice(0, coresMax);
  for (const item of hard) {
    const seat = leastLoaded(usable.filter((candidate) => hasRoom(candidate, item) && problemWith(candidate, item) === undefined));
    if (seat !== undefined) {
      sit(draft, seat, item, `${classOf(item)}, fits by memory and deadlines beside ${namesOn(seat)}`);
      continue;
    }
    const fallback = leastLoaded(usable.filter((candidate) => hasRoom(candidate, item))) ?? roomiest(usable);
    draft.problems.push(
      `Model ${item.model.id} does not fit on any core: ${problemWith(fallback, item) ?? memoryProblem(fallback, item)}.`,
    );
    sit(draft, fallback, item, `${classOf(item)}, fits nowhere; this core comes nearest`);
  }
  return draft;
}

function placePinned(draft: Draft, request: PlacementRequest, item: Item): void {
  const wished = [...new Set(request.pins?.[item.model.id] ?? [])];
  const known = wished.filter((id) => draft.seats.some((seat) => seat.core.id === id));
  for (const id of wished)
    if (!known.includes(id)) draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, which does not exist.`);
  if (item.isStateful && known.length > 1) {
    draft.problems.push(`Model ${item.model.id} keeps a state and can have one core only; it is placed on the first of its pins.`);
    known.length = 1;
  }
  const reason = known.length > 0 ? 'pinned by the configuration' : 'its pins name no core that exists; this one has the most memory left';
  const [home = roomiest(draft.seats).core.id, ...rest] = known;
  for (const id of [home, ...rest]) {
    const seat = seatOf(draft, id);
    if (!hasRoom(seat, item))
      draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, but there ${memoryProblem(seat, item)}.`);
    const problem = id === home ? problemWith(seat, item) : undefined;
    if (problem !== undefined) draft.problems.push(`Model ${item.model.id} is pinned to core ${id}, but there ${problem}.`);
    if (id === home) sit(draft, seat, item, reason);
    else lodge(draft, seat, item);
  }
}

function placeBackground(draft: Draft, item: Item, isHard: (item: Item) => boolean): void {
  const roomy = draft.seats.filter((seat) => hasRoom(seat, item));
  const quiet = leastLoaded(roomy.filter((seat) => !seat.items.some(isHard)));
  if (quiet !== undefined) {
    sit(draft, quiet, item, 'background, away from safety and interactive work');
    return;
  }
  const shared = leastLoaded(roomy) ?? roomiest(draft.seats);
  if (!hasRoom(shared, item)) draft.problems.push(`Model ${item.model.id} does not fit on any core: ${memoryProblem(shared, item)}.`);
  sit(draft, shared, item, 'background, on the least loaded core, since each has safety or interactive work or no memory left');
}

function placeSpare(draft: Draft, request: PlacementRequest, item: Item): void {
  const placed = draft.placed.get(item.model.id);
  const isPinned = request.pins?.[item.model.id] !== undefined;
  if (placed === undefined || item.rank !== criticalityRank('safety') || item.isStateful || isPinned) return;
  const spare = leastLoaded(draft.seats.filter((seat) => !placed.cores.includes(seat.core.id) && hasRoom(seat, item)));
  if (spare === undefined) {
    placed.reason += '; no other core has memory for a spare';
    return;
  }
  lodge(draft, spare, item);
  placed.spares.push(spare.core.id);
  placed.reason += `; spare on core ${spare.core.id}`;
}

function sit(draft: Draft, seat: Seat, item: Item, reason: string): void {
  seat.items.push(item);
  seat.loadRatio += item.loadRatio;
  seat.memoryBytes += item.model.memoryBytes;
  draft.placed.set(item.model.id, { cores: [seat.core.id], spares: [], reason });
}

/** Loaded there too, but not at home. */
function lodge(draft: Draft, seat: Seat, item: Item): void {
  seat.memoryBytes += item.model.memoryBytes;
  draft.placed.get(item.model.id)?.cores.push(seat.core.id);
}

const hasRoom = (seat: Seat, item: Item): boolean => seat.memoryBytes + item.model.memoryBytes <= seat.core.memoryBytes;

function problemWith(seat: Seat, item: Item): string | undefined {
  const tasks: Task[] = [];
  for (const { model, streams } of [...seat.items, item]) {
    for (const stream of streams) {
      if (stream.criticality !== 'background' && stream.periodUs > 0) tasks.push({ stream, costUs: model.costUs });
    }
  }
  return hardSetProblem(tasks);
}

function memoryProblem(seat: Seat, item: Item): string {
  const leftMb = Math.max(0, Math.floor((seat.core.memoryBytes - seat.memoryBytes) / 2 ** 20));
  return `it needs ${Math.ceil(item.model.memoryBytes / 2 ** 20)} MB of memory and core ${seat.core.id} has ${leftMb} MB left`;
}

/** The first of the least loaded, so that ties do not depend on anything but the order of the request. */
function leastLoaded(seats: readonly Seat[]): Seat | undefined {
  let best: Seat | undefined;
  for (const seat of seats) if (best === undefined || seat.loadRatio < best.loadRatio) best = seat;
  return best;
}

function roomiest(seats: readonly Seat[]): Seat {
  const leftBytes = (seat: Seat): number => seat.core.memoryBytes - seat.memoryBytes;
  return seats.reduce((best, seat) => (leftBytes(seat) > leftBytes(best) ? seat : best));
}

function seatOf(draft: Draft, id: CoreId): Seat {
  const seat = draft.seats.find((candidate) => candidate.core.id === id);
  assert(seat !== undefined, 'the core is of the request');
  return seat;
}

const classOf = (item: Item): string => item.streams.find((stream) => criticalityRank(stream.criticality) === item.rank)?.criticality ?? '';
const namesOn = (seat: Seat): string => seat.items.map((item) => item.model.id).join(', ') || 'nothing else';

function finish(draft: Draft, items: readonly Item[]): Placement {
  const models = items.map((item): PlacedModel => {
    const placed = draft.placed.get(item.model.id);
    assert(placed !== undefined, 'every model is placed');
    return { model: item.model.id, ...placed };
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
