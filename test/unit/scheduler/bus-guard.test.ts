import { describe, expect, it } from 'vitest';
import type { StepPlan } from '../../../src/core/step-plan.ts';
import { durationUs } from '../../../src/core/units.ts';
import type { SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

/** 12 ms on core 0 with seven tenths of the bus, due 17 ms after capture, of which decoding is given 2.5 ms. */
const camera: StreamOptions = { id: 'camera', criticality: 'safety', costMs: 12, deadlineMs: 17, busRatio: 0.7 };
/** 30 ms on core 1 with nine tenths of the bus: together each gets half, so the camera would take 16.8 ms. */
const greedy: StreamOptions = { id: 'greedy', cores: [1], costMs: 30, deadlineMs: 1_000, busRatio: 0.9 };

function bench(streams: readonly StreamOptions[], extra: Partial<SchedulerPlan> = {}): Bench {
  const made = new Bench(streams, { cores: [0, 1, 2], ...extra });
  for (const core of [0, 1, 2]) made.up(0, core);
  return made;
}

describe('a run that wants much of the bus', () => {
  it('is held while a more urgent one runs that would be late beside it, and starts when that is over', () => {
    const it = bench([camera, greedy]);
    expect(it.arrive(1, 'camera')).toEqual(['start 1 on 0']);
    expect(it.arrive(2, 'greedy')).toEqual(['hold 2 on 1 for camera']);
    expect(it.last).toContainEqual(expect.objectContaining({ kind: 'hold', until: it.at(13) }));
    expect(it.done(13, 1)).toEqual(['start 2 on 1']);
  });

  it('may begin when what it takes does not make the other late', () => {
    const it = bench([{ ...camera, deadlineMs: 25 }, greedy]);
    it.arrive(1, 'camera');
    expect(it.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('may begin when the bus has room for both', () => {
    const it = bench([camera, { ...greedy, busRatio: 0.3 }]);
    it.arrive(1, 'camera');
    expect(it.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('may begin beside one that is late anyway', () => {
    const it = bench([camera, greedy], { tuning: { drop: 'none' } });
    it.arrive(9, 'camera', 1);
    expect(it.arrive(9, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('may begin beside one that is over soon enough', () => {
    const it = bench([camera, greedy]);
    it.arrive(1, 'camera');
    // 1 ms is left of it and takes 1.4 ms, and it has 3.5 ms.
    expect(it.arrive(12, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('may begin beside background runs, and beside less urgent ones', () => {
    const later = bench([{ ...camera, criticality: 'background' }, greedy]);
    later.arrive(1, 'camera');
    expect(later.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
    const below = bench([
      { ...camera, criticality: 'interactive' },
      { ...greedy, criticality: 'safety' },
    ]);
    below.arrive(1, 'camera');
    expect(below.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('does not hide a run behind it that takes less of the bus, though it takes longer', () => {
    const it = bench([camera, greedy, { ...greedy, id: 'modest', costMs: 50, busRatio: 0.1 }]);
    it.arrive(1, 'camera');
    it.arrive(2, 'greedy');
    expect(it.arrive(3, 'modest')).toEqual(['start 3 on 1']);
  });

  it('is held for one that is expected on another core', () => {
    const it = bench([{ ...camera, periodMs: 50 }, greedy]);
    for (const at of [0, 50, 100, 150, 200]) it.complete(at, 'camera', 12);
    expect(it.arrive(215, 'greedy')).toEqual(['start 6 on 1']);
    it.done(245, 6, 1);
    it.decoded(246, 6);
    // The next frame comes at 250 and would run beside it to the end.
    expect(it.arrive(247, 'greedy')).toEqual(['hold 7 on 1 for camera']);
  });

  it('is held for the one that is due first, however many are expected there', () => {
    const quiet = Array.from(
      { length: 40 },
      (_, index): StreamOptions => ({ ...camera, id: `quiet-${index}`, periodMs: 400, deadlineMs: 390 }),
    );
    const it = bench([...quiet, { ...camera, periodMs: 50 }, greedy]);
    for (const [index, { id }] of quiet.entries()) it.complete(index * 12, id, 11);
    for (const at of [500, 550, 600, 650, 700]) it.complete(at, 'camera', 12);
    expect(it.arrive(747, 'greedy')).toEqual(['hold 46 on 1 for camera']);
  });

  it('of several steps may take as many as do no harm', () => {
    const steps: StepPlan = {
      kind: 'blocks',
      shares: Array.from({ length: 10 }, () => 0.1),
      switchUs: Array.from({ length: 9 }, () => durationUs(0)),
    };
    const models = planFor([camera, greedy]).models.map((row) => (row.model === 'greedy' ? { ...row, steps } : row));
    // While both run the camera loses 0.29 ms of every one, and may lose 3.5 in all: in 12.25 ms the other does 6.8 ms of its work.
    const it = bench([{ ...camera, deadlineMs: 18 }, greedy], { models });
    it.arrive(1, 'camera');
    expect(it.arrive(2, 'greedy')).toEqual(['start 2 on 1 steps 0+2']);
    const lax = bench([{ ...camera, deadlineMs: 25 }, greedy], { models });
    lax.arrive(1, 'camera');
    expect(lax.arrive(2, 'greedy')).toEqual(['start 2 on 1 steps 0+10']);
  });

  it('of a peer is held only while it can still be in time after that', () => {
    const peer: StreamOptions = { ...greedy, criticality: 'safety', costMs: 10, deadlineMs: 40 };
    const it = bench([camera, peer]);
    it.arrive(1, 'camera');
    expect(it.arrive(2, 'greedy')).toEqual(['hold 2 on 1 for camera']);
    const short = bench([camera, { ...peer, deadlineMs: 22 }]);
    short.arrive(1, 'camera');
    expect(short.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
  });

  it('is not held where the bus is said to be shared, nor by other policies', () => {
    for (const extra of [{ tuning: { bus: 'shared' } }, { policy: 'edf' }] as const) {
      const it = bench([camera, greedy], extra);
      it.arrive(1, 'camera');
      expect(it.arrive(2, 'greedy')).toEqual(['start 2 on 1']);
    }
  });

  it('counts once when it is a gang, whether it is in the way or protected', () => {
    const wide: StreamOptions = { ...camera, cores: [0, 2], split: 2 };
    const it = bench([wide, greedy]);
    expect(it.arrive(1, 'camera')).toEqual(['start 1 on 0+2']);
    expect(it.arrive(2, 'greedy')).toEqual(['hold 2 on 1 for camera']);
    const gang = bench([
      { ...camera, cores: [2] },
      { ...greedy, cores: [0, 1], split: 2 },
    ]);
    gang.arrive(1, 'camera');
    expect(gang.arrive(2, 'greedy')).toEqual(['hold 2 on 0 for camera', 'hold 2 on 1 for camera']);
    expect(gang.done(13, 1, 2)).toEqual(['start 2 on 0+1']);
  });
});

describe('a plan is refused', () => {
  it('in which a run takes more than the bus', () => {
    expect(() => bench([{ ...camera, busRatio: 1.1 }])).toThrow('takes a part of the bus');
    expect(() => bench([{ ...camera, busRatio: Number.NaN }])).toThrow('takes a part of the bus');
  });
});
