import type { ManifestModel, RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import { CoxswainError } from '../core/errors.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import {
  asKind,
  type CoreKind,
  chipAsOf,
  clusterOf,
  coreCountOf,
  coreKindsOf,
  type SocMode,
  type SocProfile,
  usableBytesPerSecond,
} from '../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { type WindowFit, windowFit } from '../devices/sim/address-window.ts';
import { compileSegment, type SegmentCost } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import { compileSplit } from '../devices/sim/split-cost.ts';
import { heldRateOf, heldUs } from './bus-budget.ts';
import { type ModelCosts, residentBytesOf } from './simulate-costs.ts';

/** A chip in one of its power modes. */
export interface Chip {
  readonly profile: SocProfile;
  readonly mode: SocMode;
}

/**
 * The configuration with the chip's cores in place of its own, and each model with what it takes there.
 * Errors: CONFIG_INVALID when a pipeline is pinned to a core that the chip does not have.
 */
export function onChip(config: RuntimeConfig, costs: readonly ModelCosts[], chip: Chip): RuntimeConfig {
  const { profile, mode } = chip;
  const rows = new Map(costs.map((row) => [row.model, row]));
  const split = new Set(
    config.pipelines.flatMap(({ split: ways, stream, variants }) => (ways === undefined ? [] : [stream.model, ...variants])),
  );
  const placed = withCoresOf(profile, config, (model) => {
    const row = rows.get(model.id);
    if (row === undefined) return model;
    const kinds = coreKindsOf(profile).filter((kind) => windowOf(row, kind)?.fits !== false);
    const heldTo = heldRateOf(model.id, config);
    // Where no kind of core reaches the model as a whole, it is told by `check` and refused when it is loaded.
    const usOn = (there: SocProfile): DurationUs | undefined =>
      kinds.length === 0 || kinds.some(({ kind }) => kind === there.kind)
        ? typicalUs(compileSegment(row.layers, there), heldTo, { profile: there, mode })
        : undefined;
    const runBytes = compileSegment(row.layers, profile).bytes;
    const priced = { ...model, ...costsByCore(profile, usOn), runBytes, memoryBytes: residentBytesOf(row) };
    return split.has(model.id) ? { ...priced, splitUs: splitTimes(row.layers, heldTo, chip) } : priced;
  });
  const decodeUs = durationUs(Math.round(profile.host.decodeUs));
  return { ...placed, device: { ...placed.device, busBytesPerSecond: usableBytesPerSecond(profile) * mode.bandwidthRatio, decodeUs } };
}

/** Whether cores of a kind can address a model; undefined where no limit is known. */
export const windowOf = (costs: ModelCosts, kind: CoreKind): WindowFit | undefined =>
  costs.isPart === true
    ? undefined
    : windowFit({ layers: costs.layers, residentBytes: residentBytesOf(costs), isLanguage: costs.language !== undefined }, kind);

/** What a run takes on the best core, and, where there are several kinds, on each. A kind on which it cannot run says undefined; on one of them it can. */
export function costsByCore(
  profile: SocProfile,
  usOn: (chip: SocProfile) => DurationUs | undefined,
): Pick<ManifestModel, 'costUs' | 'coreCostsUs'> {
  const kinds = coreKindsOf(profile).map((kind) => usOn(asKind(profile, kind)));
  const costUs = durationUs(Math.min(...kinds.map((us) => us ?? Number.POSITIVE_INFINITY)));
  assert(Number.isFinite(costUs), 'a model can run on some kind of core');
  if (kinds.length === 1) return { costUs };
  const coreCostsUs = Array.from({ length: coreCountOf(profile) }, (_, core) => usOn(chipAsOf(profile, core)));
  return { costUs, coreCostsUs };
}

/** With the bus to itself, as far as its budget goes. */
const typicalUs = (cost: SegmentCost, heldTo: number | undefined, { profile, mode }: Chip): DurationUs =>
  durationUs(Math.max(1, Math.ceil(heldUs(aloneUs(cost, profile, mode), cost.bytes, heldTo))));

/** On cores of the first kind. Worked out when it is asked for, once. */
function splitTimes(layers: readonly LayerCost[], heldTo: number | undefined, chip: Chip): (cores: number, clusters: number) => DurationUs {
  const known = new Map<string, DurationUs>();
  return (ways, clusters) => {
    const key = `${ways}/${clusters}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const us = typicalUs(compileSplit(layers, chip.profile, { ways, clusters }), heldTo, chip);
    known.set(key, us);
    return us;
  };
}

/** The chip's cores in place of the configuration's own. Errors: as of `onChip`. */
export function withCoresOf(profile: SocProfile, config: RuntimeConfig, priced: (model: ManifestModel) => ManifestModel): RuntimeConfig {
  const coreCount = coreCountOf(profile);
  for (const { id, cores } of config.pipelines) {
    const missing = cores?.find((core) => core >= coreCount);
    if (missing === undefined) continue;
    const text = `pipeline ${id} may run on core ${missing}, and ${profile.id} has cores 0 to ${coreCount - 1}`;
    throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; take another profile or leave out its cores`);
  }
  return {
    ...config,
    device: {
      kind: config.device.kind,
      cores: Array.from({ length: coreCount }, (_, core) => ({
        cpu: undefined,
        ...{ niceness: 0, isIdle: false },
        memoryBytes: profile.dram.memoryBytes,
        cluster: clusterOf(profile, core),
      })),
    },
    models: config.models.map(priced),
  };
}
