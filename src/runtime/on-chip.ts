import type { ManifestModel, RuntimeConfig } from '../config/runtime-config.ts';
import { CoxswainError } from '../core/errors.ts';
import { coreCountOf, type SocMode, type SocProfile } from '../core/soc-profile.ts';
import { durationUs } from '../core/units.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import type { ModelCosts } from './simulate-costs.ts';

/** A chip in one of its power modes. */
export interface Chip {
  readonly profile: SocProfile;
  readonly mode: SocMode;
}

/**
 * The configuration with the chip's cores in place of its own, and each model with what it takes there.
 * Errors: CONFIG_INVALID when a pipeline is pinned to a core that the chip does not have.
 */
export function onChip(config: RuntimeConfig, costs: readonly ModelCosts[], { profile, mode }: Chip): RuntimeConfig {
  const compiled = new Map(costs.map((row) => [row.model, { ...row, cost: compileSegment(row.layers, profile) }]));
  return withCoresOf(profile, config, (model) => {
    const found = compiled.get(model.id);
    if (found === undefined) return model;
    const costUs = Math.max(1, Math.ceil(aloneUs(found.cost, profile, mode)));
    return { ...model, costUs: durationUs(costUs), memoryBytes: found.cost.weightBytes + (found.stateBytes ?? 0) };
  });
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
      cores: Array.from({ length: coreCount }, () => ({ cpu: undefined, niceness: 0, memoryBytes: profile.dram.memoryBytes })),
    },
    models: config.models.map(priced),
  };
}
