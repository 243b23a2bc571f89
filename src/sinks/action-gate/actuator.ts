import type { RunnableAction } from '../../core/action.ts';
import type { InstantUs } from '../../core/units.ts';
import type { CallValues } from './call-arguments.ts';

/** What goes out to whatever moves things. Only the gate makes one. */
export interface ActionCommand {
  /** Of the proposal; an actuator does a command of a known id no second time. */
  readonly id: string;
  readonly action: RunnableAction;
  readonly values: CallValues;
  readonly issuedAt: InstantUs;
  /** Not to be begun from then on. */
  readonly expiresAt: InstantUs;
}

/** What an actuator said of a command. `achieved` counts for actions without an effect that the state would show. */
export interface ActuatorAnswer {
  readonly id: string;
  readonly state: 'accepted' | 'refused' | 'achieved';
  /** For people; not trusted. */
  readonly detail: string;
}

/**
 * Where commands go. False when it cannot be sent now: nothing is kept for later, since nobody wants a window to open when the network is back.
 * An actuator answers later, never inside `send`.
 */
export interface Actuator {
  send(command: ActionCommand): boolean;
}
