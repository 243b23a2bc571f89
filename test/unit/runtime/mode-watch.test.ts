import { describe, expect, it } from 'vitest';
import type { ModesConfig } from '../../../src/config/runtime-config.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { ModeWatch } from '../../../src/runtime/mode-watch.ts';

const CONFIG: ModesConfig = {
  enterAfterUs: durationFromMs(300),
  leaveAfterUs: durationFromMs(1_000),
  bandwidthShortBelow: 0.8,
  hot: { enterC: 85, leaveC: 75 },
  coresLost: 1,
  rules: [],
};

function watched(config: ModesConfig = CONFIG) {
  const clock = new SimClock();
  const now: { bandwidthRatio: number | undefined; dieC: number | undefined; missing: number } = {
    bandwidthRatio: 1,
    dieC: 40,
    missing: 0,
  };
  const told: string[] = [];
  const watch = new ModeWatch(config, {
    clock,
    conditions: () => now,
    coresMissing: () => now.missing,
    changed: (mode, from) => void told.push(`${clock.now() / 1000} ${from} -> ${mode}`),
  });
  watch.start();
  const at = (ms: number, change: Partial<typeof now> = {}): string[] => {
    clock.runUntil(instantUs(ms * 1000));
    Object.assign(now, change);
    return told.splice(0);
  };
  return { watch, at };
}

describe('the watch over modes', () => {
  it('begins a mode when its condition has lasted, and ends it when it has been gone for a while', () => {
    const { at } = watched();
    at(50, { bandwidthRatio: 0.5 });
    expect(at(350)).toEqual([]);
    expect(at(450, { bandwidthRatio: 1 })).toEqual(['400 nominal -> bandwidth-short']);
    expect(at(1_400)).toEqual([]);
    expect(at(1_600)).toEqual(['1500 bandwidth-short -> nominal']);
  });

  it('takes no notice of what is over at once, either way', () => {
    const { at } = watched();
    at(50, { missing: 1 });
    at(250, { missing: 0 });
    expect(at(2_000, { missing: 1 })).toEqual([]);
    expect(at(2_500, { missing: 0 })).toEqual(['2400 nominal -> core-lost']);
    at(3_000, { missing: 1 });
    at(3_100, { missing: 0 });
    expect(at(4_050)).toEqual([]);
    expect(at(4_300)).toEqual(['4200 core-lost -> nominal']);
  });

  it('stays hot between the two temperatures', () => {
    const { at } = watched();
    at(0, { dieC: 80 });
    expect(at(5_000, { dieC: 90 })).toEqual([]);
    expect(at(6_000, { dieC: 80 })).toEqual(['5400 nominal -> hot']);
    expect(at(20_000, { dieC: 75 })).toEqual([]);
    expect(at(22_000)).toEqual(['21100 hot -> nominal']);
  });

  it('is in the most severe of several modes, and falls back to the next', () => {
    const { at } = watched();
    at(0, { bandwidthRatio: 0.1, missing: 2 });
    expect(at(1_000, { missing: 0 })).toEqual(['400 nominal -> core-lost']);
    expect(at(3_000)).toEqual(['2100 core-lost -> bandwidth-short']);
  });

  it('is safe at once when told so, and goes back at once', () => {
    const { watch, at } = watched();
    watch.setSafe(true);
    expect(watch.mode).toBe('safe');
    watch.setSafe(true);
    watch.setSafe(false);
    expect(at(1)).toEqual(['0 nominal -> safe', '0 safe -> nominal']);
  });

  it('says nothing of what it cannot know or is not to watch', () => {
    const blind = watched({ ...CONFIG, hot: undefined, bandwidthShortBelow: undefined, coresLost: undefined });
    blind.at(0, { bandwidthRatio: 0, dieC: 150, missing: 8 });
    expect(blind.at(5_000)).toEqual([]);
    const deaf = watched();
    deaf.at(0, { bandwidthRatio: undefined, dieC: undefined });
    expect(deaf.at(5_000)).toEqual([]);
    deaf.watch.stop();
  });
});
