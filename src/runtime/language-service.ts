import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ManifestModel, PipelineConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import { createChatTemplate } from '../models/language/chat-template.ts';
import { createTokenizer } from '../models/language/tokenizer.ts';
import type { Vocabulary } from '../models/language/vocabulary.ts';
import { ConversationDesk } from '../pipeline/conversation-desk.ts';
import type { TurnDesk } from '../pipeline/work.ts';
import { type ChatService, createChatService } from './chat-service.ts';
import type { TensorArena } from './frame-memory.ts';

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
}

/**
 * The words of a pipeline's language model. Errors: MODEL_UNSUPPORTED (no tokenizer, no chat template), MODEL_UNLOADABLE (one that cannot be read), MODEL_HASH_MISMATCH (its
 * files have changed since the configuration was read).
 */
export function createLanguageService({ stream }: PipelineConfig, model: ManifestModel, deps: LanguageServiceDeps): LanguageService {
  const { language, shape } = model;
  assert(language !== undefined && shape?.kind === 'language', `the configuration knows ${model.id} as a language model`);
  if (language.tokenizer === undefined) {
    const text = `model ${model.id} has no tokenizer.json and tokenizer_config.json beside it`;
    throw new CoxswainError('MODEL_UNSUPPORTED', `${text}; obtain them from where the model came from`);
  }
  const { tokenizer: files, generation } = language;
  const jinja = join(dirname(files.config.file), 'chat_template.jinja');
  const tokenizer = createTokenizer(model.id, {
    tokenizer: textOf(files.tokenizer.file),
    config: textOf(files.config.file),
    generation: generation && textOf(generation.file),
    chatTemplate: optionalText(jinja),
  });
  const { clock, memory, desk } = deps;
  const contextTokens = shape.context;
  const conversations = new ConversationDesk(
    { stream, contextTokens, vocabulary: shape.vocabulary, textsMax: language.textsMax },
    {
      ...{ clock, desk },
      memory: {
        allocate: (byteLength) => memory.allocate(byteLength),
        release: (region) => memory.release(region),
        write: ({ offsetBytes }, ids) => new Int32Array(memory.shared.buffer, offsetBytes, ids.length).set(ids),
      },
    },
  );
  const { vocabulary } = tokenizer;
  const template = createChatTemplate(model.id, tokenizer);
  const chat = createChatService({ contextTokens }, { clock, vocabulary, template, desk: conversations });
  return { stream: stream.id, model: model.id, contextTokens, vocabulary, chat };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CoxswainError(
      'MODEL_MISSING',
      `${file} could not be read: ${String(cause)}. Obtain the model's files again from one place.`,
      {
        cause,
      },
    );
  }
}

function optionalText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
