import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import type { OutboundMessage } from '../../../src/mqtt/link-options.ts';
import { type TelemetryPayload, telemetrySchema } from '../../../src/mqtt/payloads.ts';
import { createTelemetryBatcher, type TelemetryBatcherOptions } from '../../../src/mqtt/telemetry-batcher.ts';

interface Published {
  readonly atUs: number;
  readonly payload: TelemetryPayload;
}

function setUp(options: Partial<TelemetryBatcherOptions> = {}) {
  const clock = new SimClock();
  const published: Published[] = [];
  const publish = (message: OutboundMessage): void => {
    if (message.kind === 'telemetry') published.push({ atUs: clock.now(), payload: telemetrySchema.parse(message.payload) });
  };
  return { clock, published, batcher: createTelemetryBatcher({ node: 'car7', ...options }, { clock, publish }) };
}

describe('telemetry batcher', () => {
  it('publishes a group at most ten times a second, and loses no sample at 1 kHz', () => {
    const { clock, published, batcher } = setUp();
    for (let ms = 0; ms < 1000; ms += 1) {
      clock.runUntil(instantUs(ms * 1000));
      batcher.add('cores', { busyRatio: ms });
    }
    batcher.close();
    expect(published.length).toBeLessThanOrEqual(11);
    for (const [index, { atUs }] of published.slice(1, -1).entries())
      expect(atUs - (published[index]?.atUs ?? 0)).toBeGreaterThanOrEqual(100_000);
    const values = published.flatMap(({ payload }) => payload.samples.map((sample) => sample.values.busyRatio));
    expect(values).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  it('publishes the first sample after a quiet time at once', () => {
    const { clock, published, batcher } = setUp();
    clock.runUntil(instantUs(5_000_000));
    batcher.add('cores', { a: 1 });
    clock.runFor(durationUs(0));
    expect(published).toHaveLength(1);
    clock.runFor(durationUs(1_000_000));
    batcher.add('cores', { a: 2 });
    clock.runFor(durationUs(0));
    expect(published).toHaveLength(2);
  });

  it('keeps the newest samples and tells how many went', () => {
    const { clock, published, batcher } = setUp({ samplesMax: 3 });
    for (let index = 0; index < 5; index += 1) batcher.add('cores', { index });
    clock.runFor(durationUs(0));
    expect(published[0]?.payload.samples.map(({ values }) => values.index)).toEqual([2, 3, 4]);
    expect(published[0]?.payload.droppedSamples).toBe(2);
  });

  it('takes as many groups as its bound and counts the samples of one more', () => {
    const { clock, published, batcher } = setUp({ groupsMax: 2 });
    for (const group of ['a', 'b', 'c', 'a']) batcher.add(group, { x: 1 });
    clock.runFor(durationUs(0));
    expect(published.map(({ payload }) => payload.group)).toEqual(['a', 'b']);
    expect(batcher.rejectedSamples).toBe(1);
  });

  it('publishes what is left when closed, and nothing later', () => {
    const { clock, published, batcher } = setUp();
    batcher.add('cores', { x: 1 });
    clock.runFor(durationUs(0));
    batcher.add('cores', { x: 2 });
    batcher.close();
    expect(published).toHaveLength(2);
    batcher.add('cores', { x: 3 });
    clock.runFor(durationUs(1_000_000));
    expect(published).toHaveLength(2);
    expect(batcher.rejectedSamples).toBe(1);
  });

  it('cannot be made faster than ten times a second', () => {
    expect(() => setUp({ periodUs: durationUs(99_999) })).toThrow('invariant broken');
  });
});
