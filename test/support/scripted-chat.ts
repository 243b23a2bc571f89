import { after, type Clock } from '../../src/core/clock.ts';
import { CoxswainError } from '../../src/core/errors.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { durationUs } from '../../src/core/units.ts';
import type { ChatMessage } from '../../src/models/language/chat-message.ts';
import type { ReplyPiece } from '../../src/models/language/reply-reader.ts';
import { fitPrompt } from '../../src/runtime/assistant/prompt.ts';
import type { ChatAsk, ChatEnd, ChatListener, ChatService } from '../../src/runtime/chat-service.ts';

/** One ask of a chat without a model: the test says what is answered. */
export interface ScriptedReply {
  /** With all messages that were read. */
  readonly ask: ChatAsk;
  readonly promptTokens: number;
  readonly isCancelled: boolean;
  readonly isOver: boolean;
  say(text: string): void;
  call(name: string, given: Readonly<Record<string, unknown>>): void;
  pieces(pieces: readonly ReplyPiece[]): void;
  end(outcome?: Outcome, finish?: ChatEnd['finish']): void;
}

export interface ScriptedChat extends ChatService {
  /** Every ask, oldest first. */
  readonly replies: ScriptedReply[];
  /** The newest; there must be one. */
  last(): ScriptedReply;
}

/** What a cancel takes until it is heard, as from a core. */
const CANCEL_US = durationUs(500);

/** A token for every four characters, and four for every message. A conversation with a turn under way refuses another, as the real one does. */
export function createScriptedChat(clock: Clock, contextTokens = 1024): ScriptedChat {
  const replies: ScriptedReply[] = [];
  const busy = new Set<string>();
  const promptTokens = (messages: readonly ChatMessage[]): number => messages.reduce((sum, message) => sum + tokensOf(message), 0);
  const fitted = ({ messages, before, tokensMax = 1 }: ChatAsk): readonly ChatMessage[] =>
    before === undefined ? messages : fitPrompt({ ...before, last: messages }, contextTokens - tokensMax, promptTokens);
  return {
    replies,
    last() {
      const reply = replies.at(-1);
      if (reply === undefined) throw new Error('nothing was asked');
      return reply;
    },
    ask(what, listener) {
      const refuse = (error: CoxswainError) => {
        listener.onRefused(error);
        return { cancel: () => undefined };
      };
      let ask: ScriptedReply['ask'];
      try {
        ask = { ...what, messages: fitted(what) };
      } catch (thrown) {
        if (thrown instanceof CoxswainError) return refuse(thrown);
        throw thrown;
      }
      if (promptTokens(ask.messages) >= contextTokens) return refuse(new CoxswainError('CONTEXT_OVERFLOW', 'too long for the script'));
      const { conversation } = ask;
      if (conversation !== undefined && busy.has(conversation)) return refuse(new CoxswainError('CONVERSATION_BUSY', conversation));
      if (conversation !== undefined) busy.add(conversation);
      listener.onPrompt?.(ask.messages);
      const reply = new Reply(ask, promptTokens(ask.messages), listener, () => conversation !== undefined && busy.delete(conversation));
      replies.push(reply);
      return {
        cancel() {
          if (reply.isOver || reply.isCancelled) return;
          reply.isCancelled = true;
          after(clock, CANCEL_US, () => reply.end({ kind: 'dropped', reason: 'cancelled' }, 'cancelled'));
        },
      };
    },
  };
}

class Reply implements ScriptedReply {
  readonly ask: ChatAsk;
  isCancelled = false;
  isOver = false;
  readonly promptTokens: number;
  readonly #listener: ChatListener;
  readonly #free: () => void;
  #tokens = 0;

  constructor(ask: ChatAsk, promptTokens: number, listener: ChatListener, free: () => void) {
    this.ask = ask;
    this.promptTokens = promptTokens;
    this.#listener = listener;
    this.#free = free;
  }

  say(text: string): void {
    this.pieces([{ kind: 'text', text }]);
  }

  call(name: string, given: Readonly<Record<string, unknown>>): void {
    this.pieces([{ kind: 'call', name, arguments: given, argumentsText: JSON.stringify(given) }]);
  }

  pieces(pieces: readonly ReplyPiece[]): void {
    this.#tokens += 1;
    this.#listener.onPieces(pieces, [{ id: this.#tokens }]);
  }

  end(outcome: Outcome = { kind: 'done' }, finish: ChatEnd['finish'] = 'stop'): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#free();
    const none = { cachedTokens: undefined, queuedUs: undefined, firstTokenUs: undefined, answerUs: undefined };
    this.#listener.onEnd({ outcome, finish, usage: { promptTokens: this.promptTokens, answerTokens: this.#tokens, ...none } });
  }
}

const tokensOf = (message: ChatMessage): number => {
  const calls = message.role === 'assistant' ? JSON.stringify(message.toolCalls ?? []).length : 0;
  return 4 + Math.ceil((message.content.length + calls) / 4);
};
