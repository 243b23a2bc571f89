import { beforeEach, describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import type { ModelSpec } from '../../../../src/core/model.ts';
import type { Segment, SegmentEnd } from '../../../../src/core/segment.ts';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../../src/core/units.ts';
import { createSimDevice, type SimDevice } from '../../../../src/devices/sim/sim-device.ts';
import { layer, twoCores } from '../../../support/soc-profiles.ts';

const model = (id: string): ModelSpec => ({
  ...{ id, file: '', sha256: '', inputs: [], outputs: [], states: [], constants: [], codec: 'none' },
  ...{ costUs: durationUs(1), memoryBytes: 1, licence: 'none', files: {} },
});

const CORES = [0, 1, 2, 3];
/** Four blocks of 4 ms on one core, rows that divide well, 10 MB of weights each. */
const BLOCKS: readonly LayerCost[] = CORES.map(() => layer(4000, 10_000_000));

let clock: SimClock;
let device: SimDevice;
let calls: string[];

beforeEach(() => {
  clock = new SimClock();
  calls = [];
  device = createSimDevice(
    { profile: twoCores({ coresPerCluster: 4 }) },
    {
      clock,
      listener: { coreLost: ({ core, reason }) => void calls.push(`lost ${core} ${reason}`) },
      costs: (id) => (id === 'cut' ? BLOCKS : [layer(4000, 0)]),
      steps: (id) => (id === 'cut' ? { cuts: [1, 2, 3] } : undefined),
    },
  );
  for (const core of CORES) {
    device.start(core, () => {
      device.load(core, model('one'), () => undefined);
      device.load(core, model('cut'), () => undefined);
    });
  }
  clock.runUntil(instantUs(1_000_000));
});

const tell = (core: number, end: SegmentEnd): void => {
  const how = end.kind === 'done' ? `done${end.progress === undefined ? '' : ` ${end.progress.steps}`}` : end.reason;
  calls.push(`ended ${core} ${how} at ${clock.now() - 1_000_000}`);
};

function run(core: number, others: readonly number[], more: Partial<Segment> = {}): void {
  const segment: Segment = {
    ...{ job: 1, from: 0, steps: more.model === 'cut' ? 4 : 1, model: 'one', inputs: [], outputs: [] },
    killAt: instantUs(clock.now() + 1_000_000),
    ...(others.length === 0 ? {} : { others }),
    ...more,
  };
  device.run(core, segment, (end) => tell(core, end));
}

const passMs = (ms: number): void => clock.runFor(durationUs(ms * 1000));

describe('a segment on several simulated cores', () => {
  it('takes its part of the time, and all of them', () => {
    run(0, [1, 2, 3]);
    for (const core of CORES) expect(() => run(core, [])).toThrow(/one segment at a time/);
    passMs(5);
    expect(calls).toEqual(['ended 0 done at 1000']);
    for (const core of CORES) run(core, []);
    passMs(5);
    expect(calls).toHaveLength(5);
  });

  it('is told, with its cost, among the figures of its model', () => {
    run(0, [1]);
    passMs(5);
    expect(device.figures().models.find(({ model: id }) => id === 'one')).toMatchObject({ runs: 1, aloneUs: 2000, macs: 4e9 });
  });

  it('may be run on one core again, which takes as long as ever', () => {
    run(0, [1]);
    passMs(5);
    run(0, []);
    passMs(5);
    expect(calls).toEqual(['ended 0 done at 2000', 'ended 0 done at 9000']);
  });

  it('is as slow as the slowest of its cores', () => {
    const slow = createSimDevice(
      {
        profile: twoCores({ coresPerCluster: 4 }),
        faults: [{ kind: 'slow', at: instantUs(0), core: 1, factor: 3, forUs: durationUs(9e6) }],
      },
      { clock: new SimClock(), listener: { coreLost: () => undefined }, costs: () => [layer(4000, 0)] },
    );
    expect(slow.canSplit).toBe(true);
    clock = new SimClock();
    const late = createSimDevice(
      {
        profile: twoCores({ coresPerCluster: 4 }),
        faults: [{ kind: 'slow', at: instantUs(0), core: 1, factor: 3, forUs: durationUs(9e6) }],
      },
      { clock, listener: { coreLost: () => undefined }, costs: () => [layer(4000, 0)] },
    );
    for (const core of [0, 1]) late.start(core, () => late.load(core, model('one'), () => undefined));
    clock.runUntil(instantUs(1_000_000));
    late.run(0, { job: 1, from: 0, steps: 1, model: 'one', inputs: [], outputs: [], killAt: instantUs(9e6), others: [1] }, (end) =>
      tell(0, end),
    );
    passMs(20);
    expect(calls).toEqual(['ended 0 done at 6000']);
  });

  it('is refused when one of its cores has not loaded the model', () => {
    device.kill(3);
    passMs(5);
    calls.length = 0;
    device.start(3, () => undefined);
    passMs(100);
    run(0, [3]);
    passMs(1);
    expect(calls).toEqual(['ended 0 model-unavailable at 105000']);
    run(0, []);
    run(1, []);
    passMs(10);
    expect(calls).toHaveLength(3);
  });

  it('is a bug of the caller on a core that is busy, or led by one of the others', () => {
    run(1, []);
    expect(() => run(0, [1])).toThrow(/one segment at a time/);
    expect(() => run(2, [2])).toThrow(/others than itself/);
  });
});

describe('when one of its cores is lost, the segment ends first, the rest are idle and live on', () => {
  it('by a crash', () => {
    run(0, [1, 2]);
    device.crash(2);
    passMs(1);
    expect(calls).toEqual(['ended 0 core-crashed at 0', 'lost 2 crashed']);
    run(0, [1]);
    passMs(5);
    expect(calls[2]).toBe('ended 0 done at 3000');
  });

  it('by a crash of the leading one', () => {
    run(0, [1, 2]);
    device.crash(0);
    passMs(1);
    expect(calls).toEqual(['ended 0 core-crashed at 0', 'lost 0 crashed']);
    run(1, [2]);
    passMs(5);
    expect(calls[2]).toBe('ended 1 done at 3000');
  });

  it('by a kill, while nothing is computed any more', () => {
    run(0, [1]);
    device.kill(1);
    passMs(5);
    expect(calls).toEqual(['ended 0 core-crashed at 2000', 'lost 1 killed']);
    expect(device.health(0).state).toBe('ready');
  });

  it('by a hang of one of them: that one is killed at killAt', () => {
    device.prepare('hang', 1);
    run(0, [1], { killAt: instantUs(clock.now() + 10_000) });
    passMs(20);
    expect(calls).toEqual(['ended 0 core-hung at 12000', 'lost 1 hung']);
    expect(device.health(0).state).toBe('ready');
  });

  it('by being too slow: the leading one is killed', () => {
    run(0, [1], { killAt: instantUs(clock.now() + 100) });
    passMs(20);
    expect(calls).toEqual(['ended 0 core-hung at 2100', 'lost 0 hung']);
    expect(device.health(1).state).toBe('ready');
  });

  it('by the end of the device, once', async () => {
    run(0, [1, 2, 3]);
    await device.dispose();
    expect(calls).toEqual(['ended 0 core-crashed at 0']);
  });
});

describe('a segment of several steps on several simulated cores', () => {
  it('yields as a whole at its next border, and fetches nothing when it goes on at once', () => {
    run(0, [1, 2, 3], { model: 'cut' });
    clock.runFor(durationUs(1200));
    device.yield(0);
    passMs(5);
    expect(calls).toEqual(['ended 0 done 2 at 2000']);
    run(0, [1, 2, 3], { model: 'cut', from: 2, steps: 2 });
    passMs(5);
    expect(calls[1]).toBe('ended 0 done 2 at 8200');
  });

  it('is aborted as a whole: the complete steps count, and all cores are free', () => {
    run(0, [1, 2, 3], { model: 'cut' });
    clock.runFor(durationUs(1200));
    device.abort(0);
    passMs(1);
    expect(calls).toEqual(['ended 0 done 1 at 1300']);
    for (const core of CORES) run(core, []);
    passMs(9);
    expect(calls).toHaveLength(5);
  });

  it('is not told twice when a core is lost while it is being aborted', () => {
    run(0, [1, 2, 3], { model: 'cut' });
    clock.runFor(durationUs(1200));
    device.abort(0);
    device.crash(3);
    passMs(5);
    expect(calls).toEqual(['ended 0 core-crashed at 1200', 'lost 3 crashed']);
  });

  it('does nothing when told to yield or abort by one of the others', () => {
    run(0, [1, 2, 3], { model: 'cut' });
    device.yield(1);
    device.abort(2);
    passMs(9);
    expect(calls).toEqual(['ended 0 done 4 at 4000']);
  });
});
