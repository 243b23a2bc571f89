import { CoxswainError } from '../../core/errors.ts';
import type { CostTable, JobCost } from './cost-table.ts';
import type { Scenario } from './scenario.ts';

/** One scenario on one configuration: what is scheduled. */
export interface Cell {
  /** `HARDWARE__DATAFLOWS`, one dataflow for each accelerator. */
  readonly configuration: string;
  readonly scenario: Scenario;
  /** By model of the scenario: its cost on each accelerator. */
  readonly costs: ReadonlyMap<string, readonly JobCost[]>;
}

/** Finds what a mistyped word was meant to be. */
export type Nearest = (word: string, candidates: readonly string[]) => string | undefined;

/** More accelerators than any chip of this size has. */
const ACCELERATORS_MAX = 64;

/** Errors: CONFIG_INVALID when the configuration or a cost is not in the table. */
export function cellOf(table: CostTable, configuration: string, scenario: Scenario, nearest: Nearest): Cell {
  const parts = configuration.split('__');
  const [hardware = '', dataflowText = ''] = parts;
  if (parts.length !== 2 || dataflowText === '') {
    throw invalid(
      `the configuration is "${configuration}", and must be HARDWARE__DATAFLOWS, such as Dual_4K__WS_OS with one dataflow per accelerator`,
    );
  }
  const dataflows = dataflowText.split('_');
  if (dataflows.length > ACCELERATORS_MAX)
    throw invalid(`"${configuration}" has ${dataflows.length} accelerators; allowed are ${ACCELERATORS_MAX}`);
  const byDataflow = pick(table.byHardware, hardware, `${table.file}: no costs for hardware`, nearest);
  const byModel = dataflows.map((dataflow) => pick(byDataflow, dataflow, `${table.file}: no costs on ${hardware} for dataflow`, nearest));
  const missing: string[] = [];
  const costs = new Map<string, readonly JobCost[]>();
  for (const { model } of scenario.models) {
    const row: JobCost[] = [];
    byModel.forEach((known, index) => {
      const cost = known.get(model);
      if (cost !== undefined) row.push(cost);
      else if (dataflows.indexOf(dataflows[index] ?? '') === index) missing.push(`${hardware},${dataflows[index]},${model}`);
    });
    costs.set(model, row);
  }
  if (missing.length > 0) throw invalid(`${table.file}: scenario ${scenario.name} needs rows that are missing: ${missing.join('; ')}`);
  return { configuration, scenario, costs };
}

/** Errors: CONFIG_INVALID with all allowed names and the one that was probably meant. */
export function scenarioOf(scenarios: readonly Scenario[], name: string, nearest: Nearest): Scenario {
  return pick(new Map(scenarios.map((scenario) => [scenario.name, scenario])), name, 'there is no scenario', nearest);
}

function pick<T>(known: ReadonlyMap<string, T>, name: string, what: string, nearest: Nearest): T {
  const found = known.get(name);
  if (found !== undefined) return found;
  const names = [...known.keys()];
  const meant = nearest(name, names);
  throw invalid(`${what} "${name}"; known are ${names.join(', ')}${meant === undefined ? '' : `; did you mean '${meant}'?`}`);
}

const invalid = (text: string): CoxswainError => new CoxswainError('CONFIG_INVALID', text);
