import { describe, expect, test } from 'vitest';
import type { Result, ResultItem } from '../../../src/core/result.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, durationUs, instantUs } from '../../../src/core/units.ts';
import { createDecisionMeter } from '../../../src/telemetry/decision-meter.ts';
import { createDetectionMeter } from '../../../src/telemetry/detection-meter.ts';
import { createEventLoopMeter, type DelayMonitor } from '../../../src/telemetry/event-loop-meter.ts';
import { createIncidentLog, type Incident } from '../../../src/telemetry/incident-log.ts';
import { createProcessMeter, parsePssBytes, readPssBytes } from '../../../src/telemetry/process-meter.ts';
import { createSourceMeter } from '../../../src/telemetry/source-meter.ts';

const result = (pipeline: string, items: readonly ResultItem[]): Result => ({
  pipeline,
  job: 1,
  source: 'front',
  sequence: 1,
  capturedAt: instantUs(0),
  model: 'm',
  ageUs: durationUs(1),
  isLate: false,
  items,
});
const object = (label: string): ResultItem => ({ kind: 'object', label, score: 1, box: { x: 0, y: 0, width: 1, height: 1 } });
const speech = (isSpeech: boolean): ResultItem => ({ kind: 'speech', label: 'speech', score: 0.5, isSpeech });

describe('decision meter', () => {
  test('counts steps and the decisions they gave', () => {
    const meter = createDecisionMeter();
    meter.step(durationUs(4), 2);
    meter.step(durationUs(20), 0);
    expect(meter.figures()).toEqual({ decisionUs: { p50: 4, p99: 20, max: 20 }, steps: 2, decisions: 2, yields: 0, aborts: 0 });
  });
});

describe('detection meter', () => {
  test('counts items by pipeline and label, speech by its windows, and no window without speech', () => {
    const meter = createDetectionMeter([
      { id: 'objects', periodUs: durationFromMs(125) },
      { id: 'voice', periodUs: durationFromMs(32) },
    ]);
    meter.record(result('objects', [object('person'), object('person'), object('car')]));
    meter.record(result('voice', [speech(true)]));
    meter.record(result('voice', [speech(false)]));
    const samples = new Float32Array(0);
    const utterance: ResultItem = {
      kind: 'utterance',
      label: 'utterance',
      score: 1,
      startsAt: instantUs(0),
      endsAt: instantUs(9),
      samples,
    };
    meter.record(result('voice', [speech(true), utterance]));
    expect(meter.detections()).toEqual({ objects: { person: 2, car: 1 }, voice: { speech: 2, utterance: 1 } });
    expect(meter.voice()).toEqual({ speechSeconds: 0.064, utterances: 1 });
  });

  test('counts at most 256 labels by name, the rest together, and takes labels of any spelling', () => {
    const meter = createDetectionMeter([{ id: 'objects', periodUs: durationFromMs(125) }]);
    meter.record(result('objects', [object('__proto__'), object('constructor')]));
    for (let index = 0; index < 300; index += 1) meter.record(result('objects', [object(`label-${index}`)]));
    const labels = meter.detections().objects ?? {};
    expect(Object.keys(labels)).toHaveLength(257);
    expect(Object.getOwnPropertyDescriptor(labels, '__proto__')?.value).toBe(1);
    expect(labels['(other)']).toBe(46);
  });
});

describe('event-loop meter', () => {
  const monitor = (count: number, nanoseconds: number): DelayMonitor => ({
    count,
    max: nanoseconds * 2,
    percentile: () => nanoseconds,
    reset: () => undefined,
    disable: () => true,
  });

  test('takes the resolution off what the monitor says', () => {
    const meter = createEventLoopMeter({ resolutionMs: 5 }, () => monitor(9, 5_250_000));
    expect(meter.figures()).toEqual({ samples: 9, resolutionMs: 5, delayMs: { p50: 0.25, p99: 0.25, max: 5.5 } });
  });

  test('never goes below zero, and is null without samples', () => {
    expect(createEventLoopMeter({ resolutionMs: 5 }, () => monitor(9, 2_000_000)).figures().delayMs).toEqual({ p50: 0, p99: 0, max: 0 });
    expect(createEventLoopMeter({}, () => monitor(0, 0)).figures().delayMs).toEqual({ p50: null, p99: null, max: null });
  });
});

describe('process meter', () => {
  test('reads the proportional set size', () => {
    expect(parsePssBytes('00400000-7ffd [rollup]\nRss:  900 kB\nPss:                1234 kB\nPss_Anon: 5 kB\n')).toBe(1234 * 1024);
    expect(parsePssBytes('')).toBeUndefined();
  });

  test('knows its own process after a sample, and nothing of one that does not exist', async () => {
    const meter = createProcessMeter();
    expect(meter.figures()).toMatchObject({ pssBytes: null, fds: null });
    await meter.sample();
    const figures = meter.figures();
    expect(figures.rssBytes).toBeGreaterThan(10_000_000);
    expect(figures.heapBytes).toBeGreaterThan(1_000_000);
    expect(figures.fds).toBeGreaterThan(2);
    expect(await readPssBytes(2 ** 22 + 1)).toBeUndefined();
  });
});

describe('incident log', () => {
  test('keeps the newest, counts the forgotten, and tells listeners until they leave', () => {
    const clock = new SimClock(instantUs(1000), 50_000);
    const log = createIncidentLog(clock.now(), clock, { incidentsMax: 2 });
    const heard: Incident[] = [];
    const leave = log.onIncident((incident) => heard.push(incident));
    clock.runFor(durationFromMs(5));
    log.add({ kind: 'core-lost', core: 1, message: 'SIGKILL' });
    log.add({ kind: 'core-back', core: 1, message: 'after 210 ms' });
    leave();
    log.add({ kind: 'warning', message: 'x' });
    expect(log.latest().map(({ kind }) => kind)).toEqual(['core-back', 'warning']);
    expect(log.omitted).toBe(1);
    expect(heard.map(({ kind }) => kind)).toEqual(['core-lost', 'core-back']);
    expect(heard[0]).toEqual({ kind: 'core-lost', core: 1, message: 'SIGKILL', at: 6000, atMs: 5, wallMs: 50_005 });
  });

  test('cuts a message at its bound', () => {
    const log = createIncidentLog(instantUs(0), new SimClock(), { messageMax: 10 });
    expect(log.add({ kind: 'warning', message: 'a'.repeat(10) }).message).toBe('a'.repeat(10));
    expect(log.add({ kind: 'warning', message: 'a'.repeat(11) }).message).toBe(`${'a'.repeat(9)}…`);
  });
});

describe('source meter', () => {
  test('counts frames and refusals of each source', () => {
    const meter = createSourceMeter(['front', 'cabin']);
    meter.bookOf('front').frame();
    meter.bookOf('front').rejected('corrupt');
    meter.bookOf('front').state('live');
    expect(meter.figures()).toEqual([
      { id: 'front', state: 'live', frames: 1, rejected: { corrupt: 1 } },
      { id: 'cabin', state: 'starting', frames: 0, rejected: {} },
    ]);
    expect(() => meter.bookOf('rear').frame()).toThrow('the meter knows the source (rear)');
  });
});
