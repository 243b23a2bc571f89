import type { CoreFigures } from '../telemetry/core-meter.ts';
import type { Report } from '../telemetry/report-schema.ts';
import { bar, formatBytes, formatCounts, formatMs, formatPercent, latencyTone, stateTone, sumOf } from './figures-text.ts';
import { type Cell, type Column, renderGrid } from './grid.ts';
import type { Paint, Tone } from './paint.ts';
import { cutText, escapeText } from './terminal-text.ts';

type StreamRow = Report['streams'][number];

const WHY = 'why';

const STREAM_COLUMNS: readonly Column[] = [
  { title: 'stream', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'class', align: 'left', rank: 8 },
  { title: 'done', align: 'right', rank: 0 },
  { title: 'late', align: 'right', rank: 2 },
  { title: 'drop', align: 'right', rank: 3 },
  { title: 'fail', align: 'right', rank: 4 },
  { title: 'p50', align: 'right', rank: 7 },
  { title: 'p99', align: 'right', rank: 1 },
  { title: 'max', align: 'right', rank: 6 },
  { title: 'limit ms', align: 'right', rank: 5 },
  { title: WHY, align: 'left', rank: 9 },
];

/**
 * One row a stream; `drop` counts rejected frames too, and `why` tells all of them apart: as a column where there is room, else on a line below. Snapshot and
 * Report fit alike.
 */
export function renderStreams(streams: readonly StreamRow[], width: number, paint: Paint): string[] {
  const lines = renderGrid(STREAM_COLUMNS, streams.map(streamCells), width, paint);
  if (lines[0]?.includes(WHY)) return lines;
  const reasons = streams.map((stream) => ({ id: stream.id, why: whyText(stream) })).filter(({ why }) => why !== '');
  if (reasons.length === 0) return lines;
  const text = `${WHY}: ${reasons.map(({ id, why }) => `${escapeText(id)} ${why}`).join(' · ')}`;
  return [...lines, paint(cutText(text, width), 'dim')];
}

const whyText = ({ jobs }: StreamRow): string =>
  [jobs.dropped, jobs.rejected, jobs.failed]
    .map(formatCounts)
    .filter((text) => text !== '')
    .join(', ');

function streamCells(stream: StreamRow): Cell[] {
  const { id, criticality, deadlineMs, jobs, latencyMs } = stream;
  const failed = sumOf(jobs.failed);
  const isSafety = criticality === 'safety';
  const badly = (count: number): Tone | undefined => (count === 0 ? 'dim' : 'red');
  const missing = sumOf(jobs.dropped) + sumOf(jobs.rejected);
  const latency = (value: number | null): Cell => ({ text: formatMs(value), tone: latencyTone(value, deadlineMs) });
  return [
    { text: escapeText(id), tone: 'bold' },
    { text: criticality, tone: isSafety ? 'cyan' : undefined },
    { text: String(jobs.done) },
    { text: String(jobs.late), tone: badly(jobs.late) },
    { text: String(missing), tone: missing === 0 ? 'dim' : isSafety ? 'red' : 'yellow' },
    { text: String(failed), tone: badly(failed) },
    latency(latencyMs.p50),
    latency(latencyMs.p99),
    latency(latencyMs.max),
    { text: formatMs(deadlineMs) },
    { text: whyText(stream), tone: 'dim' },
  ];
}

const CORE_COLUMNS: readonly Column[] = [
  { title: 'core', align: 'left', rank: 0 },
  { title: 'state', align: 'left', rank: 0 },
  { title: 'busy', align: 'left', rank: 3 },
  { title: '', align: 'right', rank: 1 },
  { title: 'model', align: 'left', rank: 2, shrinksTo: 8 },
  { title: 'jobs', align: 'right', rank: 5 },
  { title: 'restarts', align: 'right', rank: 4 },
  { title: 'memory', align: 'right', rank: 6 },
  { title: 'process', align: 'right', rank: 7 },
];

const BUSY_BAR_CELLS = 16;

/** Busy is that of the last second. */
export function renderCores(cores: readonly CoreFigures[], width: number, paint: Paint): string[] {
  const rows = cores.map((core): Cell[] => [
    { text: String(core.id), tone: 'bold' },
    { text: core.state, tone: stateTone(core.state) },
    { text: bar(core.busyRatioRecent, BUSY_BAR_CELLS), tone: core.busyRatioRecent > 0.9 ? 'yellow' : 'green' },
    { text: formatPercent(core.busyRatioRecent) },
    { text: escapeText(core.modelInWork ?? '-'), tone: core.modelInWork === null ? 'dim' : undefined },
    { text: String(core.jobs) },
    { text: String(core.restarts), tone: core.restarts === 0 ? 'dim' : 'yellow' },
    { text: formatBytes(core.pssBytes) },
    { text: core.pid === null ? '-' : String(core.pid), tone: 'dim' },
  ]);
  return renderGrid(CORE_COLUMNS, rows, width, paint);
}

const REPORT_CORE_COLUMNS: readonly Column[] = [
  { title: 'core', align: 'left', rank: 0 },
  { title: 'state', align: 'left', rank: 0 },
  { title: 'busy', align: 'right', rank: 1 },
  { title: 'computing', align: 'right', rank: 5 },
  { title: 'jobs', align: 'right', rank: 2 },
  { title: 'restarts', align: 'right', rank: 3 },
  { title: 'memory', align: 'right', rank: 4 },
];

/** Busy is that of the whole run. */
export function renderReportCores(cores: Report['cores'], width: number, paint: Paint): string[] {
  const rows = cores.map((core): Cell[] => [
    { text: String(core.id), tone: 'bold' },
    { text: core.state, tone: stateTone(core.state) },
    { text: formatPercent(core.busyRatio) },
    { text: formatPercent(core.computeRatio) },
    { text: String(core.jobs) },
    { text: String(core.restarts), tone: core.restarts === 0 ? 'dim' : 'yellow' },
    { text: formatBytes(core.pssBytes) },
  ]);
  return renderGrid(REPORT_CORE_COLUMNS, rows, width, paint);
}
