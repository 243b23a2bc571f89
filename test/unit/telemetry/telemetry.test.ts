import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DROP_REASONS, FAIL_REASONS, REJECT_REASONS } from '../../../src/core/outcome.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationFromMs, durationUs, instantUs } from '../../../src/core/units.ts';
import { readHost } from '../../../src/telemetry/host.ts';
import { INCIDENT_KINDS } from '../../../src/telemetry/incident-log.ts';
import { reportSchema } from '../../../src/telemetry/report-schema.ts';
import { createTelemetry, type Telemetry } from '../../../src/telemetry/telemetry.ts';

const stream: Stream = {
  id: 'objects',
  model: 'nanodet',
  criticality: 'safety',
  periodUs: durationFromMs(125),
  deadlineUs: durationFromMs(125),
  freshness: { kind: 'latest' },
  isStateful: false,
};

const started = (clock: SimClock): Telemetry =>
  createTelemetry(
    { streams: [stream], cores: [0, 1], sources: ['front'], config: { node: 'car', file: 'car.yaml', sha256: 'a'.repeat(64) } },
    {
      clock,
      host: readHost(),
      mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }),
      eventLoop: {
        figures: () => ({ samples: 0, resolutionMs: 2, delayMs: { p50: null, p99: null, max: null } }),
        reset: () => undefined,
        stop: () => undefined,
      },
    },
  );

describe('telemetry', () => {
  test('gives a frozen snapshot that later events do not change', () => {
    const clock = new SimClock(instantUs(500));
    const telemetry = started(clock);
    telemetry.ledger.bookOf('objects').arrived(1, clock.now(), clock.now());
    const before = telemetry.snapshot();
    clock.runFor(durationFromMs(60));
    telemetry.ledger.ended(1, { kind: 'done' }, clock.now());
    expect(before.streams[0]?.jobs).toMatchObject({ done: 0, inFlight: 1 });
    expect(Object.isFrozen(before) && Object.isFrozen(before.streams[0]?.jobs.dropped)).toBe(true);
    expect(telemetry.snapshot()).toMatchObject({ elapsedMs: 60, streams: [{ jobs: { done: 1, inFlight: 0 } }] });
  });

  test('writes a report that its own schema takes, through JSON, empty and full', () => {
    const clock = new SimClock(instantUs(0), Date.UTC(2026, 0, 2));
    const telemetry = started(clock);
    expect(() => reportSchema.parse(JSON.parse(JSON.stringify(telemetry.report())))).not.toThrow();
    telemetry.sources.bookOf('front').state('live');
    telemetry.sources.bookOf('front').frame();
    telemetry.sources.bookOf('front').rejected('corrupt');
    telemetry.ledger.refused('objects', 'stale');
    telemetry.ledger.bookOf('objects').arrived(1, clock.now(), clock.now());
    telemetry.cores.state(0, 'ready', clock.now());
    telemetry.cores.segmentStarted(0, 'nanodet', clock.now());
    telemetry.cores.process(0, { pid: 4711, pssBytes: 120_000_000 });
    telemetry.decisions.step(durationUs(12), 1);
    clock.runFor(durationFromMs(60));
    telemetry.cores.segmentEnded(0, { kind: 'done', startedAt: instantUs(100), endedAt: instantUs(59_000) }, clock.now());
    telemetry.ledger.ended(1, { kind: 'done' }, clock.now());
    telemetry.incidents.add({ kind: 'core-lost', core: 1, message: 'killed by SIGKILL' });
    telemetry.detections.record({
      pipeline: 'objects',
      job: 1,
      source: 'front',
      sequence: 1,
      capturedAt: instantUs(0),
      model: 'nanodet',
      ageUs: durationFromMs(60),
      isLate: false,
      items: [{ kind: 'object', label: 'person', score: 0.8, box: { x: 0, y: 0, width: 1, height: 1 } }],
    });
    const report = reportSchema.parse(JSON.parse(JSON.stringify(telemetry.report())));
    expect(report).toMatchObject({
      version: 'coxswain-report/1',
      startedAt: '2026-01-02T00:00:00.000Z',
      durationMs: 60,
      streams: [{ id: 'objects', jobs: { arrived: 2, done: 1, rejected: { stale: 1 } }, latencyMs: { samples: 1, max: 60 } }],
      cores: [
        { id: 0, jobs: 1, pssBytes: 120_000_000 },
        { id: 1, state: 'starting' },
      ],
      scheduler: { decisions: 1, decisionUs: { p50: 12 } },
      detections: { objects: { person: 1 } },
      incidents: [{ kind: 'core-lost', core: 1, atMs: 60 }],
      log: null,
    });
  });

  test('refuses a report with an unknown field', () => {
    const report = JSON.parse(JSON.stringify(started(new SimClock()).report()));
    expect(reportSchema.safeParse({ ...report, extra: 1 }).success).toBe(false);
  });
});

/** Every leaf of the schema as a path: `streams[].jobs.done`, `detections.<pipeline>.<label>`. */
function leaves(schema: JsonSchema, path: string): string[] {
  const variants = schema.anyOf?.filter(({ type }) => type !== 'null');
  if (variants?.length === 1 && variants[0] !== undefined) return leaves(variants[0], path);
  if (schema.type === 'array' && schema.items !== undefined) return leaves(schema.items, `${path}[]`);
  if (schema.properties !== undefined)
    return Object.entries(schema.properties).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
  if (typeof schema.additionalProperties === 'object') return leaves(schema.additionalProperties, `${path}.<key>`);
  return [path];
}

interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
}

describe('docs/report.md', () => {
  const page = readFileSync(new URL('../../../docs/report.md', import.meta.url), 'utf8');

  test('describes exactly the fields of the schema', () => {
    const documented = [...page.matchAll(/^\| `([^`]+)` \| [^|]+ \| .+ \|$/gm)].map(([, path]) => path);
    const inSchema = leaves(z.toJSONSchema(reportSchema) as JsonSchema, '');
    expect(inSchema.length).toBeGreaterThan(50);
    expect(documented).toEqual(inSchema);
  });

  test('names every reason that a job can have', () => {
    const row = (field: string): string => page.split('\n').find((line) => line.startsWith(`| \`streams[].jobs.${field}`)) ?? '';
    for (const [field, reasons] of [
      ['dropped', DROP_REASONS],
      ['rejected', REJECT_REASONS],
      ['failed', FAIL_REASONS],
    ] as const)
      expect(reasons.filter((reason) => !row(field).includes(`\`${reason}\``))).toEqual([]);
  });

  test('lists every kind of incident', () => {
    const documented = [...page.matchAll(/^- `([a-z-]+)`: /gm)].map(([, kind]) => kind);
    expect(documented).toEqual([...INCIDENT_KINDS]);
  });
});
