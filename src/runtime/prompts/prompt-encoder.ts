import type { CoxswainError } from '../../core/errors.ts';
import type { InstantUs } from '../../core/units.ts';
import type { ChatMessage, ChatRequest } from '../../models/language/chat-message.ts';
import type { ChatTemplate } from '../../models/language/chat-template.ts';
import { fitPrompt, type PromptParts } from '../assistant/prompt.ts';

/** What shall be read: messages, and what goes before them as far as there is room. */
export interface PromptRequest extends Pick<ChatRequest, 'messages' | 'tools' | 'variables' | 'nowMs'> {
  /** See `fitPrompt`; absent: the messages are read as they are. */
  readonly before?: Omit<PromptParts, 'last'> | undefined;
  /** Of the prompt, where something goes before the messages. */
  readonly tokensMax: number;
}

/** A prompt as the model reads it. */
export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** See `ChatPrompt`. */
  readonly sharedTokens: number;
  /** All messages of it, those that went before and found room included. */
  readonly messages: readonly ChatMessage[];
}

/** From messages to the ids of their tokens: the model's chat template and tokenizer, wherever they run. */
export interface PromptEncoder {
  /** `deadlineAt`: of the first token, where somebody names one; the more urgent goes first. Answers once, possibly inside the call. Errors: PROMPT_REFUSED, CONTEXT_OVERFLOW, MODEL_UNSUPPORTED (its template), WORKER_CRASHED. */
  encode(request: PromptRequest, deadlineAt: InstantUs | undefined, onEnd: (answer: EncodedPrompt | CoxswainError) => void): void;
}

/** Errors: as of `fitPrompt` and `ChatTemplate.encode`. */
export function encodePrompt(template: ChatTemplate, { messages, before, tokensMax, ...about }: PromptRequest): EncodedPrompt {
  const read = (candidate: readonly ChatMessage[]): EncodedPrompt => {
    const { ids, sharedTokens } = template.encode({ ...about, messages: candidate });
    return { ids, sharedTokens, messages: candidate };
  };
  if (before === undefined) return read(messages);
  let prompt: EncodedPrompt | undefined;
  const fitting = fitPrompt({ ...before, last: messages }, tokensMax, (candidate) => {
    prompt = read(candidate);
    return prompt.ids.length;
  });
  return prompt?.messages === fitting ? prompt : read(fitting);
}
