import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { clusterOf, type SocProfile } from '../core/soc-profile.ts';
import type { Split } from '../devices/sim/split-cost.ts';
import type { PlacedModel, Placement } from '../scheduler/placement.ts';

/** Where a model runs, for some of its streams or all. */
export type Place = Pick<PlacedModel, 'model' | 'cores' | 'spares' | 'split'>;

/** The cores where its jobs run while none is lost: a spare serves only in the place of another. */
export const servingCores = ({ cores, spares }: Pick<Place, 'cores' | 'spares'>): readonly CoreId[] =>
  cores.filter((core) => !spares.includes(core));

/** On how many cores at once a job runs there, in as many clusters as these may come to be. */
export function splitOf(place: Place, profile: SocProfile): Split {
  const { split: ways = 1 } = place;
  const clusters = new Set(servingCores(place).map((core) => clusterOf(profile, core))).size;
  return { ways, clusters: Math.min(ways, Math.max(1, clusters)) };
}

/** Of all places of the model the one where its jobs take the fewest cores, and so the longest. */
export function leastSplitOf(model: ModelId, { models }: Placement, profile: SocProfile): Split {
  const [least, ...others] = models.filter((row) => row.model === model);
  if (least === undefined) return { ways: 1, clusters: 1 };
  return splitOf(
    others.reduce((best, row) => ((row.split ?? 1) < (best.split ?? 1) ? row : best), least),
    profile,
  );
}

/** Every core that has the model, the first homes first. */
export const coresOf = (model: ModelId, { models }: Placement): readonly CoreId[] => [
  ...new Set(models.flatMap((row) => (row.model === model ? row.cores : []))),
];
