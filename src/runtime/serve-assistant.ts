import { CoxswainError } from '../core/errors.ts';
import type { ActionOutcome, Proposal } from '../core/proposal.ts';
import { addUs } from '../core/units.ts';
import type { ServedEnd, ServedModel, ServedRequest } from '../sinks/openai/served-model.ts';
import type { AnswerWait } from './answer-wait.ts';
import type { Assistant } from './assistant/assistant.ts';
import type { AssistantEnd, Utterance } from './assistant/utterance.ts';
import { deadlineOf, isAnswer, type LanguageLane, lossOf, refuse, type ServeDeps } from './serve-language.ts';
import { wireLogprobsOf, wireUsageOf } from './wire-answer.ts';

/** An assistant under the name of its pipeline: the last message is what was said, its calls go to the gate, and what becomes of them is told beside the answer. */
export function serveAssistant(assistant: Pick<Assistant, 'id' | 'hear'>, lane: LanguageLane, { clock, createdS }: ServeDeps): ServedModel {
  const { service, wait } = lane;
  return {
    ...{ id: assistant.id, createdS, contextTokens: service.contextTokens },
    ask(request, listener) {
      const deadlineUs = deadlineOf(request);
      const refusal = wait.refusal(deadlineUs);
      if (refusal !== undefined) return refuse(refusal, listener);
      const utterance = utteranceOf(request);
      const place = wait.admit();
      let isOver = false;
      return assistant.hear(
        { ...utterance, ...(deadlineUs === undefined ? {} : { deadlineAt: addUs(clock.now(), deadlineUs) }) },
        {
          onPieces(pieces, tokens) {
            place.started();
            // Calls are the gate's, and not for the client to make.
            const texts = pieces.filter((piece) => piece.kind === 'text');
            listener.onPieces(texts, wireLogprobsOf(tokens, service.vocabulary));
          },
          // What becomes of a call after the answer has ended is told over MQTT and in the audit log.
          onProposal(proposal, outcome) {
            if (!isOver) listener.onNote(noteOf(proposal, outcome));
          },
          onEnd(end) {
            isOver = true;
            const ended = servedEndOf(end, wait);
            place.ended(ended.kind === 'answered');
            listener.onEnd(end.error === undefined ? ended : { kind: 'refused', error: end.error });
          },
        },
      );
    },
  };
}

/** Errors: PROMPT_REFUSED (what an assistant does itself, or no word from anybody). */
function utteranceOf(request: ServedRequest): Utterance {
  const { messages, tools, constraint, provenance, sampling, stop, tokensMax, service } = request;
  if (tools.length > 0 || constraint !== undefined)
    throw new CoxswainError(
      'PROMPT_REFUSED',
      'An assistant has its own tools, and its answers are held to no other schema. Leave "tools" and "response_format" out, or ask its model.',
    );
  const last = messages.at(-1);
  if (last?.role !== 'user')
    throw new CoxswainError(
      'PROMPT_REFUSED',
      'The last message is not of the role "user". An assistant answers what somebody said; put it last.',
    );
  const past = messages.slice(0, -1).filter(({ role }) => role === 'user' || role === 'assistant' || role === 'tool');
  return {
    text: last.content,
    provenance,
    ...(service.conversation === undefined ? {} : { conversation: `http/${service.conversation}` }),
    // A client that remembers sends what was said; one that does not names its conversation.
    ...(past.length === 0 && service.conversation !== undefined ? {} : { history: past }),
    answering: {
      stop,
      ...(Object.keys(sampling).length === 0 ? {} : { sampling }),
      ...(tokensMax === undefined ? {} : { tokensMax }),
    },
  };
}

const noteOf = ({ id, name, arguments: given }: Proposal, outcome: ActionOutcome): Readonly<Record<string, unknown>> => ({
  proposal: { id, name, arguments: given },
  outcome: {
    kind: outcome.kind,
    ...('reason' in outcome ? { reason: outcome.reason } : {}),
    ...('detail' in outcome ? { detail: outcome.detail } : {}),
  },
});

/** A plain yes or no is answered by the gate and by no model; then there is nothing to count. */
const NO_USAGE = { promptTokens: 0, cachedTokens: 0, answerTokens: 0, queuedMs: 0, firstTokenMs: 0, answerMs: 0 };

function servedEndOf({ outcome, finish, usage }: AssistantEnd, wait: AnswerWait): ServedEnd {
  if (outcome !== undefined && !isAnswer(outcome)) return lossOf(outcome, wait, undefined);
  const isLate = outcome?.kind === 'late';
  return { kind: 'answered', finish: finish ?? 'stop', usage: usage === undefined ? NO_USAGE : wireUsageOf(usage, isLate) };
}
