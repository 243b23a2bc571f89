import type { ActionSpec, Condition, Effect, Requirement, RunnableAction } from '../../core/action.ts';
import type { MachineState } from '../../core/machine-state.ts';
import type { GateReason } from '../../core/proposal.ts';
import type { SignalValue } from '../../core/signal.ts';
import { placeholderOf, signalsOf } from '../../core/signal-pattern.ts';
import { type DurationUs, elapsedUs, type InstantUs, msFromDuration } from '../../core/units.ts';
import type { CallValues } from './call-arguments.ts';

interface Refusal {
  readonly reason: GateReason;
  readonly detail: string;
}

interface Moment {
  readonly state: MachineState;
  readonly now: InstantUs;
  /** A reading that is older says nothing. */
  readonly stateAgeMaxUs: DurationUs;
}

/** Undefined when everything that the action requires holds now. What is not known, or not known recently, does not hold. */
export function unmet({ requires, ...action }: RunnableAction, values: CallValues, moment: Moment): Refusal | undefined {
  for (const requirement of requires) {
    for (const signal of signalsMeant(requirement.signal, action, values)) {
      const refusal = refusalBy(signal, requirement, moment);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

function refusalBy(signal: string, { condition }: Requirement, { state, now, stateAgeMaxUs }: Moment): Refusal | undefined {
  const reading = state.read(signal);
  if (reading === undefined) return { reason: 'state-unknown', detail: `${signal} is not known` };
  const ageUs = elapsedUs(reading.at, now);
  // A reading from the future is no better than an old one.
  if (!(ageUs >= 0 && ageUs <= stateAgeMaxUs)) {
    return {
      reason: 'state-stale',
      detail: `${signal} is ${Math.round(msFromDuration(ageUs))} ms old; allowed is ${msFromDuration(stateAgeMaxUs)} ms`,
    };
  }
  if (holds(condition, reading.value)) return undefined;
  return { reason: 'condition', detail: `${signal} is ${String(reading.value)}; it must be ${said(condition)}` };
}

function holds(condition: Condition, value: SignalValue): boolean {
  if (condition.kind === 'one-of') return condition.values.includes(value);
  return typeof value === 'number' && value >= condition.atLeast && value <= condition.atMost;
}

function said(condition: Condition): string {
  if (condition.kind === 'one-of') return condition.values.map(String).join(' or ');
  const bounds = [
    ...(condition.atLeast === Number.NEGATIVE_INFINITY ? [] : [`at least ${condition.atLeast}`]),
    ...(condition.atMost === Number.POSITIVE_INFINITY ? [] : [`at most ${condition.atMost}`]),
  ];
  return bounds.join(' and ');
}

/** A signal and what it must say for the target to be reached. */
export interface Target {
  readonly signal: string;
  readonly value: SignalValue;
  readonly tolerance: number;
}

/** Empty when the action has no effect that the state would show. */
export function targetsOf(action: RunnableAction, values: CallValues): readonly Target[] {
  const { effect } = action;
  if (effect === undefined) return [];
  const value = targetValue(effect, values);
  if (value === undefined) return [];
  return signalsMeant(effect.signal, action, values).map((signal) => ({ signal, value, tolerance: effect.tolerance }));
}

const targetValue = ({ target }: Effect, values: CallValues): SignalValue | undefined =>
  target.kind === 'value' ? target.value : values[target.argument];

/** Whether the state says so, by readings that came after `since`: what was true before the command is none of its doing. */
export function isReached({ signal, value, tolerance }: Target, state: MachineState, since: InstantUs): boolean {
  const reading = state.read(signal);
  if (reading === undefined || reading.at <= since) return false;
  if (typeof value === 'number' && typeof reading.value === 'number') return Math.abs(reading.value - value) <= tolerance;
  return reading.value === value;
}

function signalsMeant(pattern: string, action: Pick<ActionSpec, 'arguments'>, values: CallValues): readonly string[] {
  const name = placeholderOf(pattern);
  if (name === undefined) return [pattern];
  const argument = action.arguments.find((candidate) => candidate.name === name);
  return signalsOf(pattern, String(values[name]), argument?.type === 'enum' ? argument.values : []);
}
