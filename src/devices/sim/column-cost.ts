import type { LayerCost } from '../../core/layer-cost.ts';
import { firstKindCountOf, type SocProfile } from '../../core/soc-profile.ts';
import { compileSegment, type SegmentCost } from './segment-cost.ts';

/**
 * Every layer divided by its columns over `count` cores of the first kind, by default all of them, as runtimes of language models do it however many cores the
 * bus could do with: the cores look like one that is as much wider, weights are read once, and after each layer they wait for each other for `splitUs`.
 */
export function columnCost(layers: readonly LayerCost[], profile: SocProfile, count = firstKindCountOf(profile)): SegmentCost {
  if (count === 1) return compileSegment(layers, profile);
  const { core } = profile;
  const { array } = core;
  const opsPerSecond = Object.fromEntries(Object.entries(core.opsPerSecond).map(([type, ops]) => [type, ops * count]));
  return compileSegment(layers, {
    ...profile,
    core: {
      ...core,
      opsPerSecond,
      array: { ...array, n: array.n * count, groups: array.groups * count },
      vectorOpsPerSecond: core.vectorOpsPerSecond * count,
      layerUs: core.layerUs + core.splitUs,
    },
    coresPerCluster: 1,
    localMemoryBytes: (profile.localMemoryBytes * profile.clusterCount * count) / firstKindCountOf(profile),
  });
}
