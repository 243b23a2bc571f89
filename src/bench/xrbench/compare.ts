import { csvInvalid, readCsv } from '../../core/csv-table.ts';
import { DROP_RULES, type DropRule, POLICY_NAMES, type PolicyName, type PolicyTuning } from '../../scheduler/scheduler.ts';
import { type Cell, cellOf, type Nearest } from './cell.ts';
import type { CostTable } from './cost-table.ts';
import { type CellOptions, runCell } from './run-cell.ts';
import { isDeterministic, type Scenario } from './scenario.ts';
import { ENERGY_MAX_MJ, type Score, scoreOf } from './score.ts';

export const RELEASES = ['tick', 'exact'] as const;
export const VICTIMS = ['turns', 'value'] as const;
export type Victim = (typeof VICTIMS)[number];

/** What a user can say about a policy; the rest follows from XRBench. */
export interface Choice {
  readonly policy: PolicyName;
  readonly release: (typeof RELEASES)[number];
  /** Undefined: the policy's own. */
  readonly drop: DropRule | undefined;
  /** For `coxswain`. */
  readonly victim: Victim;
}

/** `latency-greedy` is played as published, quirks included; energy is capped where the score caps it. */
function tuningOf({ policy, drop, victim }: Choice): PolicyTuning {
  return {
    ...(drop === undefined ? {} : { drop }),
    ...(policy === 'latency-greedy' ? { quirks: true } : {}),
    ...(policy === 'coxswain' ? { victim, energyCapUj: ENERGY_MAX_MJ * 1_000 } : {}),
  };
}

export function playCell(
  cell: Cell,
  choice: Choice,
  seed: CellOptions['seed'],
): { readonly log: ReturnType<typeof runCell>; readonly score: Score } {
  const { policy, release } = choice;
  const log = runCell(cell, { policy, release, seed, tuning: tuningOf(choice) });
  return {
    log,
    score: scoreOf(
      cell.scenario.models.map(({ model }) => model),
      log,
    ),
  };
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

/** Every policy with every drop rule on exact release, and the reference as published, on every deterministic scenario of every configuration with costs. */
export function comparePolicies(
  table: CostTable,
  configurations: readonly string[],
  scenarios: readonly Scenario[],
  nearest: Nearest,
): Comparison {
  const { cells, skipped } = cellsOf(table, configurations, scenarios, nearest);
  const rows = choices().map((choice): ComparisonRow => {
    const overall = cells.map((cell) => playCell(cell, choice, 1).score.overall);
    const mean = overall.length === 0 ? 0 : overall.reduce((sum, score) => sum + score, 0) / overall.length;
    return { ...choice, mean, overall };
  });
  return { cells: cells.map(nameOf), skipped, rows };
}

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

function hasCosts(table: CostTable, configuration: string, { models }: Scenario): boolean {
  const [hardware = '', dataflows = ''] = configuration.split('__');
  const byDataflow = table.byHardware.get(hardware);
  return dataflows.split('_').every((dataflow) => models.every(({ model }) => byDataflow?.get(dataflow)?.has(model) === true));
}

function choices(): (Choice & { readonly drop: DropRule })[] {
  const all: (Choice & { readonly drop: DropRule })[] = [{ policy: 'latency-greedy', release: 'tick', drop: 'expired', victim: 'turns' }];
  for (const policy of POLICY_NAMES) {
    for (const victim of policy === 'coxswain' ? VICTIMS : (['turns'] as const)) {
      for (const drop of DROP_RULES) all.push({ policy, release: 'exact', drop, victim });
    }
  }
  return all;
}
