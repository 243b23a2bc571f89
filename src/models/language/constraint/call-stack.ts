import type { Grammar } from './grammar.ts';

/** The bottom of every stack. */
export const BOTTOM = 0;

interface StackNode {
  readonly returnTo: number;
  readonly below: number;
  readonly height: number;
  /** The cost of ending everything on the stack, by the grammar's distances. */
  readonly distance: number;
}

/**
 * Stacks of return states as numbers: linked lists whose nodes are shared and made once, so that equal stacks have equal numbers.
 */
export class CallStacks {
  readonly #grammar: Grammar;
  readonly #nodes: StackNode[] = [{ returnTo: -1, below: -1, height: 0, distance: 0 }];
  readonly #ids = new Map<number, number>();

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  /** The stack with one more return state. A caller with nothing left to do need not be come back to, so that right recursion does not grow. */
  push(returnTo: number, below: number): number {
    if (isBareEnd(this.#grammar, returnTo)) return below;
    const key = below * this.#grammar.edges.length + returnTo;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const under = this.#nodes[below] as StackNode;
    const distance = under.distance + (this.#grammar.distance[returnTo] as number);
    this.#nodes.push({ returnTo, below, height: under.height + 1, distance });
    this.#ids.set(key, this.#nodes.length - 1);
    return this.#nodes.length - 1;
  }

  nodeOf(stack: number): StackNode {
    return this.#nodes[stack] as StackNode;
  }

  /** Return states, innermost first. */
  listOf(stack: number): readonly number[] {
    const returns: number[] = [];
    for (let at = stack; at !== BOTTOM; at = this.nodeOf(at).below) returns.push(this.nodeOf(at).returnTo);
    return returns;
  }
}

function isBareEnd(grammar: Grammar, state: number): boolean {
  const isBare = grammar.isEnd[state] && grammar.edges[state]?.length === 0 && grammar.skips[state]?.length === 0;
  return isBare === true && grammar.calls[state]?.length === 0;
}
