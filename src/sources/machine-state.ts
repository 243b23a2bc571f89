import type { Clock } from '../core/clock.ts';
import type { MachineState, SignalReading } from '../core/machine-state.ts';
import type { SignalSpec, SignalValue } from '../core/signal.ts';

/** A report of 64 signals has some 2 kB. */
const REPORT_BYTES_MAX = 16_384;
const RUN_LENGTH_MAX = 64;

/** Control characters and marks of direction: a title that holds them would go on into prompts and displays. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** Why a whole report counted for nothing. */
const REPORT_FLAWS = ['oversized', 'retained', 'malformed', 'out-of-order'] as const;
type ReportFlaw = (typeof REPORT_FLAWS)[number];

export interface MachineStateCounts {
  readonly reports: number;
  readonly rejected: Readonly<Record<ReportFlaw, number>>;
  /** Values that their signal cannot have; the signal is unknown from then on. */
  readonly invalidValues: number;
  /** Values of signals that nobody declared. */
  readonly unknownSignals: number;
}

/**
 * What the vehicle or robot says of itself, signal by signal, with the instant at which it came. A report is `{"run", "sequence", "values": {signal: value}}`:
 * `run` is new each time that its sender starts and `sequence` grows within a run, so that a message that comes twice or late refreshes nothing. Whatever is in
 * doubt makes a signal unknown rather than leaves its last good value.
 */
export interface MachineStateSource extends MachineState {
  /** `isRetained`: the broker kept it, and nobody knows for how long. */
  receive(report: { readonly payload: Uint8Array; readonly isRetained: boolean }): void;
  /** Every known signal, whatever its age. */
  readings(): ReadonlyMap<string, SignalReading>;
  counts(): MachineStateCounts;
}

export interface MachineStateDeps {
  readonly clock: Clock;
  /** Some signal has a new reading or became unknown. */
  readonly onChange: () => void;
}

export function createMachineState(signals: readonly SignalSpec[], deps: MachineStateDeps): MachineStateSource {
  return new Signals(signals, deps);
}

class Signals implements MachineStateSource {
  readonly #specs: ReadonlyMap<string, SignalSpec>;
  readonly #deps: MachineStateDeps;
  readonly #readings = new Map<string, SignalReading>();
  readonly #rejected = Object.fromEntries(REPORT_FLAWS.map((flaw) => [flaw, 0])) as Record<ReportFlaw, number>;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #run: string | undefined;
  #sequence = -1;
  #reports = 0;
  #invalidValues = 0;
  #unknownSignals = 0;

  constructor(signals: readonly SignalSpec[], deps: MachineStateDeps) {
    this.#specs = new Map(signals.map((signal) => [signal.name, signal]));
    this.#deps = deps;
  }

  read(signal: string): SignalReading | undefined {
    return this.#readings.get(signal);
  }

  readings(): ReadonlyMap<string, SignalReading> {
    return new Map(this.#readings);
  }

  receive({ payload, isRetained }: { readonly payload: Uint8Array; readonly isRetained: boolean }): void {
    this.#reports += 1;
    if (isRetained) return this.#reject('retained');
    if (payload.length > REPORT_BYTES_MAX) return this.#reject('oversized');
    const report = this.#parse(payload);
    if (report === undefined) return this.#reject('malformed');
    if (report.run === this.#run && report.sequence <= this.#sequence) return this.#reject('out-of-order');
    // After a restart of the machine's computer nothing that it said before need be so.
    if (report.run !== this.#run) this.#readings.clear();
    this.#run = report.run;
    this.#sequence = report.sequence;
    for (const [name, value] of Object.entries(report.values)) this.#take(name, value);
    this.#deps.onChange();
  }

  counts(): MachineStateCounts {
    return {
      reports: this.#reports,
      rejected: { ...this.#rejected },
      invalidValues: this.#invalidValues,
      unknownSignals: this.#unknownSignals,
    };
  }

  #take(name: string, value: unknown): void {
    const spec = this.#specs.get(name);
    if (spec === undefined) {
      this.#unknownSignals += 1;
    } else if (fits(value, spec)) {
      this.#readings.set(name, { value, at: this.#deps.clock.now() });
    } else {
      this.#invalidValues += 1;
      this.#readings.delete(name);
    }
  }

  #parse(payload: Uint8Array): Report | undefined {
    try {
      const value: unknown = JSON.parse(this.#decoder.decode(payload));
      return isReport(value) ? value : undefined;
    } catch {
      // Not UTF-8 or not JSON; it is counted, and which of them it was helps nobody, since a machine sent it.
      return undefined;
    }
  }

  #reject(flaw: ReportFlaw): void {
    this.#rejected[flaw] += 1;
  }
}

interface Report {
  readonly run: string;
  readonly sequence: number;
  readonly values: Readonly<Record<string, unknown>>;
}

function isReport(value: unknown): value is Report {
  if (typeof value !== 'object' || value === null) return false;
  const { run, sequence, values } = value as Partial<Record<keyof Report, unknown>>;
  return (
    typeof run === 'string' &&
    run.length > 0 &&
    run.length <= RUN_LENGTH_MAX &&
    Number.isSafeInteger(sequence) &&
    (sequence as number) >= 0 &&
    typeof values === 'object' &&
    values !== null &&
    !Array.isArray(values)
  );
}

function fits(value: unknown, spec: SignalSpec): value is SignalValue {
  switch (spec.type) {
    case 'number':
      return typeof value === 'number' && value >= spec.min && value <= spec.max;
    case 'enum':
      return typeof value === 'string' && spec.values.includes(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return (
        typeof value === 'string' && value.length <= 2 * spec.lengthMax && [...value].length <= spec.lengthMax && !NOT_PRINTABLE.test(value)
      );
  }
}
