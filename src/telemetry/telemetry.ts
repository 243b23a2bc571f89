import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Stream } from '../core/stream.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';
import { type CoreMeter, createCoreMeter } from './core-meter.ts';
import { createDecisionMeter, type DecisionMeter } from './decision-meter.ts';
import { createDetectionMeter, type DetectionMeter } from './detection-meter.ts';
import { createEventLoopMeter, type EventLoopMeter } from './event-loop-meter.ts';
import type { Host } from './host.ts';
import { createIncidentLog, type IncidentLog } from './incident-log.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createProcessMeter, type ProcessMeter } from './process-meter.ts';
import { REPORT_VERSION, type Report } from './report-schema.ts';
import type { ConfigFigures, MqttFigures, Snapshot } from './snapshot.ts';
import { createSourceMeter, type SourceMeter } from './source-meter.ts';
import { createTurnMeter, type TurnMeter } from './turn-meter.ts';

export interface TelemetryOptions {
  readonly streams: readonly Stream[];
  readonly cores: readonly CoreId[];
  readonly sources: readonly SourceId[];
  readonly config: ConfigFigures;
  /** Of each language model that is asked in turns: how many tokens of a prompt it reads in one step. Default: none is. */
  readonly chunkTokens?: ReadonlyMap<ModelId, number>;
}

export interface TelemetryDeps {
  readonly clock: Clock;
  readonly host: Host;
  /** How the MQTT link is doing; asked at each snapshot. */
  readonly mqtt: () => MqttFigures;
  /** Default: the real one of this process. */
  readonly eventLoop?: EventLoopMeter;
  /** Default: the real one of this process. */
  readonly process?: ProcessMeter;
}

/** Every instrument of one run, and the two ways to read them all. Nothing here waits or does I/O, except `process.sample`. */
export interface Telemetry {
  readonly ledger: Ledger;
  readonly cores: CoreMeter;
  readonly sources: SourceMeter;
  readonly decisions: DecisionMeter;
  readonly turns: TurnMeter;
  readonly detections: DetectionMeter;
  readonly incidents: IncidentLog;
  readonly process: ProcessMeter;
  /** The first frames may come: from here on the event loop counts, whose start-up, loading code and models, is nobody's delay. */
  streamsBegin(): void;
  snapshot(): Snapshot;
  /** The figures as they stand; its `log` is null, to be filled in by who writes the log. */
  report(): Report;
  stop(): void;
}

/** The run starts now. */
export function createTelemetry(options: TelemetryOptions, deps: TelemetryDeps): Telemetry {
  const { clock } = deps;
  const startedAt = clock.now();
  const startedWallMs = clock.wallMs();
  const ledger = createLedger(options.streams);
  const cores = createCoreMeter(options.cores, startedAt);
  const sources = createSourceMeter(options.sources);
  const decisions = createDecisionMeter();
  const turns = createTurnMeter(options.streams, options.chunkTokens ?? new Map());
  const detections = createDetectionMeter(options.streams);
  const incidents = createIncidentLog(startedAt, clock);
  const eventLoop = deps.eventLoop ?? createEventLoopMeter();
  const processMeter = deps.process ?? createProcessMeter();

  const snapshot = (): Snapshot => {
    const at = clock.now();
    const elapsedMs = msFromDuration(elapsedUs(startedAt, at));
    return freeze({
      elapsedMs,
      config: { ...options.config },
      streams: ledger.figures().map((figures) => {
        const answers = turns.figures(figures.id, elapsedMs);
        return answers === undefined ? figures : { ...figures, answers };
      }),
      cores: cores.figures(at),
      sources: sources.figures(),
      scheduler: decisions.figures(),
      eventLoop: eventLoop.figures(),
      process: processMeter.figures(),
      detections: detections.detections(),
      voice: detections.voice(),
      incidents: incidents.latest(),
      incidentsOmitted: incidents.omitted,
      mqtt: deps.mqtt(),
    });
  };

  return {
    ledger,
    cores,
    sources,
    decisions,
    turns,
    detections,
    incidents,
    process: processMeter,
    streamsBegin: () => eventLoop.reset(),
    snapshot,
    report: () => reportOf(snapshot(), deps.host, startedWallMs),
    stop: () => eventLoop.stop(),
  };
}

/** The live figures that mean nothing after the run (load of the last second, model in work, process ids, monotonic instants) stay behind. */
function reportOf(snapshot: Snapshot, host: Host, startedWallMs: number): Report {
  const { elapsedMs, ...figures } = snapshot;
  return {
    version: REPORT_VERSION,
    startedAt: new Date(startedWallMs).toISOString(),
    durationMs: elapsedMs,
    ...figures,
    cores: figures.cores.map(({ busyRatioRecent: _recent, modelInWork: _model, pid: _pid, ...kept }) => kept),
    incidents: figures.incidents.map(({ at: _at, ...kept }) => kept),
    log: null,
    host: { ...host },
  };
}

/** Freezes data all the way down; figures that are frozen already were built frozen. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
