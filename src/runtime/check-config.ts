import type { RunCostTable } from '../config/load-run-costs.ts';
import type { ManifestModel, RuntimeConfig } from '../config/runtime-config.ts';
import { CoxswainError } from '../core/errors.ts';
import type { CoreId } from '../core/job.ts';
import { chipAsOf, coreKindsOf } from '../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import type { Placement } from '../scheduler/placement.ts';
import { regulationOf, UNREGULATED_TEXT } from './bus-budget.ts';
import { checkFit } from './check-fit.ts';
import { cutForCores } from './cut-for-cores.ts';
import { type CutModels, cutModels } from './cut-models.ts';
import type { Fit } from './fit.ts';
import { type FitCosts, manifestCosts, tableCosts } from './fit-costs.ts';
import { modelsUsed } from './models-used.ts';
import { type Chip, costsByCore, onChip, withCoresOf } from './on-chip.ts';
import { planRun } from './plan-run.ts';
import { planTurns } from './plan-turns.ts';
import type { ModelCosts } from './simulate-costs.ts';
import { simulatedCosts } from './simulated-costs.ts';

/** Where the costs of runs come from; the manifest when neither is given. */
export interface CheckRequest {
  readonly config: RuntimeConfig;
  /** The cores are those of this chip. */
  readonly chip?: Chip;
  /** Of every model that a pipeline uses, for the simulated costs of the chip. */
  readonly costs?: readonly ModelCosts[];
  /** Wins over simulated costs. */
  readonly table?: RunCostTable;
}

export interface Checked {
  /** With the cores and costs that were looked at. */
  readonly config: RuntimeConfig;
  readonly placement: Placement;
  readonly fit: Fit;
  /** What each core is: `cpu` without a chip. */
  readonly kinds: readonly string[];
  /** Where the costs came from, for people. */
  readonly told: string;
}

/** What cores of the configuration's own device are called in a table of costs. */
const CPU_KIND = 'cpu';

/** What cores may be called in a table of costs. */
export const kindNamesOf = (chip: Chip | undefined): readonly string[] =>
  chip === undefined ? [CPU_KIND] : coreKindsOf(chip.profile).map(({ kind }) => kind);

/**
 * Places a configuration on its own cores or a chip's and proves what can be proven of it. Starts nothing.
 * Errors: CONFIG_INVALID when a pipeline is pinned to a core that the chip does not have.
 */
export function checkConfig(request: CheckRequest): Checked {
  const { chip, table, costs = [] } = request;
  const kindOf = (core: CoreId): string => (chip === undefined ? CPU_KIND : chipAsOf(chip.profile, core).kind);
  const cut = cutConfig(request);
  const { config } = cut;
  const { placement } = planRun(config);
  const known: FitCosts =
    table !== undefined
      ? tableCosts(config, placement, table, { chip, kindOf })
      : chip !== undefined
        ? simulatedCosts(cut, placement, costs, chip)
        : manifestCosts(config);
  const kinds = config.device.cores.map((_, core) => kindOf(core));
  const told = chip === undefined && regulationOf(config) !== undefined ? `${known.told}; ${UNREGULATED_TEXT}` : known.told;
  return { config, placement, fit: checkFit(config, placement, known), kinds, told };
}

/** As it would be played on the chip or run on the silicon at hand; runs of a table are never cut. */
function cutConfig({ config, chip, costs = [], table }: CheckRequest): CutModels {
  if (table === undefined && chip !== undefined) return planTurns(cutModels(onChip(config, costs, chip), costs, chip), costs, chip);
  const asTold = { cuts: new Map(), limits: new Map() };
  if (table === undefined) return { config: cutForCores(config), ...asTold };
  if (chip === undefined) {
    const models = config.models.map((model) => ({ ...model, costUs: typicalUs(table, model.id, CPU_KIND) ?? model.costUs }));
    return { config: { ...config, models }, ...asTold };
  }
  refusePins(config, table, chip);
  refuseUnknownBytes(config, table, chip);
  const used = modelsUsed(config.pipelines);
  const priced = (model: ManifestModel): ManifestModel =>
    used.has(model.id) ? { ...model, ...costsByCore(chip.profile, ({ kind }) => typicalUs(table, model.id, kind)) } : model;
  return { config: withCoresOf(chip.profile, config, priced), ...asTold };
}

/** Errors: CONFIG_INVALID for a pipeline that is pinned to a core of which the table says that its model does not run there. */
function refusePins(config: RuntimeConfig, table: RunCostTable, { profile }: Chip): void {
  for (const { id, stream, cores } of config.pipelines) {
    const core = cores?.find((pinned) => table.costOf(stream.model, chipAsOf(profile, pinned).kind) === undefined);
    if (core === undefined) continue;
    const { kind } = chipAsOf(profile, core);
    const text = `pipeline ${id} may run on core ${core}, which is of kind ${kind}, and ${table.file} has no row of ${stream.model} for it`;
    throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; add one, or leave out that core`);
  }
}

/** Errors: CONFIG_INVALID where there are budgets for bytes and the table does not say what a model moves. */
function refuseUnknownBytes(config: RuntimeConfig, table: RunCostTable, chip: Chip): void {
  if (regulationOf(config) === undefined) return;
  for (const model of modelsUsed(config.pipelines)) {
    const rows = kindNamesOf(chip).flatMap((kind) => table.costOf(model, kind) ?? []);
    if (rows.every(({ bytes }) => bytes !== undefined)) continue;
    const text = `scheduler.busBudget holds pipelines to bytes, and ${table.file} does not say what ${model} moves`;
    throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; add its dram_mb, or leave out the budgets`);
  }
}

function typicalUs(table: RunCostTable, model: string, kind: string): DurationUs | undefined {
  const row = table.costOf(model, kind);
  return row === undefined ? undefined : durationUs(Math.max(1, Math.ceil(row.latencyUs)));
}
