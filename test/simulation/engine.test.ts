import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/core/prng.ts';
import { durationFromMs, instantUs } from '../../src/core/units.ts';
import type { JobCounts } from '../../src/telemetry/ledger.ts';
import { type EngineRun, runEngine } from './engine-rig.ts';
import { drawFaults } from './faults.ts';
import { seedsToRun, underSeed } from './seeds.ts';
import { cockpit } from './workload.ts';

const FILE = 'test/simulation/engine.test.ts';
const SPAN = durationFromMs(20_000);

const sum = (counts: Readonly<Record<string, number | undefined>>): number =>
  Object.values(counts).reduce<number>((total, count) => total + (count ?? 0), 0);
const ended = (jobs: JobCounts): number => jobs.done + jobs.late + sum(jobs.dropped) + sum(jobs.rejected) + sum(jobs.failed);

/** What must hold of any run, whatever happened in it. */
function expectSound(run: EngineRun): void {
  expect(run.isDrained).toBe(true);
  expect(run.bytesLeft).toBe(0);
  for (const { id, jobs } of run.snapshot.streams) {
    expect(jobs.inFlight, `jobs of ${id} in flight at the end`).toBe(0);
    expect(ended(jobs), `outcomes of ${id}`).toBe(jobs.arrived);
    expect(run.results.get(id) ?? 0, `results of ${id}`).toBe(jobs.done + jobs.late);
  }
}

const jobsOf = (run: EngineRun, id: string): JobCounts => {
  const stream = run.snapshot.streams.find((candidate) => candidate.id === id);
  if (stream === undefined) throw new Error(`no stream ${id}`);
  return stream.jobs;
};

describe('the engine on scripted cores', () => {
  it.each(seedsToRun(1, 2, 3))('runs the cockpit without losing a safety job (seed %s)', (seed) =>
    underSeed(seed, FILE, async () => {
      const run = await runEngine({ workload: cockpit(), seed, spanUs: SPAN });
      expectSound(run);
      for (const id of ['objects', 'faces', 'vad']) {
        const jobs = jobsOf(run, id);
        // Frames still being encoded at the stop are rejected as `stopping`; nothing else may be lost once the first second has taught the pattern.
        expect(jobs.late + sum(jobs.failed), id).toBe(0);
        expect(
          Object.keys(jobs.rejected).filter((reason) => reason !== 'stopping'),
          id,
        ).toEqual([]);
        expect(jobs.dropped.infeasible ?? 0, id).toBeLessThanOrEqual(1);
      }
      expect(jobsOf(run, 'objects').done).toBeGreaterThan(155);
      expect(jobsOf(run, 'lines').done).toBeGreaterThan(10);
    }),
  );

  it.each(seedsToRun(11, 12, 13, 14, 15, 16))('keeps every invariant under crashes, hangs, bursts and slowdowns (seed %s)', (seed) =>
    underSeed(seed, FILE, async () => {
      const workload = cockpit();
      const streams = workload.loads.map(({ stream }) => stream.id);
      const prng = new Prng(seed).fork('faults');
      const rates = {
        crashes: prng.integer(0, 6),
        hangs: prng.integer(0, 3),
        bursts: prng.integer(0, 6),
        slowdowns: prng.integer(0, 2),
      };
      const faults = drawFaults(prng, rates, workload.cores, streams, SPAN);
      const run = await runEngine({ workload, seed, spanUs: SPAN, faults });
      expectSound(run);
      for (const core of run.snapshot.cores) expect(['ready', 'quarantined'], `core ${core.id}`).toContain(core.state);
    }),
  );

  it('brings a crashed core back, and the other core loses nothing', async () => {
    const faults = [{ kind: 'crash', core: 1, at: instantUs(8_000_000) }] as const;
    const run = await runEngine({ workload: cockpit(), seed: 21, spanUs: SPAN, faults });
    expectSound(run);
    expect(run.snapshot.cores.map(({ state, restarts }) => ({ state, restarts }))).toEqual([
      { state: 'ready', restarts: 0 },
      { state: 'ready', restarts: 1 },
    ]);
    for (const id of ['objects', 'faces', 'vad']) expect(jobsOf(run, id).late + sum(jobsOf(run, id).failed)).toBe(0);
    expect(run.snapshot.incidents.map(({ kind }) => kind)).toEqual(['core-back', 'core-back', 'core-lost', 'core-back']);
  });

  it('puts a core that crashes again and again into quarantine, and tries it once more later', async () => {
    const at = [3, 4, 5, 6].map((second) => ({ kind: 'crash', core: 1, at: instantUs(second * 1_000_000) }) as const);
    const run = await runEngine({ workload: cockpit(), seed: 22, spanUs: SPAN, faults: at });
    expectSound(run);
    const kinds = run.snapshot.incidents.filter(({ core }) => core === 1).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'core-lost')).toHaveLength(4);
    expect(kinds.slice(-2)).toEqual(['core-quarantined', 'core-back']);
  });

  it('takes the same decisions from the same seed, to the byte', async () => {
    const workload = cockpit();
    const faults = drawFaults(
      new Prng(5).fork('faults'),
      { crashes: 2, hangs: 1, bursts: 2, slowdowns: 1 },
      workload.cores,
      workload.loads.map(({ stream }) => stream.id),
      SPAN,
    );
    const one = await runEngine({ workload, seed: 5, spanUs: SPAN, faults });
    const two = await runEngine({ workload: cockpit(), seed: 5, spanUs: SPAN, faults });
    expect(one.lines.length).toBeGreaterThan(3_000);
    expect(two.lines).toEqual(one.lines);
  });
});
