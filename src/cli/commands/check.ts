import type { Warning } from '../../config/lint-config.ts';
import type { RuntimeConfig } from '../../config/runtime-config.ts';
import { msFromDuration } from '../../core/units.ts';
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
}

/** Says what a configuration would do, without starting anything. 0: nothing to remark; 1: warnings; errors come as CoxswainError. */
export function check(options: CheckOptions, deps: CheckDeps): number {
  const config = deps.loadConfig(options.config);
  const warnings = deps.lintConfig(config);
  const { placement } = deps.planRun(config);
  const { out } = deps;
  if (options.isJson) {
    out.write(`${JSON.stringify({ node: config.node, file: config.origin.file, warnings, placement })}\n`);
  } else {
    const lines = checkLines(config, placement, out.columns(), choosePaint(out.isTty, deps.env));
    for (const line of [...warnings.map((warning) => `warning: ${escapeText(deps.formatWarning(warning))}`), ...lines])
      out.write(`${line}\n`);
  }
  return warnings.length + placement.problems.length > 0 ? EXIT.findings : EXIT.fine;
}

const STREAM_COLUMNS: readonly Column[] = [
  { title: 'stream', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'class', align: 'left', rank: 3 },
  { title: 'model', align: 'left', rank: 1, shrinksTo: 8 },
  { title: 'period ms', align: 'right', rank: 4 },
  { title: 'cost ms', align: 'right', rank: 5 },
  { title: 'limit ms', align: 'right', rank: 2 },
];

const CORE_COLUMNS: readonly Column[] = [
  { title: 'core', align: 'left', rank: 0 },
  { title: 'expected load', align: 'right', rank: 0 },
  { title: 'memory', align: 'right', rank: 2 },
  { title: 'of', align: 'right', rank: 2 },
  { title: 'streams at home here', align: 'left', rank: 1, shrinksTo: 12 },
];

function checkLines(config: RuntimeConfig, placement: RunPlan['placement'], columns: number, paint: Paint): string[] {
  const costs = new Map(config.models.map(({ id, costUs }) => [id, costUs]));
  const streams = config.pipelines.map(({ stream }): Cell[] => {
    const cost = costs.get(stream.model);
    return [
      { text: escapeText(stream.id), tone: 'bold' },
      { text: stream.criticality },
      { text: escapeText(stream.model) },
      { text: stream.periodUs === 0 ? 'any' : formatMs(msFromDuration(stream.periodUs)) },
      { text: cost === undefined ? '-' : formatMs(msFromDuration(cost)) },
      { text: formatMs(msFromDuration(stream.deadlineUs)) },
    ];
  });
  const cores = placement.cores.map(({ core, loadRatio, memoryBytes, streams: ids }): Cell[] => [
    { text: String(core), tone: 'bold' },
    // Above 100 % background work is dropped by design; what hard streams cannot stand is in `problems`.
    { text: `${Math.round(loadRatio * 100)} %`, tone: loadRatio > 1 ? 'yellow' : 'green' },
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
    ...renderGrid(STREAM_COLUMNS, streams, columns, paint),
    '',
    ...renderGrid(CORE_COLUMNS, cores, columns, paint),
    '',
    ...reasons,
    ...placement.problems.map((problem) => paint(`problem: ${escapeText(problem)}`, 'red')),
  ];
}
