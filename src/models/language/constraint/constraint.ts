import { z } from 'zod';
import { assert } from '../../../core/assert.ts';
import { CoxswainError } from '../../../core/errors.ts';
import { type AllowedTokens, allowedFromBits, idsOf } from '../allowed-tokens.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { Automaton, DEAD, markSymbol } from './automaton.ts';
import { createEndings, type Endings } from './endings.ts';
import { createGrammarBuilder, type Grammar } from './grammar.ts';
import { schemaRule } from './schema-grammar.ts';
import { checkSchemaSize, SCHEMA_LIMITS, type SchemaLimits } from './schema-limits.ts';
import { anyCharacterRule } from './string-grammar.ts';
import { createTokenMasks, type StateMasks } from './token-masks.ts';
import { freeWithToolsRule, type ToolMarks, toolCallsRule } from './tool-grammar.ts';

/** What tool calls stand between where nothing else is said: as Qwen's and Hermes' models were trained, and the one that ships. */
const TOOL_MARKS = { open: '<tool_call>', close: '</tool_call>' };

/** The marks of a constraint's tool calls. */
export const toolMarksOf = ({ open, close }: { readonly open?: string | undefined; readonly close?: string | undefined }) => ({
  open: open ?? TOOL_MARKS.open,
  close: close ?? TOOL_MARKS.close,
});

const toolSchema = z.strictObject({ name: z.string(), parameters: z.unknown().optional() });

const constraintSchema = z.discriminatedUnion('kind', [
  /** The whole answer is a JSON value of `schema`; any object where it is left out. */
  z.strictObject({ kind: z.literal('json'), schema: z.unknown().optional(), spaceMax: z.union([z.literal(0), z.literal(1)]).default(0) }),
  /**
   * Tool calls: `auto` leaves text free and holds what follows an opening mark to the tools, `required` has nothing but calls, `{ name }` one tool. `callsMax` bounds
   * the calls of an answer where they are required.
   */
  z.strictObject({
    kind: z.literal('tools'),
    tools: z.array(toolSchema).readonly(),
    choice: z.union([z.enum(['auto', 'required']), z.strictObject({ name: z.string() })]).default('auto'),
    callsMax: z.int().min(1).max(32).default(1),
    open: z.string().min(1).max(100).default(TOOL_MARKS.open),
    close: z.string().min(1).max(100).default(TOOL_MARKS.close),
    spaceMax: z.union([z.literal(0), z.literal(1)]).default(0),
  }),
]);

/** What an answer is held to. Plain data: it crosses to the process that decodes. */
export type ConstraintOptions = z.input<typeof constraintSchema>;
type ConstraintSpec = z.infer<typeof constraintSchema>;

/** One answer on its way. */
export interface Constraint {
  /** Whether the answer may end here. */
  readonly isComplete: boolean;
  /** Whether nothing but its end can follow. */
  readonly isDone: boolean;
  /** As many tokens as are certain to make the answer valid, the one that ends it not counted. */
  readonly tokensToEnd: number;
  /** The tokens that may follow; undefined: all. */
  allowed(): AllowedTokens | undefined;
  /** Those of them after which the answer can still be made valid with `tokensLeft` tokens. Looks at each; for the last stretch of an answer alone. */
  allowedWithin(tokensLeft: number): AllowedTokens;
  /** Whether the answer could be made valid with `tokensLeft` tokens after this one. */
  fits(id: number, tokensLeft: number): boolean;
  /** Goes on by a token that is allowed. */
  accept(id: number): void;
}

export interface ConstraintCompiler {
  /** Begins an answer. The same options are compiled once. Errors: SCHEMA_REFUSED, PROMPT_REFUSED (options that are none). */
  begin(options: ConstraintOptions): Constraint;
}

interface Compiled extends Network {
  readonly grammar: Grammar;
  readonly markIds: readonly number[];
}

/** What grows with use, and is begun anew when it has grown too large. */
interface Network {
  automaton: Automaton;
  masks: StateMasks;
  endings: Endings;
}
type MakeNetwork = (grammar: Grammar, markIds: readonly number[]) => Network;

/** Constraints that are kept compiled: those of a few clients with a few tool sets each. Some 20 MB each at most, masks included. */
const COMPILED_MAX = 8;
/** How deep values may lie in values, in calls of the grammar: some 60 nested arrays. */
const HEIGHT_MAX = 64;
/** From here on an automaton is left behind and begun anew: some 10 MB. */
const STATES_MAX = 8_192;

/**
 * Compiles constraints for a vocabulary. Errors: MODEL_UNSUPPORTED, when a constraint is asked for, if the vocabulary has no token for some single byte: then there might
 * be no way on.
 */
export function createConstraintCompiler(vocabulary: Vocabulary, limits: SchemaLimits = SCHEMA_LIMITS): ConstraintCompiler {
  const compiled = new Map<string, Compiled>();
  let tokenMasks: ReturnType<typeof createTokenMasks> | undefined;

  const makeNetwork: MakeNetwork = (grammar, markIds) => {
    if (tokenMasks === undefined) {
      checkSingleBytes(vocabulary);
      tokenMasks = createTokenMasks(vocabulary);
    }
    const automaton = new Automaton(grammar, { heightMax: HEIGHT_MAX });
    return { automaton, masks: tokenMasks.masksOf(automaton, markIds), endings: createEndings(automaton, tokenMasks.trie, markIds) };
  };

  const compile = (spec: ConstraintSpec): Compiled => {
    const key = JSON.stringify(spec);
    const known = compiled.get(key);
    compiled.delete(key);
    const made = known ?? compileNew(spec);
    compiled.set(key, made);
    for (const oldest of compiled.keys()) if (compiled.size > COMPILED_MAX) compiled.delete(oldest);
    return made;
  };

  const compileNew = (spec: ConstraintSpec): Compiled => {
    const { grammar, markIds } = grammarOf(spec, vocabulary, limits);
    return { grammar, markIds, ...makeNetwork(grammar, markIds) };
  };

  return {
    begin: (options) => {
      checkSchemaSize(options, limits);
      const spec = constraintSchema.safeParse(options);
      if (!spec.success) {
        const problems = spec.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'constraint'}: ${issue.message}`);
        throw new CoxswainError('PROMPT_REFUSED', `${problems.join('; ')}. Correct what the answer is to be held to.`);
      }
      return createConstraint(compile(spec.data), vocabulary, makeNetwork);
    },
  };
}

function grammarOf(
  spec: ConstraintSpec,
  vocabulary: Vocabulary,
  limits: SchemaLimits,
): { readonly grammar: Grammar; readonly markIds: readonly number[] } {
  const builder = createGrammarBuilder();
  const options = { limits, spaceMax: spec.spaceMax };
  const character = anyCharacterRule(builder);
  if (spec.kind === 'json') {
    const root = schemaRule(builder, spec.schema ?? { type: 'object' }, options);
    return { grammar: builder.finish(root, character), markIds: [] };
  }
  const openId = vocabulary.controls.get(spec.open);
  const closeId = vocabulary.controls.get(spec.close);
  const isControl = openId !== undefined && closeId !== undefined;
  const marks: ToolMarks = { open: spec.open, close: spec.close, isControl };
  const { choice } = spec;
  const wanted = typeof choice === 'string' ? spec.tools : spec.tools.filter((tool) => tool.name === choice.name);
  if (typeof choice === 'object' && wanted.length === 0)
    throw new CoxswainError(
      'SCHEMA_REFUSED',
      `the tool ${JSON.stringify(choice.name)} was chosen, which is not among those given. Give it, or choose another.`,
    );
  const root =
    choice === 'auto' ? freeWithToolsRule(builder, wanted, marks, options) : toolCallsRule(builder, wanted, marks, spec.callsMax, options);
  return { grammar: builder.finish(root, character), markIds: isControl ? [openId, closeId] : [] };
}

function createConstraint(compiled: Compiled, vocabulary: Vocabulary, makeNetwork: MakeNetwork): Constraint {
  let { automaton, masks, endings } = compiled;
  const { markIds } = compiled;
  let state = automaton.start;
  /** Tokens that would end the answer from here, the end itself left out; what is followed when there is no room for anything else. */
  let plan = endings.of(state);

  /** The state after a token; DEAD when it cannot follow. Control tokens that mean nothing to the grammar change nothing in free text. */
  const after = (id: number): number => {
    if (vocabulary.kindOf(id) === 'text') {
      let at = state;
      for (const byte of vocabulary.bytesOf(id)) {
        at = automaton.step(at, byte);
        if (at === DEAD) return DEAD;
      }
      return at;
    }
    const mark = markIds.indexOf(id);
    const next = mark < 0 ? DEAD : automaton.step(state, markSymbol(mark));
    return next === DEAD && automaton.isFree(state) ? state : next;
  };

  const isEnd = (id: number) => vocabulary.eosIds.includes(id) && automaton.isComplete(state);
  const fits = (id: number, tokensLeft: number): boolean => {
    if (isEnd(id) || (id === plan[0] && plan.length - 1 <= tokensLeft)) return true;
    const next = after(id);
    return next !== DEAD && endings.of(next).length <= tokensLeft;
  };

  const renew = (): void => {
    const fresh = makeNetwork(compiled.grammar, markIds);
    state = fresh.automaton.adopt(automaton.placesOf(state), automaton.isComplete(state));
    assert(state !== DEAD, 'a constraint goes on in a new automaton');
    ({ automaton, masks, endings } = fresh);
    Object.assign(compiled, fresh);
  };

  return {
    get isComplete() {
      return automaton.isComplete(state);
    },
    get isDone() {
      if (!automaton.isComplete(state) || automaton.isFree(state)) return false;
      return masks.allowed(state).count === vocabulary.eosIds.length;
    },
    get tokensToEnd() {
      return plan.length;
    },
    allowed: () => (automaton.isFree(state) ? undefined : masks.allowed(state)),
    allowedWithin: (tokensLeft) => {
      const bits = new Uint32Array(Math.ceil(vocabulary.size / 32));
      for (const id of idsOf(masks.allowed(state))) if (fits(id, tokensLeft)) bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
      return allowedFromBits(bits);
    },
    fits,
    accept: (id) => {
      if (isEnd(id)) return;
      const next = after(id);
      assert(next !== DEAD, 'a constraint goes on by tokens that it allows', id);
      const fresh = endings.of(next);
      // The way that was planned before may be shorter than the one found anew, and it is still a way.
      plan = id === plan[0] && plan.length - 1 < fresh.length ? plan.slice(1) : fresh;
      state = next;
      if (automaton.stateCount > STATES_MAX) renew();
    },
  };
}

/** Bytes that JSON text is made of: what ASCII prints, and those of UTF-8 (0xc0, 0xc1 and 0xf5 up never come). */
function checkSingleBytes(vocabulary: Vocabulary): void {
  const isThere = new Uint8Array(256);
  for (let id = 0; id < vocabulary.size; id += 1) {
    if (vocabulary.kindOf(id) !== 'text') continue;
    const bytes = vocabulary.bytesOf(id);
    if (bytes.length === 1) isThere[bytes[0] ?? 0] = 1;
  }
  for (let byte = 0x20; byte <= 0xf4; byte += 1) {
    if (isThere[byte] === 1 || byte === 0x7f || byte === 0xc0 || byte === 0xc1) continue;
    const message = `the vocabulary has no token for the byte 0x${byte.toString(16)}, so answers cannot be held to a schema. Use a model with a byte-level tokenizer, or one with byte fallback.`;
    throw new CoxswainError('MODEL_UNSUPPORTED', message);
  }
}
