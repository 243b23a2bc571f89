import { csvInvalid, readCsv } from '../../core/csv-table.ts';
import { DROP_RULES, type DropRule, POLICY_NAMES, type PolicyName, type PolicyTuning } from '../../scheduler/scheduler.ts';
import { type Cell, cellOf, type Nearest } from './cell.ts';
import type { CostTable } from './cost-table.ts';
import { FREE, type Preemption } from './preemption.ts';
import { type CellOptions, runCell } from './run-cell.ts';
import { isDeterministic, type Scenario } from './scenario.ts';
import { ENERGY_MAX_MJ, type FrameLog, type Score, scoreOf } from './score.ts';

export const RELEASES = ['tick', 'exact'] as const;
export const VICTIMS = ['turns', 'value'] as const;
export type Victim = (typeof VICTIMS)[number];

/** What a user can say about a policy; the rest follows from XRBench. */
export interface Choice {
  readonly policy: PolicyName;
  readonly release: (typeof RELEASES)[number];
  /** Undefined: the policy's own; with victims by value, `expired`, since this score counts a late result as delivered. */
  readonly drop: DropRule | undefined;
  /** For `coxswain`. */
  readonly victim: Victim;
  /** Undefined: runs are not interrupted. */
  readonly preemption: Preemption | undefined;
}

/** `latency-greedy` is played as published, quirks included; energy is capped where the score caps it. */
function tuningOf({ policy, drop, victim }: Choice): PolicyTuning {
  const isByValue = policy === 'coxswain' && victim === 'value';
  const rule = drop ?? (isByValue ? 'expired' : undefined);
  return {
    ...(rule === undefined ? {} : { drop: rule }),
    ...(policy === 'latency-greedy' ? { quirks: true } : {}),
    ...(policy === 'coxswain' ? { victim, energyCapUj: ENERGY_MAX_MJ * 1_000 } : {}),
  };
}

export interface Play {
  readonly log: readonly FrameLog[];
  readonly score: Score;
  /** The score if frames that were due and not logged counted as dropped. */
  readonly openScore: Score;
}

export function playCell(cell: Cell, choice: Choice, { seed, watch }: Pick<CellOptions, 'seed' | 'watch'>): Play {
  const { policy, release, preemption } = choice;
  const { frames, unended } = runCell(cell, { policy, release, preemption, seed, tuning: tuningOf(choice), ...(watch && { watch }) });
  const models = cell.scenario.models.map(({ model }) => model);
  return { log: frames, score: scoreOf(models, frames), openScore: scoreOf(models, [...frames, ...unended]) };
}

export interface Comparison {
  readonly cells: readonly { readonly configuration: string; readonly scenario: string }[];
  /** Combinations whose costs the table does not have. */
  readonly skipped: readonly { readonly configuration: string; readonly scenario: string }[];
  readonly rows: readonly ComparisonRow[];
}

export interface ComparisonRow extends Choice {
  readonly drop: DropRule;
  /** Over all cells, 0..100. */
  readonly mean: number;
  /** The same if frames that were due and not logged counted as dropped. */
  readonly openMean: number;
  readonly overall: readonly number[];
}

/** One column; errors: CONFIG_INVALID. */
export function readConfigurations(file: string, text: string): string[] {
  const rows = readCsv(file, text, ['configuration']);
  const names = rows.map(({ cells }) => cells.configuration ?? '');
  const twice = rows.find(({ cells }, index) => names.indexOf(cells.configuration ?? '') !== index);
  if (twice !== undefined)
    throw csvInvalid(file, [{ line: twice.line, text: `${twice.cells.configuration} stands above already; give it once` }]);
  return names;
}

/** Every policy with every drop rule on exact release, some with runs that can be interrupted, and the reference as published; on every scenario without chance of every configuration with costs. */
export function comparePolicies(
  table: CostTable,
  configurations: readonly string[],
  scenarios: readonly Scenario[],
  nearest: Nearest,
): Comparison {
  const { cells, skipped } = cellsOf(table, configurations, scenarios, nearest);
  return { cells: cells.map(nameOf), skipped, rows: choices().map((choice) => ({ ...choice, ...playCells(cells, choice) })) };
}

/** @param seeds one suffices for cells without chance */
export function playCells(
  cells: readonly Cell[],
  choice: Choice,
  seeds: readonly number[] = [1],
): Pick<ComparisonRow, 'mean' | 'openMean' | 'overall'> {
  const plays = cells.flatMap((cell) => seeds.map((seed) => playCell(cell, choice, { seed })));
  const overall = plays.map(({ score }) => score.overall);
  return { mean: meanOf(overall), openMean: meanOf(plays.map(({ openScore }) => openScore.overall)), overall };
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const nameOf = ({ configuration, scenario }: Cell) => ({ configuration, scenario: scenario.name });

function cellsOf(table: CostTable, configurations: readonly string[], scenarios: readonly Scenario[], nearest: Nearest) {
  const cells: Cell[] = [];
  const skipped: { configuration: string; scenario: string }[] = [];
  for (const configuration of configurations) {
    const [hardware = ''] = configuration.split('__');
    if (!table.byHardware.has(hardware)) continue;
    for (const scenario of scenarios.filter(isDeterministic)) {
      if (hasCosts(table, configuration, scenario)) cells.push(cellOf(table, configuration, scenario, nearest));
      else skipped.push({ configuration, scenario: scenario.name });
    }
  }
  return { cells, skipped };
}

export function hasCosts(table: CostTable, configuration: string, { models }: Scenario): boolean {
  const [hardware = '', dataflows = ''] = configuration.split('__');
  const byDataflow = table.byHardware.get(hardware);
  return dataflows.split('_').every((dataflow) => models.every(({ model }) => byDataflow?.get(dataflow)?.has(model) === true));
}

/** Those that gain by interrupting. */
const PREEMPTED: readonly Pick<Choice, 'policy' | 'victim'>[] = [
  { policy: 'coxswain', victim: 'turns' },
  { policy: 'coxswain', victim: 'value' },
  { policy: 'edf', victim: 'turns' },
];

function choices(): (Choice & { readonly drop: DropRule })[] {
  const plain = POLICY_NAMES.flatMap((policy) =>
    (policy === 'coxswain' ? VICTIMS : (['turns'] as const)).map((victim) => ({ policy, victim })),
  );
  const rows = [...plain.map((row) => ({ ...row, preemption: undefined })), ...PREEMPTED.map((row) => ({ ...row, preemption: FREE }))];
  return [
    { policy: 'latency-greedy', release: 'tick', drop: 'expired', victim: 'turns', preemption: undefined },
    ...rows.flatMap((row) => DROP_RULES.map((drop) => ({ ...row, release: 'exact' as const, drop }))),
  ];
}

/** How a row of a table is called. */
export function labelOf({ policy, release, victim, preemption }: Choice): string {
  if (release === 'tick') return `${policy}, as published (tick release)`;
  const how = policy === 'coxswain' ? `${policy}, victims by ${victim}` : policy;
  return preemption === undefined ? how : `${how}, interrupting`;
}
