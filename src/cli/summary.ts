import type { Report } from '../telemetry/report-schema.ts';
import { formatElapsed } from './duration.ts';
import { formatBytes, formatCounts, formatMs, formatUs } from './figures-text.ts';
import { incidentLine } from './live-view.ts';
import type { Paint } from './paint.ts';
import { renderReportCores, renderStreams } from './tables.ts';
import { escapeText } from './terminal-text.ts';

const INCIDENTS_SHOWN_MAX = 20;
const LABELS_SHOWN_MAX = 8;

/** The end of every run, on a terminal and off it. */
export function renderSummary(report: Report, columns: number, paint: Paint): string[] {
  const { incidents, scheduler, eventLoop, process } = report;
  const shown = incidents.slice(-INCIDENTS_SHOWN_MAX);
  const omitted = report.incidentsOmitted + incidents.length - shown.length;
  const pssBytes = report.cores.reduce((sum, core) => sum + (core.pssBytes ?? 0), process.pssBytes ?? 0);
  return [
    paint(`ran ${formatElapsed(report.durationMs)}`, 'bold'),
    '',
    ...renderStreams(report.streams, columns, paint),
    '',
    ...renderReportCores(report.cores, columns, paint),
    '',
    ...foundLines(report),
    `decisions ${scheduler.decisions}, a step took p50 ${formatUs(scheduler.decisionUs.p50)}, p99 ${formatUs(scheduler.decisionUs.p99)}, max ${formatUs(scheduler.decisionUs.max)}`,
    `event loop late by p50 ${formatMs(eventLoop.delayMs.p50)}, p99 ${formatMs(eventLoop.delayMs.p99)}, max ${formatMs(eventLoop.delayMs.max)} ms`,
    `memory ${formatBytes(pssBytes > 0 ? pssBytes : process.rssBytes)} in all processes together`,
    mqttLine(report.mqtt),
    ...gateLines(report),
    ...logLines(report.log),
    ...(incidents.length > 0 ? ['', `incidents${omitted > 0 ? ` (the last ${shown.length}, ${omitted} more)` : ''}`] : []),
    ...shown.map((incident) => incidentLine(incident, columns, paint)),
  ];
}

/** What the pipelines have found, a line each. */
export function foundLines({ detections, voice }: Report): string[] {
  const lines = Object.entries(detections)
    .filter(([, labels]) => Object.keys(labels).length > 0)
    .map(([pipeline, labels]) => {
      const frequent = Object.entries(labels).sort(([, a], [, b]) => b - a);
      const named = formatCounts(Object.fromEntries(frequent.slice(0, LABELS_SHOWN_MAX)));
      const rest = frequent.length - LABELS_SHOWN_MAX;
      return `${escapeText(pipeline)} found ${escapeText(named)}${rest > 0 ? ` and ${rest} more labels` : ''}`;
    });
  const isSpeech = voice.speechSeconds > 0 || voice.utterances > 0;
  return isSpeech ? [...lines, `speech ${voice.speechSeconds.toFixed(1)} s in ${voice.utterances} finished utterances`] : lines;
}

/** What words led to. */
function gateLines({ actions }: Report): string[] {
  if (actions === undefined) return [];
  const { proposed } = actions;
  const stands = ['achieved', 'accepted', 'rejected', 'refused', 'timedOut', 'superseded', 'awaitingConfirmation'].flatMap((key) => {
    const count = actions[key];
    return typeof count === 'number' && count > 0 ? [`${count} ${KIND_TEXTS[key] ?? key}`] : [];
  });
  return [`actions ${typeof proposed === 'number' ? proposed : 0} proposed${stands.length === 0 ? '' : `: ${stands.join(', ')}`}`];
}

const KIND_TEXTS: Readonly<Record<string, string>> = { timedOut: 'timed out', awaitingConfirmation: 'without an answer to a question' };

function mqttLine({ url, state, published, dropped }: Report['mqtt']): string {
  if (url === null) return 'mqtt off';
  const reasons = formatCounts(dropped);
  return `mqtt ${escapeText(url)} ${escapeText(state)}, ${published} messages sent${reasons === '' ? '' : `, dropped ${escapeText(reasons)}`}`;
}

function logLines(log: Report['log']): string[] {
  if (log === null) return [];
  const lost = log.linesLost === 0 ? '' : `, ${log.linesLost} lines lost: ${escapeText(log.error ?? '')}`;
  return [`log ${escapeText(log.file)}, ${log.lines} lines${lost}`];
}
