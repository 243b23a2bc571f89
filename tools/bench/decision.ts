/**
 * What one decision costs: `npm run build && node --expose-gc --import tsx tools/bench/decision.ts [--json] [--events n] [--row n]`. Streams on four cores keep a set number of jobs waiting;
 * every event of a run in steady state is timed by itself. Garbage collection counts where it falls. What is measured is the compiled code.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Event } from '../../src/core/event.ts';
import { Prng } from '../../src/core/prng.ts';
import { CRITICALITIES, type Stream } from '../../src/core/stream.ts';
import { durationUs, instantUs } from '../../src/core/units.ts';
import type { SchedulerPlan } from '../../src/scheduler/scheduler.ts';
import { compiled } from './compiled.ts';

const { createScheduler, PLAN_DEFAULTS, step } = await compiled<typeof import('../../src/scheduler/scheduler.ts')>('scheduler/scheduler');

export interface DecisionCost {
  readonly streams: number;
  readonly waitingJobs: number;
  readonly busRatioMax: number;
  readonly events: number;
  readonly decisions: number;
  readonly holds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly eventsPerSecond: number;
  /** Live heap at the end of the run above that after its first tenth; needs --expose-gc, else undefined. */
  readonly heapGrowthBytes: number | undefined;
}

const CORES = [0, 1, 2, 3];
const WARM_UP_EVENTS = 20_000;

/** A fifth safety, a fifth interactive, both with a period for a deadline, so that there is something to hold for; the rest background. Each on two cores, 0.5 to 20 ms, with up to `busRatioMax` of the memory bus. */
function benchPlan(streams: number, waitingJobs: number, busRatioMax: number): SchedulerPlan {
  const prng = new Prng('decision bench');
  const perStream = Math.ceil(waitingJobs / streams) + 1;
  const rows = Array.from({ length: streams }, (_, index): Stream => {
    const criticality = CRITICALITIES[Math.min(2, index % 5)] ?? 'background';
    const periodUs = durationUs(prng.integer(10_000, 200_000));
    return {
      id: `stream-${index}`,
      model: `model-${index}`,
      criticality,
      periodUs,
      deadlineUs: criticality === 'background' ? durationUs(60_000_000) : periodUs,
      freshness: { kind: 'queue', jobsMax: perStream * 2 },
      isStateful: false,
    };
  });
  return {
    ...PLAN_DEFAULTS,
    cores: CORES,
    streams: rows,
    models: rows.map((row, index) => ({
      model: row.model,
      cores: [index % CORES.length, (index + 1) % CORES.length],
      costUs: durationUs(prng.integer(500, 20_000)),
      ...(busRatioMax === 0 ? {} : { busRatio: (prng.integer(0, 100) / 100) * busRatioMax }),
    })),
  };
}

/** In turn: a job ends on some core, is decoded, and as many arrive as started, so that the number waiting stays. */
export function measureDecisions(streams: number, waitingJobs: number, events: number, busRatioMax = 0): DecisionCost {
  const plan = benchPlan(streams, waitingJobs, busRatioMax);
  const state = createScheduler(plan);
  const prng = new Prng('decision bench events');
  const times = new Float64Array(events);
  const running = new Map<number, number>();
  const gc = (globalThis as { gc?: () => void }).gc;
  let counted = -WARM_UP_EVENTS;
  let decisions = 0;
  let holds = 0;
  let waiting = 0;
  let at = 0;
  let nextJob = 1;
  let wakeAt = Number.POSITIVE_INFINITY;
  let heapAtTenth = 0;
  const tell = (event: Event): void => {
    const before = process.hrtime.bigint();
    const answer = step(state, event);
    const ranNs = Number(process.hrtime.bigint() - before);
    if (counted >= 0 && counted < events) {
      times[counted] = ranNs / 1000;
      decisions += answer.length;
    }
    counted += 1;
    for (const decision of answer) {
      if (decision.kind === 'timer') wakeAt = decision.wakeAt;
      if (decision.kind === 'hold') holds += 1;
      if (decision.kind === 'start') running.set(decision.core, decision.job);
      if (decision.kind === 'start' || (decision.kind === 'end' && decision.outcome.kind === 'dropped')) waiting -= 1;
    }
  };
  const arrive = (): void => {
    const stream = plan.streams[prng.integer(0, streams - 1)] as Stream;
    const capturedAt = instantUs(at - 1_000);
    waiting += 1;
    const deadlineAt = instantUs(capturedAt + stream.deadlineUs);
    tell({ kind: 'arrived', at: instantUs(at), job: { id: nextJob++, stream: stream.id, model: stream.model, capturedAt, deadlineAt } });
  };
  for (const core of CORES) {
    const models = plan.models.filter((row) => row.cores.includes(core)).map((row) => row.model);
    tell({ kind: 'core-back', at: instantUs(0), core, models });
  }
  while (counted < events) {
    at += prng.integer(100, 2_000);
    if (at >= wakeAt) {
      wakeAt = Number.POSITIVE_INFINITY;
      tell({ kind: 'timer', at: instantUs(at) });
    }
    const core = CORES[prng.integer(0, CORES.length - 1)] as number;
    const job = running.get(core);
    if (job !== undefined) {
      running.delete(core);
      tell({ kind: 'segment-done', at: instantUs(at), core, job, ranUs: durationUs(1_000) });
      tell({ kind: 'decoded', at: instantUs(at), job });
    }
    while (waiting < waitingJobs) arrive();
    if (gc !== undefined && heapAtTenth === 0 && counted > events / 10) {
      gc();
      heapAtTenth = process.memoryUsage().heapUsed;
    }
  }
  gc?.();
  const heapGrowthBytes = gc === undefined ? undefined : process.memoryUsage().heapUsed - heapAtTenth;
  const sumUs = times.reduce((sum, us) => sum + us, 0);
  times.sort();
  const quantile = (ratio: number): number => times[Math.min(events - 1, Math.floor(events * ratio))] ?? 0;
  return {
    streams,
    waitingJobs,
    busRatioMax,
    events,
    decisions,
    holds,
    p50Us: quantile(0.5),
    p99Us: quantile(0.99),
    p999Us: quantile(0.999),
    maxUs: quantile(1),
    eventsPerSecond: Math.round((events * 1e6) / sumUs),
    heapGrowthBytes,
  };
}

const ROWS: readonly (readonly [streams: number, waitingJobs: number, busRatioMax?: number])[] = [
  [64, 64],
  [64, 1_000],
  [1_000, 1_000],
  // Each with up to nine tenths of the memory bus, so that the bus is looked at before nearly every start.
  [64, 64, 0.9],
  [64, 1_000, 0.9],
];

function main(): void {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, events: { type: 'string', default: '200000' }, row: { type: 'string' } },
  });
  const events = Number(values.events);
  if (!Number.isInteger(events) || events < 1_000) throw new Error(`--events is a whole number of at least 1000, not ${values.events}`);
  const rows = values.row === undefined ? ROWS : ROWS.slice(Number(values.row), Number(values.row) + 1);
  if (rows.length === 0) throw new Error(`--row is a number from 0 to ${ROWS.length - 1}, not ${values.row}`);
  const costs = rows.map(([streams, waiting, busRatioMax]) => measureDecisions(streams, waiting, events, busRatioMax));
  if (values.json) {
    console.log(JSON.stringify(costs, null, 2));
    return;
  }
  const round = (us: number): number => Math.round(us * 10) / 10;
  console.table(
    costs.map((cost) => ({
      ...cost,
      p50Us: round(cost.p50Us),
      p99Us: round(cost.p99Us),
      p999Us: round(cost.p999Us),
      maxUs: round(cost.maxUs),
    })),
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
