import type { Clock } from '../../core/clock.ts';
import type { ActionOutcome, Confirmation, Proposal, Provenance } from '../../core/proposal.ts';
import { addUs, durationUs, type InstantUs } from '../../core/units.ts';
import type { ToolCall } from '../../models/language/tool-call.ts';
import type { ActionGate, GateEvent } from '../../sinks/action-gate/action-gate.ts';
import type { AssistantCounter } from './assistant-counts.ts';
import { isFinal } from './spoken-outcome.ts';

/** A call that was proposed, and where it has got to. */
export interface Proposed {
  readonly proposal: Proposal;
  /** The arguments, cut short, for people. */
  readonly argumentsText: string;
  /** Oldest first, at least one; the last is how it stands. */
  readonly outcomes: readonly { readonly at: InstantUs; readonly outcome: ActionOutcome }[];
  readonly outcome: ActionOutcome;
  /** Tells somebody else of every change from now on, besides whoever proposed it, and instead of who watched before. */
  watch(onOutcome: () => void): void;
}

export interface ProposalContext {
  readonly provenance: Provenance;
  /** When the words were said. */
  readonly saidAt: InstantUs;
  /** Told of every change, the first inside `propose`. Must not call the gate. */
  readonly onOutcome: (proposed: Proposed) => void;
}

export interface ProposalDeps {
  readonly clock: Clock;
  /** Undefined: nothing can be done, and every call is told so. */
  readonly gate: Pick<ActionGate, 'propose' | 'confirm'> | undefined;
  /** As the gate tells it; gives the way out. */
  readonly onOutcome: ((listener: (event: GateEvent) => void) => () => void) | undefined;
}

export interface ProposalDeskOptions {
  /** Makes ids that no other assistant and no other run of this one makes; actuators remember them. */
  readonly prefix: string;
  readonly counter: AssistantCounter;
}

/** The gate takes no proposal for valid longer than its action says. */
const VALID_US = durationUs(60_000_000);
const ARGUMENTS_SHOWN = 500;

/** Brings calls to the gate and remembers who is to be told of those that are under way; the gate bounds how many these are. */
export class ProposalDesk {
  readonly #options: ProposalDeskOptions;
  readonly #deps: ProposalDeps;
  readonly #open = new Map<string, Entry>();
  readonly #leave: () => void;
  #serial = 0;

  constructor(options: ProposalDeskOptions, deps: ProposalDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#leave = deps.onOutcome?.(({ proposal, outcome }) => this.#told(proposal.id, outcome)) ?? (() => undefined);
  }

  propose(call: Extract<ToolCall, { kind: 'call' }>, { provenance, saidAt, onOutcome }: ProposalContext): Proposed {
    this.#serial += 1;
    const id = `${this.#options.prefix}-${this.#serial}`;
    const { name, argumentsText } = call;
    const proposal: Proposal = {
      ...{ id, name, arguments: call.arguments, provenance, proposedAt: saidAt },
      validUntil: addUs(saidAt, VALID_US),
    };
    const entry = new Entry(proposal, argumentsText.slice(0, ARGUMENTS_SHOWN), onOutcome);
    this.#open.set(id, entry);
    const { gate } = this.#deps;
    const outcome = gate === undefined ? NO_GATE : gate.propose(proposal);
    // What the gate does not remember it tells nobody but here.
    if (entry.outcomes.length === 0) this.#told(id, outcome);
    return entry;
  }

  /** Where the proposal stands after the answer; undefined when there is no such proposal. */
  confirm(confirmation: Confirmation): ActionOutcome | undefined {
    return this.#deps.gate?.confirm(confirmation);
  }

  close(): void {
    this.#leave();
    this.#open.clear();
  }

  #told(id: string, outcome: ActionOutcome): void {
    const entry = this.#open.get(id);
    if (entry === undefined) return;
    if (isFinal(outcome)) this.#open.delete(id);
    this.#options.counter.moved(entry.outcomes.at(-1)?.outcome, outcome);
    entry.move(outcome, this.#deps.clock.now());
  }
}

const NO_GATE: ActionOutcome = { kind: 'rejected', reason: 'unknown-action', detail: 'no actions are configured' };

class Entry implements Proposed {
  readonly proposal: Proposal;
  readonly argumentsText: string;
  readonly outcomes: { readonly at: InstantUs; readonly outcome: ActionOutcome }[] = [];
  readonly #onOutcome: (proposed: Proposed) => void;
  #watcher: (() => void) | undefined;

  constructor(proposal: Proposal, argumentsText: string, onOutcome: (proposed: Proposed) => void) {
    this.proposal = proposal;
    this.argumentsText = argumentsText;
    this.#onOutcome = onOutcome;
  }

  /** Before the gate has said anything nothing has been done. */
  get outcome(): ActionOutcome {
    return this.outcomes.at(-1)?.outcome ?? NO_GATE;
  }

  watch(onOutcome: () => void): void {
    this.#watcher = onOutcome;
  }

  move(outcome: ActionOutcome, at: InstantUs): void {
    this.outcomes.push({ at, outcome });
    this.#onOutcome(this);
    this.#watcher?.();
  }
}
