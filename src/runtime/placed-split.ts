import type { ModelId } from '../core/model.ts';
import { clusterOf, type SocProfile } from '../core/soc-profile.ts';
import type { Split } from '../devices/sim/split-cost.ts';
import type { Placement } from '../scheduler/placement.ts';

/** On how many cores at once a job of the model runs, in as many clusters as these may come to be. */
export function splitOf(model: ModelId, { models }: Placement, profile: SocProfile): Split {
  const placed = models.find((row) => row.model === model);
  const ways = placed?.split ?? 1;
  const clusters = new Set(placed?.cores.filter((core) => !placed.spares.includes(core)).map((core) => clusterOf(profile, core))).size;
  return { ways, clusters: Math.min(ways, Math.max(1, clusters)) };
}
