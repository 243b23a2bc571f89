import { CoxswainError } from '../../../core/errors.ts';
import type { GrammarBuilder } from './grammar.ts';
import { type AnchoredPattern, type Pattern, parsePattern } from './pattern-parse.ts';
import { ANY_CHARACTER, type CharacterSet, characterRule } from './string-grammar.ts';

/** A nondeterministic automaton over characters. */
interface CharacterNet {
  readonly skips: number[][];
  readonly steps: { readonly set: CharacterSet; readonly to: number }[][];
  readonly start: number;
  readonly end: number;
}

const NET_STATES_MAX = 4_000;
/** Places of the net times lengths of the text. */
const PRODUCT_MAX = 100_000;

/**
 * A JSON string of min..max characters that matches a pattern: the pattern's automaton side by side with a counter. A maximum that would take
 * too many states is lowered, which leaves fewer texts, all of them valid. Errors: SCHEMA_REFUSED (see `parsePattern`; a pattern that is too large).
 */
export function patternRule(builder: GrammarBuilder, source: string, min: number, max: number, place: string): number {
  const net = netOf(parsePattern(source, place), place);
  // Never below the shortest match: most of the product of a long pattern is out of reach, and what is not is bounded by the states of the grammar.
  const longest = Math.min(max, Math.max(Math.floor(PRODUCT_MAX / net.steps.length), shortestMatch(net)));
  if (min > longest) {
    const message = `${place}: a pattern of this size together with a minLength of ${min} is too much. Make one of them smaller.`;
    throw new CoxswainError('SCHEMA_REFUSED', message);
  }
  return builder.rule(`pattern ${min} ${longest} ${source}`, (start) => {
    const end = builder.state();
    builder.end(end);
    const known = new Map<number, number>();
    const queue: (readonly [place: number, length: number, state: number])[] = [];
    const stateAt = (at: number, length: number): number => {
      const key = length * net.steps.length + at;
      const state = known.get(key) ?? builder.state();
      if (!known.has(key)) queue.push([at, length, state]);
      known.set(key, state);
      return state;
    };
    builder.edge(start, 0x22, 0x22, stateAt(net.start, 0));
    for (let next = 0; next < queue.length; next += 1) {
      const [at, length, state] = queue[next] ?? [0, 0, 0];
      if (at === net.end && length >= min) builder.edge(state, 0x22, 0x22, end);
      for (const to of net.skips[at] ?? []) builder.skip(state, stateAt(to, length));
      if (length === longest) continue;
      for (const { set, to } of net.steps[at] ?? []) builder.call(state, characterRule(builder, set), stateAt(to, length + 1));
    }
  });
}

/** In characters; 0 where nothing matches. */
function shortestMatch({ skips, steps, start, end }: CharacterNet): number {
  const seen = new Set([start]);
  let places = [start];
  for (let length = 0; places.length > 0; length += 1) {
    // Grows while it is walked: what is reached without a character.
    for (const at of places) {
      for (const to of skips[at] ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        places.push(to);
      }
    }
    if (seen.has(end)) return length;
    places = places.flatMap((at) => (steps[at] ?? []).map(({ to }) => to)).filter((to) => !seen.has(to) && seen.add(to));
  }
  return 0;
}

function netOf({ pattern, atStart, atEnd }: AnchoredPattern, place: string): CharacterNet {
  const skips: number[][] = [];
  const steps: { readonly set: CharacterSet; readonly to: number }[][] = [];
  const state = (): number => {
    if (steps.length >= NET_STATES_MAX)
      throw new CoxswainError('SCHEMA_REFUSED', `${place}: the pattern needs more than ${NET_STATES_MAX} states. Repeat less in it.`);
    skips.push([]);
    steps.push([]);
    return steps.length - 1;
  };
  /** Adds a pattern behind a state; answers the state behind it. */
  const add = (from: number, part: Pattern): number => {
    switch (part.kind) {
      case 'set': {
        const to = state();
        if (part.set.length > 0) steps[from]?.push({ set: part.set, to });
        return to;
      }
      case 'row':
        return part.parts.reduce(add, from);
      case 'choice': {
        const to = state();
        for (const option of part.parts) {
          const begin = state();
          skips[from]?.push(begin);
          skips[add(begin, option)]?.push(to);
        }
        return to;
      }
      case 'repeat':
        return addRepeat(from, part.part, part.min, part.max);
    }
  };
  const addRepeat = (from: number, part: Pattern, min: number, max: number): number => {
    let at = from;
    for (let count = 0; count < min; count += 1) at = add(at, part);
    const to = state();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = state();
      skips[at]?.push(loop);
      skips[add(loop, part)]?.push(loop);
      skips[loop]?.push(to);
      return to;
    }
    for (let count = min; count < max; count += 1) {
      skips[at]?.push(to);
      at = add(at, part);
    }
    skips[at]?.push(to);
    return to;
  };
  const start = state();
  if (!atStart) steps[start]?.push({ set: ANY_CHARACTER, to: start });
  const begin = state();
  skips[start]?.push(begin);
  const end = add(begin, pattern);
  if (!atEnd) steps[end]?.push({ set: ANY_CHARACTER, to: end });
  return { skips, steps, start, end };
}
