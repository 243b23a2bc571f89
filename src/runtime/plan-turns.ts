import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { ModelId } from '../core/model.ts';
import { chipAsOf } from '../core/soc-profile.ts';
import type { TokenSteps } from '../core/step-plan.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { compileOn } from '../devices/sim/model-steps.ts';
import { extentOf } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import type { Split } from '../devices/sim/split-cost.ts';
import { heldRateOf, heldUs } from './bus-budget.ts';
import type { CutModels } from './cut-models.ts';
import type { Chip } from './on-chip.ts';
import { coresOf, leastSplitOf } from './placed-split.ts';
import { planRun } from './plan-run.ts';
import type { LanguageCosts, ModelCosts } from './simulate-costs.ts';

/** A chunk of a prompt is as long as nobody is in its way, up to here: beyond, weights are read so rarely that reading them costs nothing any more. */
const CHUNKS = [512, 256, 128, 64, 32, 16] as const;

/** Tokens of one segment, where nobody is in their way: a burst of that many takes a listener of speech a second. */
const BURST_MAX = 16;

/**
 * Gives each language model that is asked in turns its steps. Nobody chooses how long a chunk is: it is the longest that stays within what somebody more urgent
 * on its core stands (Q_k of the analysis), and within the budget of its server.
 */
export function planTurns(cut: CutModels, costs: readonly ModelCosts[], { profile, mode }: Chip): CutModels {
  if (!cut.config.pipelines.some(({ answer }) => answer !== undefined)) return cut;
  const { placement } = planRun(cut.config);
  const models = cut.config.models.map((model) => {
    const language = costs.find((row) => row.model === model.id)?.language;
    if (language === undefined || model.shape?.kind !== 'language' || !isAskedInTurns(model.id, cut.config)) return model;
    const [home = 0] = coresOf(model.id, placement);
    const split = leastSplitOf(model.id, placement, profile);
    const there = { profile: chipAsOf(profile, home), mode };
    return {
      ...model,
      steps: stepsOf(language, { limitUs: limitOf(model.id, cut), split, chip: there, heldTo: heldRateOf(model.id, cut.config) }),
    };
  });
  return { ...cut, config: { ...cut.config, models } };
}

const isAskedInTurns = (model: ModelId, { pipelines }: RuntimeConfig): boolean =>
  pipelines.some(({ stream, variants, answer }) => answer !== undefined && (stream.model === model || variants.includes(model)));

function limitOf(model: ModelId, { config: { pipelines, scheduler }, limits }: CutModels): number {
  const users = pipelines.filter(({ stream }) => stream.model === model).map(({ id }) => id);
  const budgets = (scheduler.servers ?? [])
    .filter(({ streams }) => streams.some((id) => users.includes(id)))
    .map(({ budgetUs }) => budgetUs);
  return Math.min(limits.get(model) ?? Number.POSITIVE_INFINITY, ...budgets);
}

/** What a segment may take, and where it runs. */
interface Site {
  readonly limitUs: number;
  readonly split: Split;
  readonly chip: Chip;
  /** Bytes per microsecond, where its pipelines have budgets. */
  readonly heldTo: number | undefined;
}

function stepsOf({ prefillLayers, decodeLayers, contextTokens }: LanguageCosts, site: Site): TokenSteps {
  const chunkUs = (tokens: number): DurationUs => layersUs(prefillLayers(tokens, Math.max(0, (contextTokens >> 1) - tokens)), site);
  const fitting = CHUNKS.filter((tokens) => tokens <= contextTokens);
  const shortest = fitting.at(-1) ?? 1;
  const chunkTokens = fitting.find((tokens) => chunkUs(tokens) <= site.limitUs) ?? shortest;
  const tokenUs = layersUs(decodeLayers(1, contextTokens), site);
  const burstTokens = Math.max(1, Math.min(BURST_MAX, Math.floor(site.limitUs / tokenUs)));
  return { kind: 'tokens', chunkTokens, chunkUs: chunkUs(chunkTokens), burstTokens, switchUs: durationUs(0) };
}

function layersUs(layers: readonly LayerCost[], { split, chip: { profile, mode }, heldTo }: Site): DurationUs {
  const cost = compileOn(layers, extentOf(layers), profile, split);
  return durationUs(Math.max(1, Math.ceil(heldUs(aloneUs(cost, profile, mode), cost.bytes, heldTo))));
}
