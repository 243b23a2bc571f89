import { assert, assertNever } from '../core/assert.ts';
import type { OutboundMessage } from './link-options.ts';
import type { MessageClass, OutboxItem } from './outbox.ts';
import { eventSchema, healthSchema, resultSchema, telemetrySchema } from './payloads.ts';
import type { Topics } from './topics.ts';

const CLASS_OF: Readonly<Record<OutboundMessage['kind'], MessageClass>> = {
  health: 'state',
  event: 'event',
  result: 'result',
  telemetry: 'telemetry',
};

const SCHEMA_OF = { health: healthSchema, event: eventSchema, result: resultSchema, telemetry: telemetrySchema } as const;

/** The message as it will be sent, or why it cannot be. */
export function encodeMessage(topics: Topics, message: OutboundMessage): OutboxItem | 'invalid-topic' | 'unencodable' {
  const topic = topicOf(topics, message);
  if (topic === undefined) return 'invalid-topic';
  return encodeItem(CLASS_OF[message.kind], topic, message.payload) ?? 'unencodable';
}

/** Undefined when JSON cannot hold it, which the types rule out and a cast does not. */
export function encodeItem(messageClass: MessageClass, topic: string, payload: object): OutboxItem | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch {
    return undefined;
  }
  if (text === undefined) return undefined;
  const bytes = Buffer.byteLength(topic) + Buffer.byteLength(text);
  return { class: messageClass, topic, payload: text, bytes, isRetained: messageClass === 'state' };
}

/** A payload off its schema is a bug of ours. */
export function assertPayload({ kind, payload }: OutboundMessage): void {
  const parsed = SCHEMA_OF[kind].safeParse(payload);
  assert(parsed.success, `the ${kind} payload fits its schema: ${parsed.error?.message ?? ''}`);
}

function topicOf(topics: Topics, message: OutboundMessage): string | undefined {
  switch (message.kind) {
    case 'health':
      return topics.health;
    case 'event':
      return topics.event(message.payload.kind);
    case 'result':
      return topics.result(message.payload.pipeline);
    case 'telemetry':
      return topics.telemetry(message.payload.group);
    default:
      return assertNever(message);
  }
}
