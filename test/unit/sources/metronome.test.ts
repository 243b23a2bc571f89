import { describe, expect, it } from 'vitest';
import { after } from '../../../src/core/clock.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, durationUs, type InstantUs, instantUs } from '../../../src/core/units.ts';
import { startMetronome } from '../../../src/sources/metronome.ts';
import { createLateClock } from '../../support/late-clock.ts';

describe('startMetronome', () => {
  it('keeps its rate without drift when each tick comes late and the period has a fraction', () => {
    const sim = new SimClock();
    const ticks: InstantUs[] = [];
    startMetronome(
      createLateClock(sim, () => 700),
      { startAt: instantUs(0), periodUs: 1e6 / 30, lateTicks: 'skip' },
      (at) => ticks.push(at),
    );
    sim.runUntil(instantUs(10_001_000));
    expect(ticks).toHaveLength(301);
    expect(ticks[300]).toBe(10_000_000);
    expect(ticks[1]).toBe(33_333);
  });

  it('plays only the newest tick due after a pause when late ticks are skipped', () => {
    const sim = new SimClock();
    let lateUs = 0;
    const seen: { at: number; index: number }[] = [];
    startMetronome(
      createLateClock(sim, () => lateUs),
      { startAt: instantUs(0), periodUs: 1000, lateTicks: 'skip' },
      (at, index) => {
        seen.push({ at, index });
        lateUs = index === 1 ? 5500 : 0;
      },
    );
    sim.runUntil(instantUs(9000));
    expect(seen.map(({ index }) => index)).toEqual([0, 1, 7, 8, 9]);
    expect(seen[2]?.at).toBe(7000);
  });

  it('plays every tick in order after a pause when late ticks count', () => {
    const sim = new SimClock();
    let lateUs = 0;
    const indexes: number[] = [];
    startMetronome(
      createLateClock(sim, () => lateUs),
      { startAt: instantUs(0), periodUs: 1000, lateTicks: 'play' },
      (_at, index) => {
        indexes.push(index);
        lateUs = index === 1 ? 5500 : 0;
      },
    );
    sim.runUntil(instantUs(7900));
    expect(indexes).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('moves on from where it is after a pause longer than the lag allowed', () => {
    const sim = new SimClock();
    let lateUs = 0;
    const ticks: number[] = [];
    startMetronome(
      createLateClock(sim, () => lateUs),
      { startAt: instantUs(0), periodUs: 1000, lateTicks: 'play', lagMaxUs: durationUs(3000) },
      (at, index) => {
        ticks.push(at);
        lateUs = index === 1 ? 5500 : 0;
      },
    );
    sim.runUntil(instantUs(9600));
    expect(ticks).toEqual([0, 1000, 7500, 8500, 9500]);
  });

  it('is silent once stopped, also from inside a tick', () => {
    const sim = new SimClock();
    let count = 0;
    const stop = startMetronome(sim, { startAt: instantUs(10), periodUs: 10, lateTicks: 'skip' }, () => {
      count += 1;
      if (count === 3) stop();
    });
    sim.runFor(durationFromMs(1));
    expect(count).toBe(3);
    let others = 0;
    const stopEarly = startMetronome(sim, { startAt: sim.now(), periodUs: 10, lateTicks: 'skip' }, () => {
      others += 1;
    });
    stopEarly();
    after(sim, durationUs(5), () => undefined);
    sim.runFor(durationFromMs(1));
    expect(others).toBe(0);
  });
});
