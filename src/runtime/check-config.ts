import type { RunCostTable } from '../config/load-run-costs.ts';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import type { Placement } from '../scheduler/placement.ts';
import { checkFit } from './check-fit.ts';
import { type CutModels, cutModels } from './cut-models.ts';
import type { Fit } from './fit.ts';
import { type FitCosts, manifestCosts, tableCosts } from './fit-costs.ts';
import { type Chip, onChip, withCoresOf } from './on-chip.ts';
import { planRun } from './plan-run.ts';
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
  /** Where the costs came from, for people. */
  readonly told: string;
}

/** What cores of the configuration's own device are called in a table of costs, and those of a chip. */
const CPU_KIND = 'cpu';
const NPU_KIND = 'npu';

export const coreKindsOf = (chip: Chip | undefined): readonly string[] => [chip === undefined ? CPU_KIND : NPU_KIND];

/**
 * Places a configuration on its own cores or a chip's and proves what can be proven of it. Starts nothing.
 * Errors: CONFIG_INVALID when a pipeline is pinned to a core that the chip does not have.
 */
export function checkConfig(request: CheckRequest): Checked {
  const { chip, table, costs = [] } = request;
  const kindOf = (_core: CoreId): string => (chip === undefined ? CPU_KIND : NPU_KIND);
  const cut = cutConfig(request);
  const { config } = cut;
  const { placement } = planRun(config);
  const known: FitCosts =
    table !== undefined
      ? tableCosts(config, placement, table, { chip, kindOf })
      : chip !== undefined
        ? simulatedCosts(cut, placement, costs, chip)
        : manifestCosts(config);
  return { config, placement, fit: checkFit(config, placement, known), told: known.told };
}

/** As it would be played on the chip; runs of a table and runs on the silicon at hand are never cut. */
function cutConfig({ config, chip, costs = [], table }: CheckRequest): CutModels {
  if (table === undefined && chip !== undefined) return cutModels(onChip(config, costs, chip), costs, chip);
  if (table === undefined) return { config, cuts: new Map() };
  const [kind = CPU_KIND] = coreKindsOf(chip);
  const priced = (model: RuntimeConfig['models'][number]) => ({ ...model, costUs: typicalUs(table, model.id, kind) ?? model.costUs });
  const models = config.models.map(priced);
  return { config: chip === undefined ? { ...config, models } : withCoresOf(chip.profile, config, priced), cuts: new Map() };
}

function typicalUs(table: RunCostTable, model: string, kind: string): DurationUs | undefined {
  const row = table.costOf(model, kind);
  return row === undefined ? undefined : durationUs(Math.max(1, Math.ceil(row.latencyUs)));
}
