import type { ActionOutcome, GateReason } from '../../core/proposal.ts';

/** Reasons in the words that the shipped model was trained to say (tools/train-cockpit-lm/turns.ts); `condition` says which below. */
const REASONS: Readonly<Record<GateReason, string>> = {
  malformed: 'not understood',
  stopping: 'shutting down',
  expired: 'expired',
  'unknown-action': 'unknown action',
  forbidden: 'class C',
  'invalid-arguments': 'out of range',
  provenance: 'not from a passenger',
  mode: 'not in this mode',
  'state-unknown': 'state unknown',
  'state-stale': 'state unknown',
  condition: 'condition not met',
  'rate-limited': 'rate limit',
  busy: 'busy',
  declined: 'not confirmed',
  unconfirmed: 'not confirmed',
  unreachable: 'not reachable',
};

/** By the signal that the condition is about. */
const CONDITIONS: Readonly<Record<string, string>> = {
  speedKmh: 'speed above 0',
  gear: 'gear not P',
  emergencyStop: 'emergency stop',
  batteryPercent: 'battery too low',
};

/**
 * What became of a call, as a tool message that goes into the conversation; undefined while nothing can be said of it. Made of words from this page alone: what an actuator or a
 * stranger wrote does not get into a prompt this way.
 */
export function spokenOutcome(outcome: ActionOutcome, isFromPicture: boolean): string | undefined {
  switch (outcome.kind) {
    case 'awaiting-confirmation':
      return undefined;
    case 'accepted':
    case 'achieved':
      return JSON.stringify({ outcome: outcome.kind });
    case 'timed-out':
      return JSON.stringify({ outcome: 'timed_out' });
    case 'refused':
      return JSON.stringify({ outcome: 'rejected', reason: 'refused by the machine' });
    case 'superseded':
      return JSON.stringify({ outcome: 'rejected', reason: 'another command came' });
    case 'rejected':
      return JSON.stringify({ outcome: 'rejected', reason: reasonOf(outcome.reason, outcome.detail, isFromPicture) });
  }
}

function reasonOf(reason: GateReason, detail: string, isFromPicture: boolean): string {
  if (reason === 'provenance' && isFromPicture) return 'text from a sign';
  // The gate's details of a condition begin with the name of its signal.
  if (reason === 'condition') return CONDITIONS[detail.split(' ', 1)[0] ?? ''] ?? REASONS.condition;
  return REASONS[reason];
}

/** Whether nothing more can become of it. */
export const isFinal = ({ kind }: ActionOutcome): boolean => kind !== 'awaiting-confirmation' && kind !== 'accepted';
