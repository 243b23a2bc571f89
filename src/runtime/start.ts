import { tmpdir } from 'node:os';
import { interval, map, merge, Subscription } from 'rxjs';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import { createDeferred } from '../core/deferred.ts';
import { CoxswainError } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import { Prng } from '../core/prng.ts';
import { rxScheduler } from '../core/rx.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { createOrtDevice } from '../devices/ort/ort-device.ts';
import { codecs } from '../models/registry.ts';
import { printResults } from '../sinks/console-results.ts';
import { sendResults } from '../sinks/mqtt-results.ts';
import { sendTelemetry } from '../sinks/mqtt-telemetry.ts';
import { createDecisionLog, type DecisionLog } from '../telemetry/decision-log.ts';
import { readHost } from '../telemetry/host.ts';
import type { Report } from '../telemetry/report-schema.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { type ActionsService, startActions } from './actions-service.ts';
import { type AssembledPipeline, assemblePipelines, assembleSources } from './assemble.ts';
import { regulationOf, UNREGULATED_TEXT } from './bus-budget.ts';
import { configFigures } from './config-figures.ts';
import { createEngine, type Engine } from './engine.ts';
import { createTensorArena, type TensorArena } from './frame-memory.ts';
import { MEDIA_TASK_TIMEOUT_US, MediaPool } from './media/media-pool.ts';
import { modelsUsed } from './models-used.ts';
import { type MqttService, startMqtt } from './mqtt-service.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import type { Runtime, RuntimeDeps, StopHow } from './runtime.ts';
import { Unwinder } from './unwinder.ts';

/** PSS of the cores and of this process, file descriptors: read once a second, off the event loop. */
const SAMPLE_PERIOD_MS = 1_000;

/** For the last words over MQTT. */
const GOODBYE_US = durationUs(500_000);

/** Tasks waiting for the media workers: each pipeline has at most three, each camera one, so this is never reached but by a bug. */
const MEDIA_TASKS_MAX = 1_024;

/** A child took 0.2 s to start and its largest model 0.4 s to load; a busy machine may take ten times that. */
const CORE_TIMEOUTS = { startTimeoutUs: durationUs(10_000_000), loadTimeoutUs: durationUs(30_000_000) };

/**
 * Brings a configuration to life: memory, media workers, cores with their models, MQTT, pipelines, and last the sources, so that no frame comes before
 * somebody can take it. Whatever fails on the way takes down again what was up.
 * Errors: CONFIG_INVALID (a model without a file, a job split over cores), ARENA_FULL, NATIVE_UNAVAILABLE, WORKER_CRASHED (a codec cannot start), BROKER_UNREACHABLE (the embedded broker's port is taken).
 */
export async function startRuntime(config: RuntimeConfig, deps: RuntimeDeps): Promise<Runtime> {
  const unwinder = new Unwinder();
  try {
    return await bringUp(config, deps, unwinder);
  } catch (error) {
    await unwinder.unwind();
    throw error;
  }
}

async function bringUp(config: RuntimeConfig, deps: RuntimeDeps, unwinder: Unwinder): Promise<Runtime> {
  const { clock } = deps;
  refuseShapes(config);
  refuseSplits(config);
  const prng = new Prng(config.runtime.seed);
  const run = planRun(config);
  let mqtt: MqttService | undefined;

  const telemetry = createTelemetry(
    {
      streams: config.pipelines.map(({ stream }) => stream),
      cores: run.plan.cores,
      sources: usedSources(config),
      config: configFigures(config),
    },
    { clock, host: readHost(), mqtt: () => mqtt?.figures() ?? { state: 'off', url: null, published: 0, dropped: {} } },
  );
  unwinder.push(() => telemetry.stop());
  mqtt = await startMqtt(config.mqtt, config.node, { clock, prng, incidents: telemetry.incidents, receives: config.actions !== undefined });
  const { link } = mqtt;
  unwinder.push(() => mqtt?.close(GOODBYE_US));
  const actions =
    config.actions && link && (await startActions(config.actions, config.node, { clock, link, incidents: telemetry.incidents }));
  unwinder.push(() => actions?.close());

  const memory = createTensorArena(config.runtime.arenaBytes);
  unwinder.push(() => memory.close());
  const decisionLog = deps.decisionLog && createDecisionLog({ plan: run.plan, seed: config.runtime.seed }, deps.decisionLog);
  const engine = startEngine(config, run, { deps, memory, telemetry, decisionLog, actions });
  unwinder.push(() => engine.dispose());
  const pool = startMedia(config, memory.shared.fd, { deps, telemetry });
  unwinder.push(() => pool.close());

  const assembly = { clock, prng, memory, pool, desk: engine.desk, telemetry };
  const pipelines = assemblePipelines(config, assembly);
  const readers = connectSinks(config, pipelines, { deps, telemetry, mqtt });
  unwinder.push(() => readers.unsubscribe());
  if (link !== undefined) {
    const { snapshot, incidents } = telemetry;
    const sink = sendTelemetry(
      { node: config.node, periodUs: config.mqtt.telemetryPeriodUs },
      { clock, link, snapshot, onIncident: (listener) => incidents.onIncident(listener) },
    );
    unwinder.push(() => sink.close());
  }
  const sampling = interval(SAMPLE_PERIOD_MS, rxScheduler(clock)).subscribe(() => sample(telemetry, engine));
  unwinder.push(() => sampling.unsubscribe());

  await Promise.all([pool.ready, engine.start()]);

  if (regulationOf(config) !== undefined)
    telemetry.incidents.add({ kind: 'warning', message: `${UNREGULATED_TEXT}; the streams take what they get` });
  telemetry.streamsBegin();
  const ended = createDeferred<void>();
  const intake = merge(...assembleSources(config, pipelines, assembly)).subscribe({ complete: () => ended.resolve() });
  unwinder.push(() => intake.unsubscribe());

  const stopping = createStop(config.runtime.drainUs, { actions, engine, intake, pipelines, telemetry, decisionLog, unwinder });
  return {
    snapshot: telemetry.snapshot,
    onIncident: (listener) => telemetry.incidents.onIncident(listener),
    actions,
    stop: stopping,
    ended: ended.promise,
  };
}

/** Errors: CONFIG_INVALID for a pipeline whose model has no file. */
function refuseShapes(config: RuntimeConfig): void {
  const described = new Set(config.models.filter(({ shape }) => shape !== undefined).map(({ id }) => id));
  const pipeline = config.pipelines.find((candidate) => [...modelsUsed([candidate])].some((id) => described.has(id)));
  const model = pipeline === undefined ? undefined : [...modelsUsed([pipeline])].find((id) => described.has(id));
  if (pipeline === undefined || model === undefined) return;
  const text = `pipeline ${pipeline.id} runs ${model}, which the manifest only describes and has no file of`;
  throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; coxswain sim can run it, or give the model a file`);
}

/** Errors: CONFIG_INVALID for a pipeline whose jobs shall run on several cores at once. */
function refuseSplits(config: RuntimeConfig): void {
  const pipeline = config.pipelines.find(({ split }) => typeof split === 'number');
  if (pipeline === undefined) return;
  const text = `pipeline ${pipeline.id} is split over ${pipeline.split} cores, and a core of device.kind ${config.device.kind} runs a job alone`;
  throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; coxswain sim can run it, or leave split out`);
}

interface StopDeps {
  readonly actions: ActionsService | undefined;
  readonly engine: Engine;
  readonly intake: Subscription;
  readonly pipelines: readonly AssembledPipeline[];
  readonly telemetry: Telemetry;
  readonly decisionLog: DecisionLog | undefined;
  readonly unwinder: Unwinder;
}

/** First nothing moves any more, then no more frames, then no more jobs, then the cores, then everything else in the reverse of how it came up. */
function createStop(drainUs: DurationUs, deps: StopDeps): (how: StopHow) => Promise<Report> {
  const { actions, engine, intake, pipelines, telemetry, decisionLog, unwinder } = deps;
  let report: Promise<Report> | undefined;
  const hurry = createDeferred<void>();
  const stop = async (how: StopHow): Promise<Report> => {
    telemetry.incidents.add({ kind: 'stopping', message: how === 'drain' ? 'no more frames; running jobs may end' : 'stopping now' });
    actions?.gate.stop();
    intake.unsubscribe();
    for (const { pipeline } of pipelines) pipeline.stop();
    if (how === 'drain') await Promise.race([engine.drain(drainUs), hurry.promise]);
    await engine.dispose();
    await decisionLog?.flush();
    const figures = telemetry.report();
    await unwinder.unwind();
    return { ...figures, mqtt: telemetry.snapshot().mqtt };
  };
  return (how) => {
    if (how === 'now') hurry.resolve();
    report ??= stop(how);
    return report;
  };
}

const usedSources = (config: RuntimeConfig): readonly SourceId[] =>
  config.sources.map(({ id }) => id).filter((id) => config.pipelines.some(({ input }) => input.kind === 'source' && input.source === id));

interface EngineParts {
  readonly actions: ActionsService | undefined;
  readonly deps: RuntimeDeps;
  readonly memory: TensorArena;
  readonly telemetry: Telemetry;
  readonly decisionLog: DecisionLog | undefined;
}

function startEngine(config: RuntimeConfig, run: RunPlan, parts: EngineParts): Engine {
  const { deps, memory, telemetry, decisionLog, actions } = parts;
  const { restart } = config.runtime;
  return createEngine(
    {
      plan: run.plan,
      models: new Map(config.models.map((model) => [model.id, model])),
      cores: run.cores,
      restart: { lossesMax: restart.max, withinUs: restart.withinUs, backoffUs: restart.backoffUs, probeAfterUs: restart.probeAfterUs },
      ...(config.modes === undefined ? {} : { modes: config.modes }),
    },
    {
      clock: deps.clock,
      arena: memory.arena,
      clear: (region) => memory.bytes(region).fill(0),
      telemetry,
      createDevice: (listener) =>
        createOrtDevice(
          {
            ...CORE_TIMEOUTS,
            cores: config.device.cores.map(({ cpu, niceness, isIdle, realtime }, id) => ({ id, cpu, niceness, isIdle, realtime })),
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            threadsPerCore: 1,
            optimizedDir: tmpdir(),
          },
          { clock: deps.clock, listener, onWarning: (message) => telemetry.incidents.add({ kind: 'warning', message }) },
        ),
      ...(actions === undefined ? {} : { onMode: (mode) => actions.gate.enterMode(mode) }),
      ...(decisionLog === undefined ? {} : { record: (event, decisions) => decisionLog.record(event, decisions) }),
    },
  );
}

function startMedia(
  config: RuntimeConfig,
  arenaFd: number,
  { deps, telemetry }: { readonly deps: RuntimeDeps; readonly telemetry: Telemetry },
): MediaPool {
  const used = modelsUsed(config.pipelines);
  const models = config.models.filter(({ id, codec }) => used.has(id) && codecs[codec]?.kind === 'image');
  return new MediaPool(
    {
      arenaFd,
      arenaBytes: config.runtime.arenaBytes,
      models,
      workers: config.runtime.workers,
      tasksMax: MEDIA_TASKS_MAX,
      taskTimeoutUs: MEDIA_TASK_TIMEOUT_US,
    },
    { clock: deps.clock, onWorkerLost: (message) => telemetry.incidents.add({ kind: 'worker-lost', message }) },
  );
}

/** Every pipeline's results are counted, and go where its `sinks` say. */
function connectSinks(
  config: RuntimeConfig,
  pipelines: readonly AssembledPipeline[],
  parts: { readonly deps: RuntimeDeps; readonly telemetry: Telemetry; readonly mqtt: MqttService },
): Subscription {
  const { deps, telemetry, mqtt } = parts;
  const subscriptions = new Subscription();
  for (const { pipeline, config: section } of pipelines) {
    const results = pipeline.results.pipe(map(({ result }) => result));
    subscriptions.add(results.subscribe((result) => telemetry.detections.record(result)));
    if (section.sinks.includes('mqtt') && mqtt.link !== undefined) {
      subscriptions.add(sendResults(results, { node: config.node }, { clock: deps.clock, link: mqtt.link }));
    }
    if (section.sinks.includes('console') && deps.print !== undefined) subscriptions.add(printResults(results, deps.print));
  }
  return subscriptions;
}

function sample(telemetry: Telemetry, engine: Engine): void {
  for (const core of engine.device.cores) telemetry.cores.process(core, engine.device.health(core));
  void telemetry.process.sample();
}
