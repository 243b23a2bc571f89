import type { Prng } from '../../src/core/prng.ts';
import { pluralOf, type Situation } from '../../src/models/language/situation.ts';
import type { Intent } from './intent.ts';
import type { SplitTemplates } from './intents.ts';
import { chineseLabel, labels } from './labels.ts';
import { type Language, pick } from './open-values.ts';
import { mannersOf, rephrase } from './rephrase.ts';
import { type Filling, fillSlot, slots } from './slots.ts';
import type { Split } from './split.ts';
import { drawPieces, type Piece, sentenceOf } from './template.ts';
import { refusedSlots } from './topics.ts';
import { wideSlots } from './wide-slots.ts';

/** What somebody said, with the values that it means. */
export interface Sentence {
  readonly text: string;
  readonly values: Readonly<Record<string, string | number>>;
  readonly isMisspelt: boolean;
}

/** How a sentence is drawn. */
export interface Drawing {
  readonly language: Language;
  readonly split: Split;
  readonly situation: Situation;
  readonly templates: SplitTemplates;
  /** How it is written: as typed with capitals and full stops, bare, or all in lower case as a speech recogniser gives it. */
  readonly style: 'typed' | 'bare' | 'lower';
  /** Of the further phrases too, said in more ways. For training alone. */
  readonly isWide?: boolean;
}

const REQUEST_OPENINGS = {
  en: [
    '',
    '',
    '',
    '',
    '',
    'please ',
    'please ',
    'can you ',
    'could you ',
    'hey coxswain, ',
    'coxswain, ',
    'could you please ',
    'ok, ',
    'now ',
    'would you ',
    'I would like you to ',
  ],
  zh: ['', '', '', '', '', '请', '请', '帮我', '麻烦', '你好，', '小舵，', '请帮我', '麻烦你', '可以', '现在'],
};
const OTHER_OPENINGS = {
  en: ['', '', '', '', '', '', 'hey coxswain, ', 'coxswain, ', 'ok, ', 'and '],
  zh: ['', '', '', '', '', '', '小舵，', '请问', '那', '你好，'],
};
const CLOSINGS = {
  en: ['', '', '', '', '', '', '', ' please', ', please', ', thanks', ' now', ', thank you', ' for me'],
  zh: ['', '', '', '', '', '', '', '吧', '，谢谢', '好吗', '可以吗', '，快点'],
};
const ASIDES = {
  en: [
    'it has been a long day. ',
    'the kids are asleep. ',
    'sorry, one moment. ',
    'oh well, ',
    'you know what, ',
    'nice car, by the way. ',
    'I forgot my glasses. ',
    'so, ',
    'listen, ',
    'we are late again. ',
  ],
  zh: ['今天好累啊。', '孩子们睡着了。', '等一下，', '对了，', '嗯，', '我忘了带眼镜。', '那个，', '听着，', '我们又迟到了。'],
};

/** Verbs at the front that "could you" cannot stand before; other sentences would read wrongly after it. */
const PLAIN_START =
  /^(?:I |we |it |there |is |are |do |did |can |could |may |how |what |where |who |which |when |the |my |no |not |any |please|let us)/iu;

/** One word in so many sentences is misspelt by one key. */
const MISSPELT = 0.07;
const ASIDE = 0.05;
const REDRAWS = 20;

/** Draws a sentence of an intent; nothing when the intent has no template in that split. */
export function drawSentence(intent: Intent, drawing: Drawing, prng: Prng): Sentence | undefined {
  const { language, split } = drawing;
  const isWide = drawing.isWide === true && split === 'train';
  const templates = isWide ? drawing.templates.wideOf(intent, language) : drawing.templates.of(intent, language, split);
  if (templates.length === 0) return undefined;
  const draw = (): readonly Piece[] => {
    const drawn = drawPieces(pick(prng, templates), prng);
    return isWide ? rephrase(drawn, language, prng) : drawn;
  };
  let pieces = draw();
  // Two templates may say one sentence; training says none that is held out, unless an intent can hardly say anything else.
  for (let attempt = 0; attempt < REDRAWS && split === 'train' && drawing.templates.isHeldOut(sentenceOf(pieces), language); attempt += 1)
    pieces = draw();
  if (isWide && drawing.templates.isHeldOut(sentenceOf(pieces), language)) return undefined;
  const isMisspelt = prng.chance(MISSPELT);
  const values: Record<string, string | number> = {};
  let core = '';
  for (const piece of pieces) {
    if (piece.kind === 'words') {
      core += isMisspelt ? misspell(piece.text, prng) : piece.text;
    } else {
      const filling = fill(piece.slot, intent, drawing, prng);
      // A template may say a slot twice: once for all.
      if (values[piece.slot] === undefined) values[piece.slot] = written(filling.value, drawing);
      core += filling.text;
    }
  }
  const last = pieces.at(-1);
  const endsOpen = last?.kind === 'slot' && OPEN_SLOTS.has(last.slot);
  const text = dress(core.replace(/\s+/gu, ' ').trim(), intent, { ...drawing, isWide }, endsOpen, prng);
  return { text: drawing.style === 'lower' ? text.toLowerCase() : text, values, isMisspelt };
}

/** A value is copied as it was written; values of the catalogue are in lower case anyway. */
const written = (value: string | number, { style }: Drawing): string | number =>
  typeof value === 'string' && style === 'lower' ? value.toLowerCase() : value;

function fill(name: string, intent: Intent, { language, split, situation }: Drawing, prng: Prng): Filling {
  if (name.endsWith('_seen')) return seenThing(name, situation, language, prng);
  const slot = slots[name] ?? refusedSlots[name] ?? wideSlots[name];
  if (slot === undefined) throw new RangeError(`intent ${intent.id} uses the unknown slot ${name}`);
  return fillSlot(name, slot, prng, language, split);
}

/** A label that is asked for: more often than not one that is there. A toilet asked for in a car is a place to go to. */
function seenThing(name: string, situation: Situation, language: Language, prng: Prng): Filling {
  const there = situation.detections ?? [];
  const { label } = there.length > 0 && prng.chance(0.65) ? pick(prng, there) : pick(prng, labels);
  if (label === 'toilet' && situation.state.kind === 'vehicle') return seenThing(name, { ...situation, detections: [] }, language, prng);
  if (language === 'zh') return { text: chineseLabel(label), value: label };
  if (name === 'things_seen') return { text: pluralOf(label), value: label };
  if (name === 'bare_seen') return { text: label, value: label };
  const article = /^[aeiou]/u.test(label) ? 'an' : 'a';
  return { text: /(?:skis|scissors)$/u.test(label) ? label : `${article} ${label}`, value: label };
}

/** Slots whose value is copied from the sentence. */
export const OPEN_SLOTS: ReadonlySet<string> = new Set(['place', 'name', 'query', 'text', 'room', 'sentence']);

function dress(core: string, intent: Intent, { language, style, isWide }: Drawing, endsOpen: boolean, prng: Prng): string {
  const isRequest = intent.tone === 'request' && (language === 'zh' || !PLAIN_START.test(core));
  const opening = intent.tone === 'talk' ? '' : pick(prng, (isRequest ? REQUEST_OPENINGS : OTHER_OPENINGS)[language]);
  const isOpenEnded = /[:：]/u.test(core);
  const closing = isRequest && !isOpenEnded ? pick(prng, CLOSINGS[language]) : '';
  const aside = prng.chance(ASIDE) ? pick(prng, ASIDES[language]) : '';
  const doubled = /^please .*please$|please, please$|please please/u;
  let text = `${aside}${opening}${core}${closing}`;
  if (isWide === true && prng.chance(0.5)) {
    const manners = mannersOf(core, intent.tone === 'request', endsOpen || isOpenEnded, language, prng);
    text = `${manners.aside}${intent.tone === 'talk' ? '' : manners.opening}${core}${manners.closing}`;
  }
  if (doubled.test(text)) text = core;
  if (style === 'bare') return text;
  const isQuestion = intent.tone === 'question' || /^(?:can|could|would) you/u.test(text);
  const mark = prng.chance(0.15) ? '' : isQuestion ? pick(prng, ['?', '?', '']) : pick(prng, ['.', '.', '!', '']);
  if (language === 'zh') return `${text}${mark === '.' ? '。' : mark === '?' ? '？' : mark === '!' ? '！' : ''}`;
  return style === 'typed' ? text.charAt(0).toUpperCase() + text.slice(1) + mark : text;
}

/** Swaps, drops or doubles one letter of one longer Latin word. Chinese and short words stay. */
function misspell(words: string, prng: Prng): string {
  const candidates = [...words.matchAll(/[a-z]{4,}/gu)];
  if (candidates.length === 0) return words;
  const chosen = pick(prng, candidates);
  const at = chosen.index + prng.integer(1, chosen[0].length - 2);
  const [before, here, next, after] = [words.slice(0, at), words.charAt(at), words.charAt(at + 1), words.slice(at + 2)];
  return pick(prng, [`${before}${next}${here}${after}`, `${before}${next}${after}`, `${before}${here}${here}${next}${after}`]);
}
