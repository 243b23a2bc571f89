import type { TaskSet } from '../../core/task-set.ts';
import type { AnalysisName, AnalysisResult } from '../../runtime/analysis.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Tone } from '../paint.ts';
import { cutText, escapeText } from '../terminal-text.ts';

export interface AnalyzeOptions {
  readonly file: string;
  readonly test: AnalysisName;
  readonly isJson: boolean;
}

export interface AnalyzeDeps extends Pick<CliDeps, 'out' | 'env'> {
  /** Refuses what the test cannot work with. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  readonly loadTaskSet: (file: string, test: AnalysisName) => TaskSet;
  readonly analyze: (test: AnalysisName, set: TaskSet) => AnalysisResult;
}

/** Runs one schedulability test on a table of tasks. 0: proven schedulable; 1: not, or not known; a bad file comes as CoxswainError. */
export function analyzeCommand(options: AnalyzeOptions, deps: AnalyzeDeps): number {
  const { out } = deps;
  const result = deps.analyze(options.test, deps.loadTaskSet(options.file, options.test));
  const text = options.isJson ? [JSON.stringify(result)] : resultLines(result, out.columns(), choosePaint(out.isTty, deps.env));
  out.write(`${text.join('\n')}\n`);
  return result.schedulable ? EXIT.fine : EXIT.findings;
}

const TONES: Readonly<Record<AnalysisResult['verdict'], Tone>> = { schedulable: 'green', unschedulable: 'red', unknown: 'yellow' };

/** Nobody reads a longer table; `--json` has all of it. */
const ROWS_MAX = 200;

function resultLines(result: AnalysisResult, width: number, paint: ReturnType<typeof choosePaint>): string[] {
  const keys = [...new Set(result.tasks.flatMap((task) => Object.keys(task)))].filter((key) => !FIXED.has(key));
  const columns: Column[] = [
    { title: 'task', align: 'left', rank: 0, shrinksTo: 8 },
    { title: 'verdict', align: 'left', rank: 0 },
    ...keys.map((key, index): Column => ({ title: titleOf(key), align: 'right', rank: index + 1 })),
  ];
  const rows = result.tasks
    .slice(0, ROWS_MAX)
    .map((task): Cell[] => [
      { text: escapeText(task.id), tone: 'bold' },
      { text: task.verdict, tone: TONES[task.verdict] },
      ...keys.map((key): Cell => ({ text: figureText(task[key]) })),
    ]);
  const more = result.tasks.length - ROWS_MAX;
  const work = [
    ...(result.iterations === undefined ? [] : [`${result.iterations} iterations`]),
    ...(result.points === undefined ? [] : [`${result.points} test points`]),
  ];
  const figures = Object.entries(result.figures).map(([key, value]) => `${titleOf(key)} ${figureText(value)}`);
  const facts = [...work, ...figures].join(', ');
  return [
    `${paint(result.test, 'bold')}: ${paint(result.verdict, TONES[result.verdict])}, ${escapeText(result.reason)}`,
    '',
    ...renderGrid(columns, rows, width, paint),
    ...(more > 0 ? [`... and ${more} more; --json prints all`] : []),
    ...(result.sketch === undefined ? [] : ['', cutText(result.sketch, width)]),
    ...(facts === '' ? [] : ['', facts]),
    ...(result.roundedTo === undefined
      ? []
      : [`times rounded to multiples of ${result.roundedTo}: the table has too many digits for exact arithmetic`]),
    ...(result.ignored.length === 0 ? [] : [paint(`not looked at by this test: ${result.ignored.join(', ')}`, 'yellow')]),
  ];
}

const FIXED: ReadonlySet<string> = new Set(['id', 'verdict', 'schedulable']);

/** `maxNonPreemptive` reads `max non preemptive`. */
const titleOf = (key: string): string => key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function figureText(value: unknown): string {
  if (typeof value !== 'number') return '-';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}
