import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { ModelId } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import { type Criticality, criticalityRank } from '../core/stream.ts';
import { addUs, type DurationUs, durationFromMs } from '../core/units.ts';
import type { ServedEnd, ServedModel, ServedRequest } from '../sinks/openai/served-model.ts';
import type { AnswerWait, Refusal } from './answer-wait.ts';
import type { ChatEnd } from './chat-service.ts';
import type { LanguageService } from './language-service.ts';
import { wireLogprobsOf, wireUsageOf } from './wire-answer.ts';

/** A language model behind one pipeline, with the test before its queue. */
export interface LanguageLane {
  readonly service: LanguageService;
  readonly criticality: Criticality;
  readonly wait: AnswerWait;
}

export interface ServeDeps {
  readonly clock: Clock;
  /** Wall time that models are said to be from. */
  readonly createdS: number;
}

/** A language model as it is: what is asked goes to it, and what it answers comes back. `lanes`: the pipelines that it works for, at least one. */
export function serveLanguage(model: ModelId, lanes: readonly LanguageLane[], { clock, createdS }: ServeDeps): ServedModel {
  const contextTokens = Math.max(...lanes.map(({ service }) => service.contextTokens));
  return {
    ...{ id: model, createdS, contextTokens },
    ask(request, listener) {
      const lane = laneFor(model, request, lanes);
      const { service, wait } = lane;
      const deadlineUs = deadlineOf(request);
      const refusal = wait.refusal(deadlineUs);
      if (refusal !== undefined) return refuse(refusal, listener);
      const { constraint, service: options, sampling, stop, tokensMax, messages, tools, variables } = request;
      const place = wait.admit();
      return service.chat.ask(
        {
          ...{ messages, tools, variables, sampling, constraint, stop, tokensMax },
          nowMs: clock.wallMs(),
          // Names of clients are not those of others who talk to the model.
          conversation: options.conversation === undefined ? undefined : `http/${options.conversation}`,
          deadlineAt: deadlineUs === undefined ? undefined : addUs(clock.now(), deadlineUs),
        },
        {
          onStart: () => place.started(),
          onPieces: (pieces, tokens) => listener.onPieces(pieces, wireLogprobsOf(tokens, service.vocabulary)),
          onEnd(end) {
            place.ended(isAnswer(end.outcome));
            listener.onEnd(servedEndOf(end, wait));
          },
          onRefused(error) {
            place.ended(false);
            listener.onEnd({ kind: 'refused', error });
          },
        },
      );
    },
  };
}

/** The pipeline of the class that is asked for; where none is named, the most important. */
function laneFor(model: ModelId, { service: { criticality } }: ServedRequest, lanes: readonly LanguageLane[]): LanguageLane {
  const sorted = [...lanes].sort((a, b) => criticalityRank(a.criticality) - criticalityRank(b.criticality));
  const lane = criticality === undefined ? sorted[0] : sorted.find((candidate) => candidate.criticality === criticality);
  if (lane !== undefined) return lane;
  const there = [...new Set(sorted.map((one) => one.criticality))].join(', ');
  throw new CoxswainError(
    'PROMPT_REFUSED',
    `no pipeline of ${model} is ${criticality}; there is ${there}. Ask for that, or leave the criticality out.`,
  );
}

export const deadlineOf = ({ service: { deadlineMs } }: ServedRequest): DurationUs | undefined =>
  deadlineMs === undefined ? undefined : durationFromMs(deadlineMs);

export function refuse({ reason, retryAfterUs }: Refusal, listener: { onEnd(end: ServedEnd): void }): { cancel(): void } {
  listener.onEnd({ kind: 'overloaded', reason, retryAfterS: retryAfterUs / 1e6 });
  return { cancel: () => undefined };
}

export const isAnswer = ({ kind }: Outcome): boolean => kind === 'done' || kind === 'late';

/** What the scheduler gave up because there was too much to do, told as what it is: come again. */
const OVERLOADS = new Map<string, string>([
  ['infeasible', 'it cannot be in time any more'],
  ['queue-full', 'the queue is full'],
  ['superseded', 'a newer request took its place'],
]);

export function lossOf(outcome: Outcome, wait: AnswerWait, problem: string | undefined): ServedEnd {
  const overload = outcome.kind === 'dropped' ? OVERLOADS.get(outcome.reason) : undefined;
  if (overload === undefined) return { kind: 'lost', outcome, problem };
  const { reason, retryAfterUs } = wait.afterLoss(overload);
  return { kind: 'overloaded', reason, retryAfterS: retryAfterUs / 1e6 };
}

function servedEndOf({ outcome, finish, usage, problem }: ChatEnd, wait: AnswerWait): ServedEnd {
  if (!isAnswer(outcome) || finish === undefined) return lossOf(outcome, wait, problem);
  return { kind: 'answered', finish, usage: wireUsageOf(usage, outcome.kind === 'late') };
}
