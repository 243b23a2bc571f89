import { describe, expect, it } from 'vitest';
import type { Mode } from '../../../src/core/mode.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import type { ModePlan, SchedulerPlan, VariantPlan } from '../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

interface Build {
  readonly stream: string;
  readonly model: string;
  readonly costMs: number;
  readonly isAlike?: boolean;
}

/** Variants run where their stream's own model does. */
function bench(streams: readonly StreamOptions[], builds: readonly Build[], modes: readonly ModePlan[] = []): Bench {
  const plan = planFor(streams);
  const coresOf = (stream: string): readonly number[] => plan.models.find(({ model }) => model === stream)?.cores ?? [0];
  const extra: Partial<SchedulerPlan> = {
    models: [
      ...plan.models,
      ...builds.map(({ stream, model, costMs }) => ({ model, cores: coresOf(stream), costUs: durationFromMs(costMs) })),
    ],
    variants: builds.map(({ stream, model, isAlike = false }): VariantPlan => ({ stream, model, isAlike })),
    modes,
  };
  return new Bench(streams, extra);
}

const mode = (it: Bench, atMs: number, to: Mode): string[] => it.tell({ kind: 'mode', at: it.at(atMs), mode: to });

const camera: StreamOptions = { id: 'camera', criticality: 'safety', costMs: 30, periodMs: 100, deadlineMs: 100, cores: [0, 1] };
const cabin: StreamOptions = { id: 'cabin', criticality: 'interactive', costMs: 30, periodMs: 100, deadlineMs: 100, cores: [1, 0] };
const signs: StreamOptions = { id: 'signs', costMs: 20, periodMs: 100, deadlineMs: 500, cores: [1] };

describe('a mode', () => {
  const hot: ModePlan = {
    mode: 'hot',
    streams: [
      { stream: 'camera', model: 'camera-small' },
      { stream: 'signs', model: null },
    ],
  };
  const make = (): Bench => {
    const it = bench([camera, signs], [{ stream: 'camera', model: 'camera-small', costMs: 10 }], [hot]);
    it.up(0, 0);
    it.up(0, 1);
    return it;
  };

  it('switches variants and sheds what it says at once, waiting jobs included', () => {
    const it = make();
    it.arrive(1, 'signs');
    it.arrive(2, 'signs');
    expect(mode(it, 3, 'hot')).toEqual(['camera by camera-small', 'signs by null', 'end 2 dropped shed']);
    expect(it.arrive(4, 'signs')).toEqual(['end 3 dropped shed']);
    expect(it.arrive(5, 'camera', 5, { model: 'camera-small' })).toEqual(['start 4 on 0']);
    // What was made before the switch still runs.
    expect(it.arrive(6, 'camera')).toEqual([]);
    expect(it.done(15, 4)).toEqual(['start 5 on 0']);
  });

  it('gives back only after the machine has been well for the settling time', () => {
    const it = make();
    mode(it, 3, 'hot');
    expect(mode(it, 500, 'nominal')).toEqual([]);
    expect(it.wakeAtMs).toBe(1500);
    expect(mode(it, 900, 'hot')).toEqual([]);
    expect(mode(it, 1000, 'nominal')).toEqual([]);
    expect(it.timer(1500)).toEqual([]);
    expect(it.timer(2000)).toEqual(['camera by camera', 'signs by signs']);
  });

  it('from worse to worse takes more and gives nothing back meanwhile', () => {
    const safe: ModePlan = { mode: 'safe', streams: [{ stream: 'signs', model: null }] };
    const it = bench([camera, signs], [{ stream: 'camera', model: 'camera-small', costMs: 10 }], [hot, safe]);
    it.up(0, 0);
    it.up(0, 1);
    expect(mode(it, 1, 'hot')).toEqual(['camera by camera-small', 'signs by null']);
    expect(mode(it, 2, 'safe')).toEqual([]);
    expect(it.timer(1100)).toEqual(['camera by camera']);
  });
});

describe('the loss of a core', () => {
  const tight = (cost: number): readonly StreamOptions[] => [
    { ...camera, costMs: cost },
    { ...cabin, costMs: cost },
  ];

  it('makes the less important stream cheaper where both no longer fit, and restores it when the core has been back for a while', () => {
    const it = bench(tight(50), [
      { stream: 'cabin', model: 'cabin-small', costMs: 5 },
      { stream: 'camera', model: 'camera-small', costMs: 5 },
    ]);
    it.up(0, 0);
    it.up(0, 1);
    expect(it.lose(100, 1)).toEqual(['cabin by cabin-small']);
    expect(it.up(400, 1)).toEqual([]);
    expect(it.timer(1400)).toEqual(['cabin by cabin']);
  });

  it('sheds it when nothing cheaper fits, and never sheds safety', () => {
    const it = bench(tight(50), [{ stream: 'cabin', model: 'cabin-small', costMs: 48 }]);
    it.up(0, 0);
    it.up(0, 1);
    expect(it.lose(100, 1)).toEqual(['cabin by null']);
    const alone = bench([{ ...camera, costMs: 95, deadlineMs: 60 }, cabin], [{ stream: 'cabin', model: 'cabin-small', costMs: 5 }]);
    alone.up(0, 0);
    alone.up(0, 1);
    expect(alone.lose(100, 1)).toEqual(['cabin by null']);
  });

  it('changes nothing before a core has come up for the first time', () => {
    const it = bench(tight(50), [{ stream: 'cabin', model: 'cabin-small', costMs: 5 }]);
    expect(it.up(0, 0)).toEqual([]);
    expect(it.up(1, 1)).toEqual([]);
  });

  it('is no matter of admission in a plan that has neither variants nor modes', () => {
    const it = new Bench(tight(50));
    it.up(0, 0);
    it.up(0, 1);
    expect(it.lose(100, 1)).toEqual([]);
  });
});

describe('a job that cannot be in time', () => {
  const streams: readonly StreamOptions[] = [{ id: 'camera', costMs: 30, deadlineMs: 50 }];
  const small = (isAlike: boolean): Build => ({ stream: 'camera', model: 'camera-small', costMs: 10, isAlike });

  it('is run by a cheaper variant that takes the same input and still can', () => {
    const it = bench(streams, [small(true)]);
    it.up(0);
    it.arrive(1, 'camera');
    expect(it.arrive(2, 'camera')).toEqual([]);
    expect(it.done(31, 1)).toEqual(['start 2 on 0']);
    expect(it.last.find(({ kind }) => kind === 'start')).toMatchObject({ model: 'camera-small' });
  });

  it('does not start its variant on a core that has only the model it came for', () => {
    const it = bench(
      [
        { id: 'camera', costMs: 30, deadlineMs: 50, cores: [0, 1] },
        { id: 'other', costMs: 28, cores: [1] },
      ],
      [small(true)],
    );
    it.up(0, 0);
    it.up(0, 1, ['camera', 'other']);
    it.arrive(1, 'camera');
    it.arrive(1, 'other');
    expect(it.arrive(2, 'camera')).toEqual([]);
    expect(it.done(29, 2, 1)).toEqual([]);
    expect(it.done(31, 1)).toEqual(['start 3 on 0']);
  });

  it('is dropped when the variant wants another input, and when it would be late as well', () => {
    const other = bench(streams, [small(false)]);
    other.up(0);
    other.arrive(1, 'camera');
    expect(other.arrive(2, 'camera')).toEqual(['end 2 dropped infeasible']);
    const late = bench(streams, [{ ...small(true), costMs: 25 }]);
    late.up(0);
    late.arrive(1, 'camera');
    expect(late.arrive(2, 'camera')).toEqual(['end 2 dropped infeasible']);
  });
});

describe('a plan with modes', () => {
  it('holds together: known streams, placed variants, each mode once', () => {
    const build: Build = { stream: 'camera', model: 'camera-small', costMs: 10 };
    const refused = (make: () => unknown): void => expect(make).toThrow(/invariant broken/);
    refused(() => bench([camera], [{ ...build, stream: 'nobody' }]));
    refused(() => bench([camera], [{ ...build, model: 'camera' }]));
    refused(() => bench([{ ...camera, isStateful: true, cores: [0] }], [build]));
    refused(() => bench([camera], [build], [{ mode: 'hot', streams: [{ stream: 'camera', model: 'unknown' }] }]));
    refused(() =>
      bench(
        [camera],
        [build],
        [
          { mode: 'hot', streams: [] },
          { mode: 'hot', streams: [] },
        ],
      ),
    );
  });
});
