import { describe, expect, it } from 'vitest';
import { createDeferred, type Deferred } from '../../../src/core/deferred.ts';
import { type ModelSpec, tensorBytes } from '../../../src/core/model.ts';
import type { Region } from '../../../src/core/region.ts';
import type { Segment, SegmentEnd } from '../../../src/core/segment.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { addUs, durationUs, instantUs } from '../../../src/core/units.ts';
import { ABORT_US, createSimDevice } from '../../../src/devices/sim/sim-device.ts';
import type { Computed } from '../../../src/runtime/compute-pool.ts';
import { createComputedDevice } from '../../../src/runtime/computed-device.ts';
import { RealWork } from '../../../src/runtime/real-work.ts';
import { layer, twoCores } from '../../support/soc-profiles.ts';

const tensor = { name: 'x', type: 'uint8', shape: [4] } as const;
const model = (id: string): ModelSpec => ({
  ...{ id, file: '', sha256: '', inputs: [tensor], outputs: [tensor], states: [], constants: [], codec: 'none' },
  ...{ costUs: durationUs(1), memoryBytes: 1, licence: 'none', files: {} },
});

const INPUT: Region = { offsetBytes: 0, byteLength: tensorBytes(tensor) };
const OUTPUT: Region = { offsetBytes: 64, byteLength: tensorBytes(tensor) };

/** Two cores on which model `m` takes 4 ms in four steps, and `other`, which is not computed, 1 ms. What is computed ends when the test says so. */
function rig() {
  const clock = new SimClock();
  const work = new RealWork();
  const memory = new Uint8Array(128);
  const asked: { readonly inputs: readonly Uint8Array[]; readonly answer: Deferred<Computed> }[] = [];
  const costs = (id: string) => (id === 'm' ? [1, 2, 3, 4].map(() => layer(1000, 0)) : [layer(1000, 0)]);
  const steps = (id: string) => (id === 'm' ? { cuts: [1, 2, 3] } : undefined);
  const sim = createSimDevice({ profile: twoCores() }, { clock, listener: { coreLost: () => undefined }, costs, steps });
  const device = createComputedDevice(sim, {
    computed: new Set(['m']),
    pool: {
      run(_model, inputs) {
        const answer = createDeferred<Computed>();
        asked.push({ inputs, answer });
        return answer.promise;
      },
    },
    work,
    bytes: ({ offsetBytes, byteLength }) => memory.subarray(offsetBytes, offsetBytes + byteLength),
  });
  for (const core of [0, 1]) {
    device.start(core, () => {
      for (const id of ['m', 'other']) device.load(core, model(id), () => undefined);
    });
  }
  clock.runUntil(instantUs(1_000_000));
  const ends: { readonly end: SegmentEnd; readonly at: number }[] = [];
  const segment = (job: number, from = 0, id = 'm'): Segment => {
    const killAt = addUs(clock.now(), durationUs(60_000_000));
    return { job, from, steps: id === 'm' ? 4 - from : 1, model: id, inputs: [INPUT], outputs: [OUTPUT], killAt };
  };
  const run = (core: number, what: Segment): void => device.run(core, what, (end) => ends.push({ end, at: clock.now() - 1_000_000 }));
  /** As far as time gets without anything being computed meanwhile. */
  const playUs = (us: number): void => {
    const until = addUs(clock.now(), durationUs(us));
    for (let next = clock.nextAt(); next !== undefined && next <= until && work.before(next) === undefined; next = clock.nextAt())
      clock.step();
    if (clock.nextAt() === undefined || work.before(until) === undefined) clock.runUntil(until);
  };
  const answer = async (index: number, computed: Computed): Promise<void> => {
    asked[index]?.answer.resolve(computed);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, sim, device, memory, asked, ends, segment, run, playUs, answer };
}

const done = (...bytes: readonly number[]): Computed => ({ kind: 'done', outputs: [Uint8Array.from(bytes)] });

describe('a simulated device with real outputs', () => {
  it('does not let time reach the end of a segment before its outputs are there, and ends it at its simulated instant', async () => {
    const { run, segment, playUs, answer, ends, memory, clock } = rig();
    run(0, segment(1));
    playUs(100_000);
    expect(clock.now()).toBeLessThan(1_004_000);
    expect(ends).toEqual([]);
    await answer(0, done(1, 2, 3, 4));
    playUs(100_000);
    expect(ends).toMatchObject([{ at: 4000, end: { kind: 'done' } }]);
    expect([...memory.subarray(64, 68)]).toEqual([1, 2, 3, 4]);
  });

  it('computes from what the inputs were when the job began', () => {
    const { run, segment, asked, memory } = rig();
    memory.set([9, 8, 7, 6]);
    run(0, segment(1));
    memory.fill(0);
    expect([...(asked[0]?.inputs[0] ?? [])]).toEqual([9, 8, 7, 6]);
  });

  it('lets time pass over other segments meanwhile', () => {
    const { run, segment, playUs, ends } = rig();
    run(0, segment(1));
    run(1, segment(2, 0, 'other'));
    playUs(100_000);
    expect(ends).toMatchObject([{ at: 1000, end: { kind: 'done' } }]);
  });

  it('computes a job once that is interrupted and goes on on another core', async () => {
    const { run, segment, playUs, answer, ends, memory, device, asked } = rig();
    run(0, segment(1));
    playUs(1500);
    device.yield(0);
    playUs(1000);
    expect(ends).toMatchObject([{ at: 2000, end: { kind: 'done', progress: { steps: 2, isLast: false } } }]);
    run(1, segment(1, 2));
    playUs(100_000);
    expect(ends).toHaveLength(1);
    await answer(0, done(5, 6, 7, 8));
    playUs(100_000);
    expect(ends[1]?.end).toMatchObject({ kind: 'done', progress: { steps: 2, isLast: true } });
    expect([...memory.subarray(64, 68)]).toEqual([5, 6, 7, 8]);
    expect(asked).toHaveLength(1);
  });

  it('computes a job anew that begins anew, and throws away what the lost one becomes', async () => {
    const { run, segment, playUs, answer, ends, memory, sim, asked } = rig();
    run(0, segment(1));
    playUs(1500);
    sim.crash(0);
    playUs(10);
    expect(ends).toMatchObject([{ end: { kind: 'failed', reason: 'core-crashed' } }]);
    run(1, segment(1));
    await answer(0, done(1, 1, 1, 1));
    playUs(100_000);
    expect(ends).toHaveLength(1);
    expect([...memory.subarray(64, 68)]).toEqual([0, 0, 0, 0]);
    await answer(1, done(2, 2, 2, 2));
    playUs(100_000);
    expect(asked).toHaveLength(2);
    expect([...memory.subarray(64, 68)]).toEqual([2, 2, 2, 2]);
  });

  it('fails a job that fails for real at its simulated end, with its own reason', async () => {
    const { run, segment, playUs, answer, ends } = rig();
    run(0, segment(1));
    await answer(0, { kind: 'failed', reason: 'non-finite', message: 'a NaN' });
    playUs(100_000);
    expect(ends).toEqual([{ at: 4000, end: { kind: 'failed', reason: 'non-finite', message: 'a NaN' } }]);
  });

  it('survives an abort in the very step that is its last', async () => {
    const { run, segment, playUs, answer, ends, device } = rig();
    run(0, segment(1));
    playUs(3999);
    device.abort(0);
    playUs(ABORT_US);
    await answer(0, done(1, 2, 3, 4));
    playUs(ABORT_US);
    expect(ends).toMatchObject([{ end: { kind: 'done', progress: { steps: 3, isLast: false } } }]);
  });

  it('stands still while too much is under way that nobody waits for', async () => {
    const { run, segment, playUs, answer, clock, sim, device, asked } = rig();
    for (let job = 1; job <= 65; job += 1) {
      run(0, segment(job));
      sim.crash(0);
      clock.runFor(durationUs(10));
      device.start(0, () => device.load(0, model('m'), () => undefined));
      clock.runFor(durationUs(100_000));
    }
    const stoodAt = clock.now();
    run(1, segment(100, 0, 'other'));
    playUs(10);
    expect(clock.now()).toBe(stoodAt);
    expect(asked).toHaveLength(65);
    await answer(0, done(1, 1, 1, 1));
    playUs(10);
    expect(clock.now()).toBeGreaterThan(stoodAt);
  });
});
