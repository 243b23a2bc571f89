import type { OnnxNode } from './graph.ts';

/** Undefined when it is left out or is no single number. */
export function numberOf({ attributes }: OnnxNode, name: string): number | undefined {
  const attribute = attributes.get(name);
  return attribute?.kind === 'number' ? attribute.value : undefined;
}

/** Undefined when they are left out or are no list of numbers. */
export function numbersOf({ attributes }: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = attributes.get(name);
  return attribute?.kind === 'numbers' ? attribute.values : undefined;
}
