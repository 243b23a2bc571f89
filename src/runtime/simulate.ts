import { type Observable, Subscription } from 'rxjs';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import { Arena } from '../core/arena.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { Prng } from '../core/prng.ts';
import type { Result } from '../core/result.ts';
import { SimClock } from '../core/sim-clock.ts';
import { addUs, durationFromMs, durationUs, type InstantUs } from '../core/units.ts';
import { drawSimFaults } from '../devices/sim/faults.ts';
import type { SimSteps } from '../devices/sim/model-steps.ts';
import { ABORT_US, createSimDevice, type SimDevice } from '../devices/sim/sim-device.ts';
import { resultPayload } from '../mqtt/payloads.ts';
import { rowFor } from '../scheduler/scheduler.ts';
import { headerLine, stepLine } from '../telemetry/decision-log.ts';
import type { Report } from '../telemetry/report-schema.ts';
import type { Telemetry, TelemetryOptions } from '../telemetry/telemetry.ts';
import { createTrace, type Trace } from '../telemetry/trace.ts';
import { budgetedBytesPerSecond, overbooked, regulationOf } from './bus-budget.ts';
import { configFigures } from './config-figures.ts';
import { type CutModels, cutModels } from './cut-models.ts';
import { createEngine, type Engine } from './engine.ts';
import { onChip } from './on-chip.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { planTurns } from './plan-turns.ts';
import { playUntil, playWhile } from './simulate-clock.ts';
import type { Compute } from './simulate-compute.ts';
import type { ModelCosts } from './simulate-costs.ts';
import { simulationFigures } from './simulate-figures.ts';
import type { SimulateOptions } from './simulate-options.ts';
import { simulatePipelines } from './simulate-pipelines.ts';
import { simulateSources } from './simulate-sources.ts';
import { createSimTelemetry } from './simulate-telemetry.ts';

export interface SimulateDeps {
  /** Of every model that a pipeline uses. */
  readonly costs: readonly ModelCosts[];
  /** Takes whole lines of the decision log, batch by batch. */
  readonly log?: (text: string) => Promise<void>;
  /** The machine's clock, for what is computed in real time; needed with `compute`. */
  readonly realClock?: Clock;
  /** With `compute`: takes the results as whole lines of JSON, batch by batch. */
  readonly results?: (text: string) => Promise<void>;
  /** Called every few milliseconds with the part that is done, 0..1; may take its time; true ends the simulation early. */
  readonly pause?: (doneRatio: number) => Promise<boolean>;
}

export interface Simulation {
  readonly report: Report;
  /** Chrome trace JSON. */
  readonly trace: string | undefined;
  /** What the placement could not make fit, and what went wrong while computing; a sentence each. */
  readonly problems: readonly string[];
}

/** Cores are up after firmware and weights; a minute is far beyond the largest model on the slowest bus. */
const START_MAX_US = durationFromMs(600_000);

/**
 * Plays a configuration on a simulated chip: the engine, scheduler, pipelines and ledger of `run`, on a clock that jumps from event to event. Sources give
 * frames without content, results are empty, nothing is opened but the models' graphs. With `compute`, frames, outputs and results are real, and take no time
 * but the simulated. The same options and costs give the same report, log, trace and results, byte for byte. Errors: CONFIG_INVALID when a pipeline is pinned
 * to a core that the chip does not have; with `compute` those of `openCompute`, and CORE_CRASHED.
 */
export async function simulate(options: SimulateOptions, deps: SimulateDeps): Promise<Simulation> {
  const { config, cuts } = planTurns(cutModels(onChip(withPolicy(options), deps.costs, options), deps.costs, options), deps.costs, options);
  const planned = planRun(config);
  const run: RunPlan = { ...planned, plan: { ...planned.plan, preemption: { kind: 'within-step', abortUs: ABORT_US } } };
  const clock = new SimClock();
  const compute = options.compute === 'ort' ? await openComputeOf(options, clock, deps) : undefined;
  try {
    return await play(config, run, { cuts, answers: new Map(), options, deps, clock, prng: new Prng(options.seed), compute });
  } finally {
    await compute?.close();
  }
}

/** Loaded only where it is wanted: it brings native code and ONNX Runtime along. */
async function openComputeOf({ config, profile }: SimulateOptions, virtual: SimClock, { realClock }: SimulateDeps): Promise<Compute> {
  assert(realClock !== undefined, 'who computes in real time has a clock for it');
  const { openCompute } = await import('./simulate-compute.ts');
  return openCompute({ config, host: profile.host }, { virtual, real: realClock });
}

async function play(config: RuntimeConfig, run: RunPlan, parts: PlayParts): Promise<Simulation> {
  const { answers, options, deps, clock, prng, compute } = parts;
  const [lines, results] = [createLines(deps.log), createLines(deps.results)];
  const telemetry = createSimTelemetry(telemetryOptions(config, run), options.profile, clock);
  const trace = options.isTraced ? createTraceOf(config, run, options) : undefined;
  if (deps.log !== undefined) lines.add(headerLine(run.plan, options.seed));
  const record: EngineRecord | undefined =
    deps.log === undefined && trace === undefined
      ? undefined
      : (event, decisions) => {
          if (deps.log !== undefined) lines.add(stepLine(event, decisions));
          trace?.step(event, decisions);
        };
  const chip = createChip(config, run, { ...parts, telemetry, trace, record });
  await clock.settle(chip.engine.start(), addUs(clock.now(), START_MAX_US), compute?.before);

  // Whoever asks for these gets nothing, which their counters tell without saying why.
  const refused = telemetry.incidents.latest().flatMap(({ kind, message }) => (kind === 'model-refused' ? [message] : []));
  const [startedAt, endAt] = [clock.now(), addUs(clock.now(), options.spanUs)];
  const before = chip.device.figures();
  const world = { clock, arena: chip.arena, desk: chip.engine.desk, answers, coders: compute?.coders };
  const pipelines = simulatePipelines(config, options.profile.host, world);
  const frames: Observable<never> = simulateSources(config, pipelines, { clock, prng, telemetry, content: compute?.content });
  const readers = new Subscription();
  if (compute !== undefined) for (const { pipeline } of pipelines) readers.add(pipeline.results.subscribe(({ result }) => tell(result)));
  const intake = frames.subscribe();
  const pause = async (): Promise<boolean> => {
    await Promise.all([lines.flush(), results.flush()]);
    return (await deps.pause?.((clock.now() - startedAt) / (endAt - startedAt))) ?? false;
  };
  await playUntil(clock, endAt, pause, compute?.before);
  intake.unsubscribe();
  const after = chip.device.figures();
  for (const { pipeline } of pipelines) pipeline.stop();
  const drainedBy = addUs(clock.now(), durationUs(config.runtime.drainUs + 1));
  await clock.settle(chip.engine.drain(config.runtime.drainUs), drainedBy, compute?.before);
  // What was still being prepared is turned away once it is ready.
  await playWhile(clock, () => telemetry.ledger.inFlight > 0, drainedBy, compute?.before);
  readers.unsubscribe();
  await chip.engine.dispose();
  await Promise.all([lines.flush(), results.flush()]);
  const simulation = simulationFigures({ before, after, options, costs: deps.costs, config, policy: run.plan.policy ?? 'coxswain' });
  const overbooking = overbooked(budgetedBytesPerSecond(regulationOf(config)), config.device.busBytesPerSecond ?? Number.POSITIVE_INFINITY);
  const problems = [
    ...run.placement.problems,
    ...refused,
    ...(overbooking === undefined ? [] : [overbooking]),
    ...(compute?.problems ?? []),
  ];
  return { report: { ...telemetry.report(), simulation }, trace: trace?.text(), problems };

  function tell(result: Result): void {
    telemetry.detections.record(result);
    if (deps.results !== undefined) results.add(JSON.stringify(resultPayload(result, config.node, clock.wallMs())));
  }
}

/** What was tuned was tuned for another policy. */
function withPolicy({ config, policy }: SimulateOptions): RuntimeConfig {
  if (policy === undefined || policy === config.scheduler.policy) return config;
  return { ...config, scheduler: { ...config.scheduler, policy, tuning: {} } };
}

type EngineRecord = NonNullable<Parameters<typeof createEngine>[1]['record']>;

interface PlayParts {
  readonly cuts: CutModels['cuts'];
  /** How long the answer to each turn under way will be. */
  readonly answers: Map<JobId, number>;
  readonly options: SimulateOptions;
  readonly deps: SimulateDeps;
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly compute: Compute | undefined;
}

interface ChipParts extends PlayParts {
  readonly telemetry: Telemetry;
  readonly trace: Trace | undefined;
  readonly record: EngineRecord | undefined;
}

function createChip(config: RuntimeConfig, run: RunPlan, parts: ChipParts): { engine: Engine; device: SimDevice; arena: Arena } {
  const { options, clock, telemetry, trace, record, compute } = parts;
  const { profile, mode, spanUs } = options;
  const arena = compute?.arena ?? new Arena(config.runtime.arenaBytes);
  const costs = new Map(parts.deps.costs.map((row) => [row.model, row]));
  const span = { from: clock.now(), spanUs, cores: run.plan.cores };
  const faults = drawSimFaults(options.faults, span, parts.prng.fork('faults'));
  const { restart } = config.runtime;
  const regulation = regulationOf(config);
  let device: SimDevice | undefined;
  const engine = createEngine(
    {
      plan: run.plan,
      models: new Map(config.models.map((model) => [model.id, model])),
      cores: run.cores,
      restart: { lossesMax: restart.max, withinUs: restart.withinUs, backoffUs: restart.backoffUs, probeAfterUs: restart.probeAfterUs },
      ...(config.modes === undefined ? {} : { modes: config.modes }),
    },
    {
      clock,
      arena,
      clear: compute?.clear ?? (() => undefined),
      telemetry,
      createDevice: (listener) => {
        const observer = trace === undefined ? {} : { observer: observerOf(trace) };
        const steps = (model: ModelId): SimSteps | undefined => stepsOf(model, config, parts);
        const stateBytes = (model: ModelId): number => {
          const row = costs.get(model);
          return (row?.tableBytes ?? 0) + cachesOf(model, run) * (row?.stateBytes ?? 0);
        };
        const isLanguage = (model: ModelId): boolean => costs.get(model)?.language !== undefined;
        const answerTokens = (job: JobId): number | undefined => parts.answers.get(job);
        const known = { costs: (model: ModelId) => costs.get(model)?.layers, steps, stateBytes, isLanguage, answerTokens };
        device = createSimDevice(
          { profile, mode, faults, ...(regulation === undefined ? {} : { regulation }) },
          { clock, listener, ...known, ...observer },
        );
        return compute?.wrap(device) ?? device;
      },
      ...(record === undefined ? {} : { record }),
    },
  );
  assert(device !== undefined, 'the engine creates its device at once');
  return { engine, device, arena };
}

function stepsOf(model: ModelId, { models }: RuntimeConfig, { cuts, deps: { costs } }: ChipParts): SimSteps | undefined {
  const steps = models.find(({ id }) => id === model)?.steps;
  const language = costs.find((row) => row.model === model)?.language;
  if (steps?.kind === 'tokens' && language !== undefined) {
    const { prefillLayers, decodeLayers } = language;
    return { chunkTokens: steps.chunkTokens, prefillLayers, decodeLayers: (past) => decodeLayers(1, past) };
  }
  const places = cuts.get(model);
  return places === undefined ? undefined : { cuts: places };
}

/** One for each turn that may be open at once: of every stream, on every core where it is served. A model that makes one token a job has one. */
function cachesOf(model: ModelId, { plan }: RunPlan): number {
  const rows = plan.models.filter((row) => row.model === model);
  const own = plan.streams.filter((stream) => stream.model === model);
  const steps = rows[0]?.steps;
  if (steps?.kind !== 'tokens') return 1;
  return rows.reduce((sum, row) => {
    const streams = own.filter(({ id }) => rowFor(rows, model, id) === row).length;
    return sum + (streams * row.cores.length * (steps.turnsMax ?? 1)) / (row.split ?? 1);
  }, 0);
}

const chunkTokensOf = ({ plan }: RunPlan): ReadonlyMap<ModelId, number> =>
  new Map(plan.models.flatMap(({ model, steps }) => (steps?.kind === 'tokens' ? [[model, steps.chunkTokens] as const] : [])));

const observerOf = (trace: Trace) => ({
  flow(at: InstantUs, bytesPerUs: number, watts: number): void {
    trace.counter('bus GB/s', at, bytesPerUs / 1000);
    trace.counter('power W', at, watts);
  },
  heat: (at: InstantUs, dieC: number): void => trace.counter('die degC', at, dieC),
});

function createTraceOf(config: RuntimeConfig, run: RunPlan, { profile, mode, seed }: SimulateOptions): Trace {
  const title = `${config.node} on ${profile.name}, mode ${mode.id}, seed ${seed}`;
  return createTrace({ title, cores: run.plan.cores, streams: run.plan.streams.map(({ id }) => id), chunkTokens: chunkTokensOf(run) });
}

function telemetryOptions(config: RuntimeConfig, run: RunPlan): TelemetryOptions {
  const read = new Set(config.pipelines.map(({ input }) => (input.kind === 'source' ? input.source : undefined)));
  return {
    streams: config.pipelines.map(({ stream }) => stream),
    cores: run.plan.cores,
    sources: config.sources.map(({ id }) => id).filter((id) => read.has(id)),
    config: configFigures(config),
    chunkTokens: chunkTokensOf(run),
  };
}

function createLines(write: SimulateDeps['log']) {
  let waiting: string[] = [];
  return {
    add: (line: string): void => void waiting.push(line),
    async flush(): Promise<void> {
      if (write === undefined || waiting.length === 0) return;
      const text = `${waiting.join('\n')}\n`;
      waiting = [];
      await write(text);
    },
  };
}
