import type { Mode } from './mode.ts';
import type { SignalSpec, SignalValue } from './signal.ts';
import type { DurationUs } from './units.ts';

export type ArgumentType =
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'integer' | 'number'; readonly min: number; readonly max: number; readonly unit: string }
  /** Printable characters, counted as code points. */
  | { readonly type: 'string'; readonly lengthMax: number }
  | { readonly type: 'boolean' };

export type ActionArgument = ArgumentType & { readonly name: string; readonly about: string; readonly isOptional: boolean };

/** What a signal must say. An unknown or too old signal says nothing, and so never holds. */
export type Condition =
  | { readonly kind: 'one-of'; readonly values: readonly SignalValue[] }
  | { readonly kind: 'range'; readonly atLeast: number; readonly atMost: number };

/** `signal` may hold `{argument}`, as in `door.{door}`, which stands for the value of that enum argument. */
export interface Requirement {
  readonly signal: string;
  readonly condition: Condition;
}

/** The signal that says whether the target was reached: equal to an argument, within a tolerance for numbers, or to a fixed value. */
export interface Effect {
  readonly signal: string;
  readonly target: { readonly kind: 'argument'; readonly argument: string } | { readonly kind: 'value'; readonly value: SignalValue };
  /** In the unit of the signal; 0 for what is no number. */
  readonly tolerance: number;
}

/** What a passenger may ask for: nothing, everything, or only with these values of enum arguments, such as their own seat. */
export type PassengerRule =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'everything' }
  | { readonly kind: 'own'; readonly values: Readonly<Record<string, readonly string[]>> };

/**
 * Actions are of three classes by the harm that they can do. A: comfort, runs when its conditions hold. B: needs a condition of the machine and a
 * confirmation by the driver. C: driving, switching safety off, unlocking while moving; never from language, and so without anywhere that it could be sent to.
 */
interface ActionHead {
  /** `verb_noun` */
  readonly name: string;
  readonly about: string;
  /** In the order in which a call names them. */
  readonly arguments: readonly ActionArgument[];
}

export interface RunnableAction extends ActionHead {
  readonly class: 'A' | 'B';
  /** All of them must hold; never empty for class B. */
  readonly requires: readonly Requirement[];
  /** Always true for class B. */
  readonly needsConfirmation: boolean;
  readonly passenger: PassengerRule;
  readonly modes: readonly Mode[];
  /** At most `count` at once, and `count` more in each `perUs`. */
  readonly rateLimit: { readonly count: number; readonly perUs: DurationUs };
  /** Longest time from the proposal to the command. */
  readonly validUs: DurationUs;
  /** Longest time from the command to its effect. */
  readonly achieveWithinUs: DurationUs;
  /** Undefined: the actuator's own answer is all there is. */
  readonly effect: Effect | undefined;
  /** Levels below `<topics>/action/`. */
  readonly topic: string;
}

/** Named only so that it can be refused by name. */
export interface ForbiddenAction extends ActionHead {
  readonly class: 'C';
}

export type ActionSpec = RunnableAction | ForbiddenAction;

/** What a vehicle or robot may be asked to do, and what it reports of itself. */
export interface ActionCatalogue {
  readonly machine: 'vehicle' | 'robot';
  /** With every instance of its own, such as `door.driver`. */
  readonly signals: readonly SignalSpec[];
  readonly actions: readonly ActionSpec[];
}
