import type { OnnxBlock, OnnxNode } from './graph.ts';
import { unloadable } from './model-error.ts';

/** The names that can be read at some place of the model. A chain of them, as copying would cost a deep model its square. */
export interface Scope {
  has(name: string): boolean;
}

export interface NodeOrderInput {
  readonly place: string;
  readonly nodes: readonly OnnxNode[];
  /** Inputs and constants of the graph itself. */
  readonly own: ReadonlySet<string>;
  /** Names of the graphs around it. */
  readonly outer: Scope;
  readonly outputNames: readonly string[];
}

/**
 * The nodes in an order in which each one's inputs come before it, keeping the file's order wherever that already holds (Kahn's algorithm with a queue in
 * file order). MODEL_UNLOADABLE for a name made twice, a name that nothing makes, and a cycle.
 */
export function orderNodes({ place, nodes, own, outer, outputNames }: NodeOrderInput): readonly OnnxNode[] {
  const maker = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (maker.has(name) || own.has(name))
        throw unloadable(place, `the value "${name}" is made twice, the second time by node "${node.name}"`);
      maker.set(name, index);
    }
  });
  const isKnown = (name: string): boolean => maker.has(name) || own.has(name) || outer.has(name);
  for (const name of outputNames) if (!isKnown(name)) throw unloadable(place, `nothing makes the output "${name}"`);
  const needs = nodes.map((node) => makersOf(node, maker, isKnown, place));
  if (needs.every((makers, index) => makers.every((made) => made < index))) return nodes;
  return sorted(nodes, needs, place);
}

/** Indices of the nodes whose outputs `node` reads, by itself or from inside its subgraphs. */
function makersOf(node: OnnxNode, maker: ReadonlyMap<string, number>, isKnown: (name: string) => boolean, place: string): number[] {
  const makers = new Set<number>();
  for (const name of node.inputs) {
    if (name === '') continue;
    if (!isKnown(name)) throw unloadable(place, `node "${node.name}" (${node.operator}) reads "${name}", which nothing makes`);
    const made = maker.get(name);
    if (made !== undefined) makers.add(made);
  }
  for (const attribute of node.attributes.values()) {
    if (attribute.kind !== 'block') continue;
    for (const name of captured(attribute.block)) {
      const made = maker.get(name);
      if (made !== undefined) makers.add(made);
    }
  }
  return [...makers];
}

/** Names that a subgraph reads from around it. */
function captured(block: OnnxBlock): Set<string> {
  const made = new Set([...block.constants.keys(), ...block.inputs.map((port) => port.name)]);
  const read = new Set(block.outputs.map((port) => port.name));
  for (const node of block.nodes) {
    for (const name of node.outputs) made.add(name);
    for (const name of node.inputs) read.add(name);
    for (const attribute of node.attributes.values())
      if (attribute.kind === 'block') for (const name of captured(attribute.block)) read.add(name);
  }
  for (const name of made) read.delete(name);
  return read;
}

function sorted(nodes: readonly OnnxNode[], needs: readonly (readonly number[])[], place: string): readonly OnnxNode[] {
  const readers: number[][] = nodes.map(() => []);
  const waits = needs.map((makers) => makers.length);
  needs.forEach((makers, index) => {
    for (const made of makers) readers[made]?.push(index);
  });
  const ready = waits.flatMap((count, index) => (count === 0 ? [index] : []));
  const order: OnnxNode[] = [];
  for (let at = 0; at < ready.length; at += 1) {
    const index = ready[at] as number;
    order.push(nodes[index] as OnnxNode);
    for (const reader of readers[index] ?? []) {
      waits[reader] = (waits[reader] as number) - 1;
      if (waits[reader] === 0) ready.push(reader);
    }
  }
  if (order.length === nodes.length) return order;
  const stuck = nodes.filter((_, index) => (waits[index] as number) > 0).map((node) => `"${node.name}"`);
  throw unloadable(
    place,
    `the nodes ${stuck.slice(0, 5).join(', ')}${stuck.length > 5 ? ' and others' : ''} wait for each other in a cycle`,
  );
}
