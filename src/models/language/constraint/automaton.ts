import { DETOUR, FIRST_MARK, type Grammar, SYMBOLS } from './grammar.ts';

/** A state from which nothing can be written any more. */
export const DEAD = -1;
const UNKNOWN = -2;

/** A grammar made deterministic where it is used: states are numbers, made when first reached. */
export interface Automaton {
  readonly start: number;
  /** The state after a symbol, or DEAD. */
  step(state: number, symbol: number): number;
  /** Whether what was written is complete. */
  isComplete(state: number): boolean;
  /** Whether everything is allowed here. */
  isFree(state: number): boolean;
  /** The fewest bytes and marks that complete what was written; undefined where the bound of height stands in the way of the shortest. */
  ending(state: number): readonly number[] | undefined;
  /** Within a string of any characters, at a character's border: how many more it may have. -1 elsewhere. */
  stringRoom(state: number): number;
  /** The same, also within a character, which counts as begun; -1 outside of such strings. */
  roomInside(state: number): number;
  readonly stateCount: number;
  /** What a state stands for, to go on in another automaton of the same grammar. */
  placesOf(state: number): readonly Place[];
  adopt(places: readonly Place[], isComplete: boolean): number;
}

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
const BOTTOM = 0;

/** A stack of return states, kept as a linked list whose nodes are shared. */
interface StackNode {
  readonly returnTo: number;
  readonly below: number;
  readonly height: number;
  /** The fewest symbols with which everything on the stack can be ended. */
  readonly distance: number;
}

interface StateRecord {
  /** State of the grammar and stack node, in turn. */
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

/**
 * Every place of a state can be completed: a call is only entered while its least height fits under `heightMax`, so there is no dead end however deep a recursion.
 */
export function createAutomaton(grammar: Grammar, { heightMax }: AutomatonOptions): Automaton {
  const stack: StackNode[] = [{ returnTo: -1, below: -1, height: 0, distance: 0 }];
  const stackIds = new Map<number, number>();
  const states: StateRecord[] = [];
  const stateIds = new Map<string, number>();
  const stateCount = grammar.edges.length;

  const push = (returnTo: number, below: number): number => {
    // A caller with nothing left to do need not be come back to.
    if (isBareEnd(grammar, returnTo)) return below;
    const key = below * stateCount + returnTo;
    const known = stackIds.get(key);
    if (known !== undefined) return known;
    const under = stack[below] as StackNode;
    stack.push({ returnTo, below, height: under.height + 1, distance: under.distance + (grammar.distance[returnTo] as number) });
    stackIds.set(key, stack.length - 1);
    return stack.length - 1;
  };

  /** Follows skips, calls and returns from places until only those are left that read a symbol, and makes a state of them. */
  const close = (kernel: readonly number[], wasComplete = false): number => {
    const places: number[] = [];
    const seen = new Set<number>();
    const queue = [...kernel];
    let isComplete = wasComplete;
    let isFree = false;
    for (let next = 0; next < queue.length && places.length < 2 * PLACES_MAX; next += 2) {
      const at = queue[next] as number;
      const node = queue[next + 1] as number;
      const record = stack[node] as StackNode;
      const key = node * stateCount + at;
      if (seen.has(key) || record.height + (grammar.height[at] as number) > heightMax) continue;
      seen.add(key);
      if (grammar.isFree[at]) isFree = true;
      if (grammar.isEnd[at]) {
        if (node === BOTTOM) isComplete = true;
        else queue.push(record.returnTo, record.below);
      }
      for (const to of grammar.skips[at] as readonly number[]) queue.push(to, node);
      // What comes after the call must fit as well, or there would be no way on once it returns.
      for (const { rule, to } of grammar.calls[at] ?? [])
        if (record.height + (grammar.height[to] as number) <= heightMax) queue.push(grammar.starts[rule] as number, push(to, node));
      if ((grammar.edges[at] as readonly unknown[]).length > 0) places.push(at, node);
    }
    if (places.length === 0 && !isComplete) return DEAD;
    const key = `${isComplete} ${places.join()}`;
    const known = stateIds.get(key);
    if (known !== undefined) return known;
    states.push({ places: Int32Array.from(places), isComplete, isFree, few: [], all: undefined });
    stateIds.set(key, states.length - 1);
    return states.length - 1;
  };

  const step = (state: number, symbol: number): number => {
    const record = states[state] as StateRecord;
    const { all, few } = record;
    if (all !== undefined) {
      const known = all[symbol] as number;
      return known === UNKNOWN ? learn(record, symbol) : known;
    }
    for (let index = 0; index < few.length; index += 2) if (few[index] === symbol) return few[index + 1] as number;
    return learn(record, symbol);
  };

  const learn = (record: StateRecord, symbol: number): number => {
    const { places, few } = record;
    const kernel: number[] = [];
    for (let index = 0; index < places.length; index += 2)
      for (const edge of grammar.edges[places[index] as number] ?? [])
        if (edge.low <= symbol && symbol <= edge.high) kernel.push(edge.to, places[index + 1] as number);
    const to = kernel.length === 0 ? DEAD : close(kernel);
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
  };

  const ending = (state: number): readonly number[] | undefined => {
    const { places, isComplete } = states[state] as StateRecord;
    if (isComplete) return [];
    let least = Number.POSITIVE_INFINITY;
    let best = 0;
    for (let index = 0; index < places.length; index += 2) {
      const record = stack[places[index + 1] as number] as StackNode;
      const distance = (grammar.distance[places[index] as number] as number) + record.distance;
      if (distance >= least) continue;
      least = distance;
      best = index;
    }
    const symbols: number[] = [];
    let at = places[best] as number;
    let node = places[best + 1] as number;
    for (;;) {
      const left = grammar.distance[at] as number;
      if ((stack[node] as StackNode).height + (grammar.height[at] as number) > heightMax) return undefined;
      if (left === 0) {
        if (node === BOTTOM) return symbols;
        const record = stack[node] as StackNode;
        at = record.returnTo;
        node = record.below;
        continue;
      }
      const edge = grammar.edges[at]?.find(({ to }) => 1 + (grammar.distance[to] as number) === left);
      const skip = grammar.skips[at]?.find((to) => DETOUR + (grammar.distance[to] as number) === left);
      const call = grammar.calls[at]?.find(({ rule, to }) => distanceOf(rule) + (grammar.distance[to] as number) + DETOUR === left);
      if (edge !== undefined) {
        symbols.push(edge.low);
        at = edge.to;
      } else if (skip !== undefined) at = skip;
      else if (call !== undefined) {
        node = push(call.to, node);
        at = grammar.starts[call.rule] as number;
      } else return undefined;
    }
  };
  const distanceOf = (rule: number): number => grammar.distance[grammar.starts[rule] as number] as number;

  const stringRoom = (state: number): number => {
    const { places } = states[state] as StateRecord;
    // At a character's border stand the beginning of the next character and, where the string may end, the place itself, and nothing else.
    if (places.length === 0 || places.length > 4) return -1;
    const first = places[0] === grammar.characterStart ? 0 : 2;
    if (places[first] !== grammar.characterStart) return -1;
    const after = stack[places[first + 1] as number] as StackNode;
    const room = grammar.stringRoom[after.returnTo] ?? -1;
    if (room < 0) return -1;
    if (places.length === 4) {
      const other = 2 - first;
      if (grammar.stringRoom[places[other] as number] !== room + 1 || places[other + 1] !== after.below) return -1;
    }
    return room + 1;
  };

  const automaton = {
    start: 0,
    step,
    isComplete: (state: number) => (states[state] as StateRecord).isComplete,
    isFree: (state: number) => (states[state] as StateRecord).isFree,
    ending,
    stringRoom,
    roomInside: (state: number) => {
      const border = stringRoom(state);
      if (border >= 0) return border;
      const { places } = states[state] as StateRecord;
      if (places.length !== 2) return -1;
      // Either within a character, whose caller waits on the stack, or at the very end of a full string.
      const own = grammar.stringRoom[places[0] as number] ?? -1;
      const returnTo = (stack[places[1] as number] as StackNode).returnTo;
      return own >= 0 ? own : returnTo >= 0 ? (grammar.stringRoom[returnTo] ?? -1) : -1;
    },
    get stateCount() {
      return states.length;
    },
    placesOf: (state: number) => {
      const { places } = states[state] as StateRecord;
      const found: Place[] = [];
      for (let index = 0; index < places.length; index += 2) {
        const returns: number[] = [];
        for (let node = places[index + 1] as number; node !== BOTTOM; node = (stack[node] as StackNode).below)
          returns.push((stack[node] as StackNode).returnTo);
        found.push({ at: places[index] as number, returns });
      }
      return found;
    },
    adopt: (places: readonly Place[], isComplete: boolean) => {
      const kernel: number[] = [];
      for (const { at, returns } of places)
        kernel.push(
          at,
          returns.reduceRight((below, returnTo) => push(returnTo, below), BOTTOM),
        );
      return close(kernel, isComplete);
    },
  };
  close([grammar.starts[grammar.root] as number, BOTTOM]);
  return automaton;
}

function isBareEnd(grammar: Grammar, state: number): boolean {
  const isBare = grammar.isEnd[state] && grammar.edges[state]?.length === 0 && grammar.skips[state]?.length === 0;
  return isBare === true && grammar.calls[state]?.length === 0;
}

/** The symbol of the n-th mark. */
export const markSymbol = (index: number): number => FIRST_MARK + index;
