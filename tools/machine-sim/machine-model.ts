import type { SignalValue } from '../../src/core/signal.ts';

/** A command that came to its end by itself. */
export interface Ended {
  readonly id: string;
  readonly state: 'achieved' | 'refused';
  readonly detail: string;
}

export interface Call {
  readonly id: string;
  readonly action: string;
  readonly values: Readonly<Record<string, SignalValue>>;
}

/** A refusal in words, or what becomes of the machine. */
export type Acted<S> = { readonly kind: 'begun'; readonly state: S } | { readonly kind: 'refused'; readonly detail: string };

/**
 * A machine without clock, network or chance: equal states, spans and calls give equal states. What ended in a step or by an act stands in the new state's
 * `ended` and nowhere before.
 */
export interface MachineModel<S extends { readonly ended: readonly Ended[] }> {
  readonly initial: S;
  /** Lets `spanS` seconds pass; 0.05 is what the models are made for, up to 0.2 they stay stable. */
  step(state: S, spanS: number): S;
  /** The call keeps to the catalogue; whether the machine can do it now is its own to say. */
  act(state: S, call: Call): Acted<S>;
  /** Under the names of the catalogue. */
  signals(state: S): Readonly<Record<string, SignalValue>>;
}

/** From `value` towards `target` by at most `by`. */
export function approach(value: number, target: number, by: number): number {
  return value < target ? Math.min(target, value + by) : Math.max(target, value - by);
}

/** To so many decimals, as a sensor reports it; never minus zero. */
export function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor + 0;
}
