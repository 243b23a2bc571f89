import { z } from 'zod';
import type { Result, ResultItem } from '../core/result.ts';
import { CRITICALITIES } from '../core/stream.ts';
import { isTopicSegment } from './topics.ts';

/**
 * What goes over MQTT, as JSON. Instants (`...AtUs`) are microseconds on the sender's monotonic clock, good for differences between messages of one run;
 * `wallMs` is the sender's wall clock, milliseconds since 1970-01-01 UTC, a label only. Unknown keys are errors, so that a typing error is found by a test.
 */
const segment = z.string().refine(isTopicSegment, 'must be 1 to 64 of A-Z a-z 0-9 _ -');
const count = z.int().nonnegative();
const instantUs = z.int();
const wallMs = z.number().nonnegative();
const ratio = z.number().min(0).max(1);
const label = z.string().max(256);
const text = z.string().max(4096);

/** Retained. `online` by the link at each connect; `offline` by the link as it closes, or by the broker as the will. */
export const statusSchema = z.strictObject({
  state: z.enum(['online', 'offline']),
  node: segment,
  reason: z.enum(['connected', 'closing', 'connection-lost']),
  wallMs,
});
export type StatusPayload = z.infer<typeof statusSchema>;

/** Retained. How the node is; sent when it changes and at a slow pace. */
export const healthSchema = z.strictObject({
  node: segment,
  wallMs,
  atUs: instantUs,
  state: z.enum(['nominal', 'degraded', 'stopping']),
  /** Why it is not nominal, one line each. */
  problems: z.array(text).max(64).readonly(),
  cores: z
    .array(z.strictObject({ id: count, state: z.enum(['starting', 'ready', 'lost', 'quarantined']), busyRatio: ratio, restarts: count }))
    .max(256)
    .readonly(),
  streams: z
    .array(
      z.strictObject({
        id: segment,
        criticality: z.enum(CRITICALITIES),
        arrived: count,
        done: count,
        late: count,
        dropped: count,
        rejected: count,
        failed: count,
        /** Undefined before the first result. */
        latencyP99Us: z.number().nonnegative().optional(),
      }),
    )
    .max(256)
    .readonly(),
  sources: z
    .array(z.strictObject({ id: segment, state: z.enum(['starting', 'live', 'stalled', 'restarting', 'ended']) }))
    .max(256)
    .readonly(),
  rssBytes: count,
});
export type HealthPayload = z.infer<typeof healthSchema>;

/** Measurements of one group, several instants in one message. */
export const telemetrySchema = z.strictObject({
  node: segment,
  group: segment,
  wallMs,
  /** Oldest first. */
  samples: z
    .array(z.strictObject({ atUs: instantUs, values: z.record(z.string().max(128), z.number()).readonly() }))
    .min(1)
    .max(1000)
    .readonly(),
  /** Samples given up since the message before, because more came than one message holds. */
  droppedSamples: count,
});
export type TelemetryPayload = z.infer<typeof telemetrySchema>;

/** Something happened: a core lost or back, a source stalled, a mode change. */
export const eventSchema = z.strictObject({
  node: segment,
  kind: segment,
  wallMs,
  atUs: instantUs,
  severity: z.enum(['info', 'warning', 'error']),
  message: text,
  data: z.record(z.string().max(128), z.union([z.string().max(4096), z.number(), z.boolean(), z.null()])).readonly(),
});
export type EventPayload = z.infer<typeof eventSchema>;

const point = z.strictObject({ x: z.number(), y: z.number() }).readonly();
const quad = z.tuple([point, point, point, point]).readonly();
const box = z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).readonly();

const resultItemSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('object'), label, score: ratio, box }),
    z.strictObject({ kind: z.literal('face'), label: z.literal('face'), score: ratio, box, keypoints: z.array(point).readonly() }),
    z.strictObject({ kind: z.literal('text-box'), label: z.literal('text-box'), score: ratio, quad }),
    z.strictObject({ kind: z.literal('text'), label: z.literal('text'), score: ratio, text, quad }),
    z.strictObject({ kind: z.literal('line'), label: z.literal('line'), score: ratio, from: point, to: point }),
    z.strictObject({ kind: z.literal('speech'), label: z.literal('speech'), score: ratio, isSpeech: z.boolean() }),
    z.strictObject({
      kind: z.literal('utterance'),
      label: z.literal('utterance'),
      score: ratio,
      startsAtUs: instantUs,
      durationUs: z.int().nonnegative(),
    }),
  ])
  .readonly();
type ResultItemPayload = z.infer<typeof resultItemSchema>;

/** What one job found. Boxes and points are pixels of the source frame. */
export const resultSchema = z.strictObject({
  node: segment,
  pipeline: segment,
  job: count,
  source: label,
  sequence: count,
  model: label,
  wallMs,
  capturedAtUs: instantUs,
  ageUs: z.number().nonnegative(),
  isLate: z.boolean(),
  items: z.array(resultItemSchema).max(10_000).readonly(),
});
export type ResultPayload = z.infer<typeof resultSchema>;

/** A Result as it leaves the machine. Speech stays here: of an utterance only its place in time goes out, never its samples. */
export function resultPayload(result: Result, node: string, wallMsNow: number): ResultPayload {
  return {
    node,
    pipeline: result.pipeline,
    job: result.job,
    source: result.source,
    sequence: result.sequence,
    model: result.model,
    wallMs: wallMsNow,
    capturedAtUs: result.capturedAt,
    ageUs: result.ageUs,
    isLate: result.isLate,
    items: result.items.map(itemPayload),
  };
}

function itemPayload(item: ResultItem): ResultItemPayload {
  if (item.kind !== 'utterance') return item;
  const { kind, label: name, score, startsAt, endsAt } = item;
  return { kind, label: name, score, startsAtUs: startsAt, durationUs: endsAt - startsAt };
}
