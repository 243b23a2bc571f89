import type { ActionCatalogue } from '../../core/action.ts';
import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { MachineState } from '../../core/machine-state.ts';
import type { ActionOutcome, Confirmation, Provenance } from '../../core/proposal.ts';
import type { StreamId } from '../../core/stream.ts';
import type { TurnTranscript } from '../../core/turn-transcript.ts';
import { type DurationUs, durationFromMs, elapsedUs } from '../../core/units.ts';
import type { Situation } from '../../models/language/situation.ts';
import type { ChatService } from '../chat-service.ts';
import { actionTools } from './action-tools.ts';
import { AssistantCounter, type AssistantCounts } from './assistant-counts.ts';
import { ConversationMemory } from './conversation.ts';
import { machineSituation } from './machine-situation.ts';
import { CHARS_PER_TOKEN_MAX } from './prompt.ts';
import { type ProposalDeps, ProposalDesk } from './proposal-desk.ts';
import { AssistantTurn, type TurnPlace } from './turn.ts';
import type { AssistantEnd, AssistantLimits, AssistantListener, FollowUps, Utterance } from './utterance.ts';
import type { Seen } from './view.ts';

export interface AssistantOptions {
  /** Of its pipeline. */
  readonly id: StreamId;
  /** What its model reads at most, the answer included. */
  readonly contextTokens: number;
  readonly machine: 'vehicle' | 'robot';
  /** The gate's; undefined: nothing can be called. */
  readonly catalogue: ActionCatalogue | undefined;
  /** A reading of the machine's state that is older says nothing. */
  readonly stateAgeMaxUs: DurationUs;
  /** See `SituationOptions`; none when absent. */
  readonly texts?: readonly string[];
  /**
   * What is said when it is known what became of calls: `fixed` sentences in English or Chinese, which are always true; what the `model` makes of the outcome; or nothing. Default: fixed.
   */
  readonly followUps?: FollowUps;
  readonly limits?: Partial<AssistantLimits>;
}

/**
 * 128 tokens hold the longest answer of the shipped model (96) and some three calls; what it says of a call has at most 20. A seat answers within 0.2 s, a window within 4: whoever waits longer than
 * 3 s for a word has turned away. Ten minutes: then somebody else may sit there.
 */
const LIMITS: AssistantLimits = {
  ...{ answerTokensMax: 128, followUpTokensMax: 48, callsMax: 8, outcomeWithinUs: durationFromMs(3_000) },
  ...{ underWayMax: 32, conversationsMax: 64, turnsMax: 16, idleUs: durationFromMs(600_000) },
};

export interface AssistantDeps extends ProposalDeps {
  readonly clock: Clock;
  readonly chat: ChatService;
  /** Undefined: nothing is known of the machine. */
  readonly state: MachineState | undefined;
  /** Absent: there is no camera. */
  readonly view?: (() => Seen | undefined) | undefined;
  /** Told of every turn at its end. */
  readonly onTranscript?: ((transcript: TurnTranscript) => void) | undefined;
}

/**
 * From words to an answer and to proposals. The model says; what happens is the gate's to decide.
 *
 *     hear ──▶ prompt (situation, what was said before) ──▶ answer ──▶ calls, each a proposal ──▶ what became of them ──▶ a word about that
 *       │ a plain yes or no while one call of this conversation waits for it: goes to the gate, and to no model
 */
export interface Assistant {
  readonly id: StreamId;
  /** Never throws for what is said; what is wrong with it comes through `onEnd`, possibly inside the call. */
  hear(utterance: Utterance, listener: AssistantListener): { cancel(): void };
  /** A yes or no from a button. Where the proposal stands then; undefined when there is no such proposal. */
  confirm(confirmation: Confirmation): ActionOutcome | undefined;
  counts(): AssistantCounts;
  /** Breaks everything off; nothing is heard any more. */
  close(): void;
}

/** Errors: none; the limits have been looked at by whoever made them. */
export function createAssistant(options: AssistantOptions, deps: AssistantDeps): Assistant {
  return new Talker(options, deps);
}

interface Conversation {
  readonly memory: ConversationMemory;
  current: AssistantTurn | undefined;
  /** Waits for the current one, which is being broken off. */
  next: AssistantTurn | undefined;
}

const CONVERSATION_NAME_MAX = 128;

class Talker implements Assistant {
  readonly id: StreamId;
  readonly #options: AssistantOptions;
  readonly #deps: AssistantDeps;
  readonly #limits: AssistantLimits;
  readonly #place: TurnPlace;
  readonly #proposals: ProposalDesk;
  readonly #counter = new AssistantCounter();
  /** Least recently used first. */
  readonly #conversations = new Map<string, Conversation>();
  readonly #nameless = new Set<AssistantTurn>();
  #isClosed = false;

  constructor(options: AssistantOptions, deps: AssistantDeps) {
    const { id, contextTokens, catalogue, followUps = 'fixed' } = options;
    this.id = id;
    this.#options = options;
    this.#deps = deps;
    this.#limits = { ...LIMITS, ...options.limits };
    assert(this.#limits.conversationsMax >= this.#limits.underWayMax, 'a conversation under way is never forgotten');
    this.#proposals = new ProposalDesk({ prefix: proposalPrefix(id, deps.clock), counter: this.#counter }, deps);
    this.#place = {
      assistant: id,
      limits: { ...this.#limits, contextTokens },
      followUps,
      tools: catalogue === undefined ? [] : actionTools(catalogue),
      proposals: this.#proposals,
      counter: this.#counter,
      situation: () => this.#situation(),
      ...{ clock: deps.clock, chat: deps.chat },
    };
  }

  hear(utterance: Utterance, listener: AssistantListener): { cancel(): void } {
    this.#counter.turns += 1;
    const { conversation: name } = utterance;
    const flaw = this.#flawOf(utterance);
    const isFull = this.#counter.underWay > this.#limits.underWayMax;
    const conversation = name === undefined || flaw !== undefined || isFull || this.#isClosed ? undefined : this.#open(name);
    const turn = new AssistantTurn(
      {
        utterance,
        turn: this.#counter.turns,
        memory: conversation?.memory,
        onEnded: (end) => this.#ended(turn, conversation, end, listener),
      },
      listener,
      this.#place,
    );
    if (this.#isClosed) turn.refuse({ kind: 'rejected', reason: 'stopping' });
    else if (flaw !== undefined) turn.refuse(flaw);
    else if (isFull) turn.refuse({ kind: 'dropped', reason: 'queue-full' });
    else if (conversation === undefined) {
      this.#nameless.add(turn);
      turn.begin();
    } else this.#follow(conversation, turn);
    return { cancel: () => turn.breakOff() };
  }

  confirm(confirmation: Confirmation): ActionOutcome | undefined {
    return this.#proposals.confirm(confirmation);
  }

  counts(): AssistantCounts {
    return this.#counter.counts(this.#conversations.size);
  }

  close(): void {
    this.#isClosed = true;
    for (const { current, next } of [...this.#conversations.values()]) {
      next?.breakOff();
      current?.breakOff();
    }
    for (const turn of [...this.#nameless]) turn.breakOff();
    this.#proposals.close();
  }

  /** One turn of a conversation at a time: what is under way is broken off, and what waits for that gives way. */
  #follow(conversation: Conversation, turn: AssistantTurn): void {
    const { current, next } = conversation;
    if (current === undefined) {
      conversation.current = turn;
      turn.begin();
      return;
    }
    conversation.next = turn;
    next?.breakOff();
    current.breakOff();
  }

  #ended(turn: AssistantTurn, conversation: Conversation | undefined, end: AssistantEnd, listener: AssistantListener): void {
    this.#nameless.delete(turn);
    this.#counter.ended(end.transcript.end);
    let following: AssistantTurn | undefined;
    if (conversation?.current === turn) {
      following = conversation.next;
      conversation.current = following;
      conversation.next = undefined;
      conversation.memory.usedAt = this.#deps.clock.now();
    } else if (conversation?.next === turn) conversation.next = undefined;
    listener.onEnd(end);
    this.#deps.onTranscript?.(end.transcript);
    // Unless the listener has said something else meanwhile, and so broken it off.
    following?.begin();
  }

  #open(name: string): Conversation {
    const { clock } = this.#deps;
    const { turnsMax, conversationsMax, idleUs } = this.#limits;
    const now = clock.now();
    const known = this.#conversations.get(name);
    this.#conversations.delete(name);
    const isIdle = known !== undefined && known.current === undefined && elapsedUs(known.memory.usedAt, now) > idleUs;
    const conversation: Conversation =
      known === undefined || isIdle
        ? {
            memory: new ConversationMemory({ turnsMax, charsMax: this.#options.contextTokens * CHARS_PER_TOKEN_MAX }, now),
            current: undefined,
            next: undefined,
          }
        : known;
    for (const [other, { current }] of this.#conversations) {
      if (this.#conversations.size < conversationsMax) break;
      if (current === undefined) this.#conversations.delete(other);
    }
    conversation.memory.usedAt = now;
    this.#conversations.set(name, conversation);
    return conversation;
  }

  /** What can be seen of an utterance before its tokens are counted. */
  #flawOf({ text, conversation }: Utterance): CoxswainError | undefined {
    const charsMax = this.#options.contextTokens * CHARS_PER_TOKEN_MAX;
    if (text.trim() === '') return new CoxswainError('PROMPT_REFUSED', 'Nothing was said. Say something.');
    if (conversation !== undefined && (conversation === '' || conversation.length > CONVERSATION_NAME_MAX))
      return new CoxswainError(
        'PROMPT_REFUSED',
        `The name of the conversation has ${conversation.length} characters; 1 to ${CONVERSATION_NAME_MAX} are possible.`,
      );
    if (text.length > charsMax)
      return new CoxswainError(
        'CONTEXT_OVERFLOW',
        `What was said has ${text.length} characters; at most ${charsMax} are looked at. Say it shorter.`,
      );
    return undefined;
  }

  #situation(): { readonly situation: Situation; readonly provenances: readonly Provenance[] } {
    const { clock, state, view } = this.#deps;
    const { machine, stateAgeMaxUs, texts = [] } = this.#options;
    const seen = view?.();
    const wall = new Date(clock.wallMs());
    return {
      situation: {
        state: state === undefined ? { kind: machine } : machineSituation(state, clock.now(), { machine, stateAgeMaxUs, texts }),
        ...(seen === undefined ? {} : { detections: seen.things }),
        now: { hour: wall.getHours(), minute: wall.getMinutes() },
      },
      provenances: seen?.provenances ?? [],
    };
  }
}

/** Names the run by when it began, since actuators remember ids longer than a run lasts. At most 46 of the 64 characters that an id may have. */
const proposalPrefix = (id: StreamId, clock: Clock): string =>
  `${id.replace(/[^A-Za-z0-9_-]/gu, '_').slice(0, 32)}-${Math.floor(clock.wallMs()).toString(36)}`;
