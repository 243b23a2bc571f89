import type { Prng } from '../../src/core/prng.ts';
import { renderSituation, type Situation } from '../../src/models/language/situation.ts';
import type { Answer, Call, Intent } from './intent.ts';
import { intents, type SplitTemplates, wideIntents } from './intents.ts';
import { evenLabels } from './labels.ts';
import type { Message } from './message.ts';
import { type Language, pick } from './open-values.ts';
import { type Drawing, drawSentence, OPEN_SLOTS, type Sentence } from './sentence.ts';
import type { Split } from './split.ts';
import { followUps, outcomeReply } from './turns.ts';
import { drawSituation } from './world.ts';

/** What kind of right answer the last turn has. */
export type Group = 'call' | 'refusal' | 'ask' | 'state' | 'view' | 'talk';

export interface Document {
  readonly messages: readonly Message[];
  /** Of the last turn. */
  readonly group: Group;
  readonly intent: string;
  readonly language: Language;
  readonly isMisspelt: boolean;
}

/** `<tool_call>{"name":"set_fan","arguments":{"level":3}}</tool_call>`, one after the other. */
export const writeCalls = (calls: readonly Call[]): string =>
  calls.map((call) => `<tool_call>${JSON.stringify({ name: call.name, arguments: call.arguments })}</tool_call>`).join('');

/**
 * Draws conversations. The same seed gives the same ones. So much of what is said in training (`wide`, 0..1) is of the further phrases too and in more ways, near
 * misses among it; what is held out, and what stands before it, does not depend on that.
 */
export function createDialogues(templates: SplitTemplates, wide = 0) {
  const choose = { vehicle: weighted('vehicle', weightOf), robot: weighted('robot', weightOf) };
  const chooseWide = { vehicle: weighted('vehicle', wideWeightOf, wideIntents), robot: weighted('robot', wideWeightOf, wideIntents) };
  const chooseLookUp = { vehicle: weighted('vehicle', lookUpWeightOf), robot: weighted('robot', lookUpWeightOf) };
  const drawWide = (prng: Prng): boolean => wide > 0 && prng.chance(wide);

  /** One sentence and its answer appended to the conversation; false when the intent drawn has no template in this split. */
  function exchange(to: Turns, split: Split, prng: Prng, isWide = false): boolean {
    const language = to.language;
    const drawing: Drawing = {
      language,
      split,
      situation: to.situation,
      templates,
      style: pick(prng, ['typed', 'typed', 'bare', 'lower'] as const),
      isWide,
    };
    if (to.lastCall !== undefined && prng.chance(FOLLOW_UP)) {
      const followUp = pick(prng, followUps(to.lastCall));
      if (append(to, followUp, drawing, prng)) return true;
    }
    if (prng.chance(BOTH_AT_ONCE) && split === 'train') return appendTwo(to, drawing, prng);
    return append(to, (isWide ? chooseWide : choose)[to.situation.state.kind](prng, to.situation), drawing, prng);
  }

  function append(to: Turns, intent: Intent, drawing: Drawing, prng: Prng): boolean {
    const sentence = drawSentence(intent, drawing, prng);
    if (sentence === undefined) return false;
    const answer = intent.answer({ language: drawing.language, values: sentence.values, situation: to.situation });
    record(to, intent, sentence, answer, prng);
    if (answer.kind === 'ask') return append(to, answer.next, drawing, prng) || drawing.split === 'heldout';
    return true;
  }

  /** Two requests in one sentence. What is copied from the sentence may only stand at its end. */
  function appendTwo(to: Turns, drawing: Drawing, prng: Prng): boolean {
    const drawCall = (isLast: boolean) => {
      for (let attempt = 0; attempt < 40; attempt += 1) {
        const intent = choose[to.situation.state.kind](prng, to.situation);
        const sentence = drawSentence(intent, { ...drawing, style: drawing.style === 'lower' ? 'lower' : 'bare' }, prng);
        const answer = sentence && intent.answer({ language: drawing.language, values: sentence.values, situation: to.situation });
        const isPlain = !Object.keys(sentence?.values ?? {}).some((slot) => OPEN_SLOTS.has(slot));
        if (sentence !== undefined && answer?.kind === 'calls' && (isLast || isPlain)) return { intent, sentence, calls: answer.calls };
      }
      return undefined;
    };
    const [first, second] = [drawCall(false), drawCall(true)];
    if (first === undefined || second === undefined || first.intent === second.intent) return false;
    const link = pick(prng, drawing.language === 'en' ? [' and ', ' and then ', ', then ', ', and '] : ['，然后', '，再', '，', '，并且']);
    const text = `${first.sentence.text.replace(/[，,]?\s?(please|谢谢|吧|thanks|thank you)$/u, '')}${link}${second.sentence.text}`;
    const sentence = { text, values: {}, isMisspelt: first.sentence.isMisspelt || second.sentence.isMisspelt };
    record(to, { ...second.intent, id: 'both/two-calls' }, sentence, { kind: 'calls', calls: [...first.calls, ...second.calls] }, prng);
    return true;
  }

  return {
    /** A conversation for training: one turn to many, with the outcomes of calls now and then. */
    train: (prng: Prng): Document => {
      const turns = begin(prng);
      const wanted = pick(prng, prng.chance(0.03) ? [8, 10, 14, 16] : [1, 1, 2, 3, 3, 4, 5, 6]);
      for (let count = 0; count < wanted; ) {
        if (prng.chance(OTHER_LANGUAGE)) turns.language = turns.language === 'en' ? 'zh' : 'en';
        if (exchange(turns, 'train', prng, drawWide(prng))) count += 1;
      }
      return finish(turns);
    },
    /**
     * Many questions about one situation, and requests whose answer hangs on it: every answer is read from the prompt, which a small model learns last. All
     * that can be seen comes equally often.
     */
    trainLookUps: (prng: Prng): Document => {
      const world = prng.chance(0.6) ? 'vehicle' : 'robot';
      const turns = begin(prng, drawSituation(world, prng, evenLabels));
      const wanted = prng.integer(4, 9);
      for (let count = 0; count < wanted; ) {
        const style = pick(prng, ['typed', 'typed', 'bare', 'lower'] as const);
        const drawing: Drawing = {
          language: turns.language,
          split: 'train',
          situation: turns.situation,
          templates,
          style,
          isWide: drawWide(prng),
        };
        if (append(turns, chooseLookUp[world](prng, turns.situation), drawing, prng)) count += 1;
        if (prng.chance(OTHER_LANGUAGE_LOOK_UP)) turns.language = turns.language === 'en' ? 'zh' : 'en';
      }
      return finish(turns);
    },
    /** A conversation whose last sentence is of templates and values that training never sees; what goes before it is as in training. */
    heldOut: (prng: Prng): Document => {
      const turns = begin(prng);
      const before = pick(prng, [0, 0, 0, 1, 2]);
      for (let count = 0; count < before; ) if (exchange(turns, 'train', prng)) count += 1;
      turns.lastCall = undefined;
      while (!exchange(turns, 'heldout', prng));
      return { ...finish(turns), messages: turns.messages.slice(0, turns.end) };
    },
  };
}

const FOLLOW_UP = 0.3;
const BOTH_AT_ONCE = 0.06;
const OTHER_LANGUAGE = 0.05;
const OUTCOME_SHOWN = 0.4;
const OTHER_LANGUAGE_LOOK_UP = 0.2;

/** A conversation in the making. */
interface Turns {
  readonly situation: Situation;
  readonly messages: Message[];
  language: Language;
  lastCall: Call | undefined;
  last: Omit<Document, 'messages'> | undefined;
  /** Where the answer to be judged stands, one past it. */
  end: number;
}

function begin(prng: Prng, situation = drawSituation(prng.chance(0.68) ? 'vehicle' : 'robot', prng)): Turns {
  return {
    situation,
    messages: [{ role: 'system', content: renderSituation(situation) }],
    language: prng.chance(0.52) ? 'en' : 'zh',
    lastCall: undefined,
    last: undefined,
    end: 1,
  };
}

function record(to: Turns, intent: Intent, sentence: Sentence, answer: Answer, prng: Prng): void {
  const content = answer.kind === 'calls' ? writeCalls(answer.calls) : answer.text;
  to.messages.push({ role: 'user', content: sentence.text }, { role: 'assistant', content });
  to.end = to.messages.length;
  to.last = { group: groupOf(intent, answer), intent: intent.id, language: to.language, isMisspelt: sentence.isMisspelt };
  to.lastCall = answer.kind === 'calls' ? answer.calls.at(-1) : undefined;
  if (answer.kind !== 'calls' || !prng.chance(OUTCOME_SHOWN)) return;
  to.messages.push(...outcomeReply(answer.calls.length, to.language, prng));
}

function groupOf(intent: Intent, answer: Answer): Group {
  if (answer.kind === 'calls') return 'call';
  if (answer.kind === 'ask') return 'ask';
  if (answer.isRefusal) return 'refusal';
  return intent.id.startsWith('state/') ? 'state' : intent.id.startsWith('view/') ? 'view' : 'talk';
}

function finish(turns: Turns): Document {
  if (turns.last === undefined) throw new RangeError('a conversation without a turn');
  return { messages: turns.messages, ...turns.last };
}

const weightOf = ({ weight }: Intent): number => weight ?? 1;

/** Refusals, talk, and what copies many words are said more often than they are asked for: they need the variety most. */
function wideWeightOf({ id, weight }: Intent): number {
  const usual = weight ?? 1;
  if (/^(?:refusal|talk)\//u.test(id)) return 1.4 * usual;
  return /^(?:speech\/say|navigation\/go|motion\/go|phone\/message|media\/play)$/u.test(id) ? 1.2 * usual : usual;
}

/** Sums need the most practice; what only forbids (doors in motion, an emergency stop) the least. */
function lookUpWeightOf({ id, weight }: Intent): number {
  if (/^(?:climate\/(?:warmer|cooler)|media\/(?:louder|quieter))$/u.test(id)) return 2.5;
  if (/^(?:state|view)\//u.test(id)) return Math.max(1, weight ?? 1);
  return /^(?:doors|motion)\//u.test(id) ? 0.3 : 0;
}

/** Draws an intent of a world by weight, again until the situation fits. */
function weighted(
  world: 'vehicle' | 'robot',
  weightIn: (intent: Intent) => number,
  of = intents,
): (prng: Prng, situation: Situation) => Intent {
  const open = of.filter((intent) => intent.world === world || intent.world === 'both');
  const total = open.reduce((sum, intent) => sum + weightIn(intent), 0);
  const draw = (prng: Prng, situation: Situation): Intent => {
    let left = prng.ratio() * total;
    const found = open.find((intent) => {
      left -= weightIn(intent);
      return left < 0;
    });
    return found === undefined || found.fits?.(situation) === false ? draw(prng, situation) : found;
  };
  return draw;
}
