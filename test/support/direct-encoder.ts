import { CoxswainError } from '../../src/core/errors.ts';
import type { ChatTemplate } from '../../src/models/language/chat-template.ts';
import { type EncodedPrompt, encodePrompt, type PromptEncoder } from '../../src/runtime/prompts/prompt-encoder.ts';

/** Makes prompts right here, inside the call. */
export function createDirectEncoder(template: ChatTemplate): PromptEncoder {
  return {
    encode(request, _deadlineAt, onEnd) {
      let answer: EncodedPrompt | CoxswainError;
      try {
        answer = encodePrompt(template, request);
      } catch (thrown) {
        if (!(thrown instanceof CoxswainError)) throw thrown;
        answer = thrown;
      }
      onEnd(answer);
    },
  };
}
