import { cellOf, type Nearest, scenarioOf } from '../../bench/xrbench/cell.ts';
import { type Choice, type Comparison, comparePolicies, labelOf, playCell, readConfigurations } from '../../bench/xrbench/compare.ts';
import { readCosts } from '../../bench/xrbench/cost-table.ts';
import { readScenarios } from '../../bench/xrbench/scenario.ts';
import { scheduleCsv } from '../../bench/xrbench/schedule-csv.ts';
import type { Score } from '../../bench/xrbench/score.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Paint } from '../paint.ts';
import { prepareReportFile } from '../report-file.ts';
import { escapeText } from '../terminal-text.ts';

export interface BenchFiles {
  readonly costs: string;
  /** Undefined: those that come with Coxswain. */
  readonly scenarios: string | undefined;
  readonly configurations: string | undefined;
}

export type BenchXrbenchOptions =
  | { readonly kind: 'all'; readonly files: BenchFiles; readonly isJson: boolean }
  | {
      readonly kind: 'cell';
      readonly files: BenchFiles;
      readonly configuration: string;
      readonly scenario: string;
      readonly choice: Choice;
      readonly seed: string;
      readonly schedule: string | undefined;
      readonly isJson: boolean;
    };

export interface BenchDeps extends Pick<CliDeps, 'out' | 'env'> {
  /** Errors: FILE_UNREADABLE. */
  readonly readText: (file: string) => string;
  /** The file of configs/xrbench that comes with Coxswain. */
  readonly defaults: { readonly scenarios: string; readonly configurations: string };
  readonly nearest: Nearest;
}

/**
 * Plays one cell of XRBench, or all. Errors: CONFIG_INVALID, FILE_UNREADABLE, FILE_UNWRITABLE; UsageError when there is no such scenario, or the schedule
 * cannot be written.
 */
export async function benchXrbench(options: BenchXrbenchOptions, deps: BenchDeps): Promise<number> {
  const { out, readText, nearest } = deps;
  const { files } = options;
  const table = readCosts(files.costs, readText(files.costs));
  const scenarioFile = files.scenarios ?? deps.defaults.scenarios;
  const scenarios = readScenarios(scenarioFile, readText(scenarioFile));
  const paint = choosePaint(out.isTty, deps.env);
  if (options.kind === 'all') {
    const file = files.configurations ?? deps.defaults.configurations;
    const comparison = comparePolicies(table, readConfigurations(file, readText(file)), scenarios, nearest);
    const isEmpty = comparison.cells.length === 0;
    const nothing = `nothing was played: ${table.file} has the costs of no configuration of ${file} and scenario of ${scenarioFile}`;
    const lines = isEmpty ? [nothing] : comparisonLines(comparison, out.columns(), paint);
    out.write(`${(options.isJson ? [JSON.stringify(comparison)] : lines).join('\n')}\n`);
    return isEmpty ? EXIT.findings : EXIT.fine;
  }
  const { configuration, choice, seed, schedule, isJson } = options;
  const cell = cellOf(
    table,
    configuration,
    named(() => scenarioOf(scenarios, options.scenario, nearest)),
    nearest,
  );
  const scheduleFile = schedule === undefined ? undefined : await prepareReportFile(schedule, '--schedule');
  const { log, score } = playCell(cell, choice, { seed });
  await scheduleFile?.write(scheduleCsv(log));
  const { policy, release } = choice;
  const facts = { configuration, scenario: options.scenario, policy, release };
  const title = `${escapeText(configuration)} ${escapeText(options.scenario)} ${policy} (${release} release)`;
  out.write(`${(isJson ? [JSON.stringify({ ...facts, ...score })] : scoreLines(title, score, out.columns(), paint)).join('\n')}\n`);
  return EXIT.fine;
}

/** What was asked for on the command line is not in a file that is right. */
function named<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    throw error instanceof CoxswainError ? new UsageError(error.message) : error;
  }
}

function scoreLines(title: string, { overall, models }: Score, width: number, paint: Paint): string[] {
  const columns: Column[] = [
    { title: 'model', align: 'left', rank: 0, shrinksTo: 8 },
    { title: 'score', align: 'right', rank: 0 },
    { title: 'real time', align: 'right', rank: 1 },
    { title: 'energy', align: 'right', rank: 2 },
    { title: 'qoe', align: 'right', rank: 1 },
    { title: 'executed', align: 'right', rank: 3 },
    { title: 'late', align: 'right', rank: 3 },
    { title: 'dropped', align: 'right', rank: 3 },
  ];
  const rows = models.map((row): Cell[] => [
    { text: escapeText(row.model), tone: 'bold' },
    ...[row.score, row.realTime, row.energy, row.qoe].map((value): Cell => ({ text: value.toFixed(4) })),
    ...[row.executed, row.late, row.dropped].map((value): Cell => ({ text: String(value) })),
  ]);
  return [`${title}: ${paint(overall.toFixed(4), 'bold')}`, '', ...renderGrid(columns, rows, width, paint)];
}

/** One line for each policy, its mean under each drop rule. */
function comparisonLines({ cells, skipped, rows }: Comparison, width: number, paint: Paint): string[] {
  const columns: Column[] = [
    { title: 'policy', align: 'left', rank: 0 },
    { title: 'drop none', align: 'right', rank: 1 },
    { title: 'drop expired', align: 'right', rank: 1 },
    { title: 'drop infeasible', align: 'right', rank: 0 },
  ];
  const labels = [...new Set(rows.map(labelOf))];
  const lines = labels.map((label): Cell[] => [
    { text: label, tone: 'bold' },
    ...(['none', 'expired', 'infeasible'] as const).map((drop): Cell => {
      const row = rows.find((candidate) => labelOf(candidate) === label && candidate.drop === drop);
      return { text: row === undefined ? '-' : row.mean.toFixed(2) };
    }),
  ]);
  return [
    `mean score over ${cells.length} cells (configuration and scenario without chance), exact release`,
    'interrupting: a run can leave off at every hundredth of it, at no cost; elsewhere it runs to its end',
    ...(skipped.length === 0
      ? []
      : [`left out for want of costs: ${skipped.map((cell) => `${cell.configuration} ${cell.scenario}`).join(', ')}`]),
    '',
    ...renderGrid(columns, lines, width, paint),
  ];
}
