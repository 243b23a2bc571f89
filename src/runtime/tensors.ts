import type { Arena } from '../core/arena.ts';
import { type TensorSpec, tensorBytes } from '../core/model.ts';
import type { Region } from '../core/region.ts';

/** One region per tensor, in order, or undefined and nothing taken. */
export function allocateTensors(arena: Arena, specs: readonly TensorSpec[]): readonly Region[] | undefined {
  const regions: Region[] = [];
  for (const spec of specs) {
    const region = arena.allocate(tensorBytes(spec));
    if (region === undefined) {
      releaseTensors(arena, regions);
      return undefined;
    }
    regions.push(region);
  }
  return regions;
}

export function releaseTensors(arena: Arena, regions: readonly Region[]): void {
  for (const region of regions) arena.release(region);
}
