import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { elapsedUs, msFromDuration } from '../../core/units.ts';
import type { MqttLink } from '../../mqtt/link-options.ts';
import type { InboundMessage } from '../../mqtt/session.ts';
import type { ActionCommand, Actuator, ActuatorAnswer } from './actuator.ts';

export interface MqttActuatorOptions {
  /** Levels before `/action/...` and `/answer/...`, such as `coxswain/vehicle`. */
  readonly topics: string;
  /** Who we are: our answers come to `<topics>/answer/<node>`. */
  readonly node: string;
}

export interface MqttActuatorDeps {
  readonly clock: Clock;
  readonly link: Pick<MqttLink, 'sendNow' | 'subscribe'>;
  readonly onAnswer: (answer: ActuatorAnswer) => void;
}

export interface MqttActuator extends Actuator {
  /** Answers that were none. */
  readonly malformed: number;
  /** No answer is handed on after it. */
  close(): void;
}

/** A detail of some sentences. */
const ANSWER_BYTES_MAX = 4_096;

const answerSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  state: z.enum(['accepted', 'refused', 'achieved']),
  detail: z.string().max(1000).default(''),
  wallMs: z.number().optional(),
});

/**
 * Sends each command to `<topics>/action/<topic of the action>` and listens for what comes of it at `<topics>/answer/<node>`:
 *
 *     {"id", "action", "arguments", "issuedWallMs", "expiresWallMs", "answerTo"}    {"id", "state": accepted | refused | achieved, "detail"?}
 *
 * With MQTT 5 the expiry, the response topic and the id as correlation data go as properties too. Commands have QoS 0 and are never kept: what is not on its
 * way at once is not sent at all, and what is lost on the way shows as timed out.
 */
export function createMqttActuator(options: MqttActuatorOptions, deps: MqttActuatorDeps): MqttActuator {
  const { topics, node } = options;
  const answerTo = `${topics}/answer/${node}`;
  let malformed = 0;
  const leave = deps.link.subscribe(answerTo, (message) => {
    const answer = readAnswer(message);
    if (answer === undefined) malformed += 1;
    else deps.onAnswer(answer);
  });
  return {
    send({ id, action, values, issuedAt, expiresAt }: ActionCommand): boolean {
      const validMs = msFromDuration(elapsedUs(issuedAt, expiresAt));
      const issuedWallMs = deps.clock.wallMs();
      return deps.link.sendNow({
        topic: `${topics}/action/${action.topic}`,
        payload: { id, action: action.name, arguments: values, issuedWallMs, expiresWallMs: issuedWallMs + validMs, answerTo },
        // MQTT counts whole seconds and 0 would be no expiry at all; the finer time stands in the message.
        properties: { expirySeconds: Math.max(1, Math.ceil(validMs / 1000)), responseTopic: answerTo, correlation: id },
      });
    },
    get malformed() {
      return malformed;
    },
    close: leave,
  };
}

/** Undefined for what is no answer, or was kept by the broker from an earlier life. */
function readAnswer({ payload, isRetained }: InboundMessage): ActuatorAnswer | undefined {
  if (isRetained || payload.length > ANSWER_BYTES_MAX) return undefined;
  try {
    const parsed = answerSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
    return parsed.success ? { id: parsed.data.id, state: parsed.data.state, detail: parsed.data.detail } : undefined;
  } catch {
    // Not UTF-8 or not JSON: no answer, and counted as such by the caller.
    return undefined;
  }
}
