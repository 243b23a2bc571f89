import { after, type Clock, type Timer } from '../../core/clock.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { Outcome } from '../../core/outcome.ts';
import { leastTrusted, type Provenance } from '../../core/proposal.ts';
import type { StreamId } from '../../core/stream.ts';
import type { SpokenToken } from '../../core/turn-task.ts';
import type { TurnEnd } from '../../core/turn-transcript.ts';
import { durationUs, type InstantUs, instantUs } from '../../core/units.ts';
import type { ChatMessage } from '../../models/language/chat-message.ts';
import type { ReplyPiece } from '../../models/language/reply-reader.ts';
import type { Situation } from '../../models/language/situation.ts';
import type { ToolCall } from '../../models/language/tool-call.ts';
import type { ChatAsk, ChatEnd, ChatReply, ChatService } from '../chat-service.ts';
import type { AssistantCounter } from './assistant-counts.ts';
import { type ConversationMemory, messagesOf, type RememberedTurn } from './conversation.ts';
import { plainAnswer } from './plain-answer.ts';
import { turnsOf } from './prompt.ts';
import type { ProposalDesk, Proposed } from './proposal-desk.ts';
import { isFinal, languageOf, noticeOf, sentenceOf, toolMessage } from './spoken-outcome.ts';
import type { AssistantEnd, AssistantLimits, AssistantListener, FollowUps, Utterance } from './utterance.ts';

/** What all turns of an assistant have in common. */
export interface TurnPlace {
  readonly assistant: StreamId;
  readonly clock: Clock;
  readonly chat: ChatService;
  readonly proposals: ProposalDesk;
  readonly counter: AssistantCounter;
  readonly limits: AssistantLimits & { readonly contextTokens: number };
  readonly followUps: FollowUps;
  readonly tools: NonNullable<ChatAsk['tools']>;
  /** What holds now, and whose words are in it. */
  readonly situation: () => { readonly situation: Situation; readonly provenances: readonly Provenance[] };
}

export interface TurnOptions {
  readonly utterance: Utterance;
  /** From 1. */
  readonly turn: number;
  /** Of its conversation, if it is of one. */
  readonly memory: ConversationMemory | undefined;
  /** Once; the turn is silent from then on. */
  readonly onEnded: (end: AssistantEnd) => void;
}

/** What is shown of long texts in a transcript. */
const SHOWN_CHARS = 2_000;
const NOW = durationUs(0);
/** A call is no place for chance. */
const LIKELIEST = { temperature: 0 };

/**
 *     waiting ─▶ answering ─▶ settling (calls are out, their outcomes come) ─▶ telling (a word about them) ─▶ ended
 *        └──────── a plain yes or no ────────▶ settling
 */
type State = 'waiting' | 'answering' | 'settling' | 'telling' | 'ended';

/** One utterance, from when it is heard to the last word about it. */
export class AssistantTurn {
  readonly #options: TurnOptions;
  readonly #listener: AssistantListener;
  readonly #place: TurnPlace;
  readonly #saidAt: InstantUs;
  #provenance: Provenance;
  #state: State = 'waiting';
  /** Somebody spoke on, or broke it off. */
  #isBroken = false;
  /** It called more than it may. */
  #isCut = false;
  #reply: ChatReply | undefined;
  #messages: readonly ChatMessage[] = [];
  #answer = '';
  #followUp = '';
  readonly #calls: Proposed[] = [];
  readonly #badCalls: string[] = [];
  #chatEnd: ChatEnd | undefined;
  /** What a word about the calls goes with. */
  #told: RememberedTurn | undefined;
  #timer: Timer | undefined;
  #again: Timer | undefined;

  constructor(options: TurnOptions, listener: AssistantListener, place: TurnPlace) {
    const { saidAt, provenance } = options.utterance;
    const now = place.clock.now();
    this.#options = options;
    this.#listener = listener;
    this.#place = place;
    this.#saidAt = saidAt === undefined ? now : instantUs(Math.min(saidAt, now));
    this.#provenance = provenance;
  }

  begin(): void {
    if (this.#state !== 'waiting') return;
    if (this.#confirms()) return;
    this.#ask();
  }

  /** Ends it without a word. */
  refuse(why: CoxswainError | Outcome): void {
    if (why instanceof CoxswainError) this.#end('refused', why.message, why);
    else this.#end('refused', outcomeText(why), undefined, why);
  }

  /** Nobody listens any more. What was said so far was said, and what was proposed was proposed. */
  breakOff(): void {
    this.#isBroken = true;
    if (this.#state === 'waiting') this.#end('cancelled', '');
    else if (this.#state === 'settling') this.#end('done', '');
    else this.#reply?.cancel();
  }

  /** A plain yes or no while exactly one call waits for it, or a no to all of them, is for the gate alone. */
  #confirms(): boolean {
    const { utterance, memory } = this.#options;
    const answer = plainAnswer(utterance.text);
    const waiting = answer === undefined || memory === undefined ? [] : memory.awaiting();
    const [first] = waiting;
    if (answer === undefined || first === undefined || (answer === 'yes' && waiting.length > 1)) return false;
    this.#place.counter.confirmations += 1;
    this.#state = 'settling';
    this.#told = first.turn;
    for (const { proposed } of waiting) {
      this.#calls.push(proposed);
      // The turn that asked is over; from here on this one is told as well.
      proposed.watch(() => this.#outcomeCame(proposed));
      const { outcome } = proposed;
      this.#place.proposals.confirm({ id: proposed.proposal.id, answer, provenance: utterance.provenance, saidAt: this.#saidAt });
      // It was no answer to the gate: not the driver's, or from before the question.
      if (proposed.outcome === outcome) this.#listener.onProposal(proposed.proposal, outcome);
    }
    this.#settle();
    return true;
  }

  #ask(): void {
    const { utterance, memory } = this.#options;
    const { chat, limits, tools, situation: look } = this.#place;
    const { situation, provenances } = look();
    this.#provenance = leastTrusted([utterance.provenance, ...provenances]);
    const past = utterance.history === undefined ? memory?.turnsFor(this.#provenance).map(messagesOf) : turnsOf(utterance.history);
    const { sampling, stop, tokensMax = limits.answerTokensMax } = utterance.answering ?? {};
    const answerTokens = Math.min(tokensMax, Math.floor(limits.contextTokens / 2));
    const how = { sampling: { ...LIKELIEST, ...sampling }, ...(stop === undefined ? {} : { stop }) };
    const when = utterance.deadlineAt === undefined ? {} : { deadlineAt: utterance.deadlineAt };
    const messages = [{ role: 'user', content: utterance.text }] as const;
    this.#state = 'answering';
    this.#reply = chat.ask(
      { before: { situation, past: past ?? [] }, messages, tools, tokensMax: answerTokens, ...this.#conversation(), ...how, ...when },
      {
        onPrompt: (prompt) => {
          this.#messages = prompt;
        },
        onPieces: (pieces, tokens) => this.#hear(pieces, tokens),
        onEnd: (end) => this.#answered(end),
        onRefused: (error) => this.refuse(error),
      },
    );
    // Broken off by what was said inside the call.
    if (this.#isBroken || this.#isCut) this.#reply.cancel();
  }

  #hear(pieces: readonly ReplyPiece[], tokens: readonly SpokenToken[]): void {
    if (this.#state !== 'answering' || this.#isBroken || this.#isCut) return;
    const { counter, limits } = this.#place;
    const room = limits.callsMax - this.#calls.length - this.#badCalls.length;
    let callCount = 0;
    const end = pieces.findIndex(({ kind }) => {
      if (kind !== 'text') callCount += 1;
      return callCount > room;
    });
    const shown = end < 0 ? pieces : pieces.slice(0, end);
    this.#listener.onPieces(shown, tokens, 'answer');
    for (const piece of shown) {
      if (piece.kind === 'text') this.#answer += piece.text;
      else if (piece.kind === 'call') this.#propose(piece);
      else {
        counter.badCalls += 1;
        this.#badCalls.push(piece.problem);
      }
    }
    if (end < 0) return;
    counter.strayCalls += pieces.slice(end).filter(({ kind }) => kind !== 'text').length;
    this.#isCut = true;
    this.#reply?.cancel();
  }

  #propose(call: Extract<ToolCall, { kind: 'call' }>): void {
    const proposed = this.#place.proposals.propose(call, {
      provenance: this.#provenance,
      saidAt: this.#saidAt,
      onOutcome: (changed) => this.#outcomeCame(changed),
    });
    this.#calls.push(proposed);
  }

  #outcomeCame({ proposal, outcome }: Proposed): void {
    this.#listener.onProposal(proposal, outcome);
    if (this.#state !== 'settling' || this.#again !== undefined) return;
    // Not inside the gate's call.
    this.#again = after(this.#place.clock, NOW, () => {
      this.#again = undefined;
      this.#settle();
    });
  }

  #answered(end: ChatEnd): void {
    this.#chatEnd = end;
    const kind = this.#endOf(end);
    const turn: RememberedTurn = {
      provenance: this.#provenance,
      said: this.#options.utterance.text,
      answer: this.#answer,
      calls: this.#calls,
      followUp: '',
    };
    this.#options.memory?.remember(turn);
    const detail =
      kind === 'refused' || kind === 'failed' ? outcomeText(end.outcome) : this.#isCut ? 'more calls than an answer may have' : '';
    if (kind !== 'done' || this.#calls.length === 0) return this.#end(kind, detail);
    this.#told = turn;
    this.#state = 'settling';
    this.#settle();
  }

  #endOf({ outcome, finish }: ChatEnd): TurnEnd {
    if (this.#isBroken) return 'cancelled';
    if (this.#isCut) return 'cut';
    if (outcome.kind === 'done' || outcome.kind === 'late') return finish === 'length' ? 'cut' : 'done';
    if (finish === 'cancelled') return 'cancelled';
    return outcome.kind === 'failed' ? 'failed' : 'refused';
  }

  /** Goes on when it is known what became of the calls, and ends when somebody has to answer first or it takes too long. */
  #settle(): void {
    if (this.#state !== 'settling') return;
    const { clock, limits, followUps } = this.#place;
    const outcomes = this.#calls.map(({ outcome }) => outcome);
    if (outcomes.some(({ kind }) => kind === 'awaiting-confirmation')) return this.#sayNotices();
    if (outcomes.every(isFinal)) return followUps === 'model' ? this.#tell() : this.#sayOutcomes();
    this.#timer ??= after(clock, limits.outcomeWithinUs, () => {
      if (this.#state === 'settling') this.#sayNotices();
    });
  }

  /** Says where the calls stand that are not over yet, or else somebody who only hears would hear nothing. It is no part of what is remembered: the model looks that up. */
  #sayNotices(): void {
    const told = this.#told;
    if (told !== undefined && this.#place.followUps === 'fixed') {
      const language = languageOf(told.said);
      const waiting = this.#options.memory?.awaiting().length ?? 0;
      const sentences = this.#calls.map(
        ({ outcome, proposal }) => sentenceOf(outcome, proposal.provenance, language) ?? noticeOf(outcome, language, waiting),
      );
      this.#say(sentences, language);
    }
    this.#end('done', '');
  }

  /** Each thing once. */
  #say(sentences: readonly (string | undefined)[], language: 'en' | 'zh'): void {
    this.#followUp = [...new Set(sentences)].filter((sentence) => sentence !== undefined).join(language === 'en' ? ' ' : '');
    if (this.#followUp === '') return;
    this.#place.counter.followUps += 1;
    this.#listener.onPieces([{ kind: 'text', text: this.#followUp }], [], 'follow-up');
  }

  /** Says what became of the calls. */
  #sayOutcomes(): void {
    const told = this.#told;
    if (told !== undefined && this.#place.followUps === 'fixed') {
      const language = languageOf(told.said);
      const sentences = this.#calls.map(({ outcome, proposal }) => sentenceOf(outcome, proposal.provenance, language));
      this.#say(sentences, language);
      told.followUp = this.#followUp;
    }
    this.#end('done', '');
  }

  /** Lets the model say what became of the calls. Different things of several calls are not said: in one sentence one of them would be wrong. */
  #tell(): void {
    const { chat, limits, tools, situation: look, counter } = this.#place;
    const { memory } = this.#options;
    const told = this.#told;
    const words = new Set(told?.calls.map(({ outcome, proposal }) => toolMessage(outcome, proposal.provenance === 'camera-text')));
    if (told === undefined || words.size !== 1) return this.#end('done', '');
    const tokensMax = limits.followUpTokensMax;
    this.#state = 'telling';
    const past = memory === undefined ? [] : memory.turnsFor(told.provenance, told).map(messagesOf);
    // The prompt of the answer goes on, so that the model has read it; a yes comes later and needs a new one.
    const prompt =
      this.#messages.length > 0
        ? { messages: [...this.#messages, ...messagesOf(told).slice(1)] }
        : { before: { situation: look().situation, past }, messages: messagesOf(told) };
    this.#reply = chat.ask(
      { ...prompt, tools, tokensMax, sampling: LIKELIEST, ...this.#conversation() },
      {
        onPieces: (pieces, tokens) => this.#hearFollowUp(pieces, tokens),
        onEnd: ({ outcome }) => {
          told.followUp = this.#followUp;
          if (this.#followUp !== '') counter.followUps += 1;
          const isWhole = outcome.kind === 'done' || outcome.kind === 'late';
          this.#end(this.#isBroken ? 'cancelled' : 'done', isWhole || this.#isBroken ? '' : `nothing said of it: ${outcomeText(outcome)}`);
        },
        onRefused: (error) => this.#end('done', `nothing said of it: ${error.message}`),
      },
    );
    if (this.#isBroken) this.#reply.cancel();
  }

  /** Nothing is proposed because of an outcome, or a model could go on for ever. */
  #hearFollowUp(pieces: readonly ReplyPiece[], tokens: readonly SpokenToken[]): void {
    if (this.#state !== 'telling' || this.#isBroken) return;
    const texts = pieces.filter((piece) => piece.kind === 'text');
    this.#place.counter.strayCalls += pieces.length - texts.length;
    for (const { text } of texts) this.#followUp += text;
    this.#listener.onPieces(texts, tokens, 'follow-up');
  }

  /** Names the cache; one of an assistant is nobody else's. */
  #conversation(): { readonly conversation?: string } {
    const { conversation } = this.#options.utterance;
    return conversation === undefined ? {} : { conversation: `${this.#place.assistant}/${conversation}` };
  }

  #end(end: TurnEnd, detail: string, error?: CoxswainError, refusal?: Outcome): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#timer?.cancel();
    this.#again?.cancel();
    const { utterance, turn } = this.#options;
    const usage = this.#chatEnd?.usage;
    this.#options.onEnded({
      transcript: {
        ...{ assistant: this.#place.assistant, turn, conversation: utterance.conversation, provenance: this.#provenance },
        said: utterance.text.slice(0, SHOWN_CHARS),
        saidAt: this.#saidAt,
        endedAt: this.#place.clock.now(),
        ...{ end, detail, answer: this.#answer, followUp: this.#followUp, badCalls: this.#badCalls },
        calls: this.#calls.map(({ proposal: { id, name }, argumentsText, outcomes }) => ({
          id,
          name,
          argumentsText,
          outcomes: [...outcomes],
        })),
        promptTokens: usage?.promptTokens ?? 0,
        answerTokens: usage?.answerTokens ?? 0,
        firstTokenUs: usage?.firstTokenUs,
        answerUs: usage?.answerUs,
      },
      error,
      // An answer that was ended for its calls is as one that was as long as it may be.
      outcome: this.#isCut ? { kind: 'done' } : (this.#chatEnd?.outcome ?? refusal),
      finish: this.#isCut ? 'length' : this.#chatEnd?.finish,
      usage,
    });
  }
}

const outcomeText = (outcome: Outcome): string => ('reason' in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind);
