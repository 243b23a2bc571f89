import { tmpdir } from 'node:os';
import { interval, merge, type Subscription } from 'rxjs';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import { createDeferred } from '../core/deferred.ts';
import { CoxswainError } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import { Prng } from '../core/prng.ts';
import { rxScheduler } from '../core/rx.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { createOrtDevice } from '../devices/ort/ort-device.ts';
import { codecs } from '../models/registry.ts';
import type { MqttLink } from '../mqtt/link-options.ts';
import { createTopics } from '../mqtt/topics.ts';
import { sendTelemetry } from '../sinks/mqtt-telemetry.ts';
import { createDecisionLog, type DecisionLog } from '../telemetry/decision-log.ts';
import { readHost } from '../telemetry/host.ts';
import type { Report } from '../telemetry/report-schema.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { type ActionsService, startActions } from './actions-service.ts';
import { type AssembledPipeline, assemblePipelines, assembleSources } from './assemble.ts';
import { regulationOf, UNREGULATED_TEXT } from './bus-budget.ts';
import { configFigures } from './config-figures.ts';
import { connectSinks, tellTurn } from './connect-sinks.ts';
import { cutForCores } from './cut-for-cores.ts';
import { createEngine, type Engine } from './engine.ts';
import { createTensorArena, type TensorArena } from './frame-memory.ts';
import type { HttpThread } from './http/http-thread.ts';
import { startHttp } from './http-service.ts';
import { createMediaPool, type MediaPool } from './media/media-pool.ts';
import { modelsUsed } from './models-used.ts';
import { type MqttService, startMqtt } from './mqtt-service.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { createPromptPool, type PromptPool } from './prompts/prompt-pool.ts';
import type { Runtime, RuntimeDeps, StopHow } from './runtime.ts';
import { createTalkers, type Talkers } from './talkers.ts';
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
 * Errors: CONFIG_INVALID (a model without a file, a job split over cores), ARENA_FULL, NATIVE_UNAVAILABLE, WORKER_CRASHED (a worker thread cannot start), BROKER_UNREACHABLE (the embedded broker's port is taken).
 */
export async function startRuntime(config: RuntimeConfig, deps: RuntimeDeps): Promise<Runtime> {
  const unwinder = new Unwinder();
  try {
    return await bringUp(cutForCores(config), deps, unwinder);
  } catch (error) {
    await unwinder.unwind();
    throw error;
  }
}

async function bringUp(config: RuntimeConfig, deps: RuntimeDeps, unwinder: Unwinder): Promise<Runtime> {
  const { clock } = deps;
  refuseShapes(config);
  refuseSplits(config);
  refuseSilence(config);
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
  mqtt = await startMqtt(config.mqtt, config.node, {
    clock,
    prng,
    incidents: telemetry.incidents,
    receives: config.actions !== undefined || hearsWords(config),
  });
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

  const prompts = startPrompts(config, { deps, telemetry });
  unwinder.push(() => prompts.close());
  const talkers = createTalkers(config, {
    clock,
    prompts,
    desk: engine.desk,
    memory,
    actions,
    onTranscript: (turn) => tellTurn(turn, { config, deps, link }),
  });
  unwinder.push(() => talkers.close());
  const hear = link && ((source: SourceId, onWords: (bytes: Uint8Array) => void) => hearWords(source, onWords, { config, link }));
  const assembly = { clock, prng, memory, pool, desk: engine.desk, telemetry, assistants: talkers.assistants, hear };
  const pipelines = assemblePipelines(config, assembly);
  unwinder.push(talkers.watch(pipelines));
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
  // It listens while the cores come up, and says that they do.
  const serving =
    config.http === undefined
      ? Promise.resolve(undefined)
      : startHttp(config.http, config.pipelines, {
          ...{ clock, incidents: telemetry.incidents, languages: talkers.languages, assistants: [...talkers.assistants.values()] },
        });
  // One that cannot listen has nothing to close, and whoever waits for it is told.
  unwinder.push(async () => (await serving.catch(() => undefined))?.close());
  const sampling = interval(SAMPLE_PERIOD_MS, rxScheduler(clock)).subscribe(() => sample(telemetry, engine));
  unwinder.push(() => sampling.unsubscribe());

  const [http] = await Promise.all([serving, pool.ready, prompts.ready, engine.start()]);
  http?.open();

  if (regulationOf(config) !== undefined)
    telemetry.incidents.add({ kind: 'warning', message: `${UNREGULATED_TEXT}; the streams take what they get` });
  telemetry.streamsBegin();
  const ended = createDeferred<void>();
  const intake = merge(...assembleSources(config, pipelines, assembly)).subscribe({ complete: () => ended.resolve() });
  unwinder.push(() => intake.unsubscribe());

  const stopping = createStop(config.runtime.drainUs, {
    actions,
    talkers,
    http,
    engine,
    intake,
    pipelines,
    telemetry,
    decisionLog,
    unwinder,
  });
  return {
    snapshot: telemetry.snapshot,
    onIncident: (listener) => telemetry.incidents.onIncident(listener),
    actions,
    http: http?.url,
    stop: stopping,
    ended: ended.promise,
  };
}

/** Errors: CONFIG_INVALID for a pipeline whose model has no file. */
function refuseShapes(config: RuntimeConfig): void {
  const described = new Set(config.models.filter(({ file }) => file === '').map(({ id }) => id));
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

/** Errors: CONFIG_INVALID for a language model that is asked without words. */
function refuseSilence(config: RuntimeConfig): void {
  const pipeline = config.pipelines.find(({ answer, assistant }) => answer !== undefined && assistant === undefined);
  if (pipeline === undefined) return;
  const text = `pipeline ${pipeline.id} is asked in turns without words, which only the simulator can answer`;
  throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; run it with coxswain sim, or give it a source of kind words`);
}

const hearsWords = ({ sources }: RuntimeConfig): boolean => sources.some((source) => source.kind === 'words' && source.hearsMqtt);

/** A text on the topic of the source. */
function hearWords(
  source: SourceId,
  onWords: (bytes: Uint8Array) => void,
  { config, link }: { readonly config: RuntimeConfig; readonly link: MqttLink },
): () => void {
  const topic = createTopics(config.mqtt.prefix, config.node).words(source);
  assert(topic !== undefined, 'the name of a source is a level of a topic', source);
  return link.subscribe(topic, ({ payload }) => onWords(payload));
}

interface StopDeps {
  readonly actions: ActionsService | undefined;
  readonly talkers: Talkers;
  readonly http: HttpThread | undefined;
  readonly engine: Engine;
  readonly intake: Subscription;
  readonly pipelines: readonly AssembledPipeline[];
  readonly telemetry: Telemetry;
  readonly decisionLog: DecisionLog | undefined;
  readonly unwinder: Unwinder;
}

/** First nothing moves any more, then no more frames, then no more jobs, then the cores, then everything else in the reverse of how it came up. */
function createStop(drainUs: DurationUs, deps: StopDeps): (how: StopHow) => Promise<Report> {
  const { actions, talkers, http, engine, intake, pipelines, telemetry, decisionLog, unwinder } = deps;
  let report: Promise<Report> | undefined;
  const hurry = createDeferred<void>();
  const stop = async (how: StopHow): Promise<Report> => {
    telemetry.incidents.add({ kind: 'stopping', message: how === 'drain' ? 'no more frames; running jobs may end' : 'stopping now' });
    actions?.gate.stop();
    intake.unsubscribe();
    for (const { pipeline } of pipelines) pipeline.stop();
    // Turns are given up at their next step once the scheduler knows, so answers to clients end first.
    if (how === 'drain') await Promise.race([(http?.drain(drainUs) ?? Promise.resolve()).then(() => engine.drain(drainUs)), hurry.promise]);
    await engine.dispose();
    await decisionLog?.flush();
    const figures = telemetry.report();
    await unwinder.unwind();
    // What was still open when everything was closed has its end now.
    const said = Object.fromEntries([...talkers.assistants].map(([id, assistant]) => [id, { ...assistant.counts() }]));
    return {
      ...{ ...figures, mqtt: telemetry.snapshot().mqtt },
      ...(actions === undefined ? {} : { actions: { ...actions.gate.counts() } }),
      ...(talkers.assistants.size === 0 ? {} : { assistants: said }),
    };
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
  return createMediaPool(
    {
      arenaFd,
      arenaBytes: config.runtime.arenaBytes,
      models,
      workers: config.runtime.workers,
      tasksMax: MEDIA_TASKS_MAX,
    },
    { clock: deps.clock, onWorkerLost: (message) => telemetry.incidents.add({ kind: 'worker-lost', message }) },
  );
}

/** No worker where no language model talks. */
function startPrompts(
  config: RuntimeConfig,
  { deps, telemetry }: { readonly deps: RuntimeDeps; readonly telemetry: Telemetry },
): PromptPool {
  const talking = new Set(config.pipelines.filter(({ assistant }) => assistant !== undefined).map(({ stream }) => stream.model));
  const models = config.models.flatMap(({ id, language }) => (talking.has(id) && language !== undefined ? [{ id, language }] : []));
  return createPromptPool(
    { models },
    { clock: deps.clock, onWorkerLost: (message) => telemetry.incidents.add({ kind: 'worker-lost', message }) },
  );
}

function sample(telemetry: Telemetry, engine: Engine): void {
  for (const core of engine.device.cores) telemetry.cores.process(core, engine.device.health(core));
  void telemetry.process.sample();
}
