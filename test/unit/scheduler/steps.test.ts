import { describe, expect, it } from 'vitest';
import type { StepPlan } from '../../../src/core/step-plan.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import type { SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const blocks = (count: number, switchMs = 0): StepPlan => ({
  kind: 'blocks',
  shares: Array.from({ length: count }, () => 1 / count),
  switchUs: Array.from({ length: count - 1 }, () => durationFromMs(switchMs)),
});

const PREEMPTIONS = {
  none: { kind: 'none' },
  yield: { kind: 'between-steps' },
  abort: { kind: 'within-step', abortUs: durationUs(100) },
} as const;

/** Two streams on core 0: `slow` is background, ten blocks of 10 ms; `fast` is safety, 10 ms every 50. */
function bench(preemption: keyof typeof PREEMPTIONS, steps: StepPlan = blocks(10), fast: Partial<StreamOptions> = {}): Bench {
  const streams: StreamOptions[] = [
    { id: 'slow', costMs: 100, deadlineMs: 10_000 },
    { id: 'fast', criticality: 'safety', costMs: 10, deadlineMs: 30, ...fast },
  ];
  const extra: Partial<SchedulerPlan> = {
    models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps } : row)),
    preemption: PREEMPTIONS[preemption],
  };
  const made = new Bench(streams, extra);
  made.up(0);
  return made;
}

const progress = (bench: Bench, atMs: number, job: number, steps: number, isLast = false): string[] =>
  bench.tell({ kind: 'segment-done', at: bench.at(atMs), core: 0, job, ranUs: durationUs(1), progress: { steps, isLast } });

describe('a job of several steps', () => {
  it('runs whole where nothing is expected, and is decoded once, after its last step', () => {
    const it = bench('none');
    expect(it.arrive(1, 'slow')).toEqual(['start 1 on 0 steps 0+10']);
    expect(it.done(101, 1)).toEqual([]);
    expect(it.decoded(102, 1)).toEqual(['end 1 done']);
  });

  it('where nothing can be taken back, gets a segment as long as there is slack before the next expected release', () => {
    const it = bench('none', blocks(10), { periodMs: 50 });
    for (const at of [0, 50, 100, 150, 200]) it.complete(at, 'fast', 10);
    // The next frame is expected at 250 and due at 280: 10 ms of its own leave about 70 - 15 ms from 215 on.
    const [start] = it.arrive(215, 'slow');
    const steps = Number(start?.split('+')[1]);
    expect(start).toMatch(/^start 6 on 0 steps 0\+\d$/);
    expect(steps).toBeGreaterThanOrEqual(2);
    expect(steps).toBeLessThanOrEqual(4);
  });

  it('goes on where it was when it gets the core again', () => {
    const it = bench('yield');
    it.arrive(1, 'slow');
    expect(it.arrive(12, 'fast')).toEqual(['yield 1 on 0 for 2']);
    expect(progress(it, 22, 1, 2)).toEqual(['start 2 on 0']);
    expect(it.done(32, 2)).toEqual(['start 1 on 0 steps 2+8']);
    expect(it.done(112, 1)).toEqual([]);
  });

  it('keeps its place when newer frames of its stream come: only what has not begun is superseded', () => {
    const streams: StreamOptions[] = [
      { id: 'slow', costMs: 100, deadlineMs: 10_000, freshness: { kind: 'latest' } },
      { id: 'fast', criticality: 'safety', costMs: 10, deadlineMs: 30 },
    ];
    const it = new Bench(streams, {
      models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps: blocks(10) } : row)),
      preemption: PREEMPTIONS.yield,
    });
    it.up(0);
    it.arrive(1, 'slow');
    it.arrive(12, 'fast');
    expect(progress(it, 22, 1, 2)).toEqual(['start 2 on 0']);
    expect(it.arrive(23, 'slow')).toEqual([]);
    expect(it.arrive(24, 'slow')).toEqual(['end 3 dropped superseded']);
    expect(it.done(32, 2)).toEqual(['start 1 on 0 steps 2+8']);
  });

  it('begins anew after its core was lost, and is tried only so often', () => {
    const it = bench('none');
    it.arrive(1, 'slow');
    expect(progress(it, 51, 1, 5)).toEqual(['start 1 on 0 steps 5+5']);
    it.lose(60);
    expect(it.up(70)).toEqual(['start 1 on 0 steps 0+10']);
    expect(it.lose(80)).toEqual(['end 1 failed core-crashed']);
  });
});

describe('a job that finds its core taken by a less important one', () => {
  it('lets it drain when there is time for that', () => {
    const it = bench('abort', blocks(10), { deadlineMs: 60 });
    it.arrive(1, 'slow');
    expect(it.arrive(95, 'fast')).toEqual([]);
  });

  it('has it yield when the border comes in time', () => {
    const it = bench('abort');
    it.arrive(1, 'slow');
    expect(it.arrive(12, 'fast')).toEqual(['yield 1 on 0 for 2']);
  });

  it('has it aborted when only that is soon enough', () => {
    const it = bench('abort', blocks(2), { deadlineMs: 15 });
    it.arrive(1, 'slow');
    expect(it.arrive(12, 'fast')).toEqual(['abort 1 on 0 for 2']);
    expect(progress(it, 12.1, 1, 0)).toEqual(['start 2 on 0']);
    expect(it.done(22, 2)).toEqual(['start 1 on 0 steps 0+2']);
  });

  it('does nothing where the device can do nothing, and asks once', () => {
    const nothing = bench('none');
    nothing.arrive(1, 'slow');
    expect(nothing.arrive(12, 'fast')).toEqual(['end 2 dropped infeasible']);
    const once = bench('yield', blocks(10), { freshness: { kind: 'queue', jobsMax: 5 } });
    once.arrive(1, 'slow');
    once.arrive(12, 'fast');
    expect(once.arrive(13, 'fast')).toEqual([]);
  });

  it('weighs what coming back costs: the reload is part of what is left to do', () => {
    const it = bench('yield', blocks(10, 20));
    it.arrive(1, 'slow', 1, { deadlineAt: it.at(130) });
    it.arrive(12, 'fast');
    progress(it, 22, 1, 2);
    // 80 ms of blocks and 20 ms of reload no longer fit before 130.
    expect(it.done(32, 2)).toEqual(['end 1 dropped infeasible']);
  });

  it('does not wait for the end of a less important one because it is late already, where late jobs are served', () => {
    const streams: StreamOptions[] = [
      { id: 'slow', costMs: 100, deadlineMs: 10_000 },
      { id: 'fast', criticality: 'safety', costMs: 10, deadlineMs: 9 },
    ];
    const it = new Bench(streams, {
      models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps: blocks(10) } : row)),
      preemption: PREEMPTIONS.yield,
      tuning: { drop: 'none' },
    });
    it.up(0);
    it.arrive(1, 'slow');
    // Ten milliseconds never fit into nine, but the border at 21 is 80 ms sooner than the end.
    expect(it.arrive(12, 'fast')).toEqual(['yield 1 on 0 for 2']);
  });

  it('learns what a run takes from the longer part of it, not from a block that was dear to begin', () => {
    const it = bench('yield');
    let job = 1;
    for (let at = 0; at < 1_000; at += 125, job += 2) {
      it.arrive(at, 'slow');
      expect(it.arrive(at + 1, 'fast')).toEqual([`yield ${job} on 0 for ${job + 1}`]);
      expect(progress(it, at + 15, job, 1)).toEqual([`start ${job + 1} on 0`]);
      expect(it.done(at + 25, job + 1)).toEqual([`start ${job} on 0 steps 1+9`]);
      it.decoded(at + 25, job + 1);
      it.done(at + 120, job);
      it.decoded(at + 120, job);
    }
    // One block took 15 ms, the nine behind it 95: together 110, not 150.
    expect(it.arrive(1_000, 'slow', 1_000, { deadlineAt: it.at(1_120) })).toEqual([`start ${job} on 0 steps 0+10`]);
  });

  it('is not interrupted for a peer or for one below it', () => {
    const it = bench('yield', blocks(10), { criticality: 'background', deadlineMs: 30 });
    it.arrive(1, 'slow');
    expect(it.arrive(12, 'fast').join()).not.toContain('yield');
  });
});

describe('a job that keeps what it has come to on its core', () => {
  const kept = (switchMs = 0): StepPlan => ({ ...blocks(10, switchMs), isKept: true }) as StepPlan;

  it('is asked to leave at once, though there would be time to let it end', () => {
    const it = bench('yield', kept(), { deadlineMs: 60 });
    it.arrive(1, 'slow');
    expect(it.arrive(70, 'fast')).toEqual(['yield 1 on 0 for 2']);
  });

  it('is asked though it should be at its last step by now, since runs take longer than they should', () => {
    const it = bench('yield', kept());
    it.arrive(1, 'slow');
    expect(it.arrive(150, 'fast')).toEqual(['yield 1 on 0 for 2']);
    expect(progress(it, 152, 1, 8)).toEqual(['start 2 on 0']);
    expect(it.done(162, 2)).toEqual(['start 1 on 0 steps 8+2']);
    // Of two steps, one may be left; of one, none.
    expect(it.arrive(163, 'fast')).toEqual(['yield 1 on 0 for 3']);
    expect(progress(it, 164, 1, 1)).toEqual(['start 3 on 0']);
    expect(it.done(174, 3)).toEqual(['start 1 on 0 steps 9+1']);
    expect(it.arrive(175, 'fast')).toEqual([]);
  });

  it('is asked for a peer that is due sooner, and for none that is due later', () => {
    const streams: StreamOptions[] = [
      { id: 'slow', criticality: 'safety', costMs: 40, deadlineMs: 125 },
      { id: 'fast', criticality: 'safety', costMs: 5, deadlineMs: 66 },
    ];
    const it = new Bench(streams, {
      models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps: kept() } : row)),
      preemption: PREEMPTIONS.yield,
    });
    it.up(0);
    it.arrive(1, 'slow');
    expect(it.arrive(10, 'fast')).toEqual(['yield 1 on 0 for 2']);
    expect(progress(it, 13, 1, 3)).toEqual(['start 2 on 0']);
    expect(it.done(18, 2)).toEqual(['start 1 on 0 steps 3+7']);
    it.done(46, 1);
    it.arrive(101, 'slow', 41);
    // Due at 166, the other one at 176.
    expect(it.arrive(110, 'fast')).toEqual([]);
  });

  const twoCores = (): Bench => {
    const streams: StreamOptions[] = [
      { id: 'slow', costMs: 100, deadlineMs: 10_000, cores: [0, 1], freshness: { kind: 'queue', jobsMax: 4 } },
      { id: 'fast', criticality: 'safety', costMs: 10, deadlineMs: 30 },
      { id: 'side', costMs: 50, deadlineMs: 10_000, cores: [1] },
    ];
    const it = new Bench(streams, {
      models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps: kept() } : row)),
      preemption: PREEMPTIONS.yield,
    });
    it.up(0, 0);
    it.up(0, 1);
    expect(it.arrive(1, 'side')).toEqual(['start 1 on 1']);
    expect(it.arrive(2, 'slow')).toEqual(['start 2 on 0 steps 0+10']);
    expect(it.arrive(12, 'fast')).toEqual(['yield 2 on 0 for 3']);
    expect(progress(it, 22, 2, 2)).toEqual(['start 3 on 0']);
    return it;
  };

  it('goes on where it began, whoever else is idle', () => {
    const it = twoCores();
    expect(it.done(25, 1, 1)).toEqual([]);
    expect(it.done(32, 3)).toEqual(['start 2 on 0 steps 2+8']);
  });

  it('begins anew elsewhere when that core is lost while it waits', () => {
    const it = twoCores();
    it.done(25, 1, 1);
    expect(it.lose(26)).toContain('start 2 on 1 steps 0+10');
  });

  it('is given up with what it has come to when it was tried often enough', () => {
    const it = twoCores();
    it.done(25, 1, 1);
    it.lose(26);
    it.tell({ kind: 'segment-done', at: it.at(40), core: 1, job: 2, ranUs: durationUs(1), progress: { steps: 1, isLast: false } });
    expect(it.lose(41, 1)).toContain('end 2 failed core-crashed');
  });
});

describe('under plain EDF with preemption', () => {
  it('whoever is due first takes the core at the next border', () => {
    const streams: StreamOptions[] = [
      { id: 'slow', costMs: 100, deadlineMs: 10_000 },
      { id: 'fast', costMs: 10, deadlineMs: 300 },
    ];
    const it = new Bench(streams, {
      models: planFor(streams).models.map((row) => (row.model === 'slow' ? { ...row, steps: blocks(10) } : row)),
      preemption: PREEMPTIONS.yield,
      policy: 'edf',
      tuning: { preempts: true },
    });
    it.up(0);
    it.arrive(1, 'slow');
    expect(it.arrive(12, 'fast')).toEqual(['yield 1 on 0 for 2']);
  });
});

describe('a turn of a conversation', () => {
  const tokens: StepPlan = { kind: 'tokens', chunkTokens: 100, chunkUs: durationFromMs(20), burstTokens: 8, switchUs: durationUs(0) };
  const talk = (): Bench => {
    const streams: StreamOptions[] = [{ id: 'talk', criticality: 'interactive', costMs: 5, deadlineMs: 200 }];
    const it = new Bench(streams, { models: planFor(streams).models.map((row) => ({ ...row, steps: tokens })) });
    it.up(0);
    return it;
  };

  it('reads its prompt in chunks, then answers in bursts, until the model ends it', () => {
    const it = talk();
    expect(it.arrive(1, 'talk', 1, { turn: { promptTokens: 250, tokensMax: 100 } })).toEqual(['start 1 on 0 steps 0+3']);
    expect(progress(it, 61, 1, 3)).toEqual(['start 1 on 0 steps 3+8']);
    expect(progress(it, 101, 1, 8)).toEqual(['start 1 on 0 steps 11+8']);
    expect(progress(it, 121, 1, 4, true)).toEqual([]);
    expect(it.decoded(122, 1)).toEqual(['end 1 done']);
  });

  it('is given up when its first token cannot be in time, never once it speaks', () => {
    const it = talk();
    expect(it.arrive(1, 'talk', 1, { turn: { promptTokens: 1000, tokensMax: 10 } })).toEqual(['end 1 dropped infeasible']);
    it.arrive(2, 'talk', 2, { turn: { promptTokens: 100, tokensMax: 16 } });
    progress(it, 22, 2, 1);
    expect(progress(it, 500, 2, 8)).toEqual(['start 2 on 0 steps 9+7']);
  });
});
