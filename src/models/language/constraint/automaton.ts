import { BOTTOM, CallStacks } from './call-stack.ts';
import { DETOUR, ENDING_SYMBOLS_MAX, FIRST_MARK, type Grammar, SYMBOLS } from './grammar.ts';

/** A state from which nothing can be written any more. */
export const DEAD = -1;
const UNKNOWN = -2;

/** A state of the grammar and the states that its callers go on from, innermost first. */
export interface Place {
  readonly at: number;
  readonly returns: readonly number[];
}

export interface AutomatonOptions {
  /** How high calls may stand upon one another: bounds how deep values lie within values. */
  readonly heightMax: number;
}

/**
 * Places side by side in one state, which is what a step costs. An object of 200 properties that may all be left out has 201; more come of very ambiguous schemas alone.
 * Then the last ones are given up, and what is left is still valid.
 */
const PLACES_MAX = 256;

interface StateRecord {
  /** State of the grammar and stack, in turn. */
  readonly places: Int32Array;
  readonly isComplete: boolean;
  readonly isFree: boolean;
  /** Steps known so far, symbol and state in turn, while they are few. */
  readonly few: number[];
  /** All steps by symbol, once they are many. Most states are met by the way, on the path of one token, and never get as far. */
  all: Int32Array | undefined;
}

/** Of `few`: eight steps. */
const FEW_MAX = 16;

/** The symbol of the n-th mark. */
export const markSymbol = (index: number): number => FIRST_MARK + index;

/**
 * A grammar made deterministic where it is used: states are numbers, made when first reached. Every place of a state can be completed: a call is only entered while its
 * least height fits under `heightMax`, so there is no dead end however deep a recursion.
 */
export class Automaton {
  readonly start: number;
  readonly #grammar: Grammar;
  readonly #heightMax: number;
  readonly #stacks: CallStacks;
  readonly #states: StateRecord[] = [];
  readonly #ids = new Map<string, number>();

  constructor(grammar: Grammar, { heightMax }: AutomatonOptions) {
    this.#grammar = grammar;
    this.#heightMax = heightMax;
    this.#stacks = new CallStacks(grammar);
    this.start = this.#close([grammar.starts[grammar.root] as number, BOTTOM]);
  }

  get stateCount(): number {
    return this.#states.length;
  }

  /** The state after a symbol, or DEAD. */
  step(state: number, symbol: number): number {
    const record = this.#states[state] as StateRecord;
    const { all, few } = record;
    if (all !== undefined) {
      const known = all[symbol] as number;
      return known === UNKNOWN ? this.#learn(record, symbol) : known;
    }
    for (let index = 0; index < few.length; index += 2) if (few[index] === symbol) return few[index + 1] as number;
    return this.#learn(record, symbol);
  }

  /** Whether what was written is complete. */
  isComplete(state: number): boolean {
    return (this.#states[state] as StateRecord).isComplete;
  }

  /** Whether everything is allowed here. */
  isFree(state: number): boolean {
    return (this.#states[state] as StateRecord).isFree;
  }

  /** Within a string of any characters, at a character's border: how many more it may have. -1 elsewhere. */
  stringRoom(state: number): number {
    const { places } = this.#states[state] as StateRecord;
    const { characterStart, stringRoom } = this.#grammar;
    // At a border stand the beginning of the next character and, where the string may end, the place itself, and nothing else.
    if (places.length === 0 || places.length > 4) return -1;
    const first = places[0] === characterStart ? 0 : 2;
    if (places[first] !== characterStart) return -1;
    const after = this.#stacks.nodeOf(places[first + 1] as number);
    const room = stringRoom[after.returnTo] ?? -1;
    if (room < 0) return -1;
    const other = 2 - first;
    const isSame = places.length === 2 || (stringRoom[places[other] as number] === room + 1 && places[other + 1] === after.below);
    return isSame ? room + 1 : -1;
  }

  /** The same, also within a character, which counts as begun; -1 outside of such strings. */
  roomInside(state: number): number {
    const border = this.stringRoom(state);
    if (border >= 0) return border;
    const { places } = this.#states[state] as StateRecord;
    if (places.length !== 2) return -1;
    // Either within a character, whose caller waits on the stack, or at the very end of a full string.
    const { stringRoom } = this.#grammar;
    const own = stringRoom[places[0] as number] ?? -1;
    const { returnTo } = this.#stacks.nodeOf(places[1] as number);
    return own >= 0 ? own : returnTo >= 0 ? (stringRoom[returnTo] ?? -1) : -1;
  }

  /** The fewest bytes and marks that complete what was written; undefined where the bound of height stands in the way of the shortest, and where they are too many. */
  ending(state: number): readonly number[] | undefined {
    const { places, isComplete } = this.#states[state] as StateRecord;
    if (isComplete) return [];
    let least = Number.POSITIVE_INFINITY;
    let best = 0;
    for (let index = 0; index < places.length; index += 2) {
      const above = this.#stacks.nodeOf(places[index + 1] as number).distance;
      const distance = (this.#grammar.distance[places[index] as number] as number) + above;
      if (distance >= least) continue;
      least = distance;
      best = index;
    }
    if (least > ENDING_SYMBOLS_MAX) return undefined;
    return this.#follow(places[best] as number, places[best + 1] as number);
  }

  /** What a state stands for, to go on in another automaton of the same grammar. */
  placesOf(state: number): readonly Place[] {
    const { places } = this.#states[state] as StateRecord;
    const found: Place[] = [];
    for (let index = 0; index < places.length; index += 2)
      found.push({ at: places[index] as number, returns: this.#stacks.listOf(places[index + 1] as number) });
    return found;
  }

  /** The state of these places. */
  adopt(places: readonly Place[], isComplete: boolean): number {
    const kernel = places.flatMap(({ at, returns }) => [
      at,
      returns.reduceRight((below, returnTo) => this.#stacks.push(returnTo, below), BOTTOM),
    ]);
    return this.#close(kernel, isComplete);
  }

  #learn(record: StateRecord, symbol: number): number {
    const { places, few } = record;
    const kernel: number[] = [];
    for (let index = 0; index < places.length; index += 2)
      for (const edge of this.#grammar.edges[places[index] as number] ?? [])
        if (edge.low <= symbol && symbol <= edge.high) kernel.push(edge.to, places[index + 1] as number);
    const to = kernel.length === 0 ? DEAD : this.#close(kernel);
    if (record.all === undefined && few.length < FEW_MAX) {
      few.push(symbol, to);
      return to;
    }
    if (record.all === undefined) {
      record.all = new Int32Array(SYMBOLS).fill(UNKNOWN);
      for (let index = 0; index < few.length; index += 2) record.all[few[index] as number] = few[index + 1] as number;
      few.length = 0;
    }
    record.all[symbol] = to;
    return to;
  }

  /** Follows skips, calls and returns from places until only those are left that read a symbol, and makes a state of them. */
  #close(kernel: readonly number[], wasComplete = false): number {
    const grammar = this.#grammar;
    const stateCount = grammar.edges.length;
    const places: number[] = [];
    const seen = new Set<number>();
    const queue = [...kernel];
    let isComplete = wasComplete;
    let isFree = false;
    for (let next = 0; next < queue.length && places.length < 2 * PLACES_MAX; next += 2) {
      const at = queue[next] as number;
      const stack = queue[next + 1] as number;
      const node = this.#stacks.nodeOf(stack);
      const key = stack * stateCount + at;
      if (seen.has(key) || node.height + (grammar.height[at] as number) > this.#heightMax) continue;
      seen.add(key);
      if (grammar.isFree[at]) isFree = true;
      if (grammar.isEnd[at]) {
        if (stack === BOTTOM) isComplete = true;
        else queue.push(node.returnTo, node.below);
      }
      for (const to of grammar.skips[at] as readonly number[]) queue.push(to, stack);
      // What comes after the call must fit as well, or there would be no way on once it returns.
      for (const { rule, to } of grammar.calls[at] ?? [])
        if (node.height + (grammar.height[to] as number) <= this.#heightMax)
          queue.push(grammar.starts[rule] as number, this.#stacks.push(to, stack));
      if ((grammar.edges[at] as readonly unknown[]).length > 0) places.push(at, stack);
    }
    if (places.length === 0 && !isComplete) return DEAD;
    const key = `${isComplete} ${places.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#states.push({ places: Int32Array.from(places), isComplete, isFree, few: [], all: undefined });
    this.#ids.set(key, this.#states.length - 1);
    return this.#states.length - 1;
  }

  /** Goes from a place to the end where the distance says that it is nearest. */
  #follow(from: number, stackThere: number): readonly number[] | undefined {
    const grammar = this.#grammar;
    const distanceAt = (state: number) => grammar.distance[state] as number;
    const startOf = (rule: number) => grammar.starts[rule] as number;
    const symbols: number[] = [];
    let at = from;
    let stack = stackThere;
    for (;;) {
      const left = distanceAt(at);
      const node = this.#stacks.nodeOf(stack);
      if (node.height + (grammar.height[at] as number) > this.#heightMax) return undefined;
      if (left === 0) {
        if (stack === BOTTOM) return symbols;
        at = node.returnTo;
        stack = node.below;
        continue;
      }
      const edge = grammar.edges[at]?.find(({ to }) => 1 + distanceAt(to) === left);
      const skip = grammar.skips[at]?.find((to) => DETOUR + distanceAt(to) === left);
      const call = grammar.calls[at]?.find(({ rule, to }) => distanceAt(startOf(rule)) + distanceAt(to) + DETOUR === left);
      if (edge !== undefined) {
        symbols.push(edge.low);
        at = edge.to;
      } else if (skip !== undefined) at = skip;
      else if (call !== undefined) {
        stack = this.#stacks.push(call.to, stack);
        at = startOf(call.rule);
      } else return undefined;
    }
  }
}
