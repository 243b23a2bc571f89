import type { HttpConfig } from '../config/http-config.ts';
import type { PipelineConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { IncidentLog } from '../telemetry/incident-log.ts';
import { AnswerWait } from './answer-wait.ts';
import type { Assistant } from './assistant/assistant.ts';
import { type HttpThread, startHttpThread } from './http/http-thread.ts';
import type { LanguageService } from './language-service.ts';
import { serveAssistant } from './serve-assistant.ts';
import { type LanguageLane, serveLanguage } from './serve-language.ts';

export interface HttpServiceDeps {
  readonly clock: Clock;
  readonly incidents: IncidentLog;
  /** Language models at work, each served under the name of its model. */
  readonly languages: readonly LanguageService[];
  /** Served under the names of their pipelines; each has its language model among `languages`. */
  readonly assistants: readonly Pick<Assistant, 'id' | 'hear'>[];
}

/** Listens, with what is served. Errors: HTTP_UNAVAILABLE, WORKER_CRASHED. */
export function startHttp(
  config: HttpConfig,
  pipelines: readonly Pick<PipelineConfig, 'stream'>[],
  deps: HttpServiceDeps,
): Promise<HttpThread> {
  const { clock, incidents } = deps;
  const createdS = Math.floor(clock.wallMs() / 1000);
  const lanes = deps.languages.map((service): LanguageLane => {
    const stream = pipelines.find((pipeline) => pipeline.stream.id === service.stream)?.stream;
    assert(stream !== undefined, 'a language model speaks for a pipeline', service.stream);
    const { freshness, deadlineUs, criticality } = stream;
    const answersMax = freshness.kind === 'queue' ? freshness.jobsMax : 1;
    return { service, criticality, wait: new AnswerWait({ answersMax, deadlineUs }, clock) };
  });
  const assistants = deps.assistants.map((assistant) => {
    const lane = lanes.find(({ service }) => service.stream === assistant.id);
    assert(lane !== undefined, 'an assistant has a language model', assistant.id);
    return serveAssistant(assistant, lane, { clock, createdS });
  });
  // Several pipelines may run one model.
  const names = [...new Set(lanes.map(({ service }) => service.model))];
  const models = names.map((model) =>
    serveLanguage(
      model,
      lanes.filter(({ service }) => service.model === model),
      { clock, createdS },
    ),
  );
  const { token, ...rest } = config;
  return startHttpThread(
    { ...rest, token: token?.reveal() },
    {
      clock,
      // A pipeline may be called as a model is; then its name is the assistant's.
      models: [...assistants, ...models],
      onTrouble: (message) => incidents.add({ kind: 'warning', message }),
      onLost: (message) => incidents.add({ kind: 'worker-lost', message }),
    },
  );
}
