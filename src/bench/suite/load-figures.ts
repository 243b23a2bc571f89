import type { Criticality } from '../../core/stream.ts';
import type { LoadLog, PlayLog } from './play-workload.ts';
import type { TurnLog } from './turn-log.ts';

/** Percentiles are by nearest rank; null where nothing ended. */
export interface LatencyFigures {
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
}

export interface LoadFigures extends LatencyFigures {
  readonly id: string;
  readonly model: string;
  readonly criticality: Criticality;
  readonly requested: number;
  readonly done: number;
  readonly late: number;
  /** Requests without a result. */
  readonly lost: number;
  readonly lostBy: Readonly<Record<string, number>>;
  /** Late or lost. */
  readonly missed: number;
  /** Neither when the span was over. */
  readonly unfinished: number;
  /** Results, in time or late. */
  readonly perSecond: number;
  /** Against the same requests with nothing else on the chip; null for best effort, and where nothing ended. */
  readonly slowdownMean: number | null;
  readonly slowdownP99: number | null;
  /** Of a language model, null for all others: time to the first token; */
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP99Ms: number | null;
  readonly firstTokenMaxMs: number | null;
  /** from one token to the next; */
  readonly tokenMeanMs: number | null;
  readonly tokenP99Ms: number | null;
  /** tokens in all, pauses between turns included; and of the slowest turn, from its first token on. */
  readonly tokensPerSecond: number | null;
  readonly slowestTokensPerSecond: number | null;
}

export interface PlayFigures {
  readonly loads: readonly LoadFigures[];
  /**
   * Over the loads that are not best effort: sum of their mean latencies over the sum of those alone, as DISB has it; and of the worst of them P99 over P99
   * alone.
   */
  readonly slowdownMean: number | null;
  readonly slowdownP99: number | null;
  readonly bestEffortPerSecond: number;
  readonly perSecond: number;
  readonly busRatio: number;
  readonly busyRatio: number;
}

/** Latencies of each load when it had the chip to itself. */
export type AloneFigures = ReadonlyMap<string, LatencyFigures>;

export function figuresOf(log: PlayLog, alone: AloneFigures): PlayFigures {
  const loads = log.loads.map((load) => loadFigures(load, log, alone));
  const served = loads.filter(({ criticality }) => criticality !== 'background');
  const total = (rows: readonly LoadFigures[]): number => rounded(rows.reduce((sum, { perSecond }) => sum + perSecond, 0));
  return {
    loads,
    slowdownMean: slowdownOfMeans(served, alone),
    slowdownP99: served.reduce<number | null>(
      (worst, { slowdownP99 }) => (slowdownP99 === null ? worst : Math.max(worst ?? 0, slowdownP99)),
      null,
    ),
    bestEffortPerSecond: total(loads.filter(({ criticality }) => criticality === 'background')),
    perSecond: total(loads),
    busRatio: rounded(log.busRatio),
    busyRatio: rounded(log.busyRatio),
  };
}

function slowdownOfMeans(served: readonly LoadFigures[], alone: AloneFigures): number | null {
  let [together, apart] = [0, 0];
  for (const { id, meanMs } of served) {
    const aloneMs = alone.get(id)?.meanMs ?? null;
    if (meanMs === null || aloneMs === null) return null;
    together += meanMs;
    apart += aloneMs;
  }
  return apart === 0 ? null : rounded(together / apart);
}

function loadFigures(log: LoadLog, { spanUs }: PlayLog, alone: AloneFigures): LoadFigures {
  const { load, requested, late, latencies } = log;
  const lost = [...log.lost.values()].reduce((sum, count) => sum + count, 0);
  const latency = latencyFigures(latencies);
  const own = load.criticality === 'background' ? undefined : alone.get(load.id);
  return {
    id: load.id,
    model: load.model,
    criticality: load.criticality,
    requested,
    done: latencies.length - late,
    late,
    lost,
    lostBy: Object.fromEntries([...log.lost].sort(([a], [b]) => (a < b ? -1 : 1))),
    missed: late + lost,
    unfinished: requested - latencies.length - lost,
    perSecond: rounded((latencies.length * 1e6) / spanUs),
    ...latency,
    slowdownMean: ratioOf(latency.meanMs, own?.meanMs),
    slowdownP99: ratioOf(latency.p99Ms, own?.p99Ms),
    ...turnFigures(log.turns, spanUs),
  };
}

function turnFigures(turns: TurnLog | undefined, spanUs: number) {
  const first = latencyFigures(turns?.firstTokens ?? []);
  const gaps = latencyFigures(turns?.gaps ?? []);
  const slowest = turns?.rates.reduce((least, rate) => Math.min(least, rate), Number.POSITIVE_INFINITY) ?? Number.POSITIVE_INFINITY;
  return {
    firstTokenP50Ms: first.p50Ms,
    firstTokenP99Ms: first.p99Ms,
    firstTokenMaxMs: first.maxMs,
    tokenMeanMs: gaps.meanMs,
    tokenP99Ms: gaps.p99Ms,
    tokensPerSecond: turns === undefined ? null : rounded((turns.tokenCount * 1e6) / spanUs),
    slowestTokensPerSecond: Number.isFinite(slowest) ? rounded(slowest) : null,
  };
}

const ratioOf = (together: number | null, apart: number | null | undefined): number | null =>
  together === null || apart === null || apart === undefined || apart === 0 ? null : rounded(together / apart);

/** @param latencies in microseconds, in any order */
export function latencyFigures(latencies: readonly number[]): LatencyFigures {
  const sorted = Float64Array.from(latencies).sort();
  const at = (ratio: number): number | null => {
    const us = sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)];
    return us === undefined ? null : rounded(us / 1000);
  };
  const sum = sorted.reduce((total, us) => total + us, 0);
  return {
    meanMs: sorted.length === 0 ? null : rounded(sum / sorted.length / 1000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
  };
}

/** Beyond six digits a figure of a simulation says nothing. */
const rounded = (value: number): number => Number(value.toPrecision(6));
