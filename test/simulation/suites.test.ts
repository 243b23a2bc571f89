import { describe, expect, it } from 'vitest';
import { aimResults } from '../../src/bench/suite/aims.ts';
import { playSuite, type SuiteOptions, type SuiteResult } from '../../src/bench/suite/play-suite.ts';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadBenchSuite } from '../../src/config/load-bench-suite.ts';
import { loadSoc } from '../../src/config/load-soc.ts';
import type { BenchSuite } from '../../src/core/bench-suite.ts';
import { durationFromMs } from '../../src/core/units.ts';
import { seedsToRun, underSeed } from './seeds.ts';

const files = { files: createConfigFiles() };
const shipped = (name: string): BenchSuite => loadBenchSuite(`configs/bench/${name}.yaml`, files);

function play(suite: BenchSuite, seconds: number, rest: Partial<SuiteOptions> = {}): Promise<SuiteResult> {
  const profile = loadSoc(`configs/soc/${suite.soc}.yaml`, files);
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error(`${suite.soc} has a mode`);
  return playSuite({
    ...{ suite, workloads: suite.workloads, policies: ['coxswain'], costs: 'stated', drop: undefined, deadlineTimes: undefined },
    ...{ isWhole: false, doAllPreempt: false, profile, mode, spanUs: durationFromMs(seconds * 1_000), seed: 1 },
    ...rest,
  });
}

const FILE = 'test/simulation/suites.test.ts';

describe.each(seedsToRun(1))('the shipped suites, seed %s', (seed) => {
  it.each([
    ['voice-video', 60],
    ['automotive', 20],
  ])('%s reaches every aim', (name, seconds) =>
    underSeed(seed, FILE, async () => {
      const suite = shipped(name);
      const { rows } = await play(suite, seconds, { seed });
      const aims = aimResults(suite.aims, rows);
      expect(aims).toHaveLength(suite.aims.length);
      expect(aims.filter(({ isMet }) => !isMet)).toEqual([]);
    }),
  );

  it('disb misses no real-time request whose deadline is its period, and costs best effort next to nothing for that', () =>
    underSeed(seed, FILE, async () => {
      const suite = shipped('disb');
      const { rows } = await play(suite, 3, { seed, policies: ['fifo', 'coxswain'] });
      for (const { id } of suite.workloads) {
        const [fifo, coxswain] = rows.filter(({ workload }) => workload === id);
        expect([id, coxswain?.loads.reduce((sum, load) => sum + load.missed, 0)]).toEqual([id, 0]);
        expect(coxswain?.slowdownMean ?? 0).toBeLessThanOrEqual((fifo?.slowdownMean ?? 0) * 1.001);
        expect(coxswain?.bestEffortPerSecond).toBeGreaterThan((fifo?.bestEffortPerSecond ?? 0) * 0.99);
      }
    }));

  it('disb is hardly slowed down where that is asked for, by frames that come in a rhythm or by chance', () =>
    underSeed(seed, FILE, async () => {
      const suite = shipped('disb');
      const workloads = suite.workloads.filter(({ id }) => 'ACDEF'.includes(id));
      const { rows } = await play(suite, 3, { seed, workloads, deadlineTimes: 1.05 });
      for (const { workload, slowdownMean } of rows) {
        expect([workload, slowdownMean]).toEqual([workload, expect.any(Number)]);
        expect(slowdownMean ?? 9).toBeLessThan(1.12);
      }
    }));

  it('account for every request once', () =>
    underSeed(seed, FILE, async () => {
      for (const name of ['disb', 'voice-video', 'automotive']) {
        const { rows } = await play(shipped(name), 2, { seed, policies: ['fifo', 'round-robin', 'laxity', 'coxswain'] });
        for (const load of rows.flatMap(({ loads }) => loads)) {
          expect(load.unfinished).toBeGreaterThanOrEqual(0);
          expect(load.done + load.late + load.lost + load.unfinished).toBe(load.requested);
          expect(Object.values(load.lostBy).reduce((sum, count) => sum + count, 0)).toBe(load.lost);
        }
      }
    }));
});
