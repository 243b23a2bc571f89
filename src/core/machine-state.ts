import type { SignalValue } from './signal.ts';
import type { InstantUs } from './units.ts';

export interface SignalReading {
  readonly value: SignalValue;
  /** When it came in here; it was true a little earlier. */
  readonly at: InstantUs;
}

/** What is known of the machine's state now. */
export interface MachineState {
  /** The last valid reading, however old; undefined when there was none, or when the last report of this signal was not valid. */
  read(signal: string): SignalReading | undefined;
}
