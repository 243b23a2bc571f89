import { stringify } from 'yaml';
import type { Stream } from '../core/stream.ts';
import { type DurationUs, msFromDuration } from '../core/units.ts';
import type { ActionsConfig } from './actions-config.ts';
import type { HttpConfig } from './http-config.ts';
import type {
  AnswerConfig,
  AssistantConfig,
  BusBudgetConfig,
  LimitsConfig,
  ModesConfig,
  MqttConfig,
  PipelineConfig,
  RuntimeConfig,
  SchedulerConfig,
} from './runtime-config.ts';
import type { FirstOfSource, LeafSource, SourceConfig, TokenRange } from './source-config.ts';

/** Plain data in the form of a configuration file. */
export type PlainConfig = Readonly<Record<string, unknown>>;

/**
 * What is in effect, in the form of a configuration file: every default written out, milliseconds, absolute paths, secrets as `***`. Loading it again
 * gives the same configuration, secrets apart: the bearer token of `http` must be written in again.
 */
export function effectiveConfig(config: RuntimeConfig): PlainConfig {
  return {
    version: config.version,
    node: config.node,
    models: config.manifest.file,
    device: {
      kind: config.device.kind,
      cores: config.device.cores.map(({ cpu, niceness, isIdle, realtime, memoryBytes }) =>
        given({ cpu, niceness, idle: isIdle, realtime, memoryMb: memoryBytes / 2 ** 20 }),
      ),
    },
    sources: Object.fromEntries(config.sources.map((source) => [source.id, plainSource(source)])),
    pipelines: Object.fromEntries(config.pipelines.map((pipeline) => [pipeline.id, plainPipeline(pipeline)])),
    scheduler: plainScheduler(config.scheduler),
    ...(config.modes === undefined ? {} : { modes: plainModes(config.modes) }),
    mqtt: plainMqtt(config.mqtt),
    ...(config.actions === undefined ? {} : { actions: plainActions(config.actions) }),
    ...(config.http === undefined ? {} : { http: plainHttp(config.http) }),
    runtime: plainLimits(config.runtime),
  };
}

/** The same as YAML text. */
export function printConfig(config: RuntimeConfig): string {
  return stringify(effectiveConfig(config), { aliasDuplicateObjects: false, lineWidth: 0 });
}

/** Without the keys that say nothing. */
function given(entries: PlainConfig): PlainConfig {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

const ms = (duration: DurationUs): number => msFromDuration(duration);

function plainSource(source: SourceConfig): PlainConfig {
  return source.kind === 'first-of' ? plainFirstOf(source) : plainLeaf(source);
}

function plainFirstOf({ kind, sources }: FirstOfSource): PlainConfig {
  return { kind, sources: sources.map(plainLeaf) };
}

function plainLeaf(source: LeafSource): PlainConfig {
  switch (source.kind) {
    case 'video': {
      const { kind, from, fps, width, height } = source;
      return { kind, ...plainVideoInput(from), fps, width, height, ...plainSupervision(source) };
    }
    case 'images': {
      const { kind, files, fps, width, height, isLooping, pixelsMax, cacheBytes } = source;
      return { kind, files, fps, width, height, loop: isLooping, pixelsMax, cacheMb: cacheBytes / 2 ** 20 };
    }
    case 'wav': {
      const { kind, file, isLooping, gapUs, secondsMax } = source;
      return { kind, file, loop: isLooping, gapMs: ms(gapUs), secondsMax };
    }
    case 'microphone':
      return { kind: source.kind, device: source.device, ...plainSupervision(source) };
    case 'synthetic': {
      const { kind, fps, jitterRatio, burstRatio, burstFrames, framesMax } = source;
      return given({ kind, fps, jitterRatio, burstRatio, burstFrames, framesMax });
    }
    case 'turns': {
      const { kind, perMinute, arrivals, promptTokens, answerTokens, followUpRatio, turnsMax } = source;
      const range = ({ from, to }: TokenRange): readonly number[] => [from, to];
      const lengths = { promptTokens: range(promptTokens), answerTokens: range(answerTokens) };
      return given({ kind, perMinute, arrivals, ...lengths, followUpRatio, turnsMax });
    }
    case 'words': {
      const { kind, script, periodUs, isLooping, hearsMqtt } = source;
      const lines = script.map(({ text, provenance }) => ({ text, from: provenance }));
      return { kind, script: lines, everyMs: ms(periodUs), loop: isLooping, mqtt: hearsMqtt };
    }
  }
}

function plainVideoInput(from: Extract<LeafSource, { kind: 'video' }>['from']): PlainConfig {
  switch (from.kind) {
    case 'file':
      return { file: from.file, loop: from.isLooping };
    case 'url':
      return { url: from.url.shown };
    case 'device':
      return { device: from.device };
  }
}

function plainSupervision(source: Extract<LeafSource, { kind: 'video' | 'microphone' }>): PlainConfig {
  return {
    stalledAfterMs: ms(source.stalledAfterUs),
    killAfterMs: ms(source.killAfterUs),
    restartDelayMs: ms(source.restartDelayUs),
    restartDelayMaxMs: ms(source.restartDelayMaxUs),
  };
}

function plainScheduler({ servers = [], busBudget, ...rest }: SchedulerConfig): PlainConfig {
  const scheduler = { ...rest, ...(busBudget === undefined ? {} : { busBudget: plainBusBudget(busBudget) }) };
  if (servers.length === 0) return scheduler;
  const rows = servers.map(({ id, streams, budgetUs, periodUs }) => [
    id,
    { pipelines: streams, budgetMs: ms(budgetUs), periodMs: ms(periodUs) },
  ]);
  return { ...scheduler, servers: Object.fromEntries(rows) };
}

const plainBusBudget = ({ periodUs, streams }: BusBudgetConfig): PlainConfig => ({
  periodMs: ms(periodUs),
  pipelinesMb: Object.fromEntries(streams.map(({ stream, bytes }) => [stream, bytes / 1e6])),
});

function plainModes({ enterAfterUs, leaveAfterUs, bandwidthShortBelow, hot, coresLost, rules }: ModesConfig): PlainConfig {
  const own: PlainConfig = { 'bandwidth-short': { belowRatio: bandwidthShortBelow }, hot, 'core-lost': { cores: coresLost } };
  const modes = rules.map(({ mode, streams }) => [
    mode,
    { ...(own[mode] as PlainConfig), streams: Object.fromEntries(streams.map(({ stream, model }) => [stream, model ?? 'shed'])) },
  ]);
  return { enterAfterMs: ms(enterAfterUs), leaveAfterMs: ms(leaveAfterUs), ...Object.fromEntries(modes) };
}

function plainPipeline({
  input,
  stream,
  staleAfterUs,
  decode,
  cores,
  split,
  answer,
  assistant,
  variants,
  sinks,
}: PipelineConfig): PlainConfig {
  const { freshness } = stream;
  return given({
    source: input.kind === 'source' ? input.source : { pipeline: input.pipeline, itemsMax: input.itemsMax },
    model: stream.model,
    variants: variants.length === 0 ? undefined : variants,
    criticality: stream.criticality,
    deadlineMs: ms(stream.deadlineUs),
    staleAfterMs: ms(staleAfterUs),
    freshness: freshness.kind === 'latest' ? 'latest' : { queue: freshness.jobsMax },
    decode,
    answer: answer === undefined ? undefined : plainAnswer(answer, stream),
    assistant: assistant === undefined ? undefined : plainAssistant(assistant),
    cores,
    split,
    sinks,
  });
}

function plainAnswer({ tokensMax, breaksIn }: AnswerConfig, { tokens = {} }: Stream): PlainConfig {
  const { perSecondMax, everyUs } = tokens;
  return given({
    tokensMax,
    tokensPerSecondMax: perSecondMax,
    tokenMs: everyUs === undefined ? undefined : ms(everyUs),
    breakIn: breaksIn,
  });
}

function plainMqtt(mqtt: MqttConfig): PlainConfig {
  return given({
    broker: mqtt.broker.kind === 'external' ? mqtt.broker.url : mqtt.broker.kind,
    port: mqtt.broker.kind === 'embedded' ? mqtt.broker.port : undefined,
    prefix: mqtt.prefix,
    clientId: mqtt.clientId,
    username: mqtt.username,
    password: mqtt.password?.shown,
    keepAliveMs: ms(mqtt.keepAliveUs),
    connectTimeoutMs: ms(mqtt.connectTimeoutUs),
    reconnectDelayMs: ms(mqtt.reconnectDelayUs),
    reconnectDelayMaxMs: ms(mqtt.reconnectDelayMaxUs),
    outbox: mqtt.outbox,
    inboundBytesMax: mqtt.inboundBytesMax,
    telemetryHz: mqtt.telemetryHz,
  });
}

function plainActions({ file, topics, stateAgeMaxUs, confirmWithinUs, fromMqtt, audit }: ActionsConfig): PlainConfig {
  return given({ catalogue: file, topics, stateAgeMaxMs: ms(stateAgeMaxUs), confirmWithinMs: ms(confirmWithinUs), fromMqtt, audit });
}

function plainHttp({ token, requestTimeoutUs, stalledAfterUs, keepAliveUs, ...same }: HttpConfig): PlainConfig {
  const times = { requestTimeoutMs: ms(requestTimeoutUs), stalledAfterMs: ms(stalledAfterUs), keepAliveMs: ms(keepAliveUs) };
  return given({ ...same, token: token?.shown, ...times });
}

function plainLimits({ drainUs, workers, arenaBytes, hardTimeout, restart, seed }: LimitsConfig): PlainConfig {
  return {
    drainMs: ms(drainUs),
    workers,
    arenaMb: arenaBytes / 2 ** 20,
    hardTimeout: { floorMs: ms(hardTimeout.floorUs), factor: hardTimeout.factor, ceilingMs: ms(hardTimeout.ceilingUs) },
    restart: {
      max: restart.max,
      withinMs: ms(restart.withinUs),
      probeAfterMs: ms(restart.probeAfterUs),
      backoffMs: ms(restart.backoffUs),
    },
    seed,
  };
}

function plainAssistant({ machine, sees, reads, texts, followUps }: AssistantConfig): PlainConfig {
  const watched = (rows: AssistantConfig['sees']) =>
    rows.map(({ stream, bearing, fieldOfViewDeg }) => given({ pipeline: stream, looks: bearing, fieldOfViewDeg }));
  return given({ machine, sees: watched(sees), reads: watched(reads), texts, followUps });
}
