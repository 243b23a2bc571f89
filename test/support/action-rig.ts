import { loadActions } from '../../src/config/load-actions.ts';
import type { ActionCatalogue } from '../../src/core/action.ts';
import type { SignalReading } from '../../src/core/machine-state.ts';
import type { Proposal } from '../../src/core/proposal.ts';
import type { SignalValue } from '../../src/core/signal.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import { type DurationUs, durationUs, instantUs } from '../../src/core/units.ts';
import { type ActionGate, type ActionGateOptions, createActionGate, type GateEvent } from '../../src/sinks/action-gate/action-gate.ts';
import type { ActionCommand } from '../../src/sinks/action-gate/actuator.ts';
import { memoryFiles } from './config-files.ts';

/** One action of each kind that the gate treats differently. */
export const RIG_ACTIONS = `version: 1
machine: vehicle
signals:
  speedKmh: { type: number, min: 0, max: 300 }
  gear: { type: enum, values: [P, D] }
  door: { type: enum, values: [open, closed], each: [left, right] }
  heat: { type: number, min: 0, max: 3, each: [left, right] }
actions:
  set_heat:
    about: Heat a seat
    class: A
    arguments:
      seat: { type: enum, values: [left, right, all] }
      level: { type: integer, min: 0, max: 3 }
    passenger: { seat: [right] }
    effect: { signal: "heat.{seat}", argument: level }
    rateLimit: { count: 3, perMs: 3000 }
    validMs: 2000
  say:
    about: Say something
    class: A
    arguments: { text: { type: string, max: 10 }, loud: { type: boolean, optional: true } }
    passenger: true
    modes: [nominal]
  set_speed_sign:
    about: Show a speed
    class: A
    arguments: { kmh: { type: number, min: 0.5, max: 130 } }
    requires: { speedKmh: { atLeast: 1 } }
  open_door:
    about: Open a door
    class: B
    arguments: { door: { type: enum, values: [left, right] } }
    requires: { speedKmh: { atMost: 0.5 }, gear: [P], "door.{door}": closed }
    effect: { signal: "door.{door}", value: open }
    validMs: 20000
  brake:
    about: Brake
    class: C
    arguments: { hard: { type: boolean } }
`;

export const ms = (count: number): DurationUs => durationUs(count * 1000);

const catalogue: ActionCatalogue = loadActions('actions.yaml', { files: memoryFiles({ 'actions.yaml': RIG_ACTIONS }) });

export interface ActionRig {
  readonly clock: SimClock;
  readonly gate: ActionGate;
  /** What went out. */
  readonly sent: ActionCommand[];
  readonly events: GateEvent[];
  readonly catalogue: ActionCatalogue;
  /** Told of every change, as the runtime's service tells it; gives the way out. */
  onOutcome(listener: (event: GateEvent) => void): () => void;
  /** The actuator can be reached. */
  isReachable: boolean;
  /** The machine reports these now, without the gate being told. */
  set(values: Readonly<Record<string, SignalValue>>): void;
  forget(signal: string): void;
  /** As `set`, and the gate is told. */
  report(values: Readonly<Record<string, SignalValue>>): void;
  /** A proposal by the driver, made now and valid for a second, with what is given instead. */
  proposal(name: string, given: unknown, changes?: Partial<Proposal>): Proposal;
}

/** A gate on a SimClock that starts at one second, with a car that stands in P. */
export function createActionRig(options: Partial<ActionGateOptions> = {}): ActionRig {
  const clock = new SimClock(instantUs(1_000_000));
  const readings = new Map<string, SignalReading>();
  const sent: ActionCommand[] = [];
  const events: GateEvent[] = [];
  const listeners = new Set<(event: GateEvent) => void>();
  let serial = 0;
  const gate = createActionGate(
    { catalogue, stateAgeMaxUs: ms(1000), confirmWithinUs: ms(10_000), fromMqtt: ['say'], ...options },
    {
      clock,
      state: { read: (signal) => readings.get(signal) },
      actuator: {
        send(command) {
          if (rig.isReachable) sent.push(command);
          return rig.isReachable;
        },
      },
      onOutcome(event) {
        events.push(event);
        for (const listener of [...listeners]) listener(event);
      },
    },
  );
  const rig: ActionRig = {
    clock,
    gate,
    sent,
    events,
    catalogue,
    onOutcome(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isReachable: true,
    set(values) {
      for (const [signal, value] of Object.entries(values)) readings.set(signal, { value, at: clock.now() });
    },
    forget: (signal) => readings.delete(signal),
    report(values) {
      rig.set(values);
      gate.stateChanged();
    },
    proposal(name, given, changes = {}) {
      serial += 1;
      const proposedAt = clock.now();
      const validUntil = instantUs(proposedAt + ms(1000));
      return { id: `p${serial}`, name, arguments: given, provenance: 'driver', proposedAt, validUntil, ...changes };
    },
  };
  rig.set({ speedKmh: 0, gear: 'P', 'door.left': 'closed', 'door.right': 'closed', 'heat.left': 0, 'heat.right': 0 });
  return rig;
}
