import { describe, expect, it } from 'vitest';
import type { Result, ResultItem } from '../../../src/core/result.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { encodeMessage } from '../../../src/mqtt/encode.ts';
import { eventSchema, healthSchema, resultPayload, resultSchema, statusSchema, telemetrySchema } from '../../../src/mqtt/payloads.ts';
import { createTopics } from '../../../src/mqtt/topics.ts';
import { event, health, result, telemetry } from './messages.ts';

const topics = createTopics('coxswain', 'car7');

const quad = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
] as const;

const ITEMS: readonly ResultItem[] = [
  { kind: 'object', label: 'person', score: 0.9, box: { x: 1.5, y: 2, width: 3, height: 4 } },
  { kind: 'face', label: 'face', score: 0.8, box: { x: 1, y: 2, width: 3, height: 4 }, keypoints: [{ x: 1, y: 2 }] },
  { kind: 'text-box', label: 'text-box', score: 0.7, quad },
  { kind: 'text', label: 'text', score: 0.7, text: 'Straße "1"\n', quad },
  { kind: 'line', label: 'line', score: 1, from: { x: 0, y: 0 }, to: { x: 5, y: 5 } },
  { kind: 'speech', label: 'speech', score: 0, isSpeech: false },
  {
    kind: 'utterance',
    label: 'utterance',
    score: 0.95,
    startsAt: instantUs(1_000_000),
    endsAt: instantUs(3_500_000),
    samples: new Float32Array(40_000).fill(0.25),
  },
];

const coreResult = (items: readonly ResultItem[]): Result => ({
  pipeline: 'front',
  job: 12,
  source: 'camera',
  sequence: 5,
  capturedAt: instantUs(77),
  model: 'nanodet',
  ageUs: durationUs(1234),
  isLate: false,
  items,
});

describe('payloads', () => {
  it('fit their schemas', () => {
    expect(healthSchema.parse(health())).toEqual(health());
    expect(eventSchema.parse(event())).toEqual(event());
    expect(resultSchema.parse(result())).toEqual(result());
    expect(telemetrySchema.parse(telemetry())).toEqual(telemetry());
    const status = { state: 'offline', node: 'car7', reason: 'connection-lost', wallMs: 1 };
    expect(statusSchema.parse(status)).toEqual(status);
  });

  it('are refused with an unknown key, a topic trick or a number that JSON cannot hold', () => {
    expect(eventSchema.safeParse({ ...event(), extra: 1 }).success).toBe(false);
    expect(eventSchema.safeParse({ ...event(), kind: 'a/#' }).success).toBe(false);
    expect(telemetrySchema.safeParse(telemetry('cores', Number.NaN)).success).toBe(false);
    expect(telemetrySchema.safeParse(telemetry('cores', Number.POSITIVE_INFINITY)).success).toBe(false);
    expect(resultSchema.safeParse({ ...result(), ageUs: -1 }).success).toBe(false);
  });

  it('carry a result of every kind of item through JSON', () => {
    const payload = resultPayload(coreResult(ITEMS), 'car7', 1);
    const received: unknown = JSON.parse(JSON.stringify(payload));
    expect(resultSchema.parse(received)).toEqual(payload);
    expect(payload.items.map(({ kind }) => kind)).toEqual(ITEMS.map(({ kind }) => kind));
  });

  it('carry of an utterance its place in time and none of its samples', () => {
    const payload = resultPayload(coreResult(ITEMS.slice(-1)), 'car7', 1);
    expect(payload.items).toEqual([{ kind: 'utterance', label: 'utterance', score: 0.95, startsAtUs: 1_000_000, durationUs: 2_500_000 }]);
    expect(JSON.stringify(payload)).not.toContain('samples');
    expect(JSON.stringify(payload).length).toBeLessThan(400);
  });
});

describe('encoding', () => {
  it('takes the topic from the payload and counts UTF-8 bytes', () => {
    const item = encodeMessage(topics, { kind: 'event', payload: event('Straße 日本 😀') });
    if (typeof item === 'string') throw new Error(item);
    expect(item).toMatchObject({ class: 'event', topic: 'coxswain/car7/event/core-lost', isRetained: false });
    expect(item.bytes).toBe(new TextEncoder().encode(item.topic + item.payload).length);
  });

  it('retains health and nothing else', () => {
    const isRetained = (message: Parameters<typeof encodeMessage>[1]): unknown => Object(encodeMessage(topics, message)).isRetained;
    expect(isRetained({ kind: 'health', payload: health() })).toBe(true);
    expect(isRetained({ kind: 'result', payload: result() })).toBe(false);
    expect(isRetained({ kind: 'telemetry', payload: telemetry() })).toBe(false);
  });

  it('says why a message cannot be sent', () => {
    expect(encodeMessage(topics, { kind: 'result', payload: result('a/b') })).toBe('invalid-topic');
    const cyclic: Record<string, unknown> = { ...event() };
    cyclic.data = cyclic;
    expect(encodeMessage(topics, { kind: 'event', payload: cyclic as ReturnType<typeof event> })).toBe('unencodable');
    const bigint = { ...event(), atUs: 5n as unknown as number };
    expect(encodeMessage(topics, { kind: 'event', payload: bigint })).toBe('unencodable');
  });
});
