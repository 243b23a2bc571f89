import type { Clock } from '../core/clock.ts';
import type { Outcome } from '../core/outcome.ts';
import type { SpokenToken, TurnSummary } from '../core/turn-task.ts';
import { type DurationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { ChatRequest } from '../models/language/chat-message.ts';
import type { ChatTemplate } from '../models/language/chat-template.ts';
import { type ConstraintOptions, toolMarksOf } from '../models/language/constraint/constraint.ts';
import { createReplyReader, type ReplyPiece } from '../models/language/reply-reader.ts';
import { readSamplingOptions } from '../models/language/sampling-options.ts';
import type { Vocabulary } from '../models/language/vocabulary.ts';
import type { ConversationDesk } from '../pipeline/conversation-desk.ts';

/** What somebody asks a language model, in words. */
export interface ChatAsk extends Pick<ChatRequest, 'messages' | 'tools' | 'variables' | 'nowMs'> {
  /** Asks of one conversation go on from each other's cache, one at a time; absent: it stands for itself. */
  readonly conversation?: string | undefined;
  /** See `readSamplingOptions`; temperature 1 where none is given, as OpenAI has it. */
  readonly sampling?: Readonly<Record<string, unknown>> | undefined;
  readonly constraint?: ConstraintOptions | undefined;
  readonly stop?: readonly string[] | undefined;
  /** Absent: what the context leaves. */
  readonly tokensMax?: number | undefined;
  /** Of the first token. */
  readonly deadlineAt?: InstantUs | undefined;
}

export interface ChatUsage {
  /** Of the text, control tokens included. */
  readonly promptTokens: number;
  /** Of those, found in a cache; undefined when it was not run to its end. */
  readonly cachedTokens: number | undefined;
  readonly answerTokens: number;
  /** From the ask to the first step on a core; undefined when there was none. */
  readonly queuedUs: DurationUs | undefined;
  /** From the ask to the first token. */
  readonly firstTokenUs: DurationUs | undefined;
  /** From the first token to the last. */
  readonly answerUs: DurationUs | undefined;
}

export interface ChatEnd {
  readonly outcome: Outcome;
  /** How the answer ended; undefined when it failed or was never begun. */
  readonly finish: 'stop' | 'length' | 'cancelled' | undefined;
  readonly usage: ChatUsage;
  /** What was wrong, in the words of the core, where it failed there. Names no files when the outcome is `prepare-error`. */
  readonly problem?: string | undefined;
}

export interface ChatListener {
  /** Once, when its first step is handed to a core. */
  onStart?(): void;
  /** Parts of the answer as soon as they are certain, and the tokens since the last call; either may be empty, not both. */
  onPieces(pieces: readonly ReplyPiece[], tokens: readonly SpokenToken[]): void;
  /** Once, last. */
  onEnd(end: ChatEnd): void;
}

/** An answer under way. */
export interface ChatReply {
  /** Nobody listens any more: generation ends within a token, reading within a chunk, and what it took is free again. */
  cancel(): void;
}

export interface ChatServiceDeps {
  readonly clock: Clock;
  readonly vocabulary: Vocabulary;
  readonly template: ChatTemplate;
  readonly desk: Pick<ConversationDesk, 'speak'>;
}

export interface ChatService {
  /** Tokens that a prompt has. Errors: PROMPT_REFUSED, MODEL_UNSUPPORTED (its template). */
  promptTokens(prompt: Pick<ChatAsk, 'messages' | 'tools' | 'variables' | 'nowMs'>): number;
  /**
   * Asks. Errors, before anything is counted: PROMPT_REFUSED, CONTEXT_OVERFLOW, CONVERSATION_BUSY, MODEL_UNSUPPORTED (its template). Everything later comes through `onEnd`,
   * possibly inside the call.
   */
  ask(ask: ChatAsk, listener: ChatListener): ChatReply;
}

/** What a conversation is called that has no name; a name somebody gives never looks so. */
const NAMELESS = '\u0000';

/** From words to tokens to a job of the scheduler's, and back to words and proposals as tokens come. It decides nothing, and a tool call in it is a proposal. */
export function createChatService({ contextTokens }: { readonly contextTokens: number }, deps: ChatServiceDeps): ChatService {
  let count = 0;
  return {
    promptTokens: ({ messages, tools, variables, nowMs }) => deps.template.encode({ messages, tools, variables, nowMs }).ids.length,
    ask(ask, listener) {
      const { messages, tools, variables, nowMs, constraint, sampling, stop, tokensMax } = ask;
      // Looked at here as well, so that who asks is told what is wrong before anything is counted.
      readSamplingOptions(sampling ?? {});
      const prompt = deps.template.encode({ messages, tools, variables, nowMs });
      count += 1;
      const answer = new Answer(prompt.ids.length, ask, listener, deps);
      const speech = deps.desk.speak(
        {
          conversation: ask.conversation ?? `${NAMELESS}${count}`,
          tokens: prompt.ids,
          // At least one, so that a text that is too long is told as such.
          tokensMax: tokensMax ?? Math.max(1, contextTokens - prompt.ids.length),
          choosing: {
            ...(sampling === undefined ? {} : { sampling }),
            ...(constraint === undefined ? {} : { constraint }),
            ...(stop === undefined || stop.length === 0 ? {} : { stop }),
          },
          sharedTokens: prompt.sharedTokens,
          ...(ask.deadlineAt === undefined ? {} : { deadlineAt: ask.deadlineAt }),
        },
        answer,
      );
      return { cancel: () => speech.cancel() };
    },
  };
}

class Answer {
  readonly #promptTokens: number;
  readonly #listener: ChatListener;
  readonly #clock: Clock;
  readonly #askedAt: InstantUs;
  readonly #reader: ReturnType<typeof createReplyReader>;
  #startedAt: InstantUs | undefined;
  #firstAt: InstantUs | undefined;
  #lastAt: InstantUs | undefined;
  #answerTokens = 0;

  constructor(
    promptTokens: number,
    { constraint, tools, stop = [] }: ChatAsk,
    listener: ChatListener,
    { clock, vocabulary }: ChatServiceDeps,
  ) {
    this.#promptTokens = promptTokens;
    this.#listener = listener;
    this.#clock = clock;
    this.#askedAt = clock.now();
    // Calls are looked for where there is something to call; a schema's answer is text to its end.
    const marks =
      constraint?.kind === 'tools'
        ? toolMarksOf(constraint)
        : constraint === undefined && (tools?.length ?? 0) > 0
          ? toolMarksOf({})
          : undefined;
    this.#reader = createReplyReader(vocabulary, { stop, marks });
  }

  onStart(): void {
    this.#startedAt = this.#clock.now();
    this.#listener.onStart?.();
  }

  onTokens(tokens: readonly SpokenToken[]): void {
    this.#lastAt = this.#clock.now();
    this.#firstAt ??= this.#lastAt;
    this.#answerTokens += tokens.length;
    this.#listener.onPieces(
      tokens.flatMap(({ id }) => this.#reader.push(id)),
      tokens,
    );
  }

  onEnd(outcome: Outcome, summary: TurnSummary | undefined, problem?: string): void {
    // What was held back is the end of a whole answer, or nothing.
    const rest = summary === undefined ? [] : this.#reader.end();
    if (rest.length > 0) this.#listener.onPieces(rest, []);
    const isCancelled = outcome.kind === 'dropped' && outcome.reason === 'cancelled';
    const finish = summary?.finish ?? (isCancelled ? 'cancelled' : undefined);
    this.#listener.onEnd({ outcome, finish, usage: this.#usage(summary), ...(problem === undefined ? {} : { problem }) });
  }

  #usage(summary: TurnSummary | undefined): ChatUsage {
    const since = (from: InstantUs | undefined, to: InstantUs | undefined): DurationUs | undefined =>
      from === undefined || to === undefined ? undefined : elapsedUs(from, to);
    return {
      promptTokens: this.#promptTokens,
      cachedTokens: summary?.cachedTokens,
      answerTokens: this.#answerTokens,
      queuedUs: since(this.#askedAt, this.#startedAt),
      firstTokenUs: since(this.#askedAt, this.#firstAt),
      answerUs: since(this.#firstAt, this.#lastAt),
    };
  }
}
