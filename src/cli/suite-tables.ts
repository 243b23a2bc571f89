import type { AimResult } from '../bench/suite/aims.ts';
import type { SuiteResult } from '../bench/suite/play-suite.ts';
import type { BenchSuite } from '../core/bench-suite.ts';
import { formatCounts, formatMs, formatPercent } from './figures-text.ts';
import { type Cell, type Column, renderGrid } from './grid.ts';
import type { Paint } from './paint.ts';
import { escapeText } from './terminal-text.ts';

export interface SuiteView {
  readonly suite: BenchSuite;
  readonly result: SuiteResult;
  readonly aims: readonly AimResult[];
}

interface Look {
  /** Every load, also where there are many. */
  readonly hasLoads: boolean;
  readonly width: number;
  readonly paint: Paint;
}

/** More rows of loads than this are printed only when asked for. */
const LOADS_SHOWN_MAX = 30;

const PLAY_COLUMNS: readonly Column[] = [
  { title: 'workload', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'policy', align: 'left', rank: 0 },
  { title: 'slowdown', align: 'right', rank: 0 },
  { title: 'worst P99', align: 'right', rank: 0 },
  { title: 'missed', align: 'right', rank: 1 },
  { title: 'best effort/s', align: 'right', rank: 0 },
  { title: 'all/s', align: 'right', rank: 2 },
  { title: 'cores', align: 'right', rank: 3 },
  { title: 'bus', align: 'right', rank: 3 },
];

const LOAD_COLUMNS: readonly Column[] = [
  { title: 'workload', align: 'left', rank: 3, shrinksTo: 8 },
  { title: 'policy', align: 'left', rank: 0 },
  { title: 'load', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'requests', align: 'right', rank: 2 },
  { title: 'late', align: 'right', rank: 1 },
  { title: 'lost', align: 'left', rank: 1 },
  { title: 'mean ms', align: 'right', rank: 0 },
  { title: 'P99', align: 'right', rank: 0 },
  { title: 'P99.9', align: 'right', rank: 2 },
  { title: 'max', align: 'right', rank: 3 },
  { title: 'per s', align: 'right', rank: 2 },
];

const TURN_COLUMNS: readonly Column[] = [
  { title: 'workload', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'policy', align: 'left', rank: 0 },
  { title: 'load', align: 'left', rank: 2, shrinksTo: 8 },
  { title: 'turns', align: 'right', rank: 3 },
  { title: '1st token P50', align: 'right', rank: 2 },
  { title: 'P99 ms', align: 'right', rank: 0 },
  { title: 'a token', align: 'right', rank: 0 },
  { title: 'P99 ms', align: 'right', rank: 1 },
  { title: 'tokens/s', align: 'right', rank: 1 },
  { title: 'slowest', align: 'right', rank: 0 },
];

const MODEL_COLUMNS: readonly Column[] = [
  { title: 'model', align: 'left', rank: 0 },
  { title: 'alone ms', align: 'right', rank: 0 },
  { title: 'blocks', align: 'right', rank: 0 },
  { title: 'from', align: 'left', rank: 0, shrinksTo: 10 },
];

/** All tables of a suite, as lines. */
export function renderSuite({ suite, result, aims }: SuiteView, { hasLoads, width, paint }: Look): string[] {
  const { rows } = result;
  const loads = loadRows(result);
  const deadlines = result.deadlineTimes === null ? '' : `, deadlines ${result.deadlineTimes} x alone`;
  return [
    paint(escapeText(suite.name), 'bold'),
    `simulated on ${escapeText(result.soc)}, mode ${escapeText(result.mode)}, ${result.cores} ${result.cores === 1 ? 'core' : 'cores'}, ${result.spanMs / 1000} s each, seed ${escapeText(String(result.seed))}, costs ${result.costs}${deadlines}`,
    '',
    ...renderGrid(PLAY_COLUMNS, rows.map(playRow), width, paint),
    ...(loads.length > LOADS_SHOWN_MAX && !hasLoads
      ? ['', `${loads.length} loads; --loads prints them`]
      : ['', ...renderGrid(LOAD_COLUMNS, loads, width, paint)]),
    ...turnLines(result, width, paint),
    '',
    ...renderGrid(MODEL_COLUMNS, modelRows(result), width, paint),
    ...publishedLines(suite, width, paint),
    ...aimLines(aims, paint),
  ];
}

const times = (value: number | null): string => (value === null ? '-' : value.toFixed(value < 10 ? 3 : 1));
const rate = (value: number): string => (value < 100 ? value.toFixed(1) : String(Math.round(value)));

function playRow(row: SuiteResult['rows'][number]): Cell[] {
  const missed = row.loads.reduce((sum, load) => sum + (load.criticality === 'background' ? 0 : load.missed), 0);
  return [
    { text: escapeText(row.workload), tone: 'bold' },
    { text: row.policy },
    { text: times(row.slowdownMean) },
    { text: times(row.slowdownP99) },
    { text: String(missed), tone: missed > 0 ? 'red' : undefined },
    { text: rate(row.bestEffortPerSecond) },
    { text: rate(row.perSecond) },
    { text: formatPercent(row.busyRatio) },
    { text: formatPercent(row.busRatio) },
  ];
}

const loadRows = ({ rows }: SuiteResult): Cell[][] =>
  rows.flatMap(({ workload, policy, loads }) =>
    loads.map((load): Cell[] => [
      { text: escapeText(workload) },
      { text: policy },
      { text: escapeText(load.id), tone: 'bold' },
      { text: String(load.requested) },
      { text: String(load.late), tone: load.late > 0 ? 'yellow' : undefined },
      { text: load.lost === 0 ? '0' : formatCounts(load.lostBy), tone: load.lost > 0 ? 'red' : undefined },
      ...[load.meanMs, load.p99Ms, load.p999Ms, load.maxMs].map((value): Cell => ({ text: formatMs(value) })),
      { text: rate(load.perSecond) },
    ]),
  );

function turnLines({ rows }: SuiteResult, width: number, paint: Paint): string[] {
  const turns = rows.flatMap(({ workload, policy, loads }) =>
    loads
      .filter(({ tokensPerSecond }) => tokensPerSecond !== null)
      .map((load): Cell[] => [
        { text: escapeText(workload) },
        { text: policy },
        { text: escapeText(load.id), tone: 'bold' },
        { text: String(load.requested) },
        ...[load.firstTokenP50Ms, load.firstTokenP99Ms, load.tokenMeanMs, load.tokenP99Ms].map(
          (value): Cell => ({ text: formatMs(value) }),
        ),
        ...[load.tokensPerSecond, load.slowestTokensPerSecond].map((value): Cell => ({ text: value === null ? '-' : rate(value) })),
      ]),
  );
  return turns.length === 0 ? [] : ['', ...renderGrid(TURN_COLUMNS, turns, width, paint)];
}

const modelRows = ({ models }: SuiteResult): Cell[][] =>
  models.map(({ id, aloneMs, blocks, source }) => [
    { text: escapeText(id), tone: 'bold' },
    { text: aloneMs.toPrecision(3) },
    { text: String(blocks) },
    { text: escapeText(source) },
  ]);

function publishedLines({ published }: BenchSuite, width: number, paint: Paint): string[] {
  if (published.length === 0) return [];
  const names = [...new Set(published.flatMap(({ figures }) => Object.keys(figures)))];
  const columns: Column[] = [
    { title: 'system', align: 'left', rank: 0 },
    ...names.map((name): Column => ({ title: escapeText(name), align: 'right', rank: 0 })),
    { title: 'from', align: 'left', rank: 1, shrinksTo: 10 },
  ];
  const rows = published.map(({ system, source, figures }): Cell[] => [
    { text: escapeText(system), tone: 'bold' },
    ...names.map((name): Cell => ({ text: Object.hasOwn(figures, name) ? String(figures[name]) : '-' })),
    { text: escapeText(source) },
  ]);
  return ['', 'published by others, measured elsewhere on other hardware:', '', ...renderGrid(columns, rows, width, paint)];
}

function aimLines(aims: readonly AimResult[], paint: Paint): string[] {
  if (aims.length === 0) return [];
  const lines = aims.map(({ workload, load, figure, atMost, atLeast, got, isMet }) => {
    const bounds = [atMost === undefined ? [] : `at most ${atMost}`, atLeast === undefined ? [] : `at least ${atLeast}`].flat().join(', ');
    const verdict = paint(isMet ? 'reached' : 'missed', isMet ? 'green' : 'red');
    return `${verdict}: ${escapeText(workload)} ${escapeText(load)} ${figure} ${got ?? '-'}, aim ${bounds}`;
  });
  return ['', ...lines];
}
