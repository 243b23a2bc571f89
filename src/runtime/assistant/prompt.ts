import { CoxswainError } from '../../core/errors.ts';
import type { ChatMessage } from '../../models/language/chat-message.ts';
import { renderSituation, type Situation } from '../../models/language/situation.ts';

export interface PromptParts {
  readonly situation: Situation;
  /** What was said before, turn by turn, oldest first. */
  readonly past: readonly (readonly ChatMessage[])[];
  /** What has to be read in any case. */
  readonly last: readonly ChatMessage[];
}

/** Things that are seen, where all of them would leave no room. */
const THINGS_FEW = 3;

/** A token has rarely more characters; longer texts cannot fit, and are not worth encoding. */
export const CHARS_PER_TOKEN_MAX = 16;

/** Of the past; a chat template takes a thousand in all. */
const MESSAGES_MAX = 900;

/**
 * The messages of a prompt of at most `tokensMax` tokens: the oldest turns fall off first, whole ones, then most of what the camera sees, then all of it. `measure` counts the tokens of
 * messages.
 * Errors: CONTEXT_OVERFLOW when what was said last does not fit by itself; as of `measure`.
 */
export function fitPrompt(
  { situation, past, last }: PromptParts,
  tokensMax: number,
  measure: (messages: readonly ChatMessage[]) => number,
): readonly ChatMessage[] {
  const withSystem = (shown: Situation, turns: PromptParts['past']): readonly ChatMessage[] => [
    { role: 'system', content: renderSituation(shown) },
    ...turns.flat(),
    ...last,
  ];
  let turns = past.slice(firstWorthCounting(past, tokensMax));
  for (;;) {
    const messages = withSystem(situation, turns);
    const tokens = measure(messages);
    if (tokens <= tokensMax) return messages;
    if (turns.length === 0) break;
    turns = turns.slice(tooMany(turns, messages, tokens, tokensMax));
  }
  const { detections, ...blind } = situation;
  const fewer = detections === undefined ? [] : [{ ...situation, detections: detections.slice(0, THINGS_FEW) }, blind];
  let least = 0;
  for (const shown of fewer) {
    const messages = withSystem(shown, []);
    least = measure(messages);
    if (least <= tokensMax) return messages;
  }
  throw new CoxswainError(
    'CONTEXT_OVERFLOW',
    `What was said makes ${least === 0 ? 'more' : `${least} tokens, more`} than the ${tokensMax} tokens that the model can read here. Say it shorter.`,
  );
}

/** Of turns that cannot fit by far the first that may. */
function firstWorthCounting(past: PromptParts['past'], tokensMax: number): number {
  let first = past.length;
  let chars = 0;
  let messages = 0;
  while (first > 0) {
    const turn = past[first - 1] ?? [];
    chars += charsOf(turn);
    messages += turn.length;
    if (chars > tokensMax * CHARS_PER_TOKEN_MAX || messages > MESSAGES_MAX) break;
    first -= 1;
  }
  return first;
}

/** How many of the oldest turns to leave out, by their share of the text; at least one. */
function tooMany(turns: PromptParts['past'], messages: readonly ChatMessage[], tokens: number, tokensMax: number): number {
  const tokensPerChar = tokens / Math.max(1, charsOf(messages));
  let excess = tokens - tokensMax;
  let count = 0;
  while (excess > 0 && count < turns.length) {
    excess -= charsOf(turns[count] ?? []) * tokensPerChar;
    count += 1;
  }
  return Math.max(1, count);
}

const charsOf = (messages: readonly ChatMessage[]): number =>
  messages.reduce((sum, message) => {
    const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
    return sum + message.content.length + (calls.length === 0 ? 0 : JSON.stringify(calls).length);
  }, 0);

/** Messages that somebody sent as the past, turn by turn: each begins with what a user said. System messages in them are left out, since the system prompt is the assistant's own. */
export function turnsOf(history: readonly ChatMessage[]): readonly (readonly ChatMessage[])[] {
  const turns: ChatMessage[][] = [];
  for (const message of history) {
    if (message.role === 'system') continue;
    if (message.role === 'user' || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(message);
  }
  return turns;
}
