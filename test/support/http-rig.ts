import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import OpenAI from 'openai';
import type { HttpConfig } from '../../src/config/http-config.ts';
import type { Stream } from '../../src/core/stream.ts';
import { durationFromMs } from '../../src/core/units.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { readTokenizerFiles } from '../../src/models/language/tokenizer-files.ts';
import { createVocabulary } from '../../src/models/language/vocabulary.ts';
import { createChatService } from '../../src/runtime/chat-service.ts';
import type { HttpThread } from '../../src/runtime/http/http-thread.ts';
import { type HttpServiceDeps, startHttp } from '../../src/runtime/http-service.ts';
import { createPooledEncoder, createPromptPool } from '../../src/runtime/prompts/prompt-pool.ts';
import { createIncidentLog } from '../../src/telemetry/incident-log.ts';
import { type ConversationRig, createConversationRig } from './conversation-rig.ts';

export const HTTP_CONFIG: HttpConfig = {
  ...{ host: '127.0.0.1', port: 0, token: undefined, provenance: 'passenger' },
  ...{ requestBytesMax: 1_048_576, connectionsMax: 256, unreadBytesMax: 262_144 },
  requestTimeoutUs: durationFromMs(10_000),
  stalledAfterUs: durationFromMs(20_000),
  keepAliveUs: durationFromMs(10_000),
};

/** The shipped model on one core, and the server before it. */
export interface HttpRig {
  readonly rig: ConversationRig;
  readonly http: HttpThread;
  readonly url: string;
  readonly client: OpenAI;
  /** What the operator was told. */
  readonly troubles: string[];
  readonly language: HttpServiceDeps['languages'][number];
  close(): Promise<void>;
}

const folder = resolve(import.meta.dirname, '../../models/cockpit-lm');
const text = (file: string): string => readFileSync(join(folder, file), 'utf8');

/** The stream of the conversation rig, as a configuration would have it. */
export const TALK: Stream = {
  ...{ id: 'talk', model: 'lm', criticality: 'interactive', periodUs: durationFromMs(0), deadlineUs: durationFromMs(20_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 32 }, isStateful: false },
};

export async function createHttpRig(config: Partial<HttpConfig> = {}): Promise<HttpRig> {
  const dir = mkdtempSync(join(tmpdir(), 'coxswain-http-'));
  const rig = await createConversationRig(dir, folder);
  const { clock, contextTokens, desk } = rig;
  const files = { tokenizer: text('tokenizer.json'), config: text('tokenizer_config.json'), generation: text('generation_config.json') };
  const vocabulary = createVocabulary('lm', readTokenizerFiles('lm', files));
  const { spec } = decoderSpec({ id: 'lm', folder, variant: 'fp32', chunkTokens: 8, cacheBytesMax: 2 ** 26, textsMax: 20 });
  const incidents = createIncidentLog(clock.now(), clock);
  const troubles: string[] = [];
  incidents.onIncident(({ message }) => troubles.push(message));
  const prompts = createPromptPool(
    { models: spec.language === undefined ? [] : [{ id: 'lm', language: spec.language }] },
    { clock, onWorkerLost: (message) => incidents.add({ kind: 'worker-lost', message }) },
  );
  await prompts.ready;
  const chat = createChatService({ contextTokens }, { clock, vocabulary, encoder: createPooledEncoder(TALK, prompts, clock), desk });
  const language = { stream: 'talk', model: 'lm', contextTokens, vocabulary, chat };
  const http = await startHttp({ ...HTTP_CONFIG, ...config }, [{ stream: TALK }], {
    clock,
    incidents,
    languages: [language],
    assistants: [],
  });
  http.open();
  return {
    ...{ rig, http, troubles, language, url: http.url },
    client: new OpenAI({ apiKey: config.token?.reveal() ?? 'none', baseURL: `${http.url}/v1`, maxRetries: 0 }),
    async close() {
      await http.close();
      await prompts.close();
      await rig.close();
      rmSync(dir, { recursive: true });
    },
  };
}
