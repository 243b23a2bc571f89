import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/core/errors.ts';
import { type Figures, figuresOf, type HeldOut, isRight, type Judged, messagesOf, type Share, wantedOf } from './judge.ts';
import { createSpeaker, type Speaker } from './speaker.ts';

const HELP = `Usage: npx tsx tools/evaluate-assistant/main.ts --data DIR [options]

Judges a language model of the cockpit on held-out conversations through the runtime itself: our tokenizer, chat template, conversation desk, scheduler and a core process that decodes. The
figures are those of tools/train-cockpit-lm/evaluate.py, which judges the same conversations in PyTorch.

  --data DIR       where tools/train-cockpit-lm wrote heldout.jsonl
  --model DIR      the model (default: the shipped one, models/cockpit-lm)
  --variant NAMES  fp32, q4, or both (default fp32,q4)
  --count N        conversations, from the first (default 600)
  --wrong N        so many wrong answers are shown (default 0)
  --json           figures as one JSON object on standard output
`;

/** As evaluate.py: longer answers are cut off, and prompts that leave no room for one are left out. */
const ANSWER_TOKENS = 96;
/** Conversations asked at once, so that the core does not wait for this process. */
const AT_ONCE = 4;
const BAR_WIDTH = 40;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: fileURLToPath(new URL('../../models/cockpit-lm', import.meta.url)) },
    variant: { type: 'string', default: 'fp32,q4' },
    count: { type: 'string', default: '600' },
    wrong: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || values.data === undefined) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    await evaluate(values.data);
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n`);
    process.exitCode = 1;
  }
}

async function evaluate(data: string): Promise<void> {
  const documents = readHeldOut(join(data, 'heldout.jsonl'), Number(values.count));
  const figures: Record<string, Figures> = {};
  for (const variant of values.variant.split(',')) {
    const speaker = await createSpeaker(values.model, variant);
    try {
      const judged = await judge(speaker, documents, variant);
      figures[variant] = figuresOf(judged);
      showWrong(judged, Number(values.wrong));
    } finally {
      await speaker.close();
    }
  }
  process.stdout.write(
    values.json ? `${JSON.stringify({ model: values.model, count: documents.length, figures }, undefined, 1)}\n` : table(figures),
  );
}

/** The first `count` lines; the file has some ten times as many. */
function readHeldOut(file: string, count: number): readonly HeldOut[] {
  const handle = openSync(file, 'r');
  const chunk = Buffer.alloc(1 << 20);
  const decoder = new TextDecoder();
  let text = '';
  let lines: string[] = [];
  for (let bytes = readSync(handle, chunk); bytes > 0 && lines.length <= count; bytes = readSync(handle, chunk)) {
    text += decoder.decode(chunk.subarray(0, bytes), { stream: true });
    lines = text.split('\n');
  }
  closeSync(handle);
  return lines
    .filter((line) => line !== '')
    .slice(0, count)
    .map((line) => JSON.parse(line) as HeldOut);
}

async function judge(speaker: Speaker, documents: readonly HeldOut[], variant: string): Promise<readonly Judged[]> {
  const fitting = documents.filter(({ prompt }) => prompt.length + ANSWER_TOKENS < speaker.contextTokens);
  const judged: Judged[] = [];
  const left = [...fitting];
  const ask = async (): Promise<void> => {
    for (let document = left.shift(); document !== undefined; document = left.shift()) {
      const messages = messagesOf(document);
      const isSamePrompt = speaker.promptIds(messages).join() === document.prompt.join();
      const { text, end } = await speaker.answer(messages, ANSWER_TOKENS);
      if (end.finish === undefined) throw new Error(`a turn ended as ${JSON.stringify(end.outcome)}`);
      judged.push({ document, text, isWhole: end.finish === 'stop', isSamePrompt });
      drawBar(variant, judged.length, fitting.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return judged;
}

/** On a terminal a bar, elsewhere a line for each tenth. */
function drawBar(name: string, done: number, all: number): void {
  const { stderr } = process;
  const isTenth = Math.floor((10 * done) / all) > Math.floor((10 * (done - 1)) / all);
  if (!stderr.isTTY && !isTenth) return;
  const full = Math.round((BAR_WIDTH * done) / all);
  const bar = `${name.padEnd(5)} [${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${done}/${all}`;
  stderr.write(stderr.isTTY ? `\r${bar}${done === all ? '\n' : ''}` : `${bar}\n`);
}

function showWrong(judged: readonly Judged[], wanted: number): void {
  const wrong = judged.filter(({ document, text }) => !isRight(document, text, wantedOf(document)));
  for (const { document, text } of wrong.slice(0, wanted))
    process.stderr.write(`${document.intent}: ${document.messages.at(-2)?.content}\n   wanted ${wantedOf(document)}\n   got    ${text}\n`);
}

function table(figures: Readonly<Record<string, Figures>>): string {
  const variants = Object.keys(figures);
  const rows: [string, (of: Figures) => Share | undefined][] = [];
  const groups = new Set(Object.values(figures).flatMap((of) => [...Object.keys(of.groups), ...Object.keys(of.languages)]));
  for (const key of [...groups].sort()) rows.push([key, (of) => of.groups[key] ?? of.languages[key]]);
  rows.push(['call, nothing misspelt', (of) => of.clean.call]);
  rows.push(['name of the (first) call', (of) => of.callNames]);
  rows.push(['refusals, same text', (of) => of.sameRefusals]);
  rows.push(['prompts, same tokens', (of) => of.samePrompts]);
  const cell = (share: Share | undefined): string =>
    share === undefined || share.count === 0 ? '-' : `${(share.right / share.count).toFixed(3)} of ${share.count}`;
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((text, index) => text.padEnd(index === 0 ? 26 : 16))
      .join('')
      .trimEnd()}\n`;
  return [
    line(['right answers', ...variants]),
    ...rows.map(([name, share]) => line([name, ...Object.values(figures).map((of) => cell(share(of)))])),
  ].join('');
}
