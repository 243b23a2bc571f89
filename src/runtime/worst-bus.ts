import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import { bandwidthAt, bytesPerUs, type Flow, flowUs } from '../devices/sim/bus-share.ts';
import type { Regulation } from '../devices/sim/byte-budget.ts';
import { lowestLevel } from '../devices/sim/lowest-level.ts';
import type { Placement } from '../scheduler/placement.ts';
import { rowFor } from '../scheduler/scheduler.ts';
import { regulationOf, runsAtOnce, type StreamBudget, stallUs, usersOf } from './bus-budget.ts';
import { type Place, servingCores } from './placed-split.ts';

export interface BusUsers {
  readonly config: Pick<RuntimeConfig, 'pipelines' | 'scheduler'>;
  readonly placement: Placement;
  /** Bytes per microsecond. */
  readonly capacity: number;
  /** What any run of the model there takes of the bus is at most what one of these does. */
  readonly flowsOf: (place: Place, core: CoreId) => readonly Flow[];
  /** The most that a run of the model there moves at any time, in bytes per microsecond. */
  readonly rateMaxOf: (place: Place, core: CoreId) => number;
}

/** What the bus leaves to the runs of one model at worst, whatever runs beside them. */
export interface WorstShare {
  /** Bandwidth of its layers that wait for memory, never less. */
  readonly bandwidth: number;
  /** The longest that a row of its layers takes while it may move. */
  readonly usOf: (flow: Flow) => number;
  /** The longest that it waits for its own budget, when it moves `bytes` and takes `us` otherwise. */
  readonly stallUs: (bytes: number, us: number) => number;
}

/**
 * With every other core taking, all the while, as much of a fair bus as it can; or, where that leaves more, with regulated streams taking their budgets.
 *
 * Without a stream that moves Q a period, nobody else would get more than what it takes, since the bus is shared by one level: a row of layers that moves M bytes
 * and takes u without that stream loses at most `(E / P + 2) Q` bytes in the time E to it (so many periods may be touched), hence
 * `E <= u (1 + (E / P + 2) Q / M)`. The same holds for several, with the sum of their budgets.
 */
export function createWorstBus(users: BusUsers): (place: Place, own: readonly CoreId[]) => WorstShare {
  const { placement, capacity, config } = users;
  const regulation = regulationOf(config);
  const budgets = budgetsOf(users, regulation);
  const all = [...budgets.keys()];
  const tamed = all.length > 1 ? [...all.map((id) => [id]), all] : [all];
  return (place, own) => {
    const [core = 0] = own;
    const flows = users.flowsOf(place, core);
    const others = placement.cores.map((row) => row.core).filter((other) => !own.includes(other));
    const bandwidthBeside = (without: readonly StreamId[]): number => {
      const beside = others.map((other) => flowsOn(other, without, users));
      const level = flows.reduce((least, flow) => Math.min(least, lowestLevel(flow, beside, capacity)), capacity);
      // A flow gets a share for each of its cores; all of a model's are as wide.
      return flows[0] === undefined ? level : bandwidthAt(flows[0], level, capacity);
    };
    const bandwidth = bandwidthBeside([]);
    const ownBudgets = usersOf(place.model, config.pipelines).flatMap((id) => budgets.get(id) ?? []);
    const stalls = (bytes: number, us: number): number =>
      ownBudgets.reduce((most, budget) => Math.max(most, stallUs(budget, bytes, us)), 0);
    // While it waits for its own budget others go on spending theirs, which is not reckoned with.
    const isAlwaysMoving = stalls(capacity * 1e6, 1e6) === 0;
    const taming = regulation === undefined || !isAlwaysMoving || bandwidth === capacity ? [] : tamed;
    const reliefs = taming.map((streams) => ({
      bandwidth: bandwidthBeside(streams),
      bytes: streams.reduce((sum, id) => sum + (regulation?.bytesByStream.get(id) ?? 0), 0),
    }));
    const periodUs = regulation?.periodUs ?? 1;
    return {
      bandwidth,
      usOf: (flow) => reliefs.reduce((least, relief) => Math.min(least, relievedUs(flow, relief, periodUs)), flowUs(flow, bandwidth)),
      stallUs: stalls,
    };
  };
}

/** Solved for E. */
function relievedUs(flow: Flow, { bandwidth, bytes }: { readonly bandwidth: number; readonly bytes: number }, periodUs: number): number {
  const us = flowUs(flow, bandwidth);
  const usPerByte = us / flow.cost.bytes;
  const left = 1 - (usPerByte * bytes) / periodUs;
  return left > 0 ? (us + 2 * bytes * usPerByte) / left : Number.POSITIVE_INFINITY;
}

/** What may run there, but for models that only these streams use. */
function flowsOn(core: CoreId, without: readonly StreamId[], { placement, config, flowsOf }: BusUsers): readonly Flow[] {
  return placement.models
    .filter((row) => servingCores(row).includes(core))
    .flatMap((row) => buildsOf(row.model, config).map((model): Place => ({ ...row, model })))
    .filter(({ model }) => without.length === 0 || usersOf(model, config.pipelines).some((id) => !without.includes(id)))
    .flatMap((place) => flowsOf(place, core));
}

/** A stream may switch to a variant wherever its model is. */
const buildsOf = (model: ModelId, { pipelines }: BusUsers['config']): readonly ModelId[] => [
  model,
  ...pipelines.flatMap(({ stream, variants }) => (stream.model === model ? variants : [])),
];

function budgetsOf({ config, placement, rateMaxOf }: BusUsers, regulation: Regulation | undefined): ReadonlyMap<StreamId, StreamBudget> {
  const budgets = new Map<StreamId, StreamBudget>();
  if (regulation === undefined) return budgets;
  for (const pipeline of config.pipelines) {
    const bytes = regulation.bytesByStream.get(pipeline.id);
    if (bytes === undefined) continue;
    const rows = [pipeline.stream.model, ...pipeline.variants].flatMap((build) => rowFor(placement.models, build, pipeline.id) ?? []);
    const rateMax = Math.max(0, ...rows.flatMap((row) => row.cores.map((core) => rateMaxOf(row, core))));
    budgets.set(pipeline.id, { bytes, periodUs: regulation.periodUs, rateMax, runsMax: runsAtOnce(pipeline, placement) });
  }
  return budgets;
}

/** The greediest of some flows, with the bus to itself. */
export const rateMaxOf = (flows: readonly Flow[], capacity: number): number =>
  Math.max(0, ...flows.map((flow) => bytesPerUs(flow, capacity)));
