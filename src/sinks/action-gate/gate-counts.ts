import { type ActionOutcome, GATE_REASONS, type GateReason } from '../../core/proposal.ts';

/** How many proposals stand where. `proposed` is the sum of all the others but `rejectedBy`, `duplicates`, `confirmationsIgnored` and `answersIgnored`, at every instant. */
export interface GateCounts {
  /** Each id once. */
  readonly proposed: number;
  readonly awaitingConfirmation: number;
  readonly accepted: number;
  readonly achieved: number;
  readonly timedOut: number;
  readonly refused: number;
  readonly superseded: number;
  readonly rejected: number;
  readonly rejectedBy: Readonly<Record<GateReason, number>>;
  /** Proposals whose id was known already. */
  readonly duplicates: number;
  /** Commands that went out. */
  readonly commands: number;
  /** Answers to a question that were none: not the driver's, too early, or to nothing that waits. */
  readonly confirmationsIgnored: number;
  /** Answers of the actuator to nothing that runs. */
  readonly answersIgnored: number;
}

const KEY_OF = {
  rejected: 'rejected',
  'awaiting-confirmation': 'awaitingConfirmation',
  accepted: 'accepted',
  achieved: 'achieved',
  'timed-out': 'timedOut',
  refused: 'refused',
  superseded: 'superseded',
} as const satisfies Record<ActionOutcome['kind'], keyof GateCounts>;

export class GateCounter {
  readonly #kinds = Object.fromEntries(Object.values(KEY_OF).map((key) => [key, 0])) as Record<
    (typeof KEY_OF)[keyof typeof KEY_OF],
    number
  >;
  readonly #reasons = Object.fromEntries(GATE_REASONS.map((reason) => [reason, 0])) as Record<GateReason, number>;
  #proposed = 0;
  duplicates = 0;
  commands = 0;
  confirmationsIgnored = 0;
  answersIgnored = 0;

  /** A proposal goes from one outcome, undefined when it is new, to another. */
  moved(from: ActionOutcome | undefined, to: ActionOutcome): void {
    if (from === undefined) this.#proposed += 1;
    else this.#kinds[KEY_OF[from.kind]] -= 1;
    this.#kinds[KEY_OF[to.kind]] += 1;
    if (to.kind === 'rejected') this.#reasons[to.reason] += 1;
  }

  counts(): GateCounts {
    const { duplicates, commands, confirmationsIgnored, answersIgnored } = this;
    return {
      proposed: this.#proposed,
      ...this.#kinds,
      rejectedBy: { ...this.#reasons },
      duplicates,
      commands,
      confirmationsIgnored,
      answersIgnored,
    };
  }
}
