import { interval, type Subscription } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import { rxScheduler } from '../core/rx.ts';
import { type DurationUs, durationUs, msFromDuration } from '../core/units.ts';
import type { MqttLink } from '../mqtt/link-options.ts';
import type { EventPayload, HealthPayload } from '../mqtt/payloads.ts';
import { createTelemetryBatcher } from '../mqtt/telemetry-batcher.ts';
import type { Incident, IncidentKind } from '../telemetry/incident-log.ts';
import type { StreamFigures } from '../telemetry/ledger.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';

export interface TelemetrySinkOptions {
  readonly node: string;
  /** Between two snapshots; at least 100 ms. */
  readonly periodUs: DurationUs;
}

export interface TelemetrySinkDeps {
  readonly clock: Clock;
  readonly link: MqttLink;
  readonly snapshot: () => Snapshot;
  readonly onIncident: (listener: (incident: Incident) => void) => () => void;
}

export interface TelemetrySink {
  /** The last words: what is batched goes out, and a health of `stopping`. */
  close(): void;
}

/** Besides its changes, the retained health is renewed at this pace, so that a viewer sees a live node from a frozen one. */
const HEALTH_PERIOD_US = durationUs(5_000_000);

const SEVERITY: Readonly<Record<IncidentKind, EventPayload['severity']>> = {
  'core-lost': 'error',
  'core-back': 'info',
  'core-quarantined': 'error',
  'core-start-failed': 'error',
  mode: 'warning',
  'model-refused': 'error',
  'source-stalled': 'warning',
  'source-restarting': 'warning',
  'source-live': 'info',
  'source-ended': 'info',
  'worker-lost': 'error',
  'broker-lost': 'warning',
  'broker-back': 'info',
  'log-lost': 'warning',
  warning: 'warning',
  stopping: 'info',
  variant: 'warning',
};

/** Snapshots to `/telemetry/<group>`, their gist to `/health`, incidents to `/event/<kind>` as they happen. */
export function sendTelemetry(options: TelemetrySinkOptions, deps: TelemetrySinkDeps): TelemetrySink {
  const { node } = options;
  const { clock, link } = deps;
  const batcher = createTelemetryBatcher({ node, periodUs: options.periodUs }, { clock, publish: (message) => link.publish(message) });
  const sendHealth = (isStopping: boolean): void =>
    link.publish({ kind: 'health', payload: healthOf(deps.snapshot(), node, clock, isStopping) });

  const forgetIncidents = deps.onIncident((incident) => {
    link.publish({ kind: 'event', payload: eventOf(incident, node) });
    sendHealth(incident.kind === 'stopping');
  });
  const ticks: Subscription = interval(msFromDuration(options.periodUs), rxScheduler(clock)).subscribe(() =>
    addSamples(deps.snapshot(), batcher.add),
  );
  ticks.add(interval(msFromDuration(HEALTH_PERIOD_US), rxScheduler(clock)).subscribe(() => sendHealth(false)));
  sendHealth(false);

  return {
    close() {
      ticks.unsubscribe();
      forgetIncidents();
      batcher.close();
      sendHealth(true);
    },
  };
}

/** One group a stream and a core, and one for the process. */
function addSamples(snapshot: Snapshot, add: (group: string, values: Readonly<Record<string, number>>) => void): void {
  for (const stream of snapshot.streams) add(`stream-${stream.id}`.slice(0, 64), streamValues(stream));
  for (const core of snapshot.cores) add(`core-${core.id}`, { busyRatio: core.busyRatioRecent, jobs: core.jobs, restarts: core.restarts });
  const { scheduler, eventLoop, process } = snapshot;
  add('runtime', {
    ...numbers({
      decisionP99Us: scheduler.decisionUs.p99,
      eventLoopDelayP99Ms: eventLoop.delayMs.p99,
      eventLoopDelayMaxMs: eventLoop.delayMs.max,
    }),
    rssBytes: process.rssBytes,
    heapBytes: process.heapBytes,
  });
}

function streamValues({ jobs, latencyMs }: StreamFigures): Readonly<Record<string, number>> {
  return {
    arrived: jobs.arrived,
    done: jobs.done,
    late: jobs.late,
    dropped: total(jobs.dropped),
    rejected: total(jobs.rejected),
    failed: total(jobs.failed),
    ...numbers({ latencyP50Ms: latencyMs.p50, latencyP99Ms: latencyMs.p99, latencyMaxMs: latencyMs.max }),
  };
}

function healthOf(snapshot: Snapshot, node: string, clock: Clock, isStopping: boolean): HealthPayload {
  const problems = [
    ...snapshot.cores.filter((core) => core.state !== 'ready').map((core) => `core ${core.id} is ${core.state}`),
    ...snapshot.sources
      .filter((source) => source.state === 'stalled' || source.state === 'restarting')
      .map((source) => `source ${source.id} is ${source.state}`),
  ];
  return {
    node,
    wallMs: clock.wallMs(),
    atUs: clock.now(),
    state: isStopping ? 'stopping' : problems.length > 0 ? 'degraded' : 'nominal',
    problems: problems.slice(0, 64),
    cores: snapshot.cores.map(({ id, state, busyRatioRecent, restarts }) => ({ id, state, busyRatio: busyRatioRecent, restarts })),
    streams: snapshot.streams.map(({ id, criticality, jobs, latencyMs }) => ({
      id,
      criticality,
      arrived: jobs.arrived,
      done: jobs.done,
      late: jobs.late,
      dropped: total(jobs.dropped),
      rejected: total(jobs.rejected),
      failed: total(jobs.failed),
      ...(latencyMs.p99 === null ? {} : { latencyP99Us: Math.round(latencyMs.p99 * 1000) }),
    })),
    sources: snapshot.sources.map(({ id, state }) => ({ id, state })),
    rssBytes: snapshot.process.rssBytes,
  };
}

function eventOf(incident: Incident, node: string): EventPayload {
  const { kind, core, source, stream, message, at, wallMs } = incident;
  return {
    node,
    kind,
    wallMs,
    atUs: at,
    severity: SEVERITY[kind],
    message,
    data: {
      ...(core === undefined ? {} : { core }),
      ...(source === undefined ? {} : { source }),
      ...(stream === undefined ? {} : { stream }),
    },
  };
}

const total = (counts: Readonly<Record<string, number | undefined>>): number =>
  Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);

/** The values that are known. */
function numbers(values: Readonly<Record<string, number | null>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null));
}
