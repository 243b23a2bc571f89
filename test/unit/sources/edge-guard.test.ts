import { describe, expect, it } from 'vitest';
import type { Payload } from '../../../src/core/frame.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createEdgeGuard } from '../../../src/sources/edge-guard.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';

function setUp() {
  const clock = new SimClock(instantUs(1_000_000));
  const memory = new CountedFrameMemory();
  const guard = createEdgeGuard({ staleAfterUs: durationUs(100_000), bytesMax: 4096 }, { clock, memory });
  const frame = (sequence: number, capturedAt: number, payload: Payload = { kind: 'empty' }): SourceEvent => ({
    kind: 'frame',
    frame: { source: 'x', sequence, capturedAt: instantUs(capturedAt), payload },
  });
  const verdict = (sequence: number, capturedAt: number, payload?: Payload): string => {
    const event = guard.admit(frame(sequence, capturedAt, payload));
    return event.kind === 'rejected' ? event.reason : event.kind;
  };
  const image = (width: number, height: number, byteLength = width * height * 3): Payload => {
    const region = memory.allocate(byteLength);
    if (region === undefined) throw new Error('no memory');
    return { kind: 'image', region, width, height };
  };
  const audio = (...samples: readonly number[]): Payload => ({ kind: 'audio', samples: Float32Array.from(samples) });
  return { memory, guard, verdict, image, audio };
}

describe('createEdgeGuard', () => {
  it('lets good frames and states pass unchanged', () => {
    const { guard, verdict, image } = setUp();
    const state: SourceEvent = { kind: 'state', state: 'live', message: '' };
    expect(guard.admit(state)).toBe(state);
    expect(verdict(0, 1_000_000, image(4, 4))).toBe('frame');
    expect(Object.values(guard.counts).every((count) => count === 0)).toBe(true);
  });

  it('takes a frame just as old as allowed and refuses an older one', () => {
    const { verdict } = setUp();
    expect(verdict(0, 899_999)).toBe('stale');
    expect(verdict(1, 900_000)).toBe('frame');
  });

  it('refuses what came before, by number or by instant', () => {
    const { verdict } = setUp();
    expect(verdict(5, 950_000)).toBe('frame');
    expect(verdict(5, 950_000)).toBe('duplicate');
    expect(verdict(4, 960_000)).toBe('out-of-order');
    expect(verdict(6, 949_999)).toBe('out-of-order');
    expect(verdict(6, 950_000)).toBe('frame');
  });

  it('is not thrown off course by one frame from the future or out of all order', () => {
    const { verdict } = setUp();
    expect(verdict(0, 1_050_001)).toBe('out-of-order');
    expect(verdict(1, Number.POSITIVE_INFINITY)).toBe('out-of-order');
    expect(verdict(1, Number.NaN)).toBe('out-of-order');
    expect(verdict(Number.NaN, 1_000_000)).toBe('out-of-order');
    expect(verdict(2 ** 60, 1_000_000)).toBe('out-of-order');
    expect(verdict(0, 1_000_000)).toBe('frame');
    expect(verdict(1, 1_050_000)).toBe('frame');
  });

  it('takes a payload of just the bytes allowed and refuses more', () => {
    const { verdict, image, audio } = setUp();
    expect(verdict(0, 1_000_000, audio(...new Array(1024).fill(0)))).toBe('frame');
    expect(verdict(1, 1_000_000, audio(...new Array(1025).fill(0)))).toBe('oversized');
    expect(verdict(1, 1_000_000, image(1, 1366))).toBe('oversized');
    expect(verdict(1, 1_000_000, image(1, 1365))).toBe('frame');
  });

  it('refuses an image whose bytes do not fit its size', () => {
    const { verdict, image } = setUp();
    expect(verdict(0, 1_000_000, image(4, 4, 47))).toBe('corrupt');
    expect(verdict(0, 1_000_000, image(0, 4, 0))).toBe('corrupt');
  });

  it('refuses audio with one sample that is not finite', () => {
    const { verdict, audio } = setUp();
    expect(verdict(0, 1_000_000, audio(0, 0, Number.NaN))).toBe('non-finite');
    expect(verdict(0, 1_000_000, audio(Number.NEGATIVE_INFINITY))).toBe('non-finite');
    expect(verdict(0, 1_000_000, audio(1, -1))).toBe('frame');
  });

  it('gives back the region of a refused frame and only of that', () => {
    const { memory, verdict, image } = setUp();
    verdict(0, 0, image(2, 2));
    expect(memory.liveRegions).toBe(0);
    verdict(0, 1_000_000, image(2, 2));
    expect(memory.liveRegions).toBe(1);
  });

  it('counts by reason, with what the source itself turned away', () => {
    const { guard, verdict } = setUp();
    verdict(0, 0);
    verdict(0, 1_000_000);
    verdict(0, 1_000_000);
    verdict(0, 1_000_000);
    guard.admit({ kind: 'rejected', reason: 'corrupt', message: '' });
    expect(guard.counts).toMatchObject({ stale: 1, duplicate: 2, corrupt: 1, oversized: 0 });
  });
});
