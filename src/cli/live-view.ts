import type { DurationUs } from '../core/units.ts';
import { msFromDuration } from '../core/units.ts';
import type { Incident } from '../telemetry/incident-log.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import { formatElapsed } from './duration.ts';
import { bar, formatBytes, formatCounts, formatMs, formatPercent, formatUs, sumOf } from './figures-text.ts';
import type { Paint, Tone } from './paint.ts';
import { httpLine } from './plain-lines.ts';
import { renderCores, renderStreams } from './tables.ts';
import { cutText, displayWidth, escapeText } from './terminal-text.ts';

export interface LiveOptions {
  /** Cells of a line; at least 1. */
  readonly columns: number;
  /** Lines there are; the view takes one less, so that the cursor below it never scrolls the screen. */
  readonly rows: number;
  readonly paint: Paint;
  /** Since the run began; the snapshot's own count may include the start of the cores. */
  readonly elapsedMs: number;
  /** Where OpenAI clients find it; undefined: nowhere. */
  readonly http: string | undefined;
  /** Undefined: the run has no end of its own. */
  readonly runFor: DurationUs | undefined;
  /** The latest lines of `console` sinks, unescaped. */
  readonly printed: readonly string[];
  /** Warnings of the command itself, unescaped; they stay. */
  readonly notices: readonly string[];
  /** The run is draining. */
  readonly isStopping: boolean;
}

const INCIDENTS_SHOWN_MAX = 6;

/**
 * The whole live table as lines, none wider than the terminal and together no higher. Incidents give way first when it is low.
 *
 *     title, elapsed / duration
 *     streams
 *     cores
 *     process, mqtt, lines of console sinks
 *     last incidents
 */
export function renderLive(snapshot: Snapshot, options: LiveOptions): string[] {
  const { columns, paint } = options;
  const body = [
    ...renderHead(snapshot, options),
    '',
    ...renderStreams(snapshot.streams, columns, paint),
    '',
    ...renderCores(snapshot.cores, columns, paint),
    '',
    ...renderFoot(snapshot, columns, paint),
    ...(options.http === undefined ? [] : [paint(cutText(httpLine(options.http), columns), 'dim')]),
    ...options.notices.map((notice) => paint(cutText(`warning: ${escapeText(notice)}`, columns), 'yellow')),
    ...options.printed.map((line) => cutText(escapeText(line), columns)),
  ];
  const linesMax = Math.max(1, options.rows - 1);
  const room = Math.min(INCIDENTS_SHOWN_MAX, linesMax - body.length - 1);
  const incidents = room > 0 ? snapshot.incidents.slice(-room).map((incident) => incidentLine(incident, columns, paint)) : [];
  const lines = incidents.length > 0 ? [...body, '', ...incidents] : body;
  if (lines.length <= linesMax) return lines;
  const hidden = lines.length - linesMax + 1;
  return [...lines.slice(0, linesMax - 1), paint(cutText(`… ${hidden} more lines`, columns), 'dim')];
}

function renderHead(snapshot: Snapshot, { columns, paint, elapsedMs, runFor, isStopping }: LiveOptions): string[] {
  const name = cutText(`coxswain  ${escapeText(snapshot.config.node)}`, columns);
  const time = timeText(elapsedMs, runFor, columns - displayWidth(name) - 3, isStopping);
  const isRoom = displayWidth(name) + displayWidth(time) + 3 <= columns;
  return [`${paint(name, 'bold')}${isRoom ? `   ${paint(time, isStopping ? 'yellow' : 'cyan')}` : ''}`];
}

/** With a bar of at most 30 cells where there is room for one. */
function timeText(elapsedMs: number, runFor: DurationUs | undefined, width: number, isStopping: boolean): string {
  if (isStopping) return `${formatElapsed(elapsedMs)} stopping`;
  if (runFor === undefined) return formatElapsed(elapsedMs);
  const totalMs = msFromDuration(runFor);
  const text = `${formatElapsed(Math.min(elapsedMs, totalMs))} / ${formatElapsed(totalMs)}`;
  const ratio = elapsedMs / totalMs;
  const cells = Math.min(30, width - text.length - 8);
  return cells < 5 ? text : `${text}  ${bar(ratio, cells)} ${formatPercent(ratio)}`;
}

function renderFoot(snapshot: Snapshot, columns: number, paint: Paint): string[] {
  const { eventLoop, scheduler, process, mqtt, sources } = snapshot;
  const ill = sources
    .filter(({ state }) => state === 'stalled' || state === 'restarting')
    .map(({ id, state }) => `${escapeText(id)} ${state}`);
  const refused = sources
    .filter(({ rejected }) => sumOf(rejected) > 0)
    .map(({ id, rejected }) => `${escapeText(id)} refused ${formatCounts(rejected)}`);
  const loop = `event loop p99 ${formatMs(eventLoop.delayMs.p99)} max ${formatMs(eventLoop.delayMs.max)} ms`;
  const steps = `decisions p99 ${formatUs(scheduler.decisionUs.p99)}`;
  const memory = `rss ${formatBytes(process.rssBytes)}`;
  const lines: [string, Tone | undefined][] = [
    [`${loop} · ${steps} · ${memory}`, 'dim'],
    [mqttText(mqtt), mqttTone(mqtt.state)],
  ];
  if (ill.length + refused.length > 0) lines.push([`sources: ${[...ill, ...refused].join(', ')}`, ill.length > 0 ? 'red' : 'yellow']);
  return lines.map(([text, tone]) => paint(cutText(text, columns), tone));
}

function mqttText({ state, url, published, dropped }: Snapshot['mqtt']): string {
  if (url === null) return 'mqtt off';
  const reasons = formatCounts(dropped);
  return `mqtt ${escapeText(url)} ${escapeText(state)} · ${published} sent${reasons === '' ? '' : ` · dropped ${escapeText(reasons)}`}`;
}

const mqttTone = (state: string): Tone => (state === 'connected' || state === 'off' ? 'dim' : 'yellow');

/** Good news is green, the rest is not. */
const INCIDENT_TONES: Readonly<Partial<Record<Incident['kind'], Tone>>> = {
  'core-back': 'green',
  'source-live': 'green',
  'broker-back': 'green',
  'source-ended': 'dim',
  stopping: 'dim',
  warning: 'yellow',
  'broker-lost': 'yellow',
  'source-restarting': 'yellow',
};

/** An incident of a snapshot or of a report. */
type TellableIncident = Pick<Incident, 'kind' | 'atMs' | 'message'> & {
  readonly core?: number | undefined;
  readonly source?: string | undefined;
  readonly stream?: string | undefined;
};

export function incidentLine(incident: TellableIncident, columns: number, paint: Paint): string {
  const time = `${formatElapsed(incident.atMs).padStart(7)} `;
  const kind = `${incident.kind} `;
  const about = [
    incident.core === undefined ? undefined : `core ${incident.core}`,
    incident.source === undefined ? undefined : `source ${escapeText(incident.source)}`,
    incident.stream === undefined ? undefined : `stream ${escapeText(incident.stream)}`,
  ].filter((part) => part !== undefined);
  const text = `${about.join(', ')}${about.length > 0 ? ': ' : ''}${escapeText(incident.message)}`;
  const room = columns - displayWidth(time) - displayWidth(kind);
  if (room < 4) return cutText(`${time}${kind}`, columns);
  return `${paint(time, 'dim')}${paint(kind, INCIDENT_TONES[incident.kind] ?? 'red')}${cutText(text, room)}`;
}
