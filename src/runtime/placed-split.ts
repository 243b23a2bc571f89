import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { clusterOf, type SocProfile } from '../core/soc-profile.ts';
import type { Split } from '../devices/sim/split-cost.ts';
import type { Placement } from '../scheduler/placement.ts';

/** On how many cores at once a job of the model runs, in as many clusters as these may come to be. */
export function splitOf(model: ModelId, { models }: Placement, profile: SocProfile): Split {
  const rows = models.filter((row) => row.model === model);
  const ways = Math.max(1, ...rows.map(({ split = 1 }) => split));
  const clusters = rows.map(
    ({ cores, spares }) => new Set(cores.filter((core) => !spares.includes(core)).map((core) => clusterOf(profile, core))).size,
  );
  return { ways, clusters: Math.min(ways, Math.max(1, ...clusters)) };
}

/** Every core that has the model, the first homes first. */
export const coresOf = (model: ModelId, { models }: Placement): readonly CoreId[] => [
  ...new Set(models.flatMap((row) => (row.model === model ? row.cores : []))),
];
