import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import type { Regulation } from '../devices/sim/byte-budget.ts';
import type { Placement } from '../scheduler/placement.ts';
import { rowFor } from '../scheduler/scheduler.ts';
import { servingCores } from './placed-split.ts';

type Budgeted = Pick<RuntimeConfig, 'pipelines'> & { readonly scheduler: Pick<RuntimeConfig['scheduler'], 'busBudget'> };

/** Of the pipelines that there are; undefined where nobody is regulated. */
export function regulationOf({ pipelines, scheduler: { busBudget } }: Budgeted): Regulation | undefined {
  if (busBudget === undefined) return undefined;
  const rows = busBudget.streams.filter(({ stream }) => pipelines.some(({ id }) => id === stream));
  if (rows.length === 0) return undefined;
  return { periodUs: busBudget.periodUs, bytesByStream: new Map(rows.map(({ stream, bytes }) => [stream, bytes])) };
}

export const usersOf = (model: ModelId, pipelines: readonly PipelineConfig[]): readonly StreamId[] =>
  pipelines.filter(({ stream, variants }) => stream.model === model || variants.includes(model)).map(({ id }) => id);

/**
 * Bytes per microsecond that runs of the model get in the long run, at least; undefined where one of its pipelines is not regulated. Of two that are, the one that
 * gets less counts.
 */
export function heldRateOf(model: ModelId, config: Budgeted): number | undefined {
  const regulation = regulationOf(config);
  if (regulation === undefined) return undefined;
  const rates = usersOf(model, config.pipelines).map(
    (id) => (regulation.bytesByStream.get(id) ?? Number.POSITIVE_INFINITY) / regulation.periodUs,
  );
  const least = Math.max(...rates) === Number.POSITIVE_INFINITY ? undefined : Math.min(...rates);
  return rates.length === 0 ? undefined : least;
}

/** What something typically takes that moves so many bytes, where it may take no more of the bus than `rate`. */
export const heldUs = (aloneUs: number, bytes: number, rate: number | undefined): number =>
  rate === undefined ? aloneUs : Math.max(aloneUs, bytes / rate);

/** Of the silicon at hand: ONNX Runtime reads memory as fast as it gets it, and nobody counts the bytes. */
export const UNREGULATED_TEXT = 'bus budgets are not enforced on cores of device.kind ort';

/** All budgets together, in bytes per second. */
export function budgetedBytesPerSecond(regulation: Regulation | undefined): number {
  if (regulation === undefined) return 0;
  const sum = [...regulation.bytesByStream.values()].reduce((total, bytes) => total + bytes, 0);
  return (sum * 1e6) / regulation.periodUs;
}

/** A sentence where the bus cannot give what is budgeted: none of the budgets is sure then (MemGuard: Yun et al. 2013). */
export function overbooked(budgetedPerSecond: number, usablePerSecond: number): string | undefined {
  if (budgetedPerSecond <= usablePerSecond) return undefined;
  const three = (bytes: number): string => String(Number((bytes / 1e9).toPrecision(3)));
  return `bus budgets: together they come to ${three(budgetedPerSecond)} GB/s, and the bus carries ${three(usablePerSecond)} GB/s for sure, so none of them is sure; lower them`;
}

/** A stream's budget, and what all that runs of it may draw. */
export interface StreamBudget {
  readonly bytes: number;
  readonly periodUs: number;
  /** The most that one run of the stream draws, in bytes per microsecond. */
  readonly rateMax: number;
  /** Its runs that there may be at once. */
  readonly runsMax: number;
}

/** What a budget loses to rounding in the simulator is a thousandth of this part. */
const ROUNDING = 1e-6;

/**
 * How long a run that moves `bytes` and takes `us` while it may move waits for its budget at worst: `c + ceil(M/Q) P` of MemGuard, less what passes of those periods
 * while the budget is drawn on.
 *
 * It may find the budget used up by the run before it, and waits for at most a period. After that, in every period in which it waits, its stream has moved all
 * of Q while it ran, and took at least `Q / (n r)` for that, when n runs of the stream draw r each at most. In all they move no more than `M + (n - 1) r us`
 * while it runs. Where n runs cannot use a budget up, nobody ever waits.
 */
export function stallUs({ bytes: budget, periodUs, rateMax, runsMax }: StreamBudget, bytes: number, us: number): number {
  const rate = runsMax * rateMax;
  const sure = budget * (1 - ROUNDING);
  if (bytes === 0 || rate * periodUs <= sure) return 0;
  const periods = Math.ceil((bytes + (runsMax - 1) * rateMax * us) / sure);
  return Math.ceil(periodUs + (periods - 1) * (periodUs - sure / rate)) + 1;
}

/** At how many places jobs of the stream may run at once. */
export function runsAtOnce({ id, stream }: PipelineConfig, { models }: Placement): number {
  const placed = rowFor(models, stream.model, id);
  if (placed === undefined) return 1;
  return Math.max(1, Math.floor(servingCores(placed).length / (placed.split ?? 1)));
}
