import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SegmentEnd } from '../../../src/core/segment.ts';
import { instantUs } from '../../../src/core/units.ts';
import { BusyWindow } from '../../../src/telemetry/busy-window.ts';
import { createCoreMeter } from '../../../src/telemetry/core-meter.ts';

const ms = (value: number) => instantUs(value * 1000);
const done = (fromMs: number, toMs: number): SegmentEnd => ({ kind: 'done', startedAt: ms(fromMs), endedAt: ms(toMs) });
const crashed: SegmentEnd = { kind: 'failed', reason: 'core-crashed', message: 'SIGKILL' };

describe('core meter', () => {
  test('tells the time a core was taken from the time it computed', () => {
    const meter = createCoreMeter([0, 1], ms(0));
    meter.state(0, 'ready', ms(0));
    meter.segmentStarted(0, 'nanodet', ms(100));
    expect(meter.figures(ms(150))[0]).toMatchObject({ modelInWork: 'nanodet', busyRatio: 1 / 3, computeRatio: 0 });
    meter.segmentEnded(0, done(110, 190), ms(200));
    const [first, second] = meter.figures(ms(400));
    expect(first).toMatchObject({ state: 'ready', busyRatio: 0.25, computeRatio: 0.2, jobs: 1, modelInWork: null, restarts: 0 });
    expect(second).toMatchObject({ state: 'starting', busyRatio: 0, jobs: 0 });
  });

  test('counts a restart each time a core is started again, not the first time', () => {
    const meter = createCoreMeter([0], ms(0));
    for (const state of ['starting', 'ready', 'lost', 'starting', 'lost', 'starting', 'ready', 'lost', 'quarantined', 'starting'] as const)
      meter.state(0, state, ms(1));
    expect(meter.figures(ms(2))[0]).toMatchObject({ state: 'starting', restarts: 3 });
  });

  test('closes the segment of a lost core, whichever is told first, and counts no job for it', () => {
    const meter = createCoreMeter([0], ms(0));
    meter.state(0, 'ready', ms(0));
    meter.process(0, { pid: 4711, pssBytes: 5_000_000 });
    meter.segmentStarted(0, 'mlsd', ms(0));
    meter.state(0, 'lost', ms(10));
    meter.segmentEnded(0, crashed, ms(11));
    expect(meter.figures(ms(20))[0]).toMatchObject({ state: 'lost', busyRatio: 0.5, jobs: 0, modelInWork: null, pssBytes: null });
    meter.state(0, 'starting', ms(21));
    meter.state(0, 'ready', ms(22));
    meter.segmentStarted(0, 'mlsd', ms(23));
    meter.segmentEnded(0, crashed, ms(24));
    meter.segmentStarted(0, 'mlsd', ms(25));
    expect(() => meter.segmentStarted(0, 'vad', ms(26))).toThrow('one segment at a time');
    expect(() => meter.segmentStarted(7, 'vad', ms(26))).toThrow('the meter knows the core (7)');
  });

  test('forgets load that is more than 1.1 s old, and keeps it in the total', () => {
    const meter = createCoreMeter([0], ms(0));
    meter.segmentStarted(0, 'mlsd', ms(0));
    meter.segmentEnded(0, done(0, 1000), ms(1000));
    expect(meter.figures(ms(1000))[0]).toMatchObject({ busyRatio: 1, busyRatioRecent: 1 });
    expect(meter.figures(ms(1500))[0]?.busyRatioRecent).toBeCloseTo(0.5, 5);
    expect(meter.figures(ms(2200))[0]?.busyRatioRecent).toBe(0);
    expect(meter.figures(ms(4000))[0]?.busyRatio).toBe(0.25);
  });
});

describe('busy window', () => {
  test('agrees with adding up the intervals one by one', () => {
    const steps = fc.array(fc.record({ waitUs: fc.nat(400_000), isBusy: fc.boolean() }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.nat(900_000), (sequence, startUs) => {
        const window = new BusyWindow(instantUs(startUs));
        const intervals: [number, number][] = [];
        let now = startUs;
        let busyFrom: number | undefined;
        for (const { waitUs, isBusy } of sequence) {
          now += waitUs;
          if (busyFrom !== undefined) intervals.push([busyFrom, now]);
          busyFrom = isBusy ? now : undefined;
          window.set(isBusy, instantUs(now));
        }
        now += 50_000;
        if (busyFrom !== undefined) intervals.push([busyFrom, now]);
        const overlap = (from: number): number => intervals.reduce((sum, [a, b]) => sum + Math.max(0, b - Math.max(a, from)), 0);
        const windowStart = Math.max(startUs, (Math.floor(now / 100_000) - 10) * 100_000);
        expect(window.totalRatio(instantUs(now))).toBeCloseTo(overlap(startUs) / (now - startUs), 9);
        expect(window.recentRatio(instantUs(now))).toBeCloseTo(overlap(windowStart) / (now - windowStart), 9);
      }),
    );
  });
});
