import type { LanguageSpec, ModelId } from '../../core/model.ts';
import type { ChatMessage } from '../../models/language/chat-message.ts';
import type { PromptRequest } from './prompt-encoder.ts';

/** What the prompt worker is born with: the language models whose prompts it makes. */
export interface PromptInit {
  readonly models: readonly { readonly id: ModelId; readonly language: LanguageSpec }[];
}

export interface PromptTasks {
  readonly encode: {
    readonly request: { readonly model: ModelId; readonly prompt: PromptRequest };
    readonly answer: {
      readonly ids: Int32Array;
      readonly sharedTokens: number;
      /** Undefined where they are those of the request. */
      readonly messages: readonly ChatMessage[] | undefined;
    };
  };
}
