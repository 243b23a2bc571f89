import type { ChatMessage, PastToolCall } from '../../src/models/language/chat-message.ts';

/** A held-out conversation, as tools/train-cockpit-lm writes it: a line of heldout.jsonl. */
export interface HeldOut {
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant' | 'tool'; readonly content: string }[];
  /** What kind of right answer the last turn has. */
  readonly group: string;
  readonly intent: string;
  readonly language: string;
  readonly isMisspelt: boolean;
  /** Token ids of all but the last answer, as the trainer encoded them. */
  readonly prompt: readonly number[];
}

export interface Share {
  readonly right: number;
  readonly count: number;
}

export interface Figures {
  /** By group, by group and language, and by group where nothing was misspelt. */
  readonly groups: Readonly<Record<string, Share>>;
  readonly languages: Readonly<Record<string, Share>>;
  readonly clean: Readonly<Record<string, Share>>;
  /** The name of the first call alone. */
  readonly callNames: Share;
  /** Refusals word by word. */
  readonly sameRefusals: Share;
  /** Prompts that became the very tokens that the trainer made of them. */
  readonly samePrompts: Share;
}

const REFUSALS = ['Sorry', '抱歉'];
const CALL = '<tool_call>';

/** The right answer to the last turn. */
export const wantedOf = ({ messages }: HeldOut): string => messages.at(-1)?.content ?? '';

/** The conversation before its last answer; calls that an assistant wrote into its text become calls. */
export function messagesOf({ messages }: HeldOut): readonly ChatMessage[] {
  return messages.slice(0, -1).map(({ role, content }) => {
    if (role !== 'assistant' || !content.includes(CALL)) return { role, content };
    const toolCalls = [...content.matchAll(/<tool_call>(.*?)<\/tool_call>/gsu)].map(([, call = '']) => JSON.parse(call) as PastToolCall);
    return { role, content: content.slice(0, content.indexOf(CALL)), toolCalls };
  });
}

/** Right as tools/train-cockpit-lm/evaluate.py has it: a refusal when nothing is called and it begins as refusals do, all else when the text is the same. */
export function isRight({ group }: Pick<HeldOut, 'group'>, text: string, wanted: string): boolean {
  if (group === 'refusal') return !text.includes(CALL) && REFUSALS.some((begin) => text.startsWith(begin));
  return text === wanted;
}

export interface Judged {
  readonly document: HeldOut;
  /** With an end of its own: one that was cut off is no answer. */
  readonly text: string;
  readonly isWhole: boolean;
  readonly isSamePrompt: boolean;
}

/** Counts what was right. */
export function figuresOf(judged: readonly Judged[]): Figures {
  const right = ({ document, text, isWhole }: Judged): boolean =>
    (isWhole || document.group === 'refusal') && isRight(document, text, wantedOf(document));
  const nameOf = (text: string): string => text.split('"arguments"')[0] ?? '';
  const of = (group: string): readonly Judged[] => judged.filter(({ document }) => document.group === group);
  return {
    groups: shares(judged, ({ document }) => document.group, right),
    languages: shares(judged, ({ document }) => `${document.group}/${document.language}`, right),
    clean: shares(
      judged.filter(({ document }) => !document.isMisspelt),
      ({ document }) => document.group,
      right,
    ),
    callNames: share(of('call'), ({ document, text }) => nameOf(text) === nameOf(wantedOf(document))),
    sameRefusals: share(of('refusal'), ({ document, text, isWhole }) => isWhole && text === wantedOf(document)),
    samePrompts: share(judged, ({ isSamePrompt }) => isSamePrompt),
  };
}

const share = (judged: readonly Judged[], isCounted: (one: Judged) => boolean): Share => ({
  right: judged.filter(isCounted).length,
  count: judged.length,
});

function shares(judged: readonly Judged[], keyOf: (one: Judged) => string, isCounted: (one: Judged) => boolean): Record<string, Share> {
  const keys = [...new Set(judged.map(keyOf))].sort();
  return Object.fromEntries(
    keys.map((key) => [
      key,
      share(
        judged.filter((one) => keyOf(one) === key),
        isCounted,
      ),
    ]),
  );
}
