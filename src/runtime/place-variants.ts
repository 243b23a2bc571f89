import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import type { PlacedModel, Placement } from '../scheduler/placement.ts';
import { rowFor } from '../scheduler/scheduler.ts';

/**
 * Puts every variant where the model is that it stands in for, so that switching moves nothing, split as that one is. A model that is also run for itself,
 * split otherwise, stays as it is and keeps its own cores in front.
 */
export function placeVariants(placement: Placement, config: RuntimeConfig): Placement {
  const rows = [...placement.models];
  for (const { id, stream, variants } of config.pipelines) {
    const own = variants.length === 0 ? undefined : rowFor(placement.models, stream.model, id);
    if (own === undefined) continue;
    for (const model of variants) {
      const place = rows.findIndex((row) => row.model === model && (row.split !== own.split || areAtSame(row, own)));
      const known = rows[place];
      if (known === undefined) rows.push({ ...own, model, streams: [id], reason: roleOf(own) });
      else rows[place] = alsoFor(known, own, id);
    }
  }
  return { ...placement, models: rows, problems: [...placement.problems, ...memoryProblems(rows, config)] };
}

const areAtSame = (a: PlacedModel, b: PlacedModel): boolean => String(a.cores) === String(b.cores) && String(a.spares) === String(b.spares);

const roleOf = ({ model }: PlacedModel): string => `stands in for ${model}`;

function alsoFor(row: PlacedModel, own: PlacedModel, stream: StreamId): PlacedModel {
  const isTold = row.reason.split(', and ').includes(roleOf(own));
  return {
    ...row,
    streams: [...row.streams, stream],
    cores: [...row.cores, ...own.cores.filter((core) => !row.cores.includes(core))],
    spares: row.spares.filter((core) => !own.cores.includes(core) || own.spares.includes(core)),
    reason: isTold ? row.reason : `${row.reason}, and ${roleOf(own)}`,
  };
}

/** Only of cores where variants made the difference; the placement has told of the others. */
function memoryProblems(models: readonly PlacedModel[], config: RuntimeConfig): readonly string[] {
  const bytesOf = new Map(config.models.map(({ id, memoryBytes }) => [id, memoryBytes]));
  const isOwn = new Set(config.pipelines.map(({ stream }) => stream.model));
  return config.device.cores.flatMap(({ memoryBytes }, core) => {
    const here = [...new Set(models.filter(({ cores }) => cores.includes(core)).map(({ model }) => model))];
    const sum = (ids: readonly ModelId[]): number => ids.reduce((total, id) => total + (bytesOf.get(id) ?? 0), 0);
    if (sum(here) <= memoryBytes || sum(here.filter((id) => isOwn.has(id))) > memoryBytes) return [];
    const [need, have] = [sum(here), memoryBytes].map((bytes) => Math.round(bytes / 2 ** 20));
    return [`core ${core} needs ${need} MB for its models with their variants and has ${have} MB`];
  });
}
