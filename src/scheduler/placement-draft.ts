import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import { criticalityRank, type Stream } from '../core/stream.ts';
import type { DurationUs } from '../core/units.ts';
import { hardSetProblem, type Task } from './hard-set.ts';

export type PlaceableModel = Pick<ModelSpec, 'id' | 'costUs' | 'memoryBytes'> & {
  /** What a run takes on two or more cores at once, which lie in so many clusters. Absent: it runs on one. */
  readonly splitUs?: (cores: number, clusters: number) => number;
  /** By core, where cores differ; undefined where the model cannot run. Somewhere it can. `costUs` is the least of them. Those like the first can be shared. */
  readonly coreCostsUs?: readonly (DurationUs | undefined)[];
};

export interface PlaceableCore {
  readonly id: CoreId;
  /** What its models may take together. */
  readonly memoryBytes: number;
  /** Cores of one cluster share local memory. Default: all are in one. */
  readonly cluster?: number;
  /** It has only what others leave: nothing can be promised there. */
  readonly isIdle?: boolean;
}

/** A model with those of its streams that are placed together, mostly all. */
export interface Item {
  readonly model: PlaceableModel;
  readonly streams: readonly Stream[];
  readonly rank: number;
  readonly isStateful: boolean;
  /** On its fastest core. */
  readonly loadRatio: number;
  /** As the configuration says; undefined: it runs on one core. */
  readonly split: number | 'auto' | undefined;
  /** The only cores that may run it, as the configuration says; undefined: any. */
  readonly pins: readonly CoreId[] | undefined;
}

export function createItem(model: PlaceableModel, streams: readonly Stream[], how: Pick<Item, 'split' | 'pins'>): Item {
  return {
    model,
    streams,
    rank: Math.min(...streams.map((stream) => criticalityRank(stream.criticality))),
    isStateful: streams.some((stream) => stream.isStateful),
    loadRatio: loadOf({ streams }, model.costUs),
    ...how,
  };
}

export interface Seat {
  readonly core: PlaceableCore;
  /** At home here. */
  readonly items: Item[];
  /** Loaded here: each once, however many items need it. */
  readonly models: Set<ModelId>;
  memoryBytes: number;
  loadRatio: number;
}

/** Sums of the same loads in another order are not quite the same. */
export const ROUNDING_RATIO = 1e-9;

interface Place {
  /** The first ones are where it sits: one, or as many as it is split over. */
  readonly cores: CoreId[];
  readonly spares: CoreId[];
  readonly width: number;
  /** What a run takes there. */
  readonly costUs: number;
  reason: string;
}

export interface Draft {
  readonly seats: readonly Seat[];
  readonly placed: Map<Item, Place>;
  readonly problems: string[];
}

export const createDraft = (cores: readonly PlaceableCore[]): Draft => ({
  seats: cores.map((core): Seat => ({ core, items: [], models: new Set(), memoryBytes: 0, loadRatio: 0 })),
  placed: new Map(),
  problems: [],
});

/** @param seats one, or those that it is split over */
export function sit(draft: Draft, seats: readonly Seat[], item: Item, costUs: number, reason: string): void {
  for (const seat of seats) {
    seat.items.push(item);
    seat.loadRatio += loadOf(item, costUs);
    load(seat, item.model);
  }
  draft.placed.set(item, { cores: seats.map(({ core }) => core.id), spares: [], width: seats.length, costUs, reason });
}

/** It sits there no more; the model stays loaded. */
export function rise(draft: Draft, seats: readonly Seat[], item: Item): void {
  const { costUs = item.model.costUs } = draft.placed.get(item) ?? {};
  for (const seat of seats) {
    seat.items.splice(seat.items.indexOf(item), 1);
    seat.loadRatio -= loadOf(item, costUs);
  }
  draft.placed.delete(item);
}

/** Its jobs run on whichever of the seats is free, one on one; the first is its home. */
export function spread(draft: Draft, seats: readonly Seat[], item: Item, costUs: number, reason: string): void {
  for (const seat of seats) {
    seat.loadRatio += loadOf(item, costUs) / seats.length;
    load(seat, item.model);
  }
  seats[0]?.items.push(item);
  draft.placed.set(item, { cores: seats.map(({ core }) => core.id), spares: [], width: 1, costUs, reason });
}

/** Loaded there too, but not at home. */
export function lodge(draft: Draft, seat: Seat, item: Item): void {
  load(seat, item.model);
  draft.placed.get(item)?.cores.push(seat.core.id);
}

function load(seat: Seat, { id, memoryBytes }: PlaceableModel): void {
  if (seat.models.has(id)) return;
  seat.models.add(id);
  seat.memoryBytes += memoryBytes;
}

export const loadOf = ({ streams }: Pick<Item, 'streams'>, costUs: number): number =>
  streams.reduce((sum, { periodUs }) => sum + (periodUs > 0 ? costUs / periodUs : 0), 0);

/** What a run takes there; undefined where it cannot run. */
export const costOn = ({ costUs, coreCostsUs }: PlaceableModel, { core }: Seat): number | undefined =>
  coreCostsUs === undefined ? costUs : coreCostsUs[core.id];

/** As `costOn`, for what has to go there all the same. */
export const reckonedOn = ({ model }: Pick<Item, 'model'>, seat: Seat): number => costOn(model, seat) ?? model.costUs;

/** Whether the core is of the first kind, which jobs can be split over. */
export const isShareable = ({ coreCostsUs }: PlaceableModel, { core }: Seat): boolean =>
  coreCostsUs === undefined || (coreCostsUs[0] !== undefined && coreCostsUs[core.id] === coreCostsUs[0]);

export const hasRoom = (seat: Seat, { model }: Item): boolean =>
  costOn(model, seat) !== undefined && (seat.models.has(model.id) || seat.memoryBytes + model.memoryBytes <= seat.core.memoryBytes);

/**
 * Why the item cannot be on these seats with all that is there; undefined when it can. Cores that a gang takes at once are judged as one core that does
 * everything of all of them, one after the other.
 */
export function problemWith(draft: Draft, seats: readonly Seat[], item: Item, costUs: number): string | undefined {
  const items = new Map<Item, number>();
  for (const seat of groupOf(draft, seats))
    for (const other of seat.items) items.set(other, draft.placed.get(other)?.costUs ?? other.model.costUs);
  items.set(item, costUs);
  const tasks: Task[] = [];
  for (const [{ streams }, us] of items) {
    for (const stream of streams) if (stream.criticality !== 'background' && stream.periodUs > 0) tasks.push({ stream, costUs: us });
  }
  return hardSetProblem(tasks);
}

/** These seats and all that gangs tie to them. */
function groupOf(draft: Draft, seats: readonly Seat[]): ReadonlySet<Seat> {
  const group = new Set(seats);
  for (const seat of group) {
    for (const item of seat.items) {
      const { cores = [], width = 1 } = draft.placed.get(item) ?? {};
      for (const core of cores.slice(0, width)) group.add(seatOf(draft, core));
    }
  }
  return group;
}

export function memoryProblem(seat: Seat, item: Item): string {
  if (costOn(item.model, seat) === undefined) return `it cannot run on core ${seat.core.id}`;
  const leftMb = Math.max(0, Math.floor((seat.core.memoryBytes - seat.memoryBytes) / 2 ** 20));
  return `it needs ${Math.ceil(item.model.memoryBytes / 2 ** 20)} MB of memory and core ${seat.core.id} has ${leftMb} MB left`;
}

/** The first of those with the least load once the item is there, so that ties do not depend on anything but the order of the request. */
export function leastLoaded(seats: readonly Seat[], item: Item): Seat | undefined {
  // Where cores are alike the item adds the same everywhere.
  const areAlike = item.model.coreCostsUs === undefined;
  const loadWith = (seat: Seat): number => seat.loadRatio + (areAlike ? 0 : loadOf(item, reckonedOn(item, seat)));
  let best: Seat | undefined;
  for (const seat of seats) if (best === undefined || loadWith(seat) < loadWith(best)) best = seat;
  return best;
}

/** Of those where it can run. */
export function roomiest(seats: readonly Seat[], item: Item): Seat {
  const leftBytes = (seat: Seat): number => seat.core.memoryBytes - seat.memoryBytes;
  const able = seats.filter((seat) => costOn(item.model, seat) !== undefined);
  return (able.length > 0 ? able : seats).reduce((best, seat) => (leftBytes(seat) > leftBytes(best) ? seat : best));
}

export function seatOf(draft: Draft, id: CoreId): Seat {
  const seat = draft.seats.find((candidate) => candidate.core.id === id);
  assert(seat !== undefined, 'the core is of the request');
  return seat;
}

export const classOf = (item: Item): string =>
  item.streams.find((stream) => criticalityRank(stream.criticality) === item.rank)?.criticality ?? '';
export const namesOn = (seat: Seat): string => seat.items.map((item) => item.model.id).join(', ') || 'nothing else';
