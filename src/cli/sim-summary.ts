import type { Report, SimulationFigures } from '../telemetry/report-schema.ts';
import { formatElapsed } from './duration.ts';
import { formatBytes, formatMs, formatPercent } from './figures-text.ts';
import { type Cell, type Column, renderGrid } from './grid.ts';
import { incidentLine } from './live-view.ts';
import type { Paint } from './paint.ts';
import { foundLines } from './summary.ts';
import { renderReportCores, renderStreams } from './tables.ts';
import { escapeText } from './terminal-text.ts';

const INCIDENTS_SHOWN_MAX = 20;

const MODEL_COLUMNS: readonly Column[] = [
  { title: 'model', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'runs', align: 'right', rank: 0 },
  { title: 'alone ms', align: 'right', rank: 0 },
  { title: 'GMAC', align: 'right', rank: 3 },
  { title: 'bus a run', align: 'right', rank: 2 },
  { title: 'used MACs', align: 'right', rank: 4 },
  { title: 'mJ a run', align: 'right', rank: 1 },
  { title: 'cost from', align: 'left', rank: 1 },
];

/** The end of every simulation, on a terminal and off it. */
export function renderSimSummary(report: Report, columns: number, paint: Paint): string[] {
  const { simulation, incidents } = report;
  const shown = incidents.slice(-INCIDENTS_SHOWN_MAX);
  return [
    paint(`simulated ${formatElapsed(report.durationMs)}; ${contentText(simulation)}`, 'bold'),
    ...stoppedLines(simulation, paint),
    '',
    ...renderStreams(report.streams, columns, paint),
    '',
    ...answerLines(report.streams, columns, paint),
    ...renderReportCores(report.cores, columns, paint),
    '',
    ...foundLines(report),
    ...(simulation === undefined ? [] : chipLines(simulation, columns, paint)),
    `interrupted ${report.scheduler.yields + report.scheduler.aborts} segments, ${report.scheduler.aborts} of them within a step`,
    ...(shown.length > 0 ? ['', 'incidents', ...shown.map((incident) => incidentLine(incident, columns, paint))] : []),
  ];
}

function stoppedLines(simulation: SimulationFigures | undefined, paint: Paint): string[] {
  const { askedMs = 0, simulatedMs = 0 } = simulation?.span ?? {};
  if (simulatedMs >= askedMs) return [];
  return [paint(`stopped before its end: ${formatElapsed(simulatedMs)} of ${formatElapsed(askedMs)}`, 'yellow')];
}

const ANSWER_COLUMNS: readonly Column[] = [
  { title: 'answers', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'turns', align: 'right', rank: 0 },
  { title: 'tokens', align: 'right', rank: 3 },
  { title: 'tokens/s', align: 'right', rank: 0 },
  { title: 'first ms', align: 'right', rank: 1 },
  { title: 'p50', align: 'right', rank: 4 },
  { title: 'p99', align: 'right', rank: 0 },
  { title: 'a token ms', align: 'right', rank: 1 },
  { title: 'p50', align: 'right', rank: 5 },
  { title: 'p99', align: 'right', rank: 0 },
];

/** A row a stream of turns: time to the first token, and from one token to the next. */
function answerLines(streams: Report['streams'], columns: number, paint: Paint): string[] {
  const rows = streams.flatMap(({ id, answers }): Cell[][] => {
    if (answers === undefined) return [];
    const { turns, tokens, tokensPerSecond, firstTokenMs, perTokenMs } = answers;
    const pace = ({ mean, p50, p99 }: typeof firstTokenMs): Cell[] => [mean, p50, p99].map((value) => ({ text: formatMs(value) }));
    const counts = [String(turns), String(tokens), short(tokensPerSecond)].map((text) => ({ text }));
    return [[{ text: escapeText(id), tone: 'bold' }, ...counts, ...pace(firstTokenMs), ...pace(perTokenMs)]];
  });
  return rows.length === 0 ? [] : [...renderGrid(ANSWER_COLUMNS, rows, columns, paint), ''];
}

function chipLines(figures: SimulationFigures, columns: number, paint: Paint): string[] {
  const { bus, budgets = [], power, heat, models, unfed } = figures;
  const rows = models.map((model): Cell[] => [
    { text: escapeText(model.id), tone: 'bold' },
    { text: String(model.runs) },
    { text: formatMs(model.aloneMs) },
    { text: short(model.gmac) },
    { text: formatBytes(model.dramBytes) },
    { text: formatPercent(model.utilisationRatio) },
    { text: rangeText({ low: model.joules.low * 1e3, high: model.joules.high * 1e3 }) },
    { text: model.origin, tone: model.origin === 'cost-ms' ? 'yellow' : undefined },
  ]);
  return [
    ...renderGrid(MODEL_COLUMNS, rows, columns, paint),
    '',
    ...kindLines(figures.kinds),
    `${escapeText(figures.soc)}, mode ${escapeText(figures.mode)}, policy ${figures.policy}, seed ${figures.seed}`,
    `bus ${formatPercent(bus.ratio)} used, ${short(bus.meanGbs)} GB/s on average, ${formatBytes(bus.bytes)} in all`,
    ...budgets.map(
      ({ id, bytes, stalls, stalledMs }) =>
        `bus budget of ${escapeText(id)}: ${formatBytes(bytes)} moved, waited in ${stalls} periods, ${formatMs(stalledMs)} ms in all`,
    ),
    `power ${rangeText(power.meanW)} W on average, at most ${short(power.maxW)} W in 10 ms, held to ${short(power.modeW)} W by a lower clock ${formatPercent(power.cappedRatio)} of the time`,
    `die ${short(heat.dieC)} degC at the end, at most ${short(heat.dieMaxC)}, case at most ${short(heat.caseMaxC)}, throttled ${formatPercent(heat.throttledRatio)} of the time`,
    ...(unfed.length === 0
      ? []
      : [paint(`without frames, since the results that they read are empty: ${unfed.map(escapeText).join(', ')}`, 'yellow')]),
  ];
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
const rangeText = ({ low, high }: { readonly low: number; readonly high: number }): string => `${short(low)} to ${short(high)}`;

/** Which cores are of which kind, where there are several. */
function kindLines(kinds: readonly string[]): string[] {
  const names = [...new Set(kinds)];
  if (names.length < 2) return [];
  return [
    `cores ${names.map((name) => `${kinds.flatMap((kind, core) => (kind === name ? [core] : [])).join(', ')}: ${escapeText(name)}`).join('; ')}`,
  ];
}

const contentText = (figures: SimulationFigures | undefined): string =>
  figures?.compute === 'ort' ? 'frames and results are real, times are simulated' : 'frames without content, so results are empty';
