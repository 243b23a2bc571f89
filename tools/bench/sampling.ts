/**
 * What choosing a token costs: `npx tsx tools/bench/sampling.ts [--json] [--rounds n] [--tokenizer directory]`. The sampler beside one that sorts the whole
 * vocabulary, and masks of a schema beside ones made by trying every token, each pair taking turns in one run. Vocabularies are made up (bytes and words of random
 * letters) at three sizes, or read from a model's directory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Prng } from '../../src/core/prng.ts';
import { idsOf } from '../../src/models/language/allowed-tokens.ts';
import { type Constraint, type ConstraintOptions, createConstraintCompiler } from '../../src/models/language/constraint/constraint.ts';
import { createSampler } from '../../src/models/language/sampler.ts';
import { readSamplingOptions, type SamplingOptions } from '../../src/models/language/sampling-options.ts';
import { createTokenizer } from '../../src/models/language/tokenizer.ts';
import type { Vocabulary } from '../../src/models/language/vocabulary.ts';

const WAYS: Readonly<Record<string, Record<string, unknown>>> = {
  greedy: { temperature: 0 },
  'temperature 0.7, top-k 40, top-p 0.95': { temperature: 0.7, topK: 40, topP: 0.95 },
  'temperature 0.7, top-p 0.9': { temperature: 0.7, topP: 0.9 },
  'temperature 1': {},
  'top-k 40, repetition penalty 1.1': { topK: 40, repetitionPenalty: 1.1 },
};

const TOOLS: ConstraintOptions = {
  kind: 'tools',
  choice: 'required',
  tools: Array.from({ length: 20 }, (_, index) => ({
    name: `set_thing_${index}`,
    parameters: {
      type: 'object',
      properties: {
        seat: { enum: ['driver', 'passenger', 'rear_left', 'rear_right'] },
        level: { type: 'integer', minimum: 0, maximum: 3 },
        percent: { type: 'number', minimum: 0, maximum: 100 },
        text: { type: 'string', maxLength: 200 },
      },
      required: ['seat', 'text'],
    },
  })),
};

interface Row {
  readonly what: string;
  readonly tokens: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly plainUs: number;
}

/** Bytes, then words of random letters of the lengths that byte-pair encoding has, then what ends an answer. */
function madeUpVocabulary(size: number): Vocabulary {
  const prng = new Prng(`vocabulary ${size}`);
  const letters = 'etaoinshrdlucmwfgypbvkjxqz0123456789{}[]":,. _-';
  const seen = new Set<string>();
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  while (bytes.length < size - 1) {
    const length = Math.min(2 + Math.floor(-Math.log(1 - prng.ratio()) * 4), 30);
    const isWord = prng.chance(0.85);
    const word =
      (prng.chance(0.5) ? ' ' : '') + Array.from({ length }, () => letters[prng.integer(0, isWord ? 25 : letters.length - 1)]).join('');
    if (seen.has(word)) continue;
    seen.add(word);
    bytes.push(Buffer.from(word));
  }
  bytes.push(Buffer.from('<end>'));
  return {
    size,
    bosId: undefined,
    eosIds: [size - 1],
    dropsFirstSpace: false,
    controls: new Map([['<end>', size - 1]]),
    kindOf: (id) => (id === size - 1 ? 'special' : 'text'),
    bytesOf: (id) => bytes[id] ?? new Uint8Array(0),
  };
}

/** Logits as models give them: most in a broad heap, a few far above. */
function logitsOf(size: number, prng: Prng): Float32Array {
  const logits = new Float32Array(size);
  for (let id = 0; id < size; id += 1) {
    const normal = Math.sqrt(-2 * Math.log(1 - prng.ratio())) * Math.cos(2 * Math.PI * prng.ratio());
    logits[id] = 2.5 * normal;
  }
  for (let count = 0; count < 50; count += 1) logits[prng.integer(0, size - 1)] = 8 + 6 * prng.ratio();
  return logits;
}

/** The plain way: everything sorted, everything exponentiated. */
function chooseBySorting(logits: Float32Array, options: SamplingOptions, seen: ReadonlySet<number>, prng: Prng): number {
  const scores = Array.from(logits, (logit, id) => {
    if (!seen.has(id)) return logit;
    return logit < 0 ? logit * options.repetitionPenalty : logit / options.repetitionPenalty;
  });
  const order = scores.map((_, id) => id).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  if (options.temperature === 0) return order[0] ?? 0;
  const kept = options.topK > 0 ? order.slice(0, options.topK) : order;
  const top = scores[kept[0] ?? 0] ?? 0;
  const weights = kept.map((id) => Math.exp(((scores[id] ?? 0) - top) / options.temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  const count = weights.findIndex((weight) => {
    mass += weight;
    return mass >= options.topP * total;
  });
  let left = prng.ratio() * mass;
  const place = weights.findIndex((weight, index) => {
    left -= weight;
    return left < 0 || index === count;
  });
  return kept[place] ?? 0;
}

const timed = (work: () => unknown): number => {
  const before = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - before) / 1000;
};

const summary = (times: readonly number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (ratio: number) => sorted[Math.floor(sorted.length * ratio)] ?? Number.NaN;
  return { p50Us: quantile(0.5), p99Us: quantile(0.99) };
};

function measureSampler(vocabulary: Vocabulary, rounds: number): Row[] {
  const prng = new Prng('sampling bench');
  const draws = Array.from({ length: 8 }, () => logitsOf(vocabulary.size, prng));
  return Object.entries(WAYS).map(([what, given]) => {
    const options = readSamplingOptions(given);
    const sampler = createSampler(options, vocabulary.size);
    const seen = new Set(Array.from({ length: 500 }, () => prng.integer(0, vocabulary.size - 1)));
    for (const id of seen) sampler.note(id, false);
    const ours: number[] = [];
    const plain: number[] = [];
    for (let round = -10; round < rounds; round += 1) {
      const logits = draws[(round + 16) % draws.length] ?? new Float32Array(0);
      const us = timed(() => sampler.choose(logits));
      // Sorting takes so long that every tenth round is enough to know it.
      const plainUs = round % 10 === 0 ? timed(() => chooseBySorting(logits, options, seen, prng)) : undefined;
      if (round < 0) continue;
      ours.push(us);
      if (plainUs !== undefined) plain.push(plainUs);
    }
    return { what: `sampler: ${what}`, tokens: vocabulary.size, ...summary(ours), plainUs: summary(plain).p50Us };
  });
}

/** Which tokens may follow, by trying each. */
function maskByTrying(constraint: Constraint, vocabulary: Vocabulary): number {
  let count = 0;
  for (let id = 0; id < vocabulary.size; id += 1) if (constraint.fits(id, 1_000_000)) count += 1;
  return count;
}

function measureMasks(vocabulary: Vocabulary, answers: number): Row[] {
  const compiler = createConstraintCompiler(vocabulary);
  const compileUs = timed(() => compiler.begin(TOOLS));
  const first: number[] = [];
  const again: number[] = [];
  const plain: number[] = [];
  for (let answer = 0; answer < answers; answer += 1) {
    const prng = new Prng(`answer ${answer}`);
    const constraint = compiler.begin(TOOLS);
    for (let left = 300; left > 0 && !constraint.isDone; left -= 1) {
      const allowed = constraint.allowed();
      if (allowed === undefined) break;
      const ids = [...idsOf(allowed)];
      let id = ids[prng.integer(0, ids.length - 1)] ?? 0;
      if (!constraint.fits(id, left - 1)) {
        const within = [...idsOf(constraint.allowedWithin(left - 1))];
        id = within[prng.integer(0, within.length - 1)] ?? id;
      }
      if (vocabulary.eosIds.includes(id)) break;
      if (left % 25 === 0) plain.push(timed(() => maskByTrying(constraint, vocabulary)));
      const stepUs = timed(() => {
        constraint.accept(id);
        constraint.allowed();
      });
      (answer < answers / 2 ? first : again).push(stepUs);
    }
  }
  const plainUs = summary(plain).p50Us;
  return [
    {
      what: 'constraint: token tree and grammar, once for a model',
      tokens: vocabulary.size,
      p50Us: compileUs,
      p99Us: compileUs,
      plainUs: Number.NaN,
    },
    { what: 'constraint: token and mask, first half of the answers', tokens: vocabulary.size, ...summary(first), plainUs },
    { what: 'constraint: token and mask, second half', tokens: vocabulary.size, ...summary(again), plainUs },
  ];
}

function vocabulariesOf(directory: string | undefined): readonly Vocabulary[] {
  if (directory === undefined) return [4_096, 49_152, 151_936].map(madeUpVocabulary);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return [createTokenizer(directory, { tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json') }).vocabulary];
}

const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string' }, tokenizer: { type: 'string' } } });
const rounds = Number(values.rounds ?? 200);
const rows = vocabulariesOf(values.tokenizer).flatMap((vocabulary) => [
  ...measureSampler(vocabulary, rounds),
  ...measureMasks(vocabulary, Math.max(4, rounds / 10)),
]);
if (values.json) console.log(JSON.stringify(rows, null, 2));
else
  console.table(
    rows.map(({ what, tokens, p50Us, p99Us, plainUs }) => ({
      what,
      tokens,
      'median us': Number(p50Us.toFixed(1)),
      'p99 us': Number(p99Us.toFixed(1)),
      'plain way us': Number(plainUs.toFixed(0)),
      'times faster': Number((plainUs / p50Us).toFixed(1)),
    })),
  );
