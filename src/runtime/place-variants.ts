import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { ModelId } from '../core/model.ts';
import type { PlacedModel, Placement } from '../scheduler/placement.ts';

/**
 * Puts every variant where the model is that it stands in for, so that switching moves nothing, split as that one is. A model that is also run for itself elsewhere keeps its own cores
 * in front.
 */
export function placeVariants(placement: Placement, config: RuntimeConfig): Placement {
  const rows = new Map<ModelId, PlacedModel>(placement.models.map((row) => [row.model, row]));
  for (const { stream, variants } of config.pipelines) {
    const own = placement.models.find(({ model }) => model === stream.model);
    if (own === undefined) continue;
    for (const model of variants) {
      const known = rows.get(model);
      const reason = `stands in for ${stream.model}`;
      const cores = [...(known?.cores ?? []), ...own.cores.filter((core) => known?.cores.includes(core) !== true)];
      const spares =
        known === undefined ? own.spares : known.spares.filter((core) => !own.cores.includes(core) || own.spares.includes(core));
      const split = known === undefined ? own.split : known.split;
      rows.set(model, {
        model,
        cores,
        spares,
        ...(split === undefined ? {} : { split }),
        reason: known === undefined ? reason : `${known.reason}, and ${reason}`,
      });
    }
  }
  const models = [...rows.values()];
  return { ...placement, models, problems: [...placement.problems, ...memoryProblems(models, config)] };
}

/** Only of cores where variants made the difference; the placement has told of the others. */
function memoryProblems(models: readonly PlacedModel[], config: RuntimeConfig): readonly string[] {
  const bytesOf = new Map(config.models.map(({ id, memoryBytes }) => [id, memoryBytes]));
  const isOwn = new Set(config.pipelines.map(({ stream }) => stream.model));
  return config.device.cores.flatMap(({ memoryBytes }, core) => {
    const here = models.filter(({ cores }) => cores.includes(core));
    const sum = (rows: readonly PlacedModel[]): number => rows.reduce((total, { model }) => total + (bytesOf.get(model) ?? 0), 0);
    if (sum(here) <= memoryBytes || sum(here.filter(({ model }) => isOwn.has(model))) > memoryBytes) return [];
    const [need, have] = [sum(here), memoryBytes].map((bytes) => Math.round(bytes / 2 ** 20));
    return [`core ${core} needs ${need} MB for its models with their variants and has ${have} MB`];
  });
}
