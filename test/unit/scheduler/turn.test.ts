import { describe, expect, it } from 'vitest';
import type { TokenContract } from '../../../src/core/stream.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import type { PolicyTuning, SchedulerPlan } from '../../../src/scheduler/plan.ts';
import { type PlayedJob, playSteps } from '../../support/step-player.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const MS = 1_000;

interface TalkOptions {
  readonly tokens?: TokenContract;
  readonly turnsMax?: number;
  readonly tuning?: PolicyTuning;
  readonly preemption?: SchedulerPlan['preemption'];
  readonly others?: readonly StreamOptions[];
  readonly talk?: Partial<StreamOptions>;
}

/** `talk` on core 0: chunks of 100 tokens take 20 ms, a token 5 ms, a burst has at most 8; the first token is wanted within 200 ms. */
function planOf({ tokens, turnsMax, tuning, preemption, others = [], talk = {} }: TalkOptions = {}): SchedulerPlan {
  const streams: StreamOptions[] = [
    { id: 'talk', criticality: 'interactive', costMs: 5, deadlineMs: 200, ...(tokens === undefined ? {} : { tokens }), ...talk },
    ...others,
  ];
  const plan = planFor(streams, {
    tailUs: durationUs(0),
    ...(tuning === undefined ? {} : { tuning }),
    ...(preemption === undefined ? {} : { preemption }),
  });
  return {
    ...plan,
    models: plan.models.map((row) =>
      row.model !== 'talk'
        ? row
        : {
            ...row,
            steps: {
              kind: 'tokens',
              chunkTokens: 100,
              chunkUs: durationFromMs(20),
              burstTokens: 8,
              switchUs: durationUs(0),
              ...(turnsMax === undefined ? {} : { turnsMax }),
            },
          },
    ),
  };
}

const bench = (options: TalkOptions = {}): Bench => {
  const plan = planOf(options);
  const made = new Bench([], plan);
  made.up(0);
  return made;
};

const turn = (promptTokens: number, tokensMax: number) => ({ turn: { promptTokens, tokensMax } });
const done = (it: Bench, atMs: number, job: number, steps: number, isLast = false, core = 0): string[] =>
  it.tell({ kind: 'segment-done', at: it.at(atMs), core, job, ranUs: durationUs(1), progress: { steps, isLast } });

describe('a turn', () => {
  it('has its first token with the last chunk of its prompt, and as many steps after it as there are further tokens', () => {
    const it = bench();
    expect(it.arrive(0, 'talk', 0, turn(150, 3))).toEqual(['start 1 on 0 steps 0+2']);
    expect(done(it, 40, 1, 2)).toEqual(['start 1 on 0 steps 2+2']);
    expect(done(it, 50, 1, 2, true)).toEqual([]);
    expect(it.decoded(51, 1)).toEqual(['end 1 done']);
  });

  it('of one token ends with its prompt', () => {
    const it = bench();
    expect(it.arrive(0, 'talk', 0, turn(100, 1))).toEqual(['start 1 on 0']);
    done(it, 20, 1, 1, true);
    expect(it.decoded(21, 1)).toEqual(['end 1 done']);
  });

  it('is done when its first token was in time, however long it speaks, and late when it was not', () => {
    const it = bench();
    it.arrive(0, 'talk', 0, turn(100, 9));
    done(it, 199, 1, 1);
    done(it, 900, 1, 8, true);
    expect(it.decoded(901, 1)).toEqual(['end 1 done']);
    it.arrive(1_000, 'talk', 1_000, turn(100, 9));
    done(it, 1_201, 2, 1);
    done(it, 1_300, 2, 8, true);
    expect(it.decoded(1_301, 2)).toEqual(['end 2 late']);
  });

  it('goes on only where its cache is', () => {
    const it = new Bench([], planOf({ talk: { cores: [0, 1] } }));
    it.up(0, 0);
    it.up(0, 1);
    expect(it.arrive(0, 'talk', 0, turn(100, 100))).toEqual(['start 1 on 0 steps 0+1']);
    expect(it.arrive(1, 'talk', 1, turn(100, 100))).toEqual(['start 2 on 1 steps 0+1']);
    expect(done(it, 21, 2, 1, false, 1)).toEqual(['start 2 on 1 steps 1+8']);
    expect(done(it, 22, 1, 1)).toEqual(['start 1 on 0 steps 1+8']);
  });

  it('fails when its core is lost while it speaks or waits to go on, and begins anew when it had said nothing', () => {
    const it = bench();
    it.arrive(0, 'talk', 0, turn(100, 100));
    done(it, 20, 1, 1);
    expect(it.lose(30)).toEqual(['end 1 failed core-crashed']);
    it.up(40);
    expect(it.arrive(50, 'talk', 50, { ...turn(300, 100), deadlineAt: it.at(5_000) })).toEqual(['start 2 on 0 steps 0+3']);
    it.lose(60);
    expect(it.up(100)).toEqual(['start 2 on 0 steps 0+3']);
    const paced = bench({ tokens: { perSecondMax: 10 } });
    paced.arrive(0, 'talk', 0, turn(100, 100));
    expect(done(paced, 20, 1, 1)).toEqual([]);
    expect(paced.lose(30)).toEqual(['end 1 failed core-crashed']);
  });
});

describe('a token rate', () => {
  it('lets a turn wait until the listener takes the next token, and wakes for it', () => {
    const it = bench({ tokens: { perSecondMax: 20 } });
    it.arrive(0, 'talk', 0, turn(100, 100));
    expect(done(it, 20, 1, 1)).toEqual([]);
    expect(it.wakeAtMs).toBe(70);
    expect(it.timer(70)).toEqual(['start 1 on 0 steps 1+1']);
    expect(done(it, 75, 1, 1)).toEqual([]);
    expect(it.wakeAtMs).toBe(120);
  });

  it('lets it catch up with what it is owed, by bursts', () => {
    const it = bench({ tokens: { perSecondMax: 20 } });
    it.arrive(0, 'talk', 0, turn(100, 100));
    done(it, 20, 1, 1);
    // By 20 + 4 x 50 ms five tokens are due and one was told.
    expect(it.timer(225)).toEqual(['start 1 on 0 steps 1+4']);
    expect(done(it, 245, 1, 4)).toEqual([]);
    expect(it.wakeAtMs).toBe(270);
  });

  it('is kept over a whole answer, at even steps', () => {
    const jobs: PlayedJob[] = [{ stream: 'talk', at: 0, turn: { promptTokens: 100, tokensMax: 31 } }];
    const { stepEnds, ends } = playSteps(planOf({ tokens: { perSecondMax: 15 } }), jobs, { until: 10_000 * MS });
    const tokens = (stepEnds.get(1) ?? []).map((at) => at / MS);
    expect(tokens).toHaveLength(31);
    // Each comes 5 ms of work after its time.
    for (const [index, at] of tokens.entries()) expect(at).toBeCloseTo(20 + (index * 1000) / 15 + (index === 0 ? 0 : 5), 2);
    expect(ends.get(1)?.outcome).toEqual({ kind: 'done' });
  });

  it('leaves the core to others meanwhile', () => {
    const others: StreamOptions[] = [{ id: 'rest', costMs: 30, deadlineMs: 1_000 }];
    const it = bench({ tokens: { perSecondMax: 20 }, others });
    it.arrive(0, 'talk', 0, turn(100, 100));
    it.arrive(1, 'rest');
    expect(done(it, 20, 1, 1)).toEqual(['start 2 on 0']);
  });
});

describe('the urgency of an answer', () => {
  const peer: StreamOptions = { id: 'peer', criticality: 'interactive', costMs: 2, deadlineMs: 100 };

  it('is that of its next token at the rate it is wanted: it stands back for what is due sooner, and goes before what is not', () => {
    const it = bench({ tokens: { everyUs: durationFromMs(50) }, others: [peer] });
    it.arrive(0, 'talk', 0, turn(100, 100));
    it.arrive(1, 'peer', 1, { deadlineAt: it.at(60) });
    it.arrive(1, 'peer', 1, { deadlineAt: it.at(90) });
    expect(done(it, 20, 1, 1)).toEqual(['start 2 on 0']);
    expect(it.done(22, 2)).toEqual(['start 1 on 0 steps 1+8']);
    // From the last token on: due at 112, behind the peer at 90.
    expect(done(it, 62, 1, 8)).toEqual(['start 3 on 0']);
  });
});

describe('turns of one stream', () => {
  it('are answered one after the other unless there are caches for more', () => {
    const it = bench({ tokens: { perSecondMax: 10 }, talk: { deadlineMs: 5_000 } });
    it.arrive(0, 'talk', 0, turn(100, 3));
    it.arrive(1, 'talk', 1, turn(100, 3));
    expect(done(it, 20, 1, 1)).toEqual([]);
    expect(it.timer(120)).toEqual(['start 1 on 0 steps 1+1']);
    expect(done(it, 125, 1, 1)).toEqual([]);
    expect(it.timer(220)).toEqual(['start 1 on 0 steps 2+1']);
    expect(done(it, 225, 1, 1, true)).toEqual(['start 2 on 0 steps 0+1']);
  });

  it('take turns in the gaps when there are', () => {
    const it = bench({ tokens: { perSecondMax: 10 }, turnsMax: 2 });
    it.arrive(0, 'talk', 0, turn(100, 3));
    it.arrive(1, 'talk', 1, turn(100, 3));
    it.arrive(2, 'talk', 2, turn(100, 3));
    expect(done(it, 20, 1, 1)).toEqual(['start 2 on 0 steps 0+1']);
    expect(done(it, 40, 2, 1)).toEqual([]);
  });

  it('that have begun go before a new one, even one that will miss its first token', () => {
    const it = bench({ turnsMax: 2 });
    it.arrive(0, 'talk', 0, turn(100, 100));
    it.arrive(1, 'talk', 1, turn(100, 100));
    expect(done(it, 20, 1, 1)).toEqual(['start 1 on 0 steps 1+8']);
    expect(done(it, 178, 1, 8)).toEqual(['start 1 on 0 steps 9+8']);
    expect(it.timer(190)).toEqual(['end 2 dropped infeasible']);
  });

  it('let a new one go first that would miss its first token otherwise, when told so', () => {
    const it = bench({ turnsMax: 2, tuning: { resume: 'unless-late' } });
    it.arrive(0, 'talk', 0, turn(100, 100));
    it.arrive(1, 'talk', 1, turn(100, 100));
    expect(done(it, 20, 1, 1)).toEqual(['start 1 on 0 steps 1+8']);
    expect(done(it, 60, 1, 8)).toEqual(['start 1 on 0 steps 9+8']);
    expect(done(it, 160, 1, 8)).toEqual(['start 2 on 0 steps 0+1']);
    expect(done(it, 180, 2, 1)).toMatchObject([expect.stringMatching(/^start 1 on 0/)]);
  });
});

describe('turns that go on in turn', () => {
  it('have bursts one after the other, and a new one begins when there is room for its cache', () => {
    const it = bench({ turnsMax: 2, tuning: { resume: 'fair' }, talk: { deadlineMs: 1000 } });
    it.arrive(0, 'talk', 0, turn(100, 17));
    it.arrive(1, 'talk', 1, turn(100, 100));
    it.arrive(2, 'talk', 2, turn(100, 100));
    expect(done(it, 20, 1, 1)).toEqual(['start 2 on 0 steps 0+1']);
    expect(done(it, 40, 2, 1)).toEqual(['start 1 on 0 steps 1+8']);
    expect(done(it, 80, 1, 8)).toEqual(['start 2 on 0 steps 1+8']);
    expect(done(it, 120, 2, 8)).toEqual(['start 1 on 0 steps 9+8']);
    expect(done(it, 160, 1, 8, true)).toEqual(['start 3 on 0 steps 0+1']);
  });

  it('have chunks of long prompts between the bursts of others where tokens are wanted at a rate', () => {
    const it = bench({ turnsMax: 2, tuning: { resume: 'fair' }, tokens: { everyUs: durationFromMs(50) }, talk: { deadlineMs: 1000 } });
    it.arrive(0, 'talk', 0, turn(100, 100));
    it.arrive(1, 'talk', 1, turn(1000, 100));
    expect(done(it, 20, 1, 1)).toEqual(['start 2 on 0 steps 0+1']);
    expect(done(it, 40, 2, 1)).toEqual(['start 1 on 0 steps 1+8']);
    expect(done(it, 80, 1, 8)).toEqual(['start 2 on 0 steps 1+1']);
    expect(done(it, 100, 2, 1)).toEqual(['start 1 on 0 steps 9+8']);
  });
});

describe('a job that is cancelled', () => {
  it('ends at once when it waits, also between two tokens', () => {
    const it = bench({ tokens: { perSecondMax: 10 } });
    it.arrive(0, 'talk', 0, turn(100, 100));
    done(it, 20, 1, 1);
    expect(it.tell({ kind: 'cancel', at: it.at(50), job: 1 })).toEqual(['end 1 dropped cancelled']);
    expect(it.tell({ kind: 'cancel', at: it.at(51), job: 1 })).toEqual([]);
  });

  it('is stopped where the device can, and ends when it has', () => {
    const yielding = bench({ preemption: { kind: 'between-steps' } });
    yielding.arrive(0, 'talk', 0, turn(300, 100));
    expect(yielding.tell({ kind: 'cancel', at: yielding.at(25), job: 1 })).toEqual(['yield 1 on 0 for nobody']);
    expect(yielding.tell({ kind: 'cancel', at: yielding.at(26), job: 1 })).toEqual([]);
    expect(done(yielding, 40, 1, 2)).toEqual(['end 1 dropped cancelled']);
    const aborting = bench({ preemption: { kind: 'within-step', abortUs: durationUs(100) } });
    aborting.arrive(0, 'talk', 0, turn(300, 100));
    expect(aborting.tell({ kind: 'cancel', at: aborting.at(25), job: 1 })).toEqual(['abort 1 on 0 for nobody']);
    expect(done(aborting, 25.1, 1, 1)).toEqual(['end 1 dropped cancelled']);
  });

  it('runs on to its border where the device can do nothing, and leaves the core to the next', () => {
    const it = bench();
    it.arrive(0, 'talk', 0, turn(300, 100));
    it.arrive(1, 'talk', 1, { ...turn(100, 100), deadlineAt: it.at(500) });
    expect(it.tell({ kind: 'cancel', at: it.at(25), job: 1 })).toEqual([]);
    expect(done(it, 60, 1, 3)).toEqual(['end 1 dropped cancelled', 'start 2 on 0 steps 0+1']);
  });

  it('ends as cancelled even when it was through already', () => {
    const it = bench();
    it.arrive(0, 'talk', 0, turn(100, 1));
    done(it, 20, 1, 1, true);
    it.tell({ kind: 'cancel', at: it.at(21), job: 1 });
    expect(it.decoded(22, 1)).toEqual(['end 1 dropped cancelled']);
  });
});
