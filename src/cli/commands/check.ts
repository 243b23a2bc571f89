import type { Warning } from '../../config/lint-config.ts';
import type { RuntimeConfig } from '../../config/runtime-config.ts';
import { msFromDuration } from '../../core/units.ts';
import type { Fit, StreamFit } from '../../runtime/fit.ts';
import type { RunPlan } from '../../runtime/plan-run.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { formatBytes, formatMs } from '../figures-text.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Paint } from '../paint.ts';
import { escapeText } from '../terminal-text.ts';

export interface CheckOptions {
  readonly config: string;
  readonly isJson: boolean;
}

export interface CheckDeps extends Pick<CliDeps, 'out' | 'env'> {
  readonly loadConfig: (file: string) => RuntimeConfig;
  readonly lintConfig: (config: RuntimeConfig) => readonly Warning[];
  readonly formatWarning: (warning: Warning) => string;
  readonly planRun: (config: RuntimeConfig) => Pick<RunPlan, 'placement'>;
  readonly checkFit: (config: RuntimeConfig, placement: RunPlan['placement']) => Fit;
}

/** Says what a configuration would do, and whether it fits, without starting anything. 0: it fits; 1: it does not, or there are warnings; errors come as CoxswainError. */
export function check(options: CheckOptions, deps: CheckDeps): number {
  const config = deps.loadConfig(options.config);
  const warnings = deps.lintConfig(config);
  const { placement } = deps.planRun(config);
  const fit = deps.checkFit(config, placement);
  const { out } = deps;
  if (options.isJson) {
    out.write(`${JSON.stringify({ node: config.node, file: config.origin.file, warnings, placement, fit })}\n`);
  } else {
    const lines = checkLines(config, placement, fit, { columns: out.columns(), paint: choosePaint(out.isTty, deps.env) });
    for (const line of [...warnings.map((warning) => `warning: ${escapeText(deps.formatWarning(warning))}`), ...lines])
      out.write(`${line}\n`);
  }
  return !fit.fits || warnings.length + placement.problems.length > 0 ? EXIT.findings : EXIT.fine;
}

const STREAM_COLUMNS: readonly Column[] = [
  { title: 'stream', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'class', align: 'left', rank: 6 },
  { title: 'in time', align: 'left', rank: 0 },
  { title: 'worst ms', align: 'right', rank: 1 },
  { title: 'limit ms', align: 'right', rank: 2 },
  { title: 'cost ms', align: 'right', rank: 4 },
  { title: 'period ms', align: 'right', rank: 5 },
  { title: 'blocked ms', align: 'right', rank: 8 },
  { title: 'may run ms', align: 'right', rank: 7 },
  { title: 'cost x', align: 'right', rank: 3 },
  { title: 'reaction ms', align: 'right', rank: 9 },
  { title: 'model', align: 'left', rank: 10, shrinksTo: 8 },
];

const CORE_COLUMNS: readonly Column[] = [
  { title: 'core', align: 'left', rank: 0 },
  { title: 'guaranteed', align: 'right', rank: 0 },
  { title: 'expected load', align: 'right', rank: 0 },
  { title: 'memory', align: 'right', rank: 2 },
  { title: 'of', align: 'right', rank: 2 },
  { title: 'streams at home here', align: 'left', rank: 1, shrinksTo: 12 },
];

interface Look {
  readonly columns: number;
  readonly paint: Paint;
}

function checkLines(config: RuntimeConfig, placement: RunPlan['placement'], fit: Fit, { columns, paint }: Look): string[] {
  const cores = placement.cores.map(({ core, loadRatio, memoryBytes, streams: ids }): Cell[] => [
    { text: String(core), tone: 'bold' },
    { text: percent(fit.cores.find((row) => row.core === core)?.loadRatio ?? 0) },
    // Above 100 % background work is dropped by design; what hard streams cannot stand is in `problems`.
    { text: percent(loadRatio), tone: loadRatio > 1 ? 'yellow' : 'green' },
    { text: formatBytes(memoryBytes) },
    { text: formatBytes(config.device.cores[core]?.memoryBytes ?? null) },
    { text: ids.map(escapeText).join(', ') },
  ]);
  const reasons = placement.models.map(({ model, cores: where, reason }) => {
    const [home, ...others] = where;
    const also = others.length === 0 ? '' : `, also on ${others.join(', ')}`;
    return `${escapeText(model)} on core ${home ?? '-'}${also}: ${escapeText(reason)}`;
  });
  return [
    paint(`node ${escapeText(config.node)}, ${escapeText(config.origin.file)}`, 'bold'),
    '',
    ...renderGrid(STREAM_COLUMNS, streamRows(config, fit), columns, paint),
    '',
    ...renderGrid(CORE_COLUMNS, cores, columns, paint),
    '',
    ...reasons,
    '',
    paint(verdictText(fit), fit.fits ? 'green' : 'red'),
    ...fit.advice.map((advice) => escapeText(advice)),
    ...placement.problems.map((problem) => paint(`problem: ${escapeText(problem)}`, 'red')),
  ];
}

const ASSURANCES: Readonly<Record<StreamFit['assurance'], Pick<Cell, 'text' | 'tone'>>> = {
  always: { text: 'always', tone: 'green' },
  'look-ahead': { text: 'look-ahead', tone: 'green' },
  none: { text: 'not sure', tone: 'red' },
  unguarded: { text: '-', tone: 'dim' },
};

function streamRows(config: RuntimeConfig, fit: Fit): Cell[][] {
  const inMs = (us: number | null): string => formatMs(us === null ? null : us / 1000);
  return config.pipelines.map(({ stream }): Cell[] => {
    const found = fit.streams.find(({ id }) => id === stream.id);
    const reactionUs = fit.pipelines.find(({ id }) => id === stream.id)?.reactionUs ?? null;
    return [
      { text: escapeText(stream.id), tone: 'bold' },
      { text: stream.criticality },
      ASSURANCES[found?.assurance ?? 'unguarded'],
      { text: inMs(found?.responseUs ?? null) },
      { text: formatMs(msFromDuration(stream.deadlineUs)) },
      { text: inMs(found?.costUs ?? null) },
      { text: formatMs(msFromDuration(stream.periodUs)) },
      { text: inMs(found?.blockingUs ?? null) },
      { text: inMs(found?.runUsMax ?? null) },
      { text: found?.costFactorMax == null ? '-' : String(found.costFactorMax) },
      { text: inMs(reactionUs) },
      { text: escapeText(stream.model) },
    ];
  });
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function verdictText({ fits, assurance, policy, isCutShort }: Fit): string {
  const cut = isCutShort ? ' (the bound on work was reached; what is missing was not computed)' : '';
  if (!policy.isCovered) return 'not proven: the analysis does not cover the policy';
  if (!fits) return `does not fit: not every stream has a bound within its deadline${cut}`;
  return assurance === 'always'
    ? `fits: every safety and interactive stream is in time, whenever its frames come${cut}`
    : `fits: every safety and interactive stream is in time as long as look-ahead foresees the frames it holds a core for${cut}`;
}
