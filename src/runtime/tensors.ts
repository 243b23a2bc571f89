import type { Arena } from '../core/arena.ts';
import { type TensorSpec, tensorBytes } from '../core/model.ts';
import type { Region } from '../core/region.ts';

/** Sizes as `allocateTensors` takes them. */
export const sizesOf = (specs: readonly TensorSpec[]): readonly number[] => specs.map(tensorBytes);

/** One region per size in bytes, in order, or undefined and nothing taken. */
export function allocateTensors(arena: Arena, sizes: readonly number[]): readonly Region[] | undefined {
  const regions: Region[] = [];
  for (const size of sizes) {
    const region = arena.allocate(size);
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
