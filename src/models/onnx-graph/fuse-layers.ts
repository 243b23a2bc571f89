import type { LayerCost } from '../../core/layer-cost.ts';
import type { Step } from './infer-graph.ts';
import { elementwiseRules } from './operators/elementwise.ts';
import { operatorName } from './operators/registry.ts';
import type { Tensor } from './tensor.ts';

/** Operators that a core applies to each element on its way out of the layer before, without writing it to memory in between. */
const POINTWISE: ReadonlySet<string> = new Set([
  ...Object.keys(elementwiseRules),
  ...['BatchNormalization', 'Cast', 'QuantizeLinear', 'DequantizeLinear'],
]);

/** A rescan for what the last one made possible. Real networks are still after three or four. */
const PASSES_MAX = 8;

/** Steps that run as one layer, the first of which says what it is. */
export interface FusedLayer {
  readonly cost: LayerCost;
  readonly inputs: readonly Tensor[];
  /** What others read, or the model returns. */
  readonly outputs: readonly Tensor[];
}

interface Group {
  /** Indices of steps, in order. */
  readonly members: number[];
  isPointwise: boolean;
}

const memoryOf = (tensor: Tensor): Tensor => tensor.root ?? tensor;

/**
 * Joins pointwise steps to the step that makes their input, as compilers for NPUs do: when nothing else reads that input, the result is as large, and all
 * else that they read is there before that step runs. A chain such as x * clip(x + 3) / 6 joins as a whole.
 */
export function fuseLayers(
  steps: readonly Step[],
  costs: readonly LayerCost[],
  results: readonly (Tensor | undefined)[],
  bytesOf: (tensor: Tensor) => number,
): readonly FusedLayer[] {
  const fusion = new Fusion(steps, results);
  fusion.run();
  return fusion.groups().map((members) => fusion.describe(members, costs, bytesOf));
}

class Fusion {
  private readonly steps: readonly Step[];
  private readonly results: ReadonlySet<Tensor>;
  private readonly maker = new Map<Tensor, number>();
  private readonly readers = new Map<Tensor, number[]>();
  /** The group of each step. */
  private readonly groupOf: Group[];

  constructor(steps: readonly Step[], results: readonly (Tensor | undefined)[]) {
    this.steps = steps;
    this.results = new Set(results.flatMap((tensor) => (tensor === undefined ? [] : [memoryOf(tensor)])));
    this.groupOf = steps.map(({ node, work }, index) => ({
      members: [index],
      isPointwise: work !== undefined && POINTWISE.has(operatorName(node)),
    }));
    steps.forEach((step, index) => {
      for (const output of step.outputs) if (output !== undefined) this.maker.set(output, index);
      for (const input of memories(step.inputs)) {
        const list = this.readers.get(input);
        if (list === undefined) this.readers.set(input, [index]);
        else list.push(index);
      }
    });
  }

  run(): void {
    for (let pass = 0, isChanged = true; isChanged && pass < PASSES_MAX; pass += 1) {
      isChanged = false;
      for (const group of new Set(this.groupOf)) if (group.isPointwise && this.join(group)) isChanged = true;
    }
  }

  groups(): readonly (readonly number[])[] {
    return [...new Set(this.groupOf)].map((group) => group.members);
  }

  /** Joins `group` to the latest group that makes an input which only it reads. */
  private join(group: Group): boolean {
    const inputs = this.outside(group.members);
    const makers = inputs.flatMap((tensor) => this.groupMaking(tensor) ?? []);
    const latest = makers.reduce<Group | undefined>(
      (last, maker) => (last === undefined || startOf(maker) > startOf(last) ? maker : last),
      undefined,
    );
    if (latest === undefined || !inputs.some((tensor) => this.groupMaking(tensor) === latest && this.isOnlyReadBy(tensor, group)))
      return false;
    const isAllOwn = inputs.every((tensor) => this.groupMaking(tensor) !== latest || this.isOnlyReadBy(tensor, group));
    const last = this.steps[group.members.at(-1) ?? 0]?.outputs[0];
    const isAsLarge = inputs.some((tensor) => this.groupMaking(tensor) === latest && tensor.elements === last?.elements);
    if (!isAllOwn || !isAsLarge || this.steps[latest.members[0] ?? 0]?.work === undefined) return false;
    latest.members.push(...group.members);
    latest.members.sort((a, b) => a - b);
    for (const member of group.members) this.groupOf[member] = latest;
    return true;
  }

  private groupMaking(tensor: Tensor): Group | undefined {
    const maker = this.maker.get(tensor);
    return maker === undefined ? undefined : this.groupOf[maker];
  }

  private isOnlyReadBy(tensor: Tensor, group: Group): boolean {
    if (this.results.has(tensor)) return false;
    return (this.readers.get(tensor) ?? []).every(
      (reader) => this.groupOf[reader] === group || this.groupOf[reader] === this.groupMaking(tensor),
    );
  }

  /** What the members read and do not make. */
  private outside(members: readonly number[]): readonly Tensor[] {
    const own = new Set(members);
    const read = new Set(members.flatMap((member) => memories(this.steps[member]?.inputs ?? [])));
    return [...read].filter((tensor) => !own.has(this.maker.get(tensor) ?? -1));
  }

  describe(members: readonly number[], costs: readonly LayerCost[], bytesOf: (tensor: Tensor) => number): FusedLayer {
    const own = new Set(members);
    const first = costs[members[0] ?? 0] as LayerCost;
    const total = { elementOps: 0, weightBytes: 0, inputBytes: 0, outputBytes: 0 };
    let curves = 0;
    const outputs: Tensor[] = [];
    for (const member of members) {
      const [step, cost] = [this.steps[member] as Step, costs[member] as LayerCost];
      for (const field of ['elementOps', 'weightBytes', 'inputBytes', 'outputBytes'] as const) total[field] += cost[field];
      curves += cost.curves ?? 0;
      // What a member hands to another never leaves the core.
      for (const input of step.inputs)
        if (input !== undefined && own.has(this.maker.get(memoryOf(input)) ?? -1)) total.inputBytes -= bytesOf(input);
      for (const output of step.outputs) {
        if (output === undefined) continue;
        const isSeen =
          this.results.has(output) || members.length === 1 || (this.readers.get(output) ?? []).some((reader) => !own.has(reader));
        if (isSeen) outputs.push(output);
        else total.outputBytes -= bytesOf(output);
      }
    }
    return { cost: { ...first, ...total, ...(curves > 0 ? { curves } : {}) }, inputs: this.outside(members), outputs };
  }
}

const startOf = (group: Group): number => group.members[0] ?? 0;

/** The tensors whose memory is read, each once. */
function memories(tensors: readonly (Tensor | undefined)[]): readonly Tensor[] {
  return [...new Set(tensors.flatMap((tensor) => (tensor === undefined ? [] : [memoryOf(tensor)])))];
}
