import type { ActionsConfig } from '../config/actions-config.ts';
import type { Clock } from '../core/clock.ts';
import type { MqttLink } from '../mqtt/link-options.ts';
import { type ActionGate, createActionGate, type GateEvent } from '../sinks/action-gate/action-gate.ts';
import { openAuditLog } from '../sinks/action-gate/audit-log.ts';
import { createMqttActuator } from '../sinks/action-gate/mqtt-actuator.ts';
import { actionEvent } from '../sinks/action-gate/mqtt-events.ts';
import { createMachineState, type MachineStateSource } from '../sources/machine-state.ts';
import type { IncidentLog } from '../telemetry/incident-log.ts';

/** The way from words to the machine, with what the machine says of itself. */
export interface ActionsService {
  readonly gate: ActionGate;
  readonly state: MachineStateSource;
  /** Told of every change of every proposal, after the audit log and MQTT. The listener must not call the gate. Returns the way out. */
  onOutcome(listener: (event: GateEvent) => void): () => void;
  close(): Promise<void>;
}

export interface ActionsServiceDeps {
  readonly clock: Clock;
  readonly link: MqttLink;
  readonly incidents: IncidentLog;
}

/** Listens to the machine and stands ready. Errors: FILE_UNWRITABLE when the audit log cannot be opened: nothing moves unrecorded from the start. */
export async function startActions(config: ActionsConfig, node: string, deps: ActionsServiceDeps): Promise<ActionsService> {
  const { clock, link, incidents } = deps;
  const { catalogue, topics, stateAgeMaxUs, confirmWithinUs, fromMqtt } = config;
  const audit =
    config.audit && (await openAuditLog(config.audit, { clock, onTrouble: (message) => incidents.add({ kind: 'log-lost', message }) }));
  const listeners = new Set<(event: GateEvent) => void>();
  const state = createMachineState(catalogue.signals, { clock, onChange: () => gate.stateChanged() });
  const actuator = createMqttActuator({ topics, node }, { clock, link, onAnswer: (answer) => gate.answered(answer) });
  const gate = createActionGate(
    { catalogue, stateAgeMaxUs, confirmWithinUs, fromMqtt },
    {
      clock,
      state,
      actuator,
      onOutcome(event) {
        audit?.record(event);
        link.publish({ kind: 'event', payload: actionEvent(event, node, clock) });
        for (const listener of [...listeners]) listener(event);
      },
    },
  );
  const leave = link.subscribe(`${topics}/state`, (message) => state.receive(message));
  return {
    gate,
    state,
    onOutcome(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    async close() {
      gate.close();
      leave();
      actuator.close();
      await audit?.close();
    },
  };
}
