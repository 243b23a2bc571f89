import type { ManifestModel, RuntimeConfig } from '../config/runtime-config.ts';
import { LANGUAGE_CODEC, type ModelId } from '../core/model.ts';
import { durationUs } from '../core/units.ts';
import { COST_MARGIN } from '../scheduler/hard-set.ts';
import { checkFit } from './check-fit.ts';
import { manifestCosts } from './fit-costs.ts';
import { planRun } from './plan-run.ts';

/** Beside everything else that a busy machine does, NanoDet took up to 73 ms instead of 24 (one run in 360), and what waits behind it up to as many times longer as well. */
const STRETCH = 3;

/** Of a network in blocks of 6 ms a run takes 2 % longer, in blocks of 4 ms 4 % (tools/bench/blocks.ts). */
const BLOCK_US_MIN = 6_000;
const BLOCKS_MAX = 8;

/** Each block has an allocator of its own: NanoDet whole grew a core by 53 MB, in four blocks by 95, once it was opened from its copies. */
const BLOCK_BYTES = 14 * 2 ** 20;

/** From the end of a block to the begin of the next one with somebody else's run in between: told, decided, told again. */
const SWITCH_US = durationUs(500);

/**
 * Cuts each network that may run for longer than somebody more urgent on its core stands (Q_k of the analysis), were all runs as long as they are at worst, into as few blocks as
 * are short enough. For the cores of the silicon at hand, which make the blocks of one length themselves; what is not cut there is told. Networks with a state stay whole.
 */
export function cutForCores(config: RuntimeConfig): RuntimeConfig {
  if (config.scheduler.cuts === 'none') return config;
  const limits = limitsOf(config);
  const models = config.models.map((model) => {
    const limitUs = limits.get(model.id);
    if (limitUs === undefined || model.codec === LANGUAGE_CODEC || model.states.length > 0 || model.steps !== undefined) return model;
    const most = Math.min(BLOCKS_MAX, Math.floor(model.costUs / BLOCK_US_MIN));
    const blocks = Math.min(most, Math.ceil(model.costUs / Math.max(1, limitUs)));
    return blocks < 2 ? model : inBlocks(model, blocks);
  });
  return { ...config, models };
}

function inBlocks(model: ManifestModel, blocks: number): ManifestModel {
  const shares = Array.from({ length: blocks }, () => 1 / blocks);
  const switchUs = Array.from({ length: blocks - 1 }, () => SWITCH_US);
  const memoryBytes = model.memoryBytes + (blocks - 1) * BLOCK_BYTES;
  return { ...model, blocks, memoryBytes, steps: { kind: 'blocks', shares, switchUs, isKept: true } };
}

/** For each model that is in somebody's way: how long a part of it may be by the manifest's cost. */
function limitsOf(config: RuntimeConfig): ReadonlyMap<ModelId, number> {
  const models = config.models.map((model) => ({ ...model, costUs: durationUs(model.costUs * STRETCH) }));
  const limits = new Map<ModelId, number>();
  for (const { id, runUsMax } of checkFit(config, planRun(config).placement, manifestCosts({ models }), 'verdict').streams) {
    const model = config.pipelines.find((pipeline) => pipeline.id === id)?.stream.model;
    if (runUsMax === null || model === undefined) continue;
    limits.set(model, Math.min(limits.get(model) ?? Number.POSITIVE_INFINITY, runUsMax / (STRETCH * COST_MARGIN)));
  }
  return limits;
}
