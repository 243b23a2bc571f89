import { z } from 'zod';
import { CoxswainError } from '../../core/errors.ts';

/** The texts of a model's files, as they lie in its directory. */
export interface TokenizerFiles {
  /** `tokenizer.json`: vocabulary, merges, how text is cut and put together. */
  readonly tokenizer: string;
  /** `tokenizer_config.json`: names of the special tokens, the chat template. */
  readonly config: string;
  /** `generation_config.json`, where there is one: what ends an answer. */
  readonly generation?: string | undefined;
  /** `chat_template.jinja`, where there is one; it goes before the template of `tokenizer_config.json`. */
  readonly chatTemplate?: string | undefined;
}

const addedToken = z.looseObject({
  id: z.int().min(0).max(10_000_000),
  content: z.string().min(1).max(1_000),
  special: z.boolean().nullish(),
  lstrip: z.boolean().nullish(),
  rstrip: z.boolean().nullish(),
});
export type AddedToken = z.infer<typeof addedToken>;

const part = z.looseObject({ type: z.string() });
const part0 = part.nullish();

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedToken).max(100_000).nullish(),
  normalizer: part0,
  pre_tokenizer: part0,
  decoder: part0,
  model: z.looseObject({
    type: z.string().nullish(),
    vocab: z.unknown(),
    merges: z.array(z.unknown()).max(5_000_000).nullish(),
    unk_token: z.string().nullish(),
    byte_fallback: z.boolean().nullish(),
    end_of_word_suffix: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    continuing_subword_suffix: z.string().nullish(),
  }),
});
export type TokenizerFile = z.infer<typeof tokenizerSchema>;

/** Older files write a special token as an object, newer ones as its text. */
const namedToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configSchema = z.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  unk_token: namedToken,
  pad_token: namedToken,
  add_bos_token: z.boolean().nullish(),
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
});
const generationSchema = z.looseObject({ eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0)).max(1_000)]).nullish() });

/** What the files say, checked against each other. */
export interface TokenizerSpec {
  readonly file: TokenizerFile;
  /** Token to id, as `model.vocab` has it; the added tokens may be in it or not. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
  readonly bosToken: string | undefined;
  readonly unkToken: string | undefined;
  readonly addsBos: boolean;
  readonly eosIds: readonly number[];
  /** Texts by name of the special tokens, for the chat template. */
  readonly named: Readonly<Record<string, string>>;
  readonly chatTemplate: string | undefined;
}

const FILE_CHARS_MAX = 200_000_000;

/**
 * Reads and checks a tokenizer's files. `place` is what messages call the model.
 * Errors: MODEL_UNLOADABLE (not JSON, a part missing, ids that overlap, special tokens that the vocabulary lacks), MODEL_UNSUPPORTED (not byte-pair encoding).
 */
export function readTokenizerFiles(place: string, files: TokenizerFiles): TokenizerSpec {
  const file = parse(`${place}/tokenizer.json`, files.tokenizer, tokenizerSchema);
  const config = parse(`${place}/tokenizer_config.json`, files.config, configSchema);
  const generation = files.generation === undefined ? {} : parse(`${place}/generation_config.json`, files.generation, generationSchema);
  const vocab = vocabOf(place, file);
  const added = file.added_tokens ?? [];
  checkAdded(place, vocab, added);
  checkMerges(place, file, vocab);
  const textOf = (token: z.infer<typeof namedToken>) => (typeof token === 'string' ? token : (token?.content ?? undefined));
  const idOf = (text: string) => added.find((token) => token.content === text)?.id ?? vocab.get(text);
  const named: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const) {
    const text = textOf(config[name]);
    if (text === undefined) continue;
    if (idOf(text) === undefined)
      throw broken(`${place}/tokenizer_config.json`, `${name} is ${JSON.stringify(text)}, which tokenizer.json does not have`);
    named[name] = text;
  }
  const eosIds = new Set(listOf(generation.eos_token_id));
  const eosId = named.eos_token === undefined ? undefined : idOf(named.eos_token);
  if (eosId !== undefined) eosIds.add(eosId);
  const top = maxId(vocab, added);
  for (const id of eosIds)
    if (id > top) throw broken(`${place}/generation_config.json`, `eos_token_id ${id} is past the last token ${top} of tokenizer.json`);
  if (eosIds.size === 0)
    throw broken(place, 'neither eos_token of tokenizer_config.json nor eos_token_id of generation_config.json says what ends an answer');
  return {
    file,
    vocab,
    added,
    bosToken: named.bos_token,
    unkToken: file.model.unk_token ?? named.unk_token,
    addsBos: config.add_bos_token ?? false,
    eosIds: [...eosIds].sort((a, b) => a - b),
    named,
    chatTemplate: files.chatTemplate ?? templateOf(config.chat_template),
  };
}

function templateOf(value: z.infer<typeof configSchema>['chat_template']): string | undefined {
  if (typeof value === 'string') return value;
  return (value?.find((entry) => entry.name === 'default') ?? value?.[0])?.template;
}

function vocabOf(place: string, file: TokenizerFile): ReadonlyMap<string, number> {
  const { type, vocab } = file.model;
  if (type !== 'BPE' && !(type == null && file.model.merges != null)) {
    const message = `${place}/tokenizer.json: model.type is ${JSON.stringify(type)}; only "BPE" is possible. Use a model whose tokenizer is byte-pair encoding, as those of the Llama, Qwen and Gemma families are.`;
    throw new CoxswainError('MODEL_UNSUPPORTED', message);
  }
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab))
    throw broken(`${place}/tokenizer.json`, 'model.vocab is not an object of token to id');
  const map = new Map<string, number>();
  const taken = new Set<number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 10_000_000)
      throw broken(`${place}/tokenizer.json`, `the id of ${JSON.stringify(token)} is ${JSON.stringify(id)}, not a whole number from 0`);
    if (taken.has(id)) throw broken(`${place}/tokenizer.json`, `id ${id} is given twice, the second time to ${JSON.stringify(token)}`);
    taken.add(id);
    map.set(token, id);
  }
  if (map.size === 0) throw broken(`${place}/tokenizer.json`, 'model.vocab is empty');
  return map;
}

function checkAdded(place: string, vocab: ReadonlyMap<string, number>, added: readonly AddedToken[]): void {
  const byId = new Map<number, string>();
  for (const [token, id] of vocab) byId.set(id, token);
  const seen = new Set<string>();
  for (const token of added) {
    const other = byId.get(token.id);
    if (seen.has(token.content) || (other !== undefined && other !== token.content)) {
      const text = JSON.stringify(token.content);
      throw broken(
        `${place}/tokenizer.json`,
        `the added token ${text} has id ${token.id}, which is ${JSON.stringify(other ?? token.content)}`,
      );
    }
    seen.add(token.content);
    byId.set(token.id, token.content);
  }
}

/** A merge whose parts are not tokens means that vocabulary and merges are not of one tokenizer, or that the file was cut. */
function checkMerges(place: string, file: TokenizerFile, vocab: ReadonlyMap<string, number>): void {
  const merges = file.model.merges;
  if (merges == null) throw broken(`${place}/tokenizer.json`, 'model.merges is missing');
  for (const [index, merge] of merges.entries()) {
    const pair = mergePair(merge);
    if (pair === undefined) throw broken(`${place}/tokenizer.json`, `merge ${index} is ${JSON.stringify(merge)}, not two tokens`);
    if (!vocab.has(pair[0]) || !vocab.has(pair[1]))
      throw broken(`${place}/tokenizer.json`, `merge ${index} joins ${JSON.stringify(pair)}, which model.vocab lacks`);
  }
}

/** Newer files write a merge as two texts, older ones as one with a space between. */
export function mergePair(merge: unknown): readonly [string, string] | undefined {
  const parts = typeof merge === 'string' ? merge.split(' ') : merge;
  if (!Array.isArray(parts) || parts.length !== 2) return undefined;
  const [left, right] = parts;
  return typeof left === 'string' && typeof right === 'string' ? [left, right] : undefined;
}

export function maxId(vocab: ReadonlyMap<string, number>, added: readonly AddedToken[]): number {
  let max = 0;
  for (const id of vocab.values()) if (id > max) max = id;
  for (const token of added) if (token.id > max) max = token.id;
  return max;
}

const listOf = (value: number | readonly number[] | null | undefined): readonly number[] =>
  value == null ? [] : typeof value === 'number' ? [value] : value;

function parse<T>(place: string, text: string, schema: z.ZodType<T>): T {
  if (text.length > FILE_CHARS_MAX) throw broken(place, `it has ${text.length} characters, more than ${FILE_CHARS_MAX}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw broken(place, 'it is not JSON, or cut off', cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw broken(place, problems.join('; '));
}

const broken = (place: string, problem: string, cause?: unknown): CoxswainError =>
  new CoxswainError('MODEL_UNLOADABLE', `${place}: ${problem}. Obtain the model's files again from one place.`, { cause });
