import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import type { SpokenToken } from '../../src/core/turn-task.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import type { ChatMessage } from '../../src/models/language/chat-message.ts';
import { createChatTemplate } from '../../src/models/language/chat-template.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { createTokenizer } from '../../src/models/language/tokenizer.ts';
import { ConversationDesk } from '../../src/pipeline/conversation-desk.ts';
import { type ChatEnd, createChatService } from '../../src/runtime/chat-service.ts';
import { createEngine } from '../../src/runtime/engine.ts';
import { createTensorArena } from '../../src/runtime/frame-memory.ts';
import { encodePrompt, type PromptEncoder } from '../../src/runtime/prompts/prompt-encoder.ts';
import { PLAN_DEFAULTS } from '../../src/scheduler/scheduler.ts';
import { readHost } from '../../src/telemetry/host.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

/** An answer with its marks written out, as the model wrote it; the token that ends it left out. */
export interface SpokenAnswer {
  readonly text: string;
  readonly end: ChatEnd;
}

/** The runtime with one core and one language model, asked as the assistant asks it. */
export interface Speaker {
  readonly contextTokens: number;
  promptIds(messages: readonly ChatMessage[]): readonly number[];
  answer(messages: readonly ChatMessage[], tokensMax: number): Promise<SpokenAnswer>;
  close(): Promise<void>;
}

const CHUNK_TOKENS = 128;
const TURNS_MAX = 8;
const REQUEST_MS = 120_000;

export async function createSpeaker(folder: string, variant: string): Promise<Speaker> {
  const clock = createSystemClock();
  const memory = createTensorArena(4 * 1024 * 1024);
  const cache = { chunkTokens: CHUNK_TOKENS, cacheBytesMax: 2 ** 28, textsMax: TURNS_MAX };
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant, ...cache });
  const { contextTokens, vocabulary } = facts.config;
  const talk: Stream = {
    ...{ id: 'talk', model: 'lm', criticality: 'interactive', periodUs: durationUs(0), deadlineUs: durationFromMs(REQUEST_MS) },
    ...{ freshness: { kind: 'queue', jobsMax: TURNS_MAX }, isStateful: false },
  };
  const telemetry = createTelemetry(
    { streams: [talk], cores: [0], sources: [], config: { node: 'evaluation', file: folder, sha256: spec.sha256 } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  const chunk = { chunkTokens: CHUNK_TOKENS, chunkUs: durationFromMs(50), burstTokens: 16, switchUs: durationUs(0) };
  const engine = createEngine(
    {
      plan: {
        ...PLAN_DEFAULTS,
        cores: [0],
        streams: [talk],
        models: [{ model: 'lm', cores: [0], costUs: durationFromMs(1), steps: { kind: 'tokens', ...chunk, turnsMax: TURNS_MAX } }],
      },
      models: new Map([[spec.id, spec]]),
      cores: [{ core: 0, models: [spec] }],
      restart: { lossesMax: 3, withinUs: durationFromMs(60_000), backoffUs: durationFromMs(100), probeAfterUs: durationFromMs(10_000) },
    },
    {
      ...{ clock, telemetry, arena: memory.arena },
      clear: (region) => memory.bytes(region).fill(0),
      createDevice: (listener) =>
        createOrtDevice(
          {
            cores: [{ id: 0 }],
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            ...{ threadsPerCore: 1, optimizedDir: undefined },
            ...{ startTimeoutUs: durationFromMs(60_000), loadTimeoutUs: durationFromMs(60_000) },
          },
          { clock, listener },
        ),
    },
  );
  await engine.start();
  const desk = new ConversationDesk(
    { stream: talk, contextTokens, vocabulary, textsMax: TURNS_MAX },
    {
      clock,
      desk: engine.desk,
      memory,
    },
  );
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const files = { tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json'), generation: read('generation_config.json') };
  const tokenizer = createTokenizer(folder, files);
  const template = createChatTemplate(folder, tokenizer);
  // Right here: one question at a time is asked, and nothing else waits.
  const encoder: PromptEncoder = { encode: (request, _deadlineAt, onEnd) => onEnd(encodePrompt(template, request)) };
  const chat = createChatService({ contextTokens }, { clock, vocabulary: tokenizer.vocabulary, encoder, desk });
  return {
    contextTokens,
    promptIds: (messages) => template.encode({ messages }).ids,
    answer: (messages, tokensMax) =>
      new Promise((settle, fail) => {
        const spoken: SpokenToken[] = [];
        chat.ask(
          { messages, tokensMax, sampling: { temperature: 0 } },
          {
            onPieces: (_pieces, tokens) => spoken.push(...tokens),
            onEnd(end) {
              const bytes = spoken.map(({ id }) => tokenizer.vocabulary.bytesOf(id));
              settle({ text: new TextDecoder().decode(Buffer.concat(bytes)), end });
            },
            onRefused: fail,
          },
        );
      }),
    async close() {
      await engine.dispose();
      memory.close();
    },
  };
}
