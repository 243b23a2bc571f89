import type { LayerCost } from '../core/layer-cost.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { compileSegment, extentOf } from '../devices/sim/segment-cost.ts';

/**
 * Where to cut a network into at most so many blocks of about the same time on this chip: the places of the layers that begin a block, but for the first,
 * ascending. A layer is never divided, so one that is longer than its share stands alone and there are fewer blocks.
 */
export function cutLayers(layers: readonly LayerCost[], blocks: number, profile: SocProfile): readonly number[] {
  const ends = endsOf(layers, profile);
  const sum = ends.at(-1) ?? 0;
  const cuts = new Set<number>();
  for (let block = 1; block < blocks; block += 1) {
    const aim = (sum * block) / blocks;
    const after = ends.findIndex((end) => end >= aim);
    // The border before that layer or the one behind it, whichever is nearer.
    const isBefore = aim - (ends[after - 1] ?? 0) < (ends[after] ?? sum) - aim;
    const cut = isBefore ? after : after + 1;
    if (cut > 0 && cut < layers.length) cuts.add(cut);
  }
  return [...cuts].sort((a, b) => a - b);
}

/** When each layer ends, one after the other with the bus to itself, by total compute and total bytes. */
function endsOf(layers: readonly LayerCost[], profile: SocProfile): readonly number[] {
  const usable = (profile.dram.bytesPerSecond * profile.dram.efficiencyRatio) / 1e6;
  const extent = extentOf(layers);
  let sum = 0;
  return layers.map((layer) => {
    const { computeUs, bytes } = compileSegment([layer], profile, extent);
    sum += Math.max(computeUs - profile.core.dispatchUs, bytes / usable);
    return sum;
  });
}
