import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { ModelId } from '../../core/model.ts';
import { readTokenizerTexts } from '../../devices/ort/tokenizer-texts.ts';
import { type ChatTemplate, createChatTemplate } from '../../models/language/chat-template.ts';
import { createTokenizer } from '../../models/language/tokenizer.ts';
import { serveTasks, type TaskHandlers } from '../threads/serve-tasks.ts';
import { encodePrompt } from './prompt-encoder.ts';
import type { PromptInit, PromptTasks } from './prompt-protocol.ts';

/** What the prompt worker does: chat templates and tokenizers, which take milliseconds for each kilobyte, run here. */
function openPrompts({ models }: PromptInit): TaskHandlers<PromptTasks> {
  const templates = new Map<ModelId, ChatTemplate>();
  for (const { id, language } of models) {
    const texts = readTokenizerTexts(language);
    if (texts === undefined) throw new CoxswainError('MODEL_UNSUPPORTED', `model ${id} has no tokenizer`);
    const template = createChatTemplate(id, createTokenizer(id, texts));
    warmUp(template);
    templates.set(id, template);
  }
  return {
    encode: ({ model, prompt }) => {
      const template = templates.get(model);
      assert(template !== undefined, 'the prompt worker was told of a model', model);
      const { ids, sharedTokens, messages } = encodePrompt(template, prompt);
      return { ids: Int32Array.from(ids), sharedTokens, messages: messages === prompt.messages ? undefined : messages };
    },
  };
}

/** The first prompt takes 24 ms, since V8 compiles on its way; nobody shall wait for that. A template may not take these messages, which is no matter. */
function warmUp(template: ChatTemplate): void {
  const text = 'The quick brown fox opens the left window of the car, 20 %. '.repeat(10);
  try {
    for (let round = 0; round < 3; round += 1)
      template.encode({
        messages: [
          { role: 'system', content: text },
          { role: 'user', content: text },
        ],
      });
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
  }
}

assert(parentPort !== null, 'the prompt worker runs as a worker thread');
await serveTasks<PromptTasks>(parentPort, () => openPrompts(workerData as PromptInit));
