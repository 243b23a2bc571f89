import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Prng } from '../../src/core/prng.ts';
import { learnBpe } from './bpe.ts';
import { createDialogues, type Document } from './dialogue.ts';
import { drawDrill } from './drills.ts';
import { splitTemplates } from './intents.ts';
import { drawLoss } from './loss-picture.ts';
import type { Message } from './message.ts';
import { generationConfig, modelConfig, SHAPE, SPECIAL_TOKENS, tokenizerConfig, tokenizerJson } from './model-files.ts';
import { createPacker } from './pack.ts';

const HELP = `Usage: npx tsx tools/train-cockpit-lm/main.ts --out DIR [options]
       npx tsx tools/train-cockpit-lm/main.ts --draw-loss LOG --out FILE.svg

Writes what train.py needs into DIR: model/ (tokenizer and configurations), train.tokens (16 bits a token: 14 of id, 2 of weight), train.lengths (32 bits a
conversation), heldout.jsonl.

  --out DIR         where to write; made if missing
  --documents N     conversations to train on (default 200000)
  --heldout N       held-out conversations to judge by (default 4000)
  --drills SHARE    so much of the conversations are exercises in copying (default 0.1; more, such as 0.4, to begin with)
  --look-ups SHARE  so much of them are many questions about one situation (default 0.25)
  --wide SHARE      so much of what is said is of the further phrases, rephrased, with near misses (default 0); the held-out conversations stay the same
  --seed S          of everything (default 1)
  --tokenizer FILE  use this tokenizer.json instead of learning one, so that training can go on
  --draw-loss LOG   draws the log.csv of train.py instead
`;

/** With the special tokens; a multiple of 64. */
const VOCABULARY = 2560;

/** Conversations that the tokenizer learns from. */
const TOKENIZER_DOCUMENTS = 20_000;

/** Common words that take their space along. */
const SPACED_WORDS = 420;

/** A sentence without what does not change its words. */
const bareText = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s.,!?。，！？]+/gu, ' ')
    .trim();

/** Token ids stay below 2^14; the weight stands above them. */
const WEIGHT_SHIFT = 14;

interface Wanted {
  readonly documents: number;
  readonly heldOut: number;
  /** 0..1 */
  readonly drills: number;
  /** 0..1 */
  readonly lookUps: number;
  /** 0..1 */
  readonly wide: number;
  readonly seed: string;
  readonly tokenizerFile: string | undefined;
}

function prepare(directory: string, { documents, heldOut, drills, lookUps, wide, seed, tokenizerFile }: Wanted): void {
  const modelDirectory = join(directory, 'model');
  mkdirSync(modelDirectory, { recursive: true });
  const dialogues = createDialogues(splitTemplates(), wide);
  const random = new Prng(seed);
  const drawTrain = (index: number): Document => dialogues.train(random.fork(`train/${index}`));
  const json =
    tokenizerFile === undefined
      ? learnTokenizer(Array.from({ length: TOKENIZER_DOCUMENTS }, (_, index) => drawTrain(index)))
      : (JSON.parse(readFileSync(tokenizerFile, 'utf8')) as object);
  const config = tokenizerConfig(SHAPE.contextTokens);
  const files = {
    'tokenizer.json': json,
    'tokenizer_config.json': config,
    'config.json': modelConfig(VOCABULARY),
    'generation_config.json': generationConfig(VOCABULARY),
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(modelDirectory, name), `${JSON.stringify(content, undefined, name === 'tokenizer.json' ? 0 : 1)}\n`);

  const packer = createPacker(json, config);
  const tokens = openSync(join(directory, 'train.tokens'), 'w');
  const lengths = new Uint32Array(documents);
  const heard = new Set<string>();
  const kept = wide > 0 ? heldOutSentences(dialogues, heldOut) : new Set<string>();
  let total = 0;
  for (let index = 0; index < documents; index += 1) {
    const prng = random.fork(`drill/${index}`);
    const kind = prng.ratio();
    const draw = (random: Prng): readonly Message[] =>
      kind < drills ? drawDrill(prng) : kind < drills + lookUps ? dialogues.trainLookUps(prng).messages : dialogues.train(random).messages;
    let messages = draw(random.fork(`train/${index}`));
    // More ways to speak find more sentences of the held-out split by chance: a conversation that says one is drawn anew.
    for (let attempt = 1; messages.some(({ role, content }) => role === 'user' && kept.has(bareText(content))); attempt += 1)
      messages = draw(random.fork(`train/${index}/${attempt}`));
    for (const { role, content } of messages) if (role === 'user') heard.add(bareText(content));
    const { ids, weights } = packer.pack(messages);
    writeSync(
      tokens,
      Uint16Array.from(ids, (id, at) => id | ((weights[at] ?? 0) << WEIGHT_SHIFT)),
    );
    lengths[index] = ids.length;
    total += ids.length;
  }
  closeSync(tokens);
  writeFileSync(join(directory, 'train.lengths'), lengths);
  const lines: string[] = [];
  let dropped = 0;
  for (let index = 0; lines.length < heldOut; index += 1) {
    const document = dialogues.heldOut(new Prng(`heldout/${index}`));
    // Two templates may give one sentence: what training has heard by chance is not held out.
    if (heard.has(bareText(document.messages.at(-2)?.content ?? ''))) dropped += 1;
    else lines.push(JSON.stringify({ ...document, ...packer.packForEvaluation(document) }));
  }
  writeFileSync(join(directory, 'heldout.jsonl'), `${lines.join('\n')}\n`);
  const sorted = lengths.toSorted();
  process.stdout.write(
    `${documents} conversations, ${total} tokens, median ${sorted[documents >> 1]}, longest ${sorted.at(-1)}; ${heldOut} held out, ${dropped} more dropped because training says them too\n`,
  );
}

/** The sentences of twice as many held-out conversations as are wanted, since some of them are dropped. */
function heldOutSentences(dialogues: ReturnType<typeof createDialogues>, heldOut: number): ReadonlySet<string> {
  const documents = Array.from({ length: 2 * heldOut }, (_, index) => dialogues.heldOut(new Prng(`heldout/${index}`)));
  return new Set(documents.map(({ messages }) => bareText(messages.at(-2)?.content ?? '')));
}

function learnTokenizer(documents: readonly Document[]): object {
  const texts = documents.flatMap(({ messages }) => messages.map(({ content }) => content.replaceAll(/<\/?tool_call>/gu, '\n')));
  const bpe = learnBpe([...texts, 'system\n', 'user\n', 'assistant\n', 'tool\n'], VOCABULARY - SPECIAL_TOKENS.length, SPACED_WORDS);
  return tokenizerJson(bpe);
}

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    documents: { type: 'string', default: '200000' },
    heldout: { type: 'string', default: '4000' },
    drills: { type: 'string', default: '0.1' },
    'look-ups': { type: 'string', default: '0.25' },
    wide: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    tokenizer: { type: 'string' },
    'draw-loss': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help || options.out === undefined) {
  process.stdout.write(HELP);
  process.exitCode = options.help ? 0 : 2;
} else if (options['draw-loss'] !== undefined) {
  writeFileSync(options.out, drawLoss(readFileSync(options['draw-loss'], 'utf8')));
} else {
  prepare(options.out, {
    documents: Number(options.documents),
    heldOut: Number(options.heldout),
    drills: Number(options.drills),
    lookUps: Number(options['look-ups']),
    wide: Number(options.wide),
    seed: options.seed,
    tokenizerFile: options.tokenizer,
  });
}
