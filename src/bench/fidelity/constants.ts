import { firstKindCountOf, type SocProfile } from '../../core/soc-profile.ts';
import type { RowKind } from './prepared-row.ts';

/** The constants of the cost model that rows can tell about a chip. */
export const CONSTANT_NAMES = [
  'efficiencyRatio',
  'layerUs',
  'splitUs',
  'computeRatio',
  'vectorOpsPerSecond',
  'dispatchUs',
  'floatDispatchUs',
  'layerShareRatio',
  'promptRatio',
] as const;
export type ConstantName = (typeof CONSTANT_NAMES)[number];
export type Constants = Readonly<Partial<Record<ConstantName, number>>>;

/**
 * What is known of a constant before any row: its middle, and how far it may well lie from it (standard deviation of its logarithm). With few rows a constant
 * stays near its middle; with many the rows decide. Bounds are physical.
 */
export interface Prior {
  readonly middle: number;
  readonly spread: number;
  readonly min: number;
  readonly max: number;
}

/** No bus carries more of its peak: refresh and turning around take the rest. */
const EFFICIENCY_MAX = 0.95;

/**
 * - A bus that is read in long rows carries 0.8 to 0.9 of its peak; engines that share it with others may reach less.
 * - A layer takes from under 1 us (command lists in hardware) to some 50 us (a driver's call for each).
 * - Cores that share a layer meet at a barrier, in hardware or through the driver.
 * - Layers that fit reach 0.3 to 0.95 of the peak.
 * - Vector units have about 1/64 of the multipliers' rate in published block diagrams, but nobody publishes what they really do.
 * - A job takes 15 us to 345 us to dispatch.
 * - Prompts are read two to six times slower than the roofline says.
 * - A layer of a dataflow chip can have a cluster of it, of which there are some eight.
 */
export function priorOf(name: ConstantName, profile: SocProfile): Prior {
  const peak = Math.max(...Object.values(profile.core.opsPerSecond));
  switch (name) {
    case 'efficiencyRatio':
      return { middle: 0.85, spread: 0.25, min: 0.05, max: EFFICIENCY_MAX };
    case 'layerUs':
      return { middle: 6, spread: 1.2, min: 0.05, max: 2_000 };
    case 'splitUs':
      return { middle: 10, spread: 1.2, min: 0.05, max: 2_000 };
    case 'computeRatio':
      return { middle: 0.6, spread: 0.4, min: 0.02, max: 0.95 };
    case 'vectorOpsPerSecond':
      return { middle: (profile.core.opsPerSecond.int8 ?? peak) / 64, spread: 1.2, min: 1e7, max: 1e15 };
    case 'dispatchUs':
    case 'floatDispatchUs':
      return { middle: 100, spread: 1, min: 1, max: 10_000 };
    case 'layerShareRatio':
      return { middle: 0.15, spread: 0.7, min: 0.01, max: 1 };
    case 'promptRatio':
      return { middle: 0.3, spread: 0.7, min: 0.01, max: 1 };
  }
}

/**
 * Those that rows of these kinds tell about. Rows that decode wait for the bus and for each layer; networks compute, run through the vector unit and are
 * dispatched. The rest stays as the profile has it; how fast prompts are read is told by prompts alone, and sought when all others are known.
 */
export function toldBy(kinds: ReadonlySet<RowKind>, profile: SocProfile, hasFloats: boolean): readonly ConstantName[] {
  const isSplit = firstKindCountOf(profile) > 1;
  const hasNetworks = kinds.has('convolutional');
  return CONSTANT_NAMES.filter((name) => {
    if (name === 'efficiencyRatio') return kinds.has('decode');
    if (name === 'promptRatio') return false;
    if (name === 'splitUs') return kinds.has('decode') && isSplit;
    if (name === 'floatDispatchUs') return hasNetworks && hasFloats;
    if (name === 'layerShareRatio') return hasNetworks && profile.doWeightsStay;
    if (name === 'layerUs') return hasNetworks || (kinds.has('decode') && !isSplit);
    return hasNetworks;
  });
}

export function constantOf(name: ConstantName, { core, dram }: SocProfile): number {
  if (name === 'efficiencyRatio') return dram.efficiencyRatio;
  return core[name] ?? (name === 'promptRatio' ? 1 : core.dispatchUs);
}

export function withConstants(profile: SocProfile, constants: Constants): SocProfile {
  const { efficiencyRatio = profile.dram.efficiencyRatio, ...core } = constants;
  return { ...profile, core: { ...profile.core, ...core }, dram: { ...profile.dram, efficiencyRatio } };
}
