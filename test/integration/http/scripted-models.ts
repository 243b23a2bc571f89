import { after } from '../../../src/core/clock.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createOpenAiServer, type OpenAiServer, type OpenAiServerOptions } from '../../../src/sinks/openai/openai-server.ts';
import type { ServedModel, ServedRequest } from '../../../src/sinks/openai/served-model.ts';

const USAGE = { promptTokens: 1, cachedTokens: 0, answerTokens: 1, queuedMs: 0, firstTokenMs: 1, answerMs: 0 };

export interface ScriptedServer {
  readonly server: OpenAiServer;
  readonly url: string;
  readonly troubles: string[];
  /** As they came. */
  readonly asked: ServedRequest[];
  /** Answers of `endless` and `silent` that were broken off. */
  cancelled: number;
  /** Lets `silent` say its word. */
  speak(): void;
}

/** A server before models that need no core: `echo` answers at once, `endless` never stops, `silent` waits until it is told to speak. */
export async function createScriptedServer(changes: Partial<OpenAiServerOptions> = {}, isReady = () => true): Promise<ScriptedServer> {
  const clock = createSystemClock();
  const troubles: string[] = [];
  const asked: ServedRequest[] = [];
  const silent = new Set<() => void>();
  const about = { createdS: 1, contextTokens: 1_000 };
  const echo: ServedModel = {
    ...{ id: 'echo', ...about },
    ask(request, listener) {
      asked.push(request);
      listener.onPieces([{ kind: 'text', text: 'hello' }], undefined);
      listener.onEnd({ kind: 'answered', finish: 'stop', usage: USAGE });
      return { cancel: () => undefined };
    },
  };
  const endless: ServedModel = {
    ...{ id: 'endless', ...about },
    ask(_request, listener) {
      let isOver = false;
      const say = (): void => {
        if (isOver) return;
        listener.onPieces([{ kind: 'text', text: 'on and on '.repeat(2_000) }], undefined);
        after(clock, durationFromMs(1), say);
      };
      say();
      return {
        cancel() {
          isOver = true;
          scripted.cancelled += 1;
        },
      };
    },
  };
  const quiet: ServedModel = {
    ...{ id: 'silent', ...about },
    ask(_request, listener) {
      const speak = (): void => {
        silent.delete(speak);
        listener.onPieces([{ kind: 'text', text: 'at last' }], undefined);
        listener.onEnd({ kind: 'answered', finish: 'stop', usage: USAGE });
      };
      silent.add(speak);
      return {
        cancel() {
          silent.delete(speak);
          scripted.cancelled += 1;
        },
      };
    },
  };
  const server = await createOpenAiServer(
    {
      ...{ host: '127.0.0.1', port: 0, token: undefined, provenance: 'passenger' },
      ...{ requestBytesMax: 100_000, connectionsMax: 64, unreadBytesMax: 262_144 },
      ...{ requestTimeoutUs: durationFromMs(5_000), stalledAfterUs: durationFromMs(5_000), keepAliveUs: durationFromMs(5_000) },
      ...changes,
    },
    { clock, models: [echo, endless, quiet], isReady, onTrouble: (message) => troubles.push(message) },
  );
  const scripted: ScriptedServer = {
    ...{ server, url: server.url, troubles, asked, cancelled: 0 },
    speak() {
      for (const one of [...silent]) one();
    },
  };
  return scripted;
}

/** The body of a request to one of them. */
export const bodyFor = (model: string, more: object = {}): string =>
  JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...more });
