import type { InstantUs } from './units.ts';

/**
 * Who the words came from that led to a proposal, from the most trusted to the least; what is allowed to one is allowed to all before it. Words that are of
 * several count as the least of them.
 */
export const PROVENANCES = ['driver', 'passenger', 'mqtt', 'camera-text'] as const;
export type Provenance = (typeof PROVENANCES)[number];

export function leastTrusted(provenances: readonly [Provenance, ...Provenance[]]): Provenance {
  return PROVENANCES[Math.max(...provenances.map((provenance) => PROVENANCES.indexOf(provenance)))] ?? 'camera-text';
}

/** A wish that somebody's words led to. Nothing in it is trusted but `provenance` and the instants, which the runtime sets and no model. */
export interface Proposal {
  /** `[A-Za-z0-9_-]{1,64}`; the same id is the same proposal, however often it comes. */
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
  readonly provenance: Provenance;
  /** When the words were said; not after now. */
  readonly proposedAt: InstantUs;
  /** At most the action's `validUs` after `proposedAt`; later ones are held to that. */
  readonly validUntil: InstantUs;
}

/** Somebody said yes or no to a proposal. Comes from a button or from speech recognition, never from a model. */
export interface Confirmation {
  /** Of the proposal. */
  readonly id: string;
  readonly answer: 'yes' | 'no';
  readonly provenance: Provenance;
  /** When the answer began; a yes from before the question is none. */
  readonly saidAt: InstantUs;
}

/** Why a proposal was not carried out; docs/actions.md has a row for each. */
export const GATE_REASONS = [
  'malformed',
  'stopping',
  'expired',
  'unknown-action',
  'forbidden',
  'invalid-arguments',
  'provenance',
  'mode',
  'state-unknown',
  'state-stale',
  'condition',
  'rate-limited',
  'busy',
  'declined',
  'unconfirmed',
  'unreachable',
] as const;
export type GateReason = (typeof GATE_REASONS)[number];

/** Where a proposal stands. `rejected` and everything after `accepted` is final. */
export type ActionOutcome =
  | { readonly kind: 'rejected'; readonly reason: GateReason /** For the driver and the audit log. */; readonly detail: string }
  | { readonly kind: 'awaiting-confirmation'; readonly until: InstantUs }
  /** The command has gone out; nothing is known of its effect yet. */
  | { readonly kind: 'accepted'; readonly until: InstantUs }
  /** The machine's own state says so. */
  | { readonly kind: 'achieved' }
  /** The command may or may not have been carried out. */
  | { readonly kind: 'timed-out' }
  /** The actuator answered that it will not or cannot. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** A later command for the same target took its place before it was achieved. */
  | { readonly kind: 'superseded' };
