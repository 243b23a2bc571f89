import type { Provenance } from '../../core/proposal.ts';
import { PROVENANCES } from '../../core/proposal.ts';
import type { InstantUs } from '../../core/units.ts';
import type { ChatMessage } from '../../models/language/chat-message.ts';
import type { Proposed } from './proposal-desk.ts';
import { toolMessage } from './spoken-outcome.ts';

/** A turn as it is remembered: what was said, as far as it was said. What became of its calls is looked up when it is read again. */
export interface RememberedTurn {
  /** As whose words it counts. */
  readonly provenance: Provenance;
  readonly said: string;
  readonly answer: string;
  readonly calls: readonly Proposed[];
  /** Said when it was known what had become of the calls. */
  followUp: string;
}

/** A turn as messages: what was said, the answer, what became of its calls as far as that is known, and what was said of that. */
export function messagesOf({ said, answer, calls, followUp }: RememberedTurn): readonly ChatMessage[] {
  const toolCalls = calls.map(({ proposal: { id, name, arguments: given } }) => ({
    id,
    name,
    arguments: given as Readonly<Record<string, unknown>>,
  }));
  return [
    { role: 'user', content: said },
    { role: 'assistant', content: answer, ...(toolCalls.length === 0 ? {} : { toolCalls }) },
    ...calls.flatMap(({ proposal: { id, name, provenance }, outcome }): readonly ChatMessage[] => {
      const content = toolMessage(outcome, provenance === 'camera-text');
      return content === undefined ? [] : [{ role: 'tool', content, name, toolCallId: id }];
    }),
    ...(followUp === '' ? [] : [{ role: 'assistant', content: followUp } as const]),
  ];
}

export interface MemoryLimits {
  readonly turnsMax: number;
  /** Of one conversation, texts and arguments together, in UTF-16 units. */
  readonly charsMax: number;
}

/** What one conversation remembers, oldest first. */
export class ConversationMemory {
  readonly #limits: MemoryLimits;
  readonly #turns: RememberedTurn[] = [];
  usedAt: InstantUs;

  constructor(limits: MemoryLimits, usedAt: InstantUs) {
    this.#limits = limits;
    this.usedAt = usedAt;
  }

  /** A turn in which nothing was answered is not remembered: no model has learnt to read one. */
  remember(turn: RememberedTurn): void {
    if (turn.answer === '' && turn.calls.length === 0) return;
    this.#turns.push(turn);
    const { turnsMax, charsMax } = this.#limits;
    let chars = this.#turns.reduce((sum, kept) => sum + charsOf(kept), 0);
    for (let [oldest] = this.#turns; oldest !== undefined && (this.#turns.length > turnsMax || chars > charsMax); [oldest] = this.#turns) {
      chars -= charsOf(oldest);
      this.#turns.shift();
    }
  }

  /**
   * The turns before `end` (all of them where it is left out) that words of this provenance may stand beside: those of the less trusted are left out, since they would
   * make the words count as theirs.
   */
  turnsFor(provenance: Provenance, end?: RememberedTurn): readonly RememberedTurn[] {
    const at = end === undefined ? -1 : this.#turns.indexOf(end);
    const before = at < 0 ? this.#turns : this.#turns.slice(0, at);
    return before.filter((turn) => PROVENANCES.indexOf(turn.provenance) <= PROVENANCES.indexOf(provenance));
  }

  /** Those whose calls wait for a yes or no, with the turn that each is of. */
  awaiting(): readonly { readonly turn: RememberedTurn; readonly proposed: Proposed }[] {
    return this.#turns.flatMap((turn) =>
      turn.calls.filter(({ outcome }) => outcome.kind === 'awaiting-confirmation').map((proposed) => ({ turn, proposed })),
    );
  }
}

const charsOf = ({ said, answer, calls, followUp }: RememberedTurn): number =>
  calls.reduce(
    (sum, { proposal }) => sum + proposal.name.length + JSON.stringify(proposal.arguments).length,
    said.length + answer.length + followUp.length,
  );
