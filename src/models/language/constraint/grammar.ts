import { assert } from '../../../core/assert.ts';
import { CoxswainError } from '../../../core/errors.ts';

/** A rule that is called, and where its caller goes on. */
export interface Call {
  readonly rule: number;
  readonly to: number;
}

/** A step from one state to another by any symbol of low..high. Symbols: 0..255 are bytes, FIRST_MARK and up are marks (control tokens). */
export interface Edge {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

export const FIRST_MARK = 256;
export const MARKS_MAX = 8;
export const SYMBOLS = FIRST_MARK + MARKS_MAX;

/**
 * A recursive transition network: automata that call one another. It accepts what one writes who begins at the root's start, follows edges, skips and calls, and ends
 * where the root ends.
 */
export interface Grammar {
  readonly edges: readonly (readonly Edge[])[];
  readonly skips: readonly (readonly number[])[];
  readonly calls: readonly (readonly Call[])[];
  /** Whether a rule may end in this state. */
  readonly isEnd: readonly boolean[];
  /** Start state of every rule. */
  readonly starts: readonly number[];
  readonly root: number;
  /** By state: the least height of the stack of calls, above this rule's own, with which the rule can be ended. Infinity when it cannot. */
  readonly height: Float64Array;
  /** By state: the fewest symbols with which the rule can be ended, and DETOUR for each skip and call on that way, so that going that way it always becomes less. */
  readonly distance: Float64Array;
  /** By state: how many more characters this place in a string may be followed by where any character may follow; -1 elsewhere. */
  readonly stringRoom: Int32Array;
  /** The rule of one character of a string, which those places call. */
  readonly characterStart: number;
  /** By state: whether everything is allowed here, as in an answer before its first tool call. */
  readonly isFree: readonly boolean[];
}

/** What a skip or a call counts beside a symbol's 1: all sums are exact, and there are never so many that they make 1. */
export const DETOUR = 2 ** -20;

/**
 * The longest way to an end that is looked for, in symbols. A schema that needs more for its shortest answer is refused, and an answer never gets to where it would: a few
 * lines of nested `minItems` ask for more than any memory holds.
 */
export const ENDING_SYMBOLS_MAX = 16_384;

/** Past this a schema is refused: some 5 MB, and 0.15 s to compile, in which the core does nothing else. */
const STATES_MAX = 50_000;

export type GrammarBuilder = ReturnType<typeof createGrammarBuilder>;

/** Collects states and rules. A rule's body is made later, from a queue, so that a deep schema never becomes a deep call. */
export function createGrammarBuilder() {
  const edges: Edge[][] = [];
  const skips: number[][] = [];
  const calls: Call[][] = [];
  const isEnd: boolean[] = [];
  const isFree: boolean[] = [];
  const stringRoom: number[] = [];
  const starts: number[] = [];
  const byKey = new Map<unknown, number>();
  const queue: (() => void)[] = [];

  const state = (): number => {
    if (edges.length >= STATES_MAX) {
      const message = `the schema needs more than ${STATES_MAX} states. Lower its bounds of length (maxLength, maxItems), or make it smaller.`;
      throw new CoxswainError('SCHEMA_REFUSED', message);
    }
    edges.push([]);
    skips.push([]);
    calls.push([]);
    isEnd.push(false);
    isFree.push(false);
    stringRoom.push(-1);
    return edges.length - 1;
  };

  return {
    state,
    edge: (from: number, low: number, high: number, to: number): void => {
      edges[from]?.push({ low, high, to });
    },
    skip: (from: number, to: number): void => {
      skips[from]?.push(to);
    },
    call: (from: number, rule: number, to: number): void => {
      calls[from]?.push({ rule, to });
    },
    end: (at: number): void => {
      isEnd[at] = true;
    },
    free: (at: number): void => {
      isFree[at] = true;
    },
    room: (at: number, characters: number): void => {
      stringRoom[at] = characters;
    },
    /** Follows the bytes of a text from a state; answers the state behind them. */
    literal: (from: number, text: string): number => {
      let at = from;
      for (const byte of new TextEncoder().encode(text)) {
        const next = state();
        edges[at]?.push({ low: byte, high: byte, to: next });
        at = next;
      }
      return at;
    },
    /** The rule of this key, made by `build` from its start when it is first asked for. */
    rule: (key: unknown, build: (start: number) => void): number => {
      const known = byKey.get(key);
      if (known !== undefined) return known;
      const rule = starts.length;
      const start = state();
      starts.push(start);
      byKey.set(key, rule);
      queue.push(() => build(start));
      return rule;
    },
    startOf: (rule: number): number => starts[rule] ?? -1,
    get ruleCount(): number {
      return starts.length;
    },
    /** Makes what is queued, and measures. `characterRule` is the rule of any one character of a string. */
    finish: (root: number, characterRule: number): Grammar => {
      for (let at = 0; at < queue.length; at += 1) queue[at]?.();
      const grammar = { edges, skips, calls, isEnd, starts, root, isFree };
      const height = settle(grammar, { edge: 0, skip: 0, call: (called, after) => Math.max(1 + called, after) });
      const distance = settle(grammar, { edge: 1, skip: DETOUR, call: (called, after) => called + after + DETOUR });
      const start = starts[root];
      const characterStart = starts[characterRule];
      assert(start !== undefined && characterStart !== undefined, 'a grammar has a root');
      if (height[start] === Number.POSITIVE_INFINITY) {
        const message =
          'nothing satisfies the schema, or only what has no end. Look for bounds that exclude each other, and for required properties that refer to themselves.';
        throw new CoxswainError('SCHEMA_REFUSED', message);
      }
      if ((distance[start] as number) > ENDING_SYMBOLS_MAX) {
        const message = `the shortest answer that the schema allows has more than ${ENDING_SYMBOLS_MAX} characters. Lower its bounds of length (minLength, minItems), or require less.`;
        throw new CoxswainError('SCHEMA_REFUSED', message);
      }
      return { ...grammar, height, distance, stringRoom: Int32Array.from(stringRoom), characterStart };
    },
  };
}

interface Network {
  readonly edges: readonly (readonly Edge[])[];
  readonly skips: readonly (readonly number[])[];
  readonly calls: readonly (readonly Call[])[];
  readonly isEnd: readonly boolean[];
  readonly starts: readonly number[];
}

interface Costs {
  readonly edge: number;
  readonly skip: number;
  readonly call: (called: number, after: number) => number;
}

/** The least cost from every state to an end of its rule, by going backwards from what became cheaper until nothing does. */
function settle(network: Network, costs: Costs): Float64Array {
  const { edges, skips, calls, isEnd, starts } = network;
  const count = edges.length;
  const cost = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const before: number[][] = Array.from({ length: count }, () => []);
  for (let from = 0; from < count; from += 1) {
    for (const { to } of edges[from] ?? []) before[to]?.push(from);
    for (const to of skips[from] ?? []) before[to]?.push(from);
    for (const { rule, to } of calls[from] ?? []) {
      before[to]?.push(from);
      before[starts[rule] ?? 0]?.push(from);
    }
  }
  const queue: number[] = [];
  const isQueued = new Uint8Array(count);
  const enqueue = (at: number) => {
    if (isQueued[at] === 1) return;
    isQueued[at] = 1;
    queue.push(at);
  };
  for (let at = 0; at < count; at += 1) if (isEnd[at]) enqueue(at);
  for (let next = 0; next < queue.length; next += 1) {
    const at = queue[next] as number;
    isQueued[at] = 0;
    let least = isEnd[at] ? 0 : Number.POSITIVE_INFINITY;
    for (const { to } of edges[at] ?? []) least = Math.min(least, costs.edge + (cost[to] as number));
    for (const to of skips[at] ?? []) least = Math.min(least, costs.skip + (cost[to] as number));
    for (const { rule, to } of calls[at] ?? []) least = Math.min(least, costs.call(cost[starts[rule] ?? 0] as number, cost[to] as number));
    if (least >= (cost[at] as number)) continue;
    cost[at] = least;
    for (const from of before[at] ?? []) enqueue(from);
  }
  return cost;
}
