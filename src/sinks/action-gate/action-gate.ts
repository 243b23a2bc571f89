import type { ActionCatalogue, ActionSpec } from '../../core/action.ts';
import { assert } from '../../core/assert.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { MachineState } from '../../core/machine-state.ts';
import type { Mode } from '../../core/mode.ts';
import { type ActionOutcome, type Confirmation, type GateReason, PROVENANCES, type Proposal } from '../../core/proposal.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import { addUs, type DurationUs, durationUs, type InstantUs, instantUs } from '../../core/units.ts';
import type { Actuator, ActuatorAnswer } from './actuator.ts';
import { printable } from './call-arguments.ts';
import { GateCounter, type GateCounts } from './gate-counts.ts';
import { type JudgeContext, judge, type Permit, recheck } from './judge.ts';
import { isReached, type Target, targetsOf } from './requirements.ts';

export interface ActionGateOptions {
  readonly catalogue: ActionCatalogue;
  /** A reading of the machine's state that is older says nothing. */
  readonly stateAgeMaxUs: DurationUs;
  /** How long a question to the driver stands, if the proposal is valid for so long. */
  readonly confirmWithinUs: DurationUs;
  /** Class A actions that words from MQTT may ask for. */
  readonly fromMqtt: readonly string[];
  readonly limits?: Partial<GateLimits>;
}

export interface GateLimits {
  /** Proposals of all kinds; those above are rejected and not remembered. */
  readonly proposals: { readonly count: number; readonly perUs: DurationUs };
  /** Proposals that are remembered by their id. */
  readonly idsMax: number;
  readonly awaitingMax: number;
  readonly runningMax: number;
}

/** Ten a second are far above what people say, and some 40 times what a decoder of the shipped size calls; 4096 ids then last for seven minutes. */
export const GATE_LIMITS: GateLimits = {
  proposals: { count: 10, perUs: durationUs(1_000_000) },
  idsMax: 4096,
  awaitingMax: 4,
  runningMax: 32,
};

/** What is kept of a proposal. What a model put into `arguments` may be large and may change under us, so only a piece of its text stays. */
export interface KeptProposal extends Omit<Proposal, 'arguments'> {
  readonly argumentsText: string;
}

/** A proposal with where it came to, each time that changes. */
export interface GateEvent {
  readonly proposal: KeptProposal;
  /** What went out, or would; undefined when it never came so far. */
  readonly permit: Permit | undefined;
  readonly outcome: ActionOutcome;
}

export interface ActionGateDeps {
  readonly clock: Clock;
  readonly state: MachineState;
  readonly actuator: Actuator;
  /** Called inside the call that changed it; it must not call the gate. Duplicates and what was above the limit of all proposals are only counted. */
  readonly onOutcome: (event: GateEvent) => void;
}

/**
 * The one way from words to a moving part. It decides by the catalogue, the machine's state, the mode and the clock, and never by anything that a model says
 * of itself.
 *
 *     propose ─▶ rejected(reason)
 *        │
 *        ├─▶ awaiting-confirmation ─no, too late, not any more─▶ rejected(reason)
 *        │             │yes
 *        └─────────────┴─▶ accepted, command sent ─▶ achieved | refused | superseded | timed-out
 */
export interface ActionGate {
  /** Decides, and sends the command if it may go at once. A known id gives where that one stands now, and does nothing. */
  propose(proposal: Proposal): ActionOutcome;
  /** Where the proposal stands after the answer; undefined when there is no such proposal. What is no answer changes nothing. */
  confirm(confirmation: Confirmation): ActionOutcome | undefined;
  /** The actuator said something. */
  answered(answer: ActuatorAnswer): void;
  /** The machine's state has new readings. */
  stateChanged(): void;
  enterMode(mode: Mode): void;
  outcomeOf(id: string): ActionOutcome | undefined;
  counts(): GateCounts;
  /** From here on nothing goes out. What has gone out may still be achieved. */
  stop(): void;
  /** Ends what still runs as timed out. */
  close(): void;
}

/** Errors: none; a catalogue that was loaded is in order. */
export function createActionGate(options: ActionGateOptions, deps: ActionGateDeps): ActionGate {
  return new Gate(options, deps);
}

/** No proposal is valid for longer, whatever its action says (actions-schema.ts), so that an id that is forgotten later can never act again. */
const VALID_MAX_US = durationUs(60_000_000);

const NAME_LENGTH_MAX = 64;
const TEXT_LENGTH_MAX = 500;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

interface Entry {
  readonly proposal: KeptProposal;
  /** May be forgotten from then on: the same message would be too late by itself. */
  readonly forgetAt: InstantUs;
  /** Undefined while it is being decided. */
  outcome: ActionOutcome | undefined;
  permit: Permit | undefined;
  targets: readonly Target[];
  /** Of the question, then of the command. */
  since: InstantUs;
  timer: Timer | undefined;
}

class Gate implements ActionGate {
  readonly #options: ActionGateOptions;
  readonly #deps: ActionGateDeps;
  readonly #limits: GateLimits;
  readonly #actions: ReadonlyMap<string, ActionSpec>;
  readonly #policy: JudgeContext['policy'];
  readonly #buckets: ReadonlyMap<string, TokenBucket>;
  readonly #allProposals: TokenBucket;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #awaiting = new Set<Entry>();
  readonly #running = new Set<Entry>();
  readonly #counter = new GateCounter();
  #mode: Mode = 'nominal';
  #isStopping = false;

  constructor(options: ActionGateOptions, deps: ActionGateDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#limits = { ...GATE_LIMITS, ...options.limits };
    const { idsMax, awaitingMax, runningMax } = this.#limits;
    assert(idsMax > awaitingMax + runningMax, 'more ids are remembered than proposals are under way');
    const { actions } = options.catalogue;
    this.#actions = new Map(actions.map((action) => [action.name, action]));
    this.#policy = { fromMqtt: new Set(options.fromMqtt) };
    this.#buckets = new Map(actions.flatMap((action) => (action.class === 'C' ? [] : [[action.name, new TokenBucket(action.rateLimit)]])));
    this.#allProposals = new TokenBucket(this.#limits.proposals);
  }

  propose(proposal: Proposal): ActionOutcome {
    const now = this.#deps.clock.now();
    const known = typeof proposal.id === 'string' ? this.#entries.get(proposal.id) : undefined;
    if (known !== undefined) {
      assert(known.outcome !== undefined, 'nobody proposes while a proposal is decided', proposal.id);
      this.#counter.duplicates += 1;
      return known.outcome;
    }
    if (!this.#allProposals.take(now)) return this.#count(rejected('rate-limited', 'too many proposals of all kinds'));
    const flaw = flawOf(proposal, now);
    if (flaw !== undefined) return this.#count(rejected('malformed', flaw));
    if (!this.#makeRoom(now)) return this.#count(rejected('busy', 'too many proposals are remembered'));
    return this.#decide(proposal, now);
  }

  confirm({ id, answer, provenance, saidAt }: Confirmation): ActionOutcome | undefined {
    const entry = this.#entries.get(id);
    const now = this.#deps.clock.now();
    const isAnswer =
      entry?.outcome?.kind === 'awaiting-confirmation' &&
      // Whoever sits in the car may stop something; only the driver may let it happen.
      (provenance === 'driver' || (provenance === 'passenger' && answer === 'no')) &&
      saidAt > entry.since &&
      saidAt <= now;
    if (entry === undefined || !isAnswer) {
      this.#counter.confirmationsIgnored += 1;
      return entry?.outcome;
    }
    this.#endWait(entry);
    if (answer !== 'yes') return this.#settle(entry, rejected('declined', 'the answer was no'));
    const { permit } = entry;
    assert(permit !== undefined, 'what waits for a confirmation is permitted but for that');
    const verdict = recheck(permit, this.#moment(now));
    if (verdict.kind === 'refused') return this.#settle(entry, rejected(verdict.reason, verdict.detail));
    if (this.#running.size >= this.#limits.runningMax) return this.#settle(entry, rejected('busy', 'too many commands are under way'));
    return this.#send(entry, permit, now);
  }

  answered({ id, state, detail }: ActuatorAnswer): void {
    const entry = this.#entries.get(id);
    if (entry?.outcome?.kind !== 'accepted') {
      this.#counter.answersIgnored += 1;
      return;
    }
    if (state === 'refused') this.#end(entry, { kind: 'refused', detail: printable(detail, 200) });
    // Where the state can tell, only the state does.
    else if (state === 'achieved' && entry.targets.length === 0) this.#end(entry, { kind: 'achieved' });
  }

  stateChanged(): void {
    const { state } = this.#deps;
    for (const entry of [...this.#running]) {
      if (entry.targets.length > 0 && entry.targets.every((target) => isReached(target, state, entry.since)))
        this.#end(entry, { kind: 'achieved' });
    }
  }

  enterMode(mode: Mode): void {
    this.#mode = mode;
  }

  outcomeOf(id: string): ActionOutcome | undefined {
    return this.#entries.get(id)?.outcome;
  }

  counts(): GateCounts {
    return this.#counter.counts();
  }

  stop(): void {
    this.#isStopping = true;
    for (const entry of [...this.#awaiting]) {
      this.#endWait(entry);
      this.#settle(entry, rejected('stopping', 'the runtime is stopping'));
    }
  }

  close(): void {
    this.stop();
    for (const entry of [...this.#running]) this.#end(entry, { kind: 'timed-out' });
  }

  #decide(proposal: Proposal, now: InstantUs): ActionOutcome {
    const entry: Entry = {
      proposal: keptOf(proposal),
      forgetAt: instantUs(Math.min(proposal.validUntil, addUs(proposal.proposedAt, VALID_MAX_US))),
      outcome: undefined,
      permit: undefined,
      targets: [],
      since: now,
      timer: undefined,
    };
    this.#entries.set(proposal.id, entry);
    if (this.#isStopping) return this.#settle(entry, rejected('stopping', 'the runtime is stopping'));
    const verdict = judge(proposal, { actions: this.#actions, policy: this.#policy, ...this.#moment(now) });
    if (verdict.kind === 'refused') return this.#settle(entry, rejected(verdict.reason, verdict.detail));
    entry.permit = verdict;
    const { action } = verdict;
    const isFull = action.needsConfirmation
      ? this.#awaiting.size >= this.#limits.awaitingMax
      : this.#running.size >= this.#limits.runningMax;
    if (isFull) return this.#settle(entry, rejected('busy', 'too many actions are under way'));
    // A question to the driver costs a token as well: nobody shall be asked without end.
    if (this.#buckets.get(action.name)?.take(now) !== true)
      return this.#settle(entry, rejected('rate-limited', `${action.name} was asked for too often`));
    if (!action.needsConfirmation) return this.#send(entry, verdict, now);
    return this.#ask(entry, verdict, now);
  }

  #ask(entry: Entry, { validUntil }: Permit, now: InstantUs): ActionOutcome {
    const until = instantUs(Math.min(validUntil, addUs(now, this.#options.confirmWithinUs)));
    this.#awaiting.add(entry);
    entry.timer = this.#deps.clock.at(until, () => {
      this.#endWait(entry);
      this.#settle(entry, rejected('unconfirmed', 'no answer came in time'));
    });
    return this.#settle(entry, { kind: 'awaiting-confirmation', until });
  }

  #endWait(entry: Entry): void {
    entry.timer?.cancel();
    entry.timer = undefined;
    this.#awaiting.delete(entry);
  }

  #send(entry: Entry, permit: Permit, now: InstantUs): ActionOutcome {
    assert(!this.#isStopping && now < permit.validUntil, 'nothing goes out late or while stopping', entry.proposal.id);
    const { action, values, validUntil } = permit;
    const isSent = this.#deps.actuator.send({ id: entry.proposal.id, action, values, issuedAt: now, expiresAt: validUntil });
    if (!isSent) return this.#settle(entry, rejected('unreachable', 'the actuator cannot be reached'));
    this.#counter.commands += 1;
    entry.since = now;
    entry.targets = targetsOf(action, values);
    this.#supersede(entry.targets);
    this.#running.add(entry);
    const until = addUs(now, action.achieveWithinUs);
    entry.timer = this.#deps.clock.at(until, () => this.#end(entry, { kind: 'timed-out' }));
    return this.#settle(entry, { kind: 'accepted', until });
  }

  /** Whoever waits for a signal that somebody else moves now would wait in vain. */
  #supersede(targets: readonly Target[]): void {
    const signals = new Set(targets.map(({ signal }) => signal));
    for (const entry of [...this.#running]) {
      if (entry.targets.some(({ signal }) => signals.has(signal))) this.#end(entry, { kind: 'superseded' });
    }
  }

  /** Of a command that went out. */
  #end(entry: Entry, outcome: ActionOutcome): void {
    entry.timer?.cancel();
    entry.timer = undefined;
    this.#running.delete(entry);
    this.#settle(entry, outcome);
  }

  #settle(entry: Entry, outcome: ActionOutcome): ActionOutcome {
    this.#counter.moved(entry.outcome, outcome);
    entry.outcome = outcome;
    this.#deps.onOutcome({ proposal: entry.proposal, permit: entry.permit, outcome });
    return outcome;
  }

  /** Of a proposal that is not remembered. */
  #count(outcome: ActionOutcome): ActionOutcome {
    this.#counter.moved(undefined, outcome);
    return outcome;
  }

  /** Forgets the oldest that are done with and too late to come again. At most those under way are passed over, and these are bounded. */
  #makeRoom(now: InstantUs): boolean {
    if (this.#entries.size < this.#limits.idsMax) return true;
    for (const [id, entry] of this.#entries) {
      if (this.#awaiting.has(entry) || this.#running.has(entry)) continue;
      if (now < entry.forgetAt) return false;
      this.#entries.delete(id);
      return true;
    }
    return false;
  }

  #moment(now: InstantUs): Pick<JudgeContext, 'state' | 'stateAgeMaxUs' | 'mode' | 'now'> {
    return { state: this.#deps.state, stateAgeMaxUs: this.#options.stateAgeMaxUs, mode: this.#mode, now };
  }
}

const rejected = (reason: GateReason, detail: string): ActionOutcome => ({ kind: 'rejected', reason, detail });

/** What is wrong with the envelope; undefined when nothing is. It may have been put together by anybody, so the types are not believed. */
function flawOf({ id, name, provenance, proposedAt, validUntil }: Proposal, now: InstantUs): string | undefined {
  if (typeof id !== 'string' || !ID.test(id)) return 'the id is not 1 to 64 letters, digits, "_" or "-"';
  if (typeof name !== 'string') return 'the name is no text';
  if (!PROVENANCES.includes(provenance)) return 'nobody knows whose words these are';
  if (!Number.isFinite(proposedAt) || !Number.isFinite(validUntil)) return 'an instant is not finite';
  if (proposedAt > now) return 'it was proposed in the future';
  return undefined;
}

function keptOf({ id, name, provenance, proposedAt, validUntil, arguments: given }: Proposal): KeptProposal {
  return {
    id,
    name: printable(name, NAME_LENGTH_MAX),
    provenance,
    proposedAt,
    validUntil,
    argumentsText: printable(textOf(given), TEXT_LENGTH_MAX),
  };
}

function textOf(given: unknown): string {
  try {
    return JSON.stringify(given) ?? 'nothing';
  } catch {
    // Circular, too deep, or of a kind that JSON does not have; what it was does not matter any more.
    return 'something that cannot be written down';
  }
}
