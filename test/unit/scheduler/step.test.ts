import { describe, expect, it } from 'vitest';
import { instantUs } from '../../../src/core/units.ts';
import { Bench, queueOf } from './harness.ts';

describe('the life of a job', () => {
  it('starts at once on an idle core, frees it at segment-done, and is done when decoded at its deadline', () => {
    const bench = new Bench([{ id: 'a' }]);
    expect(bench.up(0)).toEqual([]);
    expect(bench.arrive(1, 'a')).toEqual(['start 1 on 0']);
    expect(bench.arrive(2, 'a')).toEqual([]);
    expect(bench.done(9, 1)).toEqual(['start 2 on 0']);
    expect(bench.decoded(101, 1)).toEqual(['end 1 done']);
  });

  it('is late a microsecond after its deadline', () => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    bench.arrive(1, 'a');
    bench.done(9, 1);
    expect(bench.decoded(101.001, 1)).toEqual(['end 1 late']);
  });

  it('fails with the reason of its segment and lets the next one start', () => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    bench.arrive(1, 'a');
    bench.arrive(2, 'a');
    const words = bench.tell({ kind: 'segment-failed', at: instantUs(5_000), core: 0, job: 1, reason: 'non-finite' });
    expect(words).toEqual(['end 1 failed non-finite', 'start 2 on 0']);
  });

  it('fails as decode-error when its outputs cannot be decoded', () => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    bench.arrive(1, 'a');
    bench.done(9, 1);
    expect(bench.tell({ kind: 'decode-failed', at: instantUs(10_000), job: 1 })).toEqual(['end 1 failed decode-error']);
  });

  it('waits for a core to come up, and for its model to be loaded there', () => {
    const bench = new Bench([{ id: 'a' }]);
    expect(bench.arrive(1, 'a')).toEqual([]);
    expect(bench.up(2, 0, [])).toEqual([]);
    expect(bench.up(3, 0, ['a'])).toEqual(['start 1 on 0']);
  });
});

describe('the timeout of a start', () => {
  const killAfterMs = (bench: Bench): number => {
    const start = bench.last.find((decision) => decision.kind === 'start');
    return start?.kind === 'start' ? start.killAt / 1000 : Number.NaN;
  };
  const timeouts = (floorMs: number, ceilingMs: number) =>
    ({ timeouts: { floorUs: floorMs * 1000, factor: 4, ceilingUs: ceilingMs * 1000 } }) as never;

  it('is the factor times the high quantile, three times that for the first run on a core', () => {
    const bench = new Bench([{ id: 'a', costMs: 20 }], timeouts(1, 5_000));
    bench.up(0);
    bench.arrive(0, 'a');
    expect(killAfterMs(bench)).toBeCloseTo(20 * 1.25 * 4 * 3, 3);
    bench.done(20, 1);
    bench.arrive(20, 'a');
    expect(killAfterMs(bench) - 20).toBeCloseTo(20 * 1.25 * 4, 3);
  });

  it('is never under the floor nor over the ceiling', () => {
    const low = new Bench([{ id: 'a', costMs: 1 }], timeouts(250, 5_000));
    low.up(0);
    low.arrive(0, 'a');
    expect(killAfterMs(low)).toBe(250);
    const high = new Bench([{ id: 'a', costMs: 90 }], timeouts(250, 300));
    high.up(0);
    high.arrive(0, 'a');
    expect(killAfterMs(high)).toBe(300);
  });
});

describe('freshness', () => {
  it('drops the older frame when two wait in a latest stream', () => {
    const bench = new Bench([{ id: 'a', freshness: { kind: 'latest' } }]);
    bench.up(0);
    bench.arrive(0, 'a');
    expect(bench.arrive(1, 'a')).toEqual([]);
    expect(bench.arrive(2, 'a')).toEqual(['end 2 dropped superseded']);
    expect(bench.done(9, 1)).toEqual(['start 3 on 0']);
  });

  it('keeps the newer capture of a latest stream when the older one arrives after it', () => {
    const bench = new Bench([{ id: 'a', freshness: { kind: 'latest' } }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(9, 'a', 8);
    expect(bench.arrive(10, 'a', 5)).toEqual(['end 3 dropped superseded']);
  });

  it('fills a queue to its bound and drops the oldest one past it', () => {
    const bench = new Bench([{ id: 'a', freshness: queueOf(2) }]);
    bench.up(0);
    bench.arrive(0, 'a');
    expect(bench.arrive(1, 'a')).toEqual([]);
    expect(bench.arrive(2, 'a')).toEqual([]);
    expect(bench.arrive(3, 'a')).toEqual(['end 2 dropped queue-full']);
  });
});

describe('the order on a core', () => {
  it('is class, then deadline, then job id', () => {
    const bench = new Bench([
      { id: 'now', costMs: 1 },
      { id: 'low', criticality: 'background', deadlineMs: 50 },
      { id: 'mid', criticality: 'interactive', deadlineMs: 60 },
      { id: 'high-late', criticality: 'safety', deadlineMs: 90 },
      { id: 'high-soon', criticality: 'safety', deadlineMs: 80 },
    ]);
    bench.up(0);
    bench.arrive(0, 'now');
    for (const stream of ['low', 'mid', 'high-late', 'high-soon', 'high-soon']) bench.arrive(1, stream);
    expect(bench.done(2, 1)).toEqual(['start 5 on 0']);
    expect(bench.done(3, 5)).toEqual(['start 6 on 0']);
    expect(bench.done(4, 6)).toEqual(['start 4 on 0']);
    expect(bench.done(5, 4)).toEqual(['start 3 on 0']);
    expect(bench.done(6, 3)).toEqual(['start 2 on 0']);
  });

  it('of a stateful stream is that of arrival, one at a time, even where deadlines say otherwise', () => {
    const bench = new Bench([{ id: 'a', isStateful: true }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(9, 'a', 9);
    bench.arrive(9, 'a', 5);
    expect(bench.done(10, 1)).toEqual(['start 2 on 0']);
    expect(bench.done(11, 2)).toEqual(['start 3 on 0']);
  });
});

describe('feasibility', () => {
  it('drops on arrival what is too old to finish', () => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    // 10 ms to run and 2 ms to decode are left at 88 ms of age.
    expect(bench.arrive(100, 'a', 12)).toEqual(['start 1 on 0']);
    bench.done(110, 1);
    expect(bench.arrive(200, 'a', 111.9)).toEqual(['end 2 dropped infeasible']);
  });

  it('drops on arrival what the running job leaves no time for', () => {
    const bench = new Bench([
      { id: 'long', costMs: 80, deadlineMs: 500 },
      { id: 'a', deadlineMs: 50 },
    ]);
    bench.up(0);
    bench.arrive(0, 'long');
    expect(bench.arrive(1, 'a')).toEqual(['end 2 dropped infeasible']);
    expect(bench.arrive(45, 'a')).toEqual([]);
  });

  it('asks for a timer at the latest start and drops the job when that has passed', () => {
    const bench = new Bench([{ id: 'a', costMs: 20 }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(1, 'a');
    expect(bench.wakeAtMs).toBe(79);
    expect(bench.timer(79)).toEqual([]);
    expect(bench.wakeAtMs).toBe(79.001);
    expect(bench.timer(79.001)).toEqual(['end 2 dropped infeasible']);
  });

  it('drops a waiting job that cannot finish any more when its core comes free, and starts the next', () => {
    const bench = new Bench([
      { id: 'a', costMs: 20 },
      { id: 'b', costMs: 20, deadlineMs: 200 },
    ]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(0, 'a');
    bench.arrive(0, 'b');
    expect(bench.done(90, 1)).toEqual(['end 2 dropped infeasible', 'start 3 on 0']);
  });

  it('tells no-core when no core with the model is up and the deadline comes', () => {
    const bench = new Bench([{ id: 'a', costMs: 20 }]);
    bench.arrive(0, 'a');
    expect(bench.timer(79)).toEqual(['end 1 dropped no-core']);
  });

  it('lets a job run again after an estimate that was too high dropped a few', () => {
    const bench = new Bench([{ id: 'a', costMs: 500 }]);
    bench.up(0);
    let dropped = 0;
    while (bench.arrive(dropped * 100, 'a')[0]?.startsWith('end') === true) {
      dropped += 1;
      if (dropped > 100) break;
    }
    expect(dropped).toBeGreaterThan(0);
    expect(dropped).toBeLessThan(25);
  });
});

describe('losing a core', () => {
  it('requeues its job, which goes on on the next core of the list', () => {
    const bench = new Bench([{ id: 'a', cores: [0, 1] }]);
    bench.up(0);
    bench.up(0, 1);
    expect(bench.arrive(1, 'a')).toEqual(['start 1 on 0']);
    expect(bench.lose(5, 0)).toEqual(['start 1 on 1']);
  });

  it('keeps its job waiting where the deadline allows for a restart, else fails it with the reason of the loss', () => {
    const bench = new Bench([
      { id: 'patient', deadlineMs: 1_000 },
      { id: 'urgent', deadlineMs: 300 },
    ]);
    bench.up(0);
    bench.arrive(0, 'patient');
    expect(bench.lose(5, 0)).toEqual([]);
    expect(bench.up(405)).toEqual(['start 1 on 0']);
    bench.done(410, 1);
    bench.arrive(411, 'urgent');
    expect(bench.lose(415, 0, 'core-hung')).toEqual(['end 2 failed core-hung']);
  });

  it('fails a job that has lost its core twice', () => {
    const bench = new Bench([{ id: 'a', deadlineMs: 10_000 }]);
    bench.up(0);
    bench.arrive(0, 'a');
    expect(bench.lose(5)).toEqual([]);
    expect(bench.up(400)).toEqual(['start 1 on 0']);
    expect(bench.lose(405)).toEqual(['end 1 failed core-crashed']);
  });

  it('fails its job when a newer frame has taken the place to wait in', () => {
    const bench = new Bench([{ id: 'a', deadlineMs: 10_000, freshness: { kind: 'latest' } }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(1, 'a');
    expect(bench.lose(5)).toEqual(['end 1 failed core-crashed']);
    expect(bench.up(400)).toEqual(['start 2 on 0']);
  });

  it('is nothing new for a core that is down', () => {
    const bench = new Bench([{ id: 'a' }]);
    expect(bench.lose(0)).toEqual([]);
    bench.up(1);
    expect(bench.arrive(2, 'a')).toEqual(['start 1 on 0']);
  });

  it('does not let the slow first run after it spoil the estimate', () => {
    const bench = new Bench([{ id: 'a', costMs: 10, deadlineMs: 60 }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.done(500, 1);
    bench.decoded(501, 1);
    expect(bench.arrive(502, 'a')).toEqual(['start 2 on 0']);
  });
});

describe('several cores', () => {
  it('are taken in the order of the list, the busy ones passed over', () => {
    const bench = new Bench([{ id: 'a', cores: [1, 0] }]);
    bench.up(0, 0);
    bench.up(0, 1);
    expect(bench.arrive(1, 'a')).toEqual(['start 1 on 1']);
    expect(bench.arrive(2, 'a')).toEqual(['start 2 on 0']);
  });

  it('serve the most urgent job first even when it could take either and the other could not', () => {
    const bench = new Bench([
      { id: 'blocker', cores: [0] },
      { id: 'wide', cores: [1, 0], deadlineMs: 50 },
      { id: 'narrow', cores: [0], deadlineMs: 60 },
    ]);
    bench.up(0, 0, ['blocker', 'wide', 'narrow']);
    bench.arrive(0, 'blocker');
    bench.arrive(1, 'wide');
    bench.arrive(1, 'narrow');
    expect(bench.done(2, 1)).toEqual(['start 2 on 0']);
    expect(bench.up(3, 1)).toEqual([]);
  });
});

describe('stopping', () => {
  it('drops what waits, lets what runs end, and rejects what arrives', () => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.arrive(1, 'a');
    expect(bench.stop(2)).toEqual(['end 2 dropped stopping']);
    expect(bench.arrive(3, 'a')).toEqual(['end 3 rejected stopping']);
    expect(bench.done(9, 1)).toEqual([]);
    expect(bench.decoded(10, 1)).toEqual(['end 1 done']);
  });

  it('fails the job of a core that is lost meanwhile', () => {
    const bench = new Bench([{ id: 'a', deadlineMs: 10_000 }]);
    bench.up(0);
    bench.arrive(0, 'a');
    bench.stop(2);
    expect(bench.lose(3)).toEqual(['end 1 failed core-crashed']);
  });
});

describe('broken invariants stop the scheduler', () => {
  const ready = (): Bench => {
    const bench = new Bench([{ id: 'a' }]);
    bench.up(0);
    bench.arrive(1, 'a');
    return bench;
  };

  it.each<[string, (bench: Bench) => void]>([
    ['time going back', (bench) => bench.timer(0.5)],
    ['time that is no number', (bench) => bench.timer(Number.NaN)],
    ['an unknown core', (bench) => bench.lose(2, 7)],
    ['an unknown job', (bench) => bench.done(2, 9)],
    ['an unknown stream', (bench) => bench.arrive(2, 'a', 2, { stream: 'b' })],
    ['a model that is not the stream’s', (bench) => bench.arrive(2, 'a', 2, { model: 'b' })],
    ['a job that arrives twice', (bench) => bench.arrive(2, 'a', 2, { id: 1 })],
    ['a segment that ends on another core', (bench) => bench.done(2, 1, 1)],
    ['a segment that ends twice', (bench) => [bench.done(2, 1), bench.done(3, 1)]],
    ['a result before its segment', (bench) => bench.decoded(2, 1)],
    ['a result twice', (bench) => [bench.done(2, 1), bench.decoded(3, 1), bench.decoded(4, 1)]],
  ])('%s', (_name, act) => {
    expect(() => act(ready())).toThrow(/invariant broken/);
  });

  it('a stateful model on two cores', () => {
    expect(() => new Bench([{ id: 'a', isStateful: true, cores: [0, 1] }])).toThrow(/one owner core/);
  });
});
