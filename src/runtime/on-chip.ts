import type { RuntimeConfig } from '../config/runtime-config.ts';
import { CoxswainError } from '../core/errors.ts';
import { coreCountOf } from '../core/soc-profile.ts';
import { durationUs } from '../core/units.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import type { ModelCosts } from './simulate-costs.ts';
import type { SimulateOptions } from './simulate-options.ts';

/**
 * The configuration with the chip's cores in place of its own, and each model with what it takes there.
 * Errors: CONFIG_INVALID when a pipeline is pinned to a core that the chip does not have.
 */
export function onChip(
  config: RuntimeConfig,
  costs: readonly ModelCosts[],
  { profile, mode }: Pick<SimulateOptions, 'profile' | 'mode'>,
): RuntimeConfig {
  const coreCount = coreCountOf(profile);
  for (const { id, cores } of config.pipelines) {
    const missing = cores?.find((core) => core >= coreCount);
    if (missing === undefined) continue;
    const text = `pipeline ${id} may run on core ${missing}, and ${profile.id} has cores 0 to ${coreCount - 1}`;
    throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}; take another profile or leave out its cores`);
  }
  const compiled = new Map(costs.map(({ model, layers }) => [model, compileSegment(layers, profile)]));
  return {
    ...config,
    device: {
      kind: config.device.kind,
      cores: Array.from({ length: coreCount }, () => ({ cpu: undefined, niceness: 0, memoryBytes: profile.dram.memoryBytes })),
    },
    models: config.models.map((model) => {
      const cost = compiled.get(model.id);
      if (cost === undefined) return model;
      return { ...model, costUs: durationUs(Math.max(1, Math.ceil(aloneUs(cost, profile, mode)))), memoryBytes: cost.weightBytes };
    }),
  };
}
