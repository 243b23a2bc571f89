import type { ActionSpec, RunnableAction } from '../../core/action.ts';
import type { MachineState } from '../../core/machine-state.ts';
import type { Mode } from '../../core/mode.ts';
import type { GateReason, Proposal } from '../../core/proposal.ts';
import { addUs, type DurationUs, type InstantUs, instantUs } from '../../core/units.ts';
import { type CallValues, checkCall, quote } from './call-arguments.ts';
import { unmet } from './requirements.ts';
import { distrust, type TrustPolicy } from './trust.ts';

export interface JudgeContext {
  readonly actions: ReadonlyMap<string, ActionSpec>;
  readonly policy: TrustPolicy;
  readonly state: MachineState;
  readonly stateAgeMaxUs: DurationUs;
  readonly mode: Mode;
  readonly now: InstantUs;
}

/** What a proposal comes to when everything about it is in order. */
export interface Permit {
  readonly kind: 'permit';
  readonly action: RunnableAction;
  readonly values: CallValues;
  /** The command must have gone out before. */
  readonly validUntil: InstantUs;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: GateReason;
  readonly detail: string;
}

/**
 * Whether a proposal may become a command now, from the proposal and the moment alone. What is asked first needs to know least: what is it, who wants it, does
 * the machine allow it. How often, and whether it was said before, is the gate's to know.
 */
export function judge(proposal: Proposal, context: JudgeContext): Permit | Refused {
  const { now, actions } = context;
  if (now >= proposal.validUntil) return refused('expired', 'it came too late');
  const action = actions.get(proposal.name);
  if (action === undefined) return refused('unknown-action', `there is no action ${quote(proposal.name)}`);
  if (action.class === 'C') return refused('forbidden', `${action.name} is never done on somebody's words`);
  const validUntil = instantUs(Math.min(proposal.validUntil, addUs(proposal.proposedAt, action.validUs)));
  if (now >= validUntil) return refused('expired', `${action.name} is valid for ${action.validUs / 1000} ms`);
  const call = checkCall(action, proposal.arguments);
  if (call.kind === 'bad') return refused('invalid-arguments', call.detail);
  const distrusted = distrust(action, call.values, proposal.provenance, context.policy);
  if (distrusted !== undefined) return refused('provenance', distrusted);
  const permit: Permit = { kind: 'permit', action, values: call.values, validUntil };
  return recheck(permit, context);
}

/** The part that may have changed since: a confirmation comes seconds after the question. */
export function recheck(permit: Permit, { now, mode, state, stateAgeMaxUs }: Omit<JudgeContext, 'actions' | 'policy'>): Permit | Refused {
  const { action, values, validUntil } = permit;
  if (now >= validUntil) return refused('expired', 'it came too late');
  if (!action.modes.includes(mode)) return refused('mode', `the mode is ${mode}; ${action.name} runs in ${action.modes.join(', ')}`);
  const refusal = unmet(action, values, { state, now, stateAgeMaxUs });
  return refusal === undefined ? permit : { kind: 'refused', ...refusal };
}

const refused = (reason: GateReason, detail: string): Refused => ({ kind: 'refused', reason, detail });
