import type { AssistantConfig, PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamId } from '../core/stream.ts';
import type { TurnTranscript } from '../core/turn-transcript.ts';
import { durationUs } from '../core/units.ts';
import type { TurnDesk } from '../pipeline/work.ts';
import type { ActionsService } from './actions-service.ts';
import type { AssembledPipeline } from './assemble.ts';
import { type Assistant, createAssistant } from './assistant/assistant.ts';
import { createView, type View } from './assistant/view.ts';
import type { TensorArena } from './frame-memory.ts';
import { createLanguageService, type LanguageService } from './language-service.ts';
import type { PromptPool } from './prompts/prompt-pool.ts';

/** What talks in a run: the words of each pipeline with a language model, and the assistant in front of them. */
export interface Talkers {
  readonly languages: readonly LanguageService[];
  readonly assistants: ReadonlyMap<StreamId, Assistant>;
  /** From here on they know what the pipelines find. Returns the way out. */
  watch(pipelines: readonly AssembledPipeline[]): () => void;
  close(): void;
}

export interface TalkersDeps {
  readonly clock: Clock;
  readonly desk: TurnDesk;
  readonly memory: TensorArena;
  readonly actions: ActionsService | undefined;
  readonly prompts: PromptPool;
  /** Told of every turn at its end. */
  readonly onTranscript: (transcript: TurnTranscript) => void;
}

/** Without a machine that reports, nothing is as old as this. */
const STATE_AGE_MAX_US = durationUs(1_000_000);

/** Errors: those of `createLanguageService`. */
export function createTalkers(config: RuntimeConfig, deps: TalkersDeps): Talkers {
  const languages: LanguageService[] = [];
  const assistants = new Map<StreamId, Assistant>();
  const views: View[] = [];
  for (const section of config.pipelines.filter(isTalking)) {
    const model = config.models.find(({ id }) => id === section.stream.model);
    assert(model !== undefined, `the configuration knows model ${section.stream.model}`);
    const language = createLanguageService(section, model, deps);
    languages.push(language);
    const { assistant, view } = assistantOf(section, language, config, deps);
    assistants.set(section.id, assistant);
    views.push(view);
  }
  return {
    languages,
    assistants,
    watch(pipelines) {
      const subscriptions = pipelines.map(({ pipeline }) =>
        pipeline.results.subscribe((found) => {
          for (const view of views) view.take(found);
        }),
      );
      return () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
      };
    },
    close() {
      for (const assistant of assistants.values()) assistant.close();
    },
  };
}

type TalkingPipeline = PipelineConfig & { readonly assistant: AssistantConfig };

const isTalking = (pipeline: PipelineConfig): pipeline is TalkingPipeline => pipeline.assistant !== undefined;

function assistantOf(
  { id, assistant: section, answer }: TalkingPipeline,
  { contextTokens, chat }: LanguageService,
  config: RuntimeConfig,
  { clock, actions, onTranscript }: TalkersDeps,
): { readonly assistant: Assistant; readonly view: View } {
  const { machine, sees, reads, texts, followUps } = section;
  const view = createView({ cameras: sees, texts: reads }, { clock });
  const catalogue = config.actions?.catalogue;
  const assistant = createAssistant(
    {
      ...{ id, contextTokens, catalogue, texts, followUps },
      machine: machine ?? catalogue?.machine ?? 'vehicle',
      stateAgeMaxUs: config.actions?.stateAgeMaxUs ?? STATE_AGE_MAX_US,
      limits: answer === undefined ? {} : { answerTokensMax: Math.min(answer.tokensMax, contextTokens >> 1) },
    },
    {
      ...{ clock, chat, onTranscript },
      gate: actions?.gate,
      onOutcome: actions && ((listener) => actions.onOutcome(listener)),
      state: actions?.state,
      ...(sees.length + reads.length === 0 ? {} : { view: () => view.seen() }),
    },
  );
  return { assistant, view };
}
