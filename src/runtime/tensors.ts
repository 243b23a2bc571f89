import type { Arena } from '../core/arena.ts';
import { type TensorSpec, tensorBytes } from '../core/model.ts';
import type { Region } from '../core/region.ts';

/** Sizes as `allocateTensors` takes them. */
export const sizesOf = (specs: readonly TensorSpec[]): readonly number[] => specs.map(tensorBytes);

/** One region per size in bytes, in order, or undefined and nothing taken. */
export function allocateTensors(arena: Arena, sizes: readonly number[]): readonly Region[] | undefined {
  const regions = new Array<Region>(sizes.length);
  for (let index = 0; index < sizes.length; index += 1) {
    const region = arena.allocate(sizes[index] as number);
    if (region === undefined) {
      releaseTensors(arena, regions.slice(0, index));
      return undefined;
    }
    regions[index] = region;
  }
  return regions;
}

export function releaseTensors(arena: Arena, regions: readonly Region[]): void {
  for (const region of regions) arena.release(region);
}
