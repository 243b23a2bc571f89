import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Job, JobId, Turn } from '../core/job.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { Stream } from '../core/stream.ts';
import type { SpokenToken, TurnSummary, TurnTask } from '../core/turn-task.ts';
import { requireTurnTokens } from '../core/turn-tokens.ts';
import { addUs, type InstantUs } from '../core/units.ts';
import type { JobBook, TurnDesk } from './work.ts';

/** A turn that somebody wants, in tokens. */
export interface SpeakRequest {
  readonly conversation: string;
  /** Ids of the whole text so far. */
  readonly tokens: readonly number[];
  readonly tokensMax: number;
  /** See `TurnWords`. */
  readonly choosing?: Readonly<Record<string, unknown>>;
  readonly stopIds?: readonly number[];
  readonly sharedTokens?: number;
  readonly overflow?: 'refuse' | 'drop-oldest';
  /** Of the first token; the stream's when absent. */
  readonly deadlineAt?: InstantUs;
}

export interface SpeakListener {
  /** Once, when its first step is handed to a core. */
  onStart?(): void;
  /** Tokens of the answer, in order, each once. */
  onTokens(tokens: readonly SpokenToken[]): void;
  /** Once, last. `summary` is there when the answer is whole, `problem` where a core said why it failed. */
  onEnd(outcome: Outcome, summary: TurnSummary | undefined, problem?: string): void;
}

/** A turn under way. */
export interface Speech {
  readonly job: JobId;
  /** Nobody listens any more: it ends soon, as dropped. Does nothing to one that has ended. */
  cancel(): void;
}

export interface ConversationDeskOptions {
  readonly stream: Stream;
  readonly contextTokens: number;
  /** Tokens that the model has. */
  readonly vocabulary: number;
  /** Conversations whose cached text is remembered here, as many as a core caches. */
  readonly textsMax: number;
}

export interface ConversationDeskDeps {
  readonly clock: Clock;
  readonly desk: TurnDesk;
  /** Shared memory for texts. `write` copies ids there, an int32 each. */
  readonly memory: {
    allocate(byteLength: number): Region | undefined;
    release(region: Region): void;
    write(region: Region, ids: Int32Array): void;
  };
}

interface Known {
  readonly tokens: readonly number[];
  /** As it was then: a core that was lost has taken its caches with it. */
  readonly lossCount: number;
}

interface Talk {
  readonly request: SpeakRequest;
  readonly listener: SpeakListener;
  readonly capturedAt: InstantUs;
  readonly region: Region;
  job: JobId;
  /** What the core was thought to have of the text. */
  cachedTokens: number;
  /** Told to the listener, and heard since the core began. */
  told: SpokenToken[];
  heard: number;
  summary: TurnSummary | undefined;
  problem: string | undefined;
  isStarted: boolean;
  isCancelled: boolean;
}

/**
 * Turns of many conversations become jobs of one language model, with what is known of its caches: a job counts only what has to be read. A conversation has one turn at a time.
 * It decides nothing: when a turn runs, waits or is given up is the scheduler's business.
 */
export class ConversationDesk {
  readonly #options: ConversationDeskOptions;
  readonly #deps: ConversationDeskDeps;
  readonly #book: JobBook;
  readonly #talks = new Map<string, Talk>();
  /** By conversation, least recently used first. */
  readonly #known = new Map<string, Known>();

  constructor(options: ConversationDeskOptions, deps: ConversationDeskDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#book = deps.desk.bookOf(options.stream.id);
  }

  /** Turns under way. */
  get count(): number {
    return this.#talks.size;
  }

  /**
   * Hands a turn in. Errors, before anything is counted: TOKENS_INVALID, CONTEXT_OVERFLOW, CONVERSATION_BUSY. What the runtime cannot take now ends at once, through
   * `onEnd`, possibly inside the call: `rejected` (no-memory, stopping) or `dropped` (shed, queue-full).
   */
  speak(request: SpeakRequest, listener: SpeakListener): Speech {
    this.#check(request);
    const { clock, desk, memory } = this.#deps;
    const capturedAt = clock.now();
    const job = desk.open(this.#book, capturedAt);
    const refuse = (outcome: Outcome): Speech => {
      desk.end(job, outcome);
      listener.onEnd(outcome, undefined);
      return { job, cancel: () => undefined };
    };
    if (desk.servedWith(this.#options.stream.id) === null) return refuse({ kind: 'dropped', reason: 'shed' });
    const region = memory.allocate(4 * request.tokens.length);
    if (region === undefined) return refuse({ kind: 'rejected', reason: 'no-memory' });
    memory.write(region, Int32Array.from(request.tokens));
    const none = { told: [], heard: 0, summary: undefined, problem: undefined, isStarted: false, isCancelled: false };
    const talk: Talk = { request, listener, capturedAt, region, job, cachedTokens: this.#cachedOf(request), ...none };
    this.#talks.set(request.conversation, talk);
    this.#submit(talk);
    return {
      job,
      cancel: () => {
        if (this.#talks.get(request.conversation) !== talk || talk.isCancelled) return;
        talk.isCancelled = true;
        desk.cancel(talk.job);
      },
    };
  }

  #check({ conversation, tokens, tokensMax, overflow }: SpeakRequest): void {
    const { vocabulary, contextTokens } = this.#options;
    requireTurnTokens(tokens, tokensMax, vocabulary);
    if (tokens.length >= contextTokens && overflow !== 'drop-oldest')
      throw new CoxswainError(
        'CONTEXT_OVERFLOW',
        `The text has ${tokens.length} tokens; the model reads at most ${contextTokens}, with one left to answer. Shorten it, or begin a new conversation.`,
      );
    if (this.#talks.has(conversation))
      throw new CoxswainError(
        'CONVERSATION_BUSY',
        `The conversation ${JSON.stringify(conversation)} has a turn under way. Wait for its end, or cancel it.`,
      );
  }

  #submit(talk: Talk): void {
    const { desk, memory } = this.#deps;
    const { stream } = this.#options;
    const { request, region } = talk;
    const deadlineAt = request.deadlineAt ?? addUs(talk.capturedAt, stream.deadlineUs);
    const model = desk.servedWith(stream.id) ?? stream.model;
    const job: Job = { id: talk.job, stream: stream.id, model, capturedAt: talk.capturedAt, deadlineAt, turn: this.#turnOf(talk) };
    desk.submit({
      job,
      inputs: [],
      task: this.#taskOf(talk),
      decode: (_outputs, listener) => listener.decoded([]),
      settle: (outcome) => {
        if (this.#isWorthAnother(talk, outcome)) return this.#again(talk);
        memory.release(region);
        this.#talks.delete(request.conversation);
        this.#remember(talk, outcome);
        talk.listener.onEnd(outcome, talk.summary, talk.problem);
      },
    });
  }

  /** What was thought to be cached was evicted, and reading it again has no steps in the job: then it gets another one, with all of it to be read. */
  #isWorthAnother({ cachedTokens, told, isCancelled }: Talk, outcome: Outcome): boolean {
    return outcome.kind === 'failed' && outcome.reason === 'device-error' && cachedTokens > 0 && told.length === 0 && !isCancelled;
  }

  #again(talk: Talk): void {
    talk.job = this.#deps.desk.open(this.#book, talk.capturedAt);
    talk.cachedTokens = 0;
    talk.problem = undefined;
    this.#submit(talk);
  }

  #turnOf({ request: { tokens, tokensMax }, cachedTokens }: Talk): Turn {
    const { contextTokens } = this.#options;
    const readTokens = Math.min(tokens.length, contextTokens - 1);
    const answer = Math.max(1, Math.min(tokensMax, contextTokens - readTokens));
    const turn = { promptTokens: readTokens - cachedTokens, tokensMax: tokens.length < contextTokens ? answer : tokensMax };
    return cachedTokens === 0 ? turn : { ...turn, pastTokens: cachedTokens };
  }

  #taskOf(talk: Talk): TurnTask {
    const { conversation, choosing, stopIds = [], sharedTokens = 0, overflow = 'refuse' } = talk.request;
    const desk = this;
    return {
      ...{ conversation, text: talk.region, stopIds, sharedTokens, overflow },
      ...(choosing === undefined ? {} : { choosing }),
      /** Those that wait: asked when the segment is handed over, since more come and go meanwhile. */
      get pinned() {
        return [...desk.#talks.keys()];
      },
      onStart: () => {
        talk.heard = 0;
        if (!talk.isStarted) talk.listener.onStart?.();
        talk.isStarted = true;
      },
      onTokens: (tokens) => desk.#hear(talk, tokens),
      onFailure: (message) => {
        talk.problem = message;
      },
      onSummary: (summary) => {
        talk.summary = summary;
      },
    };
  }

  /** After the loss of a core the answer comes from its beginning again, which the listener has heard. */
  #hear(talk: Talk, tokens: readonly SpokenToken[]): void {
    const fresh = tokens.slice(Math.max(0, talk.told.length - talk.heard));
    talk.heard += tokens.length;
    if (fresh.length === 0 || talk.isCancelled) return;
    talk.told.push(...fresh);
    talk.listener.onTokens(fresh);
  }

  #cachedOf({ conversation, tokens }: SpeakRequest): number {
    const known = this.#known.get(conversation);
    if (known === undefined || known.lossCount !== this.#deps.desk.lossCount || tokens.length >= this.#options.contextTokens) return 0;
    let length = 0;
    while (length < tokens.length - 1 && tokens[length] === known.tokens[length]) length += 1;
    return length;
  }

  #remember({ request: { conversation, tokens }, told, summary, cachedTokens }: Talk, outcome: Outcome): void {
    const before = this.#known.get(conversation);
    this.#known.delete(conversation);
    const { lossCount } = this.#deps.desk;
    if (outcome.kind === 'failed' || (summary?.droppedTokens ?? 0) > 0) return;
    if (summary === undefined) {
      // Given up on its way: what had been there when it began is there still.
      if (before !== undefined && before.lossCount === lossCount)
        this.#known.set(conversation, { tokens: before.tokens.slice(0, cachedTokens), lossCount });
    } else {
      // The last token of most answers is chosen but not run.
      this.#known.set(conversation, { tokens: [...tokens, ...told.map(({ id }) => id)].slice(0, -1), lossCount });
    }
    for (const name of this.#known.keys()) {
      if (this.#known.size <= this.#options.textsMax) break;
      this.#known.delete(name);
    }
  }
}
