import type { ManifestModel, PipelineConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import { readTokenizerTexts } from '../devices/ort/tokenizer-texts.ts';
import { readTokenizerFiles } from '../models/language/tokenizer-files.ts';
import { createVocabulary, type Vocabulary } from '../models/language/vocabulary.ts';
import { ConversationDesk } from '../pipeline/conversation-desk.ts';
import type { TurnDesk } from '../pipeline/work.ts';
import { type ChatService, createChatService } from './chat-service.ts';
import type { TensorArena } from './frame-memory.ts';
import { createPooledEncoder, type PromptPool } from './prompts/prompt-pool.ts';

/** A language model at work behind one stream: words in, words out. */
export interface LanguageService {
  readonly stream: StreamId;
  readonly model: ModelId;
  readonly contextTokens: number;
  readonly vocabulary: Vocabulary;
  readonly chat: ChatService;
}

export interface LanguageServiceDeps {
  readonly clock: Clock;
  readonly desk: TurnDesk;
  readonly memory: TensorArena;
  /** Makes the prompts of all language models. */
  readonly prompts: PromptPool;
}

/**
 * The words of a pipeline's language model. Errors: MODEL_UNSUPPORTED (no tokenizer), MODEL_MISSING, MODEL_UNLOADABLE (one that cannot be read), MODEL_HASH_MISMATCH
 * (its files have changed since the configuration was read).
 */
export function createLanguageService({ stream }: PipelineConfig, model: ManifestModel, deps: LanguageServiceDeps): LanguageService {
  const { language, shape } = model;
  assert(language !== undefined && shape?.kind === 'language', `the configuration knows ${model.id} as a language model`);
  const texts = readTokenizerTexts(language);
  if (texts === undefined) {
    const text = `model ${model.id} has no tokenizer.json and tokenizer_config.json beside it`;
    throw new CoxswainError('MODEL_UNSUPPORTED', `${text}; obtain them from where the model came from`);
  }
  // Only what an answer is read with; what makes prompts is the prompt worker's.
  const vocabulary = createVocabulary(model.id, readTokenizerFiles(model.id, texts));
  const { clock, memory, desk, prompts } = deps;
  const contextTokens = shape.context;
  const conversations = new ConversationDesk(
    { stream, contextTokens, vocabulary: shape.vocabulary, textsMax: language.textsMax },
    { clock, desk, memory },
  );
  const encoder = createPooledEncoder(stream, prompts, clock);
  const chat = createChatService({ contextTokens }, { clock, vocabulary, encoder, desk: conversations });
  return { stream: stream.id, model: model.id, contextTokens, vocabulary, chat };
}
