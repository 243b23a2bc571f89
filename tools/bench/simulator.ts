/**
 * How fast `coxswain sim` is on one core: `npm run build && npx tsx tools/bench/simulator.ts [--seconds n] [--json]`. What is measured is the compiled code, each
 * workload in a process of its own (`--workload vehicle`, `streams`, `growth` or `overload`); everything is told as a ratio to real time, or to the smallest size measured in the same
 * run, so that a slow machine does not look like slow code. The rounds before the one that counts let the compiler see the code.
 */
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ManifestModel, PipelineConfig, RuntimeConfig } from '../../src/config/runtime-config.ts';
import type { SourceConfig } from '../../src/config/source-config.ts';
import type { Decision } from '../../src/core/decision.ts';
import type { Event } from '../../src/core/event.ts';
import { CRITICALITIES } from '../../src/core/stream.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import type { Report } from '../../src/telemetry/report-schema.ts';
import { compiled } from './compiled.ts';

const root = new URL('../../', import.meta.url);

const { inlineMore } = await compiled<typeof import('../../src/cli/inlining.ts')>('cli/inlining');
const { createConfigFiles } = await compiled<typeof import('../../src/config/config-files.ts')>('config/config-files');
const { loadConfig } = await compiled<typeof import('../../src/config/load-config.ts')>('config/load-config');
const { loadSoc } = await compiled<typeof import('../../src/config/load-soc.ts')>('config/load-soc');
const { simulate } = await compiled<typeof import('../../src/runtime/simulate.ts')>('runtime/simulate');
const { costsOf } = await compiled<typeof import('../../src/runtime/simulate-costs.ts')>('runtime/simulate-costs');
const { createSystemClock } = await compiled<typeof import('../../src/core/system-clock.ts')>('core/system-clock');

// As `coxswain sim` does.
inlineMore();

const ROUNDS = 8;
const BUSY_STREAMS = 64;
const STREAM_COUNTS = [10, 100, 1_000, 10_000];
/** Of all streams together, so that only their number differs: what the cores can do, and far more, so that jobs pile up. */
const JOBS_PER_SECOND = { growth: 3_000, overload: 12_000 } as const;
type Demand = keyof typeof JOBS_PER_SECOND;

const wall = createSystemClock();
const files = createConfigFiles();
const profile = loadSoc(new URL('configs/soc/car-500.yaml', root).pathname, { files });
const vehicle = loadConfig(new URL('configs/vehicle-500.yaml', root).pathname, { env: {}, files });

/** As `--json` prints it. */
export interface SimulatorSpeed {
  readonly vehicle: { readonly timesRealTime: number; readonly completionsPerSecond: number };
  readonly streams64: { readonly completionsPerSecond: number };
  readonly growth: readonly EventCost[];
  readonly overload: readonly EventCost[];
}

export interface EventCost {
  readonly streams: number;
  /** Jobs that wait for a core, on average over time. */
  readonly ready: number;
  readonly eventUs: number;
  /** To the fewest streams: of the cost of an event, and of the logarithm of their number. */
  readonly ratio: number;
  readonly logRatio: number;
}

interface Speed {
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  readonly completions: number;
  readonly events: number;
}

async function play(config: RuntimeConfig, seconds: number, log?: (text: string) => Promise<void>): Promise<Speed> {
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error('a profile has a mode');
  const used = new Set(config.pipelines.map(({ stream }) => stream.model));
  const costs = config.models.filter(({ id }) => used.has(id)).map((model) => costsOf(model, 'int8'));
  const startedAt = wall.now();
  const { report } = await simulate(
    { config, profile, mode, spanUs: durationFromMs(seconds * 1000), seed: 1, faults: {}, isTraced: false },
    { costs, ...(log === undefined ? {} : { log }) },
  );
  const wallSeconds = (wall.now() - startedAt) / 1e6;
  return { simulatedSeconds: seconds, wallSeconds, completions: completionsOf(report), events: report.scheduler.steps };
}

const completionsOf = ({ cores }: Report): number => cores.reduce((sum, { jobs }) => sum + jobs, 0);

/** The best of the rounds, since whoever else uses the machine only ever takes time. */
async function best(config: RuntimeConfig, seconds: number): Promise<Speed> {
  let fastest = await play(config, seconds);
  for (let round = 1; round < ROUNDS; round += 1) {
    const next = await play(config, seconds);
    if (next.wallSeconds < fastest.wallSeconds) fastest = next;
  }
  return fastest;
}

/** The vehicle's networks but the largest, each stream one of them, with a source of its own; periods such that all of them together ask for the same. */
function manyStreams(count: number, demand: Demand = 'growth'): RuntimeConfig {
  const models = vehicle.models.filter(({ costUs }) => costUs < 2_500);
  const periodUs = durationUs((count * 1e6) / JOBS_PER_SECOND[demand]);
  const [source, pipeline] = [vehicle.sources[0], vehicle.pipelines[0]];
  if (source === undefined || pipeline === undefined) throw new Error('the vehicle has streams');
  const sources = Array.from(
    { length: count },
    (_, index): SourceConfig => ({ ...source, id: `source-${index}`, fps: 1e6 / periodUs, periodUs }) as SourceConfig,
  );
  const pipelines = Array.from({ length: count }, (_, index): PipelineConfig => {
    const id = `stream-${index}`;
    const model = (models[index % models.length] as ManifestModel).id;
    const criticality = CRITICALITIES[Math.min(2, index % 5)] ?? 'background';
    const deadlineUs = durationUs(Math.max(periodUs, 20_000));
    const stream = { ...pipeline.stream, id, model, criticality, periodUs, deadlineUs };
    return { ...pipeline, id, stream, input: { kind: 'source', source: `source-${index}` }, staleAfterUs: deadlineUs, variants: [] };
  });
  return { ...vehicle, sources, pipelines, models, modes: undefined, scheduler: { ...vehicle.scheduler, cuts: 'none' } };
}

/** Microseconds an event, without what is done once: the difference of a long run and a short one. */
async function eventUs(config: RuntimeConfig, seconds: number): Promise<number> {
  const [short, long] = [await best(config, seconds / 4), await best(config, seconds)];
  return ((long.wallSeconds - short.wallSeconds) * 1e6) / (long.events - short.events);
}

/** As its decision log tells: who came and neither began nor ended. */
async function meanReady(config: RuntimeConfig, seconds: number): Promise<number> {
  const waiting = new Set<number>();
  let [at, sum] = [0, 0];
  await play(config, seconds, async (text) => {
    for (const line of text.split('\n')) {
      const { event, decisions } = JSON.parse(line || '{}') as Partial<Step>;
      if (event === undefined) continue;
      sum += waiting.size * (event.at - at);
      at = event.at;
      if (event.kind === 'arrived') waiting.add(event.job.id);
      for (const decision of decisions ?? []) if (decision.kind === 'start' || decision.kind === 'end') waiting.delete(decision.job);
    }
  });
  return sum / at;
}

/** A line of the decision log. */
interface Step {
  readonly event: Event;
  readonly decisions: readonly Decision[];
}

/** What one process measures. How the cost of an event grows is told of one process, which has seen all sizes before it measures one, so that all have the same compiled code. */
async function measure(workload: string, seconds: number): Promise<readonly Speed[] | readonly EventCost[]> {
  if (workload === 'vehicle') return [await best(vehicle, seconds)];
  if (workload === 'streams') return [await best(manyStreams(BUSY_STREAMS), seconds / 10)];
  if (workload === 'growth' || workload === 'overload') return measureGrowth(workload, seconds);
  throw new Error(`workloads are vehicle, streams, growth and overload, not ${workload}`);
}

async function measureGrowth(demand: Demand, seconds: number): Promise<readonly EventCost[]> {
  const span = (seconds * JOBS_PER_SECOND.growth) / JOBS_PER_SECOND[demand] / 5;
  for (const streams of STREAM_COUNTS) await play(manyStreams(streams, demand), span / 4);
  const costs: EventCost[] = [];
  for (const streams of STREAM_COUNTS) {
    const us = await eventUs(manyStreams(streams, demand), span);
    costs.push({ streams, ready: Number.NaN, eventUs: us, ratio: us / (costs[0]?.eventUs ?? us), logRatio: Math.log10(streams) });
  }
  // At the end, since with a log other code runs.
  const ready: number[] = [];
  for (const streams of STREAM_COUNTS) ready.push(await meanReady(manyStreams(streams, demand), span / 4));
  return costs.map((row, index) => ({ ...row, ready: ready[index] ?? Number.NaN }));
}

/** In a process of its own, as a user simulates one configuration at a time: none finds the heap or the compiled code of another. */
function measured<Figure>(workload: string, seconds: number): readonly Figure[] {
  const args = ['--import', 'tsx', new URL(import.meta.url).pathname, '--workload', workload, '--seconds', String(seconds)];
  return JSON.parse(execFileSync('node', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as readonly Figure[];
}

function measureAll(seconds: number): SimulatorSpeed {
  const [car, busy] = ['vehicle', 'streams'].flatMap((workload) => measured<Speed>(workload, seconds));
  if (car === undefined || busy === undefined) throw new Error('a process tells the speed of its workload');
  return {
    vehicle: { timesRealTime: car.simulatedSeconds / car.wallSeconds, completionsPerSecond: car.completions / car.wallSeconds },
    streams64: { completionsPerSecond: busy.completions / busy.wallSeconds },
    growth: measured<EventCost>('growth', seconds),
    overload: measured<EventCost>('overload', seconds),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '900' }, workload: { type: 'string' } },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 10)) throw new Error(`--seconds is a number of at least 10, not ${values.seconds}`);
  if (values.workload !== undefined) {
    console.log(JSON.stringify(await measure(values.workload, seconds)));
    return;
  }
  const result = measureAll(seconds);
  if (values.json) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  console.log(
    `vehicle-500: ${Math.round(result.vehicle.timesRealTime)} times real time, ${Math.round(result.vehicle.completionsPerSecond)} segments a second`,
  );
  console.log(`64 streams: ${Math.round(result.streams64.completionsPerSecond)} segments a second`);
  for (const demand of ['growth', 'overload'] as const) {
    console.log(`${JOBS_PER_SECOND[demand]} jobs a second:`);
    for (const { streams, ready, eventUs: us, ratio, logRatio } of result[demand])
      console.log(
        `${streams} streams, ${ready.toFixed(1)} jobs ready: ${us.toFixed(2)} us an event, ${ratio.toFixed(2)} times that of 10 (logarithm: ${logRatio})`,
      );
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
