import { describe, expect, it } from 'vitest';
import { durationFromMs, durationUs } from '../../../../src/core/units.ts';
import type { ModelPlan, PolicyTuning } from '../../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from '../harness.ts';

const STREAMS: StreamOptions[] = [
  { id: 'long', criticality: 'interactive', costMs: 40, deadlineMs: 60 },
  { id: 'short', criticality: 'interactive', costMs: 5, deadlineMs: 12 },
];

/** `long` is ten blocks of 4 ms, `short` is one of 5 and takes energy; costs are known. */
function bench(tuning: PolicyTuning, canYield = true, switchMs = 0, streams: readonly StreamOptions[] = STREAMS): Bench {
  const models = planFor(streams).models.map((row): ModelPlan => {
    const exactCosts = row.cores.map((core) => ({ core, costUs: row.costUs, energyUj: row.model === 'short' ? 500 : 0 }));
    if (row.model !== 'long') return { ...row, exactCosts };
    const shares = Array.from({ length: 10 }, () => 0.1);
    return { ...row, exactCosts, steps: { kind: 'blocks', shares, switchUs: shares.slice(1).map(() => durationFromMs(switchMs)) } };
  });
  const made = new Bench(streams, {
    models,
    tailUs: durationFromMs(0),
    preemption: { kind: canYield ? 'between-steps' : 'none' },
    tuning: { victim: 'value', ...tuning },
  });
  made.up(0);
  return made;
}

const left = (it: Bench, atMs: number, job: number, steps: number): string[] =>
  it.tell({ kind: 'segment-done', at: it.at(atMs), core: 0, job, ranUs: durationUs(1), progress: { steps, isLast: false } });

describe('planning by value', () => {
  it('has what runs leave for a job that would be missed, and then goes on with it', () => {
    const it = bench({});
    expect(it.arrive(0, 'long')).toEqual(['start 1 on 0 steps 0+10']);
    expect(it.arrive(6, 'short')).toEqual(['yield 1 on 0 for 2']);
    // Told once: until it has left, nothing more is asked of it.
    expect(it.timer(7)).toEqual([]);
    expect(left(it, 8, 1, 2)).toEqual(['start 2 on 0']);
    it.done(13, 2);
    expect(it.decoded(13, 2)).toEqual(['end 2 done']);
    expect(it.timer(13)).toEqual([]);
    it.done(45, 1);
    expect(it.decoded(45, 1)).toEqual(['end 1 done']);
  });

  it('goes on with what was interrupted as soon as the core is free', () => {
    const it = bench({});
    it.arrive(0, 'long');
    it.arrive(6, 'short');
    left(it, 8, 1, 2);
    expect(it.done(13, 2)).toEqual(['start 1 on 0 steps 2+8']);
  });

  it('interrupts nothing where the device cannot', () => {
    const it = bench({}, false);
    it.arrive(0, 'long');
    expect(it.arrive(6, 'short')).toEqual(['end 2 dropped infeasible']);
  });

  it('does not interrupt where that would cost more than is gained', () => {
    const tuning = { energyCapUj: 1_000 };
    const free = bench(tuning);
    free.arrive(0, 'long');
    expect(free.arrive(6, 'short')).toEqual(['yield 1 on 0 for 2']);
    const priced = bench(tuning, true, 20);
    priced.arrive(0, 'long');
    // Of `long` 32 ms are left from 8 on; 5 for `short` and 20 to fetch it again would end it at 65, and its result is worth twice as much.
    expect(priced.arrive(6, 'short')).toEqual([]);
  });

  it('finishes late what was begun, where late counts as delivered, and only with the time that nobody else wants', () => {
    const streams: StreamOptions[] = [
      { id: 'long', criticality: 'interactive', costMs: 40, deadlineMs: 45, periodMs: 200 },
      { id: 'short', criticality: 'interactive', costMs: 5, deadlineMs: 12, periodMs: 200 },
    ];
    const it = bench({ drop: 'expired' }, true, 0, streams);
    it.complete(0, 'long', 40);
    expect(it.arrive(200, 'long')).toEqual(['start 2 on 0 steps 0+10']);
    expect(it.arrive(206, 'short')).toEqual([`yield 2 on 0 for 3`]);
    expect(left(it, 208, 2, 2)).toEqual(['start 3 on 0']);
    expect(it.done(213, 3)).toEqual(['start 2 on 0 steps 2+8']);
    it.decoded(213, 3);
    it.done(245.5, 2);
    expect(it.decoded(245.5, 2)).toEqual(['end 2 late']);
  });

  it('gives up what was begun and cannot be in time any more, where late is worth nothing', () => {
    const it = bench({}, true, 8);
    it.arrive(0, 'long');
    expect(it.arrive(10, 'short')).toEqual(['yield 1 on 0 for 2']);
    expect(left(it, 12, 1, 3)).toEqual(['start 2 on 0']);
    // It was to go on at 17 and end at 17 + 8 + 28 = 53; the core is late instead.
    expect(it.timer(26)).toEqual(['end 1 dropped infeasible']);
  });
});
