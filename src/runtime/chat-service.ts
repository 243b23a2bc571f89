import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { SpokenToken, TurnSummary } from '../core/turn-task.ts';
import { type DurationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { ChatMessage, ChatRequest } from '../models/language/chat-message.ts';
import { type ConstraintOptions, toolMarksOf } from '../models/language/constraint/constraint.ts';
import { createReplyReader, type ReplyPiece } from '../models/language/reply-reader.ts';
import { readSamplingOptions } from '../models/language/sampling-options.ts';
import type { Vocabulary } from '../models/language/vocabulary.ts';
import type { ConversationDesk, Speech } from '../pipeline/conversation-desk.ts';
import type { EncodedPrompt, PromptEncoder, PromptRequest } from './prompts/prompt-encoder.ts';

/** What somebody asks a language model, in words. */
export interface ChatAsk extends Pick<ChatRequest, 'messages' | 'tools' | 'variables' | 'nowMs'> {
  /** What goes before the messages as far as it fits; what is left is told through `onPrompt`. */
  readonly before?: PromptRequest['before'];
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
  /** Once, before anything else: all messages that are read. */
  onPrompt?(messages: readonly ChatMessage[]): void;
  /** Once, when its first step is handed to a core. */
  onStart?(): void;
  /** Parts of the answer as soon as they are certain, and the tokens since the last call; either may be empty, not both. */
  onPieces(pieces: readonly ReplyPiece[], tokens: readonly SpokenToken[]): void;
  /** Once, last. */
  onEnd(end: ChatEnd): void;
  /** Instead of everything else: it cannot be asked, and nothing was counted. */
  onRefused(error: CoxswainError): void;
}

/** An answer under way. */
export interface ChatReply {
  /** Nobody listens any more: generation ends within a token, reading within a chunk, and what it took is free again. */
  cancel(): void;
}

export interface ChatServiceDeps {
  readonly clock: Clock;
  readonly vocabulary: Vocabulary;
  readonly encoder: PromptEncoder;
  readonly desk: Pick<ConversationDesk, 'speak'>;
}

export interface ChatService {
  /**
   * Asks. Never throws for what is asked: what cannot be comes through `onRefused` (PROMPT_REFUSED, CONTEXT_OVERFLOW, CONVERSATION_BUSY, MODEL_UNSUPPORTED for its template,
   * WORKER_CRASHED), all else through `onEnd`; either possibly inside the call.
   */
  ask(ask: ChatAsk, listener: ChatListener): ChatReply;
}

export interface ChatServiceOptions {
  readonly contextTokens: number;
}

/** What a conversation is called that has no name; a name somebody gives never looks so. */
const NAMELESS = '\u0000';

/** From words to tokens to a job of the scheduler's, and back to words and proposals as tokens come. It decides nothing, and a tool call in it is a proposal. */
export function createChatService(options: ChatServiceOptions, deps: ChatServiceDeps): ChatService {
  let count = 0;
  return {
    ask(ask, listener) {
      count += 1;
      const question = new Question(ask, listener, { ...deps, ...options, nameless: `${NAMELESS}${count}` });
      question.begin();
      return question;
    },
  };
}

interface QuestionDeps extends ChatServiceDeps, ChatServiceOptions {
  /** What it is called where it has no name. */
  readonly nameless: string;
}

/** One ask: its prompt is made, then its turn is spoken. */
class Question implements ChatReply {
  readonly #ask: ChatAsk;
  readonly #listener: ChatListener;
  readonly #deps: QuestionDeps;
  readonly #askedAt: InstantUs;
  #speech: Speech | undefined;
  #isCancelled = false;

  constructor(ask: ChatAsk, listener: ChatListener, deps: QuestionDeps) {
    this.#ask = ask;
    this.#listener = listener;
    this.#deps = deps;
    this.#askedAt = deps.clock.now();
  }

  begin(): void {
    const { messages, before, tools, variables, nowMs, sampling, tokensMax, deadlineAt } = this.#ask;
    const { contextTokens, encoder } = this.#deps;
    // Looked at here as well, so that who asks is told what is wrong before anything is counted.
    if (!this.#tries(() => readSamplingOptions(sampling ?? {}))) return;
    encoder.encode({ messages, before, tools, variables, nowMs, tokensMax: contextTokens - (tokensMax ?? 1) }, deadlineAt, (prompt) => {
      if (prompt instanceof CoxswainError) return this.#isCancelled ? this.#endUnread() : this.#listener.onRefused(prompt);
      if (this.#isCancelled) return this.#endUnread();
      this.#tries(() => this.#speak(prompt));
    });
  }

  /** What is being encoded is encoded to its end: a place in the queue is held as long as it costs something. */
  cancel(): void {
    this.#isCancelled = true;
    this.#speech?.cancel();
  }

  #speak({ ids, sharedTokens, messages }: EncodedPrompt): void {
    const { conversation, constraint, sampling, stop, tokensMax, deadlineAt } = this.#ask;
    const { contextTokens, desk, nameless } = this.#deps;
    this.#listener.onPrompt?.(messages);
    const speech = desk.speak(
      {
        conversation: conversation ?? nameless,
        tokens: ids,
        // At least one, so that a text that is too long is told as such.
        tokensMax: tokensMax ?? Math.max(1, contextTokens - ids.length),
        choosing: {
          ...(sampling === undefined ? {} : { sampling }),
          ...(constraint === undefined ? {} : { constraint }),
          ...(stop === undefined || stop.length === 0 ? {} : { stop }),
        },
        sharedTokens,
        ...(deadlineAt === undefined ? {} : { deadlineAt }),
      },
      new Answer({ promptTokens: ids.length, askedAt: this.#askedAt }, this.#ask, this.#listener, this.#deps),
    );
    this.#speech = speech;
    // By what was heard inside the call.
    if (this.#isCancelled) speech.cancel();
  }

  #endUnread(): void {
    const usage = { promptTokens: 0, answerTokens: 0, ...UNKNOWN };
    this.#listener.onEnd({ outcome: { kind: 'dropped', reason: 'cancelled' }, finish: 'cancelled', usage });
  }

  /** False where it cannot be asked; the listener knows then. */
  #tries(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof CoxswainError)) throw thrown;
      this.#listener.onRefused(thrown);
      return false;
    }
  }
}

const UNKNOWN = { cachedTokens: undefined, queuedUs: undefined, firstTokenUs: undefined, answerUs: undefined };

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
    { promptTokens, askedAt }: { readonly promptTokens: number; readonly askedAt: InstantUs },
    { constraint, tools, stop = [] }: ChatAsk,
    listener: ChatListener,
    { clock, vocabulary }: ChatServiceDeps,
  ) {
    this.#promptTokens = promptTokens;
    this.#listener = listener;
    this.#clock = clock;
    this.#askedAt = askedAt;
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
