import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import type { ModelSpec } from '../../../../src/core/model.ts';
import { Prng } from '../../../../src/core/prng.ts';
import type { SegmentEnd } from '../../../../src/core/segment.ts';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import type { SocProfile } from '../../../../src/core/soc-profile.ts';
import { durationUs, instantUs } from '../../../../src/core/units.ts';
import { drawSimFaults, SIM_FAULT_KINDS, type SimFault } from '../../../../src/devices/sim/faults.ts';
import { compileSegment } from '../../../../src/devices/sim/segment-cost.ts';
import { createSimDevice } from '../../../../src/devices/sim/sim-device.ts';
import { layer, twoCores } from '../../../support/soc-profiles.ts';

const model = (id: string): ModelSpec => ({
  ...{ id, file: '', sha256: '', inputs: [], outputs: [], states: [], constants: [], codec: 'none' },
  ...{ costUs: durationUs(1), memoryBytes: 1, licence: 'none', files: {} },
});

interface Setup {
  readonly profile?: SocProfile;
  readonly mode?: SocProfile['modes'][number];
  readonly faults?: readonly SimFault[];
  readonly costs?: Readonly<Record<string, readonly LayerCost[]>>;
}

/** Core 0 runs model `m` at these instants, one at a time; what came of it. */
function rig({ profile = twoCores(), costs = { m: [layer(1000, 0)] }, ...options }: Setup = {}) {
  const clock = new SimClock();
  const losses: string[] = [];
  const device = createSimDevice(
    { profile, ...options },
    { clock, listener: { coreLost: ({ core, reason }) => void losses.push(`${core} ${reason}`) }, costs: (id) => costs[id] },
  );
  const errors: (string | undefined)[] = [];
  const load = (id: string): void => device.load(0, model(id), (error) => void errors.push(error?.message));
  device.start(0, () => Object.keys(costs).forEach(load));
  clock.runUntil(instantUs(1_000_000));
  const run = (at: number, id = 'm'): SegmentEnd => {
    clock.runUntil(instantUs(at));
    let end: SegmentEnd | undefined;
    device.run(0, { job: 1, from: 0, steps: 1, model: id, inputs: [], outputs: [], killAt: instantUs(at + 60_000_000) }, (told) => {
      end = told;
    });
    while (end === undefined && clock.step());
    if (end === undefined) throw new Error('the run never ended');
    return end;
  };
  const tookUs = (at: number): number => {
    const end = run(at);
    return end.kind === 'done' ? end.endedAt - end.startedAt : Number.NaN;
  };
  return { clock, device, losses, errors, load, run, tookUs };
}

const AT = 2_000_000;

describe('the simulated device', () => {
  it('runs slower in a mode with a lower clock, and with less bandwidth', () => {
    expect(rig().tookUs(AT)).toBe(1000);
    expect(rig({ mode: { id: 'low', watts: 1, clockRatio: 0.5, bandwidthRatio: 1 } }).tookUs(AT)).toBe(2000);
    const reading = { m: [layer(0, 100_000_000)] };
    expect(rig({ costs: reading }).tookUs(AT)).toBe(1000);
    expect(rig({ costs: reading, mode: { id: 'low', watts: 1, clockRatio: 0.5, bandwidthRatio: 0.25 } }).tookUs(AT)).toBe(4000);
  });

  it('refuses a model that the core cannot address at once, and not on a core of another kind', () => {
    const narrow = twoCores({ addressWindowBytes: 1e9 });
    const costs = { m: [layer(1, 2e9)] };
    expect(rig({ profile: narrow, costs }).errors).toEqual([
      'm needs 2 GB at once, and core 0 of two-cores can address 1 GB; take fewer bits, a smaller model or another core',
    ]);
    expect(rig({ profile: { ...narrow, addressWindowBytes: 2e9 }, costs }).errors).toEqual([undefined]);
    const mixed = { ...narrow, others: [{ ...twoCores(), kind: 'gpu' }] };
    const { device, errors, clock } = rig({ profile: mixed, costs });
    device.start(2, () => device.load(2, model('m'), (error) => void errors.push(error?.message)));
    clock.runFor(durationUs(60_000_000));
    expect(errors[1]).toBeUndefined();
    expect(errors).toHaveLength(2);
  });

  it('refuses a model without costs, and one that memory has no room for, by name and size', () => {
    const { errors, load } = rig({ costs: { m: [layer(1, 17e9)] } });
    expect(errors[0]).toBe('m needs 17 GB and two-cores has 16 GB of 16 GB left; take fewer bits or a smaller model');
    const other = rig();
    other.load('unknown');
    other.clock.runFor(durationUs(10));
    expect(other.errors).toEqual([undefined, 'nothing is known of what unknown costs']);
    load('m');
  });

  it('holds the weights of one model once, however often it is loaded', () => {
    const { errors, load, clock } = rig({ costs: { m: [layer(1, 9e9)] } });
    load('m');
    clock.runFor(durationUs(1_000_000));
    expect(errors).toEqual([undefined, undefined]);
  });

  it('is slow, short of bandwidth, wrong or gone as its faults say, and well again afterwards', () => {
    const slow = { kind: 'slow', at: instantUs(AT), core: 0, factor: 3, forUs: durationUs(1_000_000) } as const;
    const tried = rig({ faults: [slow] });
    expect([tried.tookUs(AT), tried.tookUs(AT + 1_500_000)]).toEqual([3000, 1000]);

    const thin = { kind: 'bandwidth', at: instantUs(AT), ratio: 0.5, forUs: durationUs(1_000_000) } as const;
    const short = rig({ faults: [thin], costs: { m: [layer(0, 100_000_000)] } });
    expect([short.tookUs(AT), short.tookUs(AT + 1_500_000)]).toEqual([2000, 1000]);

    const wrong = rig({ faults: [{ kind: 'wrong', at: instantUs(AT), core: 0 }] });
    expect([wrong.run(AT), wrong.run(AT + 10_000)]).toMatchObject([{ kind: 'failed', reason: 'non-finite' }, { kind: 'done' }]);

    const crashed = rig({ faults: [{ kind: 'crash', at: instantUs(AT + 500), core: 0 }] });
    expect(crashed.run(AT)).toMatchObject({ kind: 'failed', reason: 'core-crashed' });
    expect(crashed.losses).toEqual(['0 crashed']);

    const hung = rig({ faults: [{ kind: 'hang', at: instantUs(AT), core: 0 }] });
    expect(hung.run(AT)).toMatchObject({ kind: 'failed', reason: 'core-hung' });
    expect(hung.losses).toEqual(['0 hung']);
  });

  it('lowers its clock when the die is too hot, and raises it only once it has cooled to the lower mark', () => {
    const hot = twoCores({
      power: { idleW: 1, macPicojoules: { low: 20, high: 20 }, dramPicojoulesPerByte: { low: 0, high: 0 } },
      thermal: { ...twoCores().thermal, throttleC: 35, resumeC: 30, throttledRatio: 0.1 },
    });
    const { device, tookUs, clock } = rig({ profile: hot, costs: { m: [layer(3_000_000, 0)] } });
    const first = tookUs(AT);
    expect(first).toBeGreaterThan(3_100_000);
    expect(first).toBeLessThan(30_000_000);
    const { chip } = device.figures();
    expect(chip.throttledUs).toBeGreaterThan(0);
    expect(chip.dieMaxC).toBeGreaterThanOrEqual(35);
    expect(chip.dieMaxC).toBeLessThan(36);
    clock.runFor(durationUs(120_000_000));
    expect(device.figures().chip.dieC).toBeLessThan(30);
  });

  it('lowers its clock to hold the power of its mode, no further than it must, and raises it when there is nothing to hold', () => {
    const power = { idleW: 1, macPicojoules: { low: 20, high: 20 }, dramPicojoulesPerByte: { low: 0, high: 0 } };
    const cool = (watts: number) => twoCores({ power, modes: [{ id: 'cool', watts, clockRatio: 1, bandwidthRatio: 1 }] });
    // 20 W of multiplications beside 1 W at rest: 11 W leave half of the clock, once the burst of 1.1 J is used up.
    const { device, tookUs, clock, run } = rig({ profile: cool(11), costs: { m: [layer(5_000_000, 0)] } });
    const took = tookUs(AT);
    expect(took).toBeGreaterThan(9_500_000);
    expect(took).toBeLessThan(10_100_000);
    const { chip } = device.figures();
    expect(chip.cappedUs / took).toBeGreaterThan(0.95);
    expect(chip.joules.low).toBeLessThanOrEqual((11 * (took + 100_000)) / 1e6 + 21 * 0.01 + (1 * chip.elapsedUs) / 1e6);
    clock.runFor(durationUs(1_000_000));
    run(clock.now());
    expect(device.figures().chip.cappedUs).toBeGreaterThan(chip.cappedUs);
    expect(rig({ profile: cool(21), costs: { m: [layer(5_000_000, 0)] } }).tookUs(AT)).toBe(5_000_000);
  });

  it('counts runs, bytes and joules', () => {
    const { device, run } = rig({ costs: { m: [layer(1000, 10_000_000)] } });
    run(AT);
    run(AT + 5_000);
    const { chip, models } = device.figures();
    expect(models).toMatchObject([{ model: 'm', runs: 2, bytes: 10_000_000, aloneUs: 1000, macs: 1e9 }]);
    expect(chip.busBytes).toBeCloseTo(20_000_000, 3);
    const idle = chip.elapsedUs / 1e6;
    expect(chip.joules.low).toBeCloseTo(idle + 2 * (1e9 * 1e-12 + 10e6 * 40e-12), 9);
    expect(chip.joules.high).toBeCloseTo(idle + 2 * (1e9 * 3e-12 + 10e6 * 60e-12), 9);
  });
});

describe('what a segment costs', () => {
  const conv: LayerCost = {
    ...{ name: 'c', operator: 'Conv', type: 'int8', elementOps: 0, weightBytes: 1000, inputBytes: 600, outputBytes: 500 },
    ...{ macs: 64 * 64 * 64, m: 64, n: 64, k: 64, groups: 1 },
  };
  const bytesOf = (layers: readonly LayerCost[], changes: Partial<SocProfile> = {}): number =>
    compileSegment(layers, twoCores(changes)).bytes;

  it('reads weights every time, keeps what fits of the activations in between, and brings input and output over the bus', () => {
    expect(bytesOf([conv, conv, conv])).toBe(3 * 2100);
    expect(bytesOf([conv, conv, conv], { localMemoryBytes: 1e6 })).toBe(3000 + 600 + 500);
    // Half of a core's half of the memory holds 1000 of the middle layer's 1100 bytes.
    expect(bytesOf([conv, conv, conv], { localMemoryBytes: 4000 })).toBe(3000 + 600 + 500 + 100);
  });

  it('keeps weights where the profile says so and they fit, and state in memory always', () => {
    expect(bytesOf([conv, conv], { localMemoryBytes: 1e6, doWeightsStay: true })).toBe(1100);
    expect(bytesOf([conv, conv], { localMemoryBytes: 3000, doWeightsStay: true })).toBeGreaterThan(2000);
    expect(bytesOf([conv, { ...conv, stateBytes: 300 }, conv], { localMemoryBytes: 1e6 })).toBe(3000 + 1100 + 300);
  });

  it('wastes the part of the array that a layer does not fill', () => {
    const core = { ...twoCores().core, array: { m: 16, n: 16, k: 16, groups: 16 } };
    const usOf = (m: number, n: number, k: number, groups = 1): number =>
      compileSegment(
        [{ ...conv, m, n, k, groups, macs: m * n * k * groups, weightBytes: 0, inputBytes: 0, outputBytes: 0 }],
        twoCores({ core }),
      ).computeUs;
    expect(usOf(1600, 160, 160)).toBeCloseTo(40.96, 9);
    expect(usOf(1, 160, 160) / usOf(16, 160, 160)).toBeCloseTo(1, 9);
    expect(usOf(1600, 17, 160) / usOf(1600, 16, 160)).toBeCloseTo(2, 9);
    // A depthwise layer: 16 channels side by side, each with 9 of 16 terms.
    expect(usOf(1600, 1, 9, 32)).toBeCloseTo(usOf(1600, 16, 16, 2), 9);
  });

  it('runs a type that the core lacks as the next wider one, at its pace', () => {
    const core = { ...twoCores().core, opsPerSecond: { int8: 4e12, fp16: 1e12 } };
    const usOf = (type: LayerCost['type']): number => compileSegment([{ ...layer(1000, 0), type }], twoCores({ core })).computeUs;
    expect([usOf('int4'), usOf('int8'), usOf('int16'), usOf('fp16')]).toEqual([500, 500, 2000, 2000]);
    expect(usOf('fp32')).toBeGreaterThan(2000);
  });
});

describe('drawn faults', () => {
  const span = { from: instantUs(1_000_000), spanUs: durationUs(10_000_000), cores: [0, 1] };

  it('are as many as asked for, in order, in the first three quarters, and the same from the same seed', () => {
    const counts = Object.fromEntries(SIM_FAULT_KINDS.map((kind) => [kind, 3]));
    const faults = drawSimFaults(counts, span, new Prng(7));
    expect(faults).toHaveLength(18);
    expect(faults).toEqual(drawSimFaults(counts, span, new Prng(7)));
    expect(faults).not.toEqual(drawSimFaults(counts, span, new Prng(8)));
    expect(faults.every(({ at }, index) => at >= (faults[index - 1]?.at ?? span.from) && at <= 8_500_000)).toBe(true);
  });

  it('of one kind are not moved by another kind', () => {
    const crashes = drawSimFaults({ crash: 4 }, span, new Prng(7));
    expect(drawSimFaults({ crash: 4, hang: 9 }, span, new Prng(7)).filter(({ kind }) => kind === 'crash')).toEqual(crashes);
  });
});

describe('a simulated model that is cut into steps', () => {
  /** Four blocks of 1 ms; the third and the fourth begin behind a border of 10 kB of activations. */
  function cut() {
    const clock = new SimClock();
    const block = layer(1000, 0);
    const costs: Readonly<Record<string, readonly LayerCost[]>> = {
      m: [block, block, { ...block, inputBytes: 10_000 }, block],
      other: [block],
    };
    const device = createSimDevice(
      { profile: twoCores() },
      {
        clock,
        listener: { coreLost: () => undefined },
        costs: (id) => costs[id],
        steps: (id) => (id === 'm' ? { cuts: [1, 2, 3] } : undefined),
      },
    );
    device.start(0, () => {
      for (const id of ['m', 'other']) device.load(0, model(id), () => undefined);
    });
    clock.runUntil(instantUs(1_000_000));
    let end: SegmentEnd | undefined;
    const begin = (job: number, from: number, steps: number, id = 'm'): void => {
      end = undefined;
      const killAt = instantUs(clock.now() + 60_000_000);
      device.run(0, { job, from, steps, model: id, inputs: [], outputs: [], killAt }, (told) => {
        end = told;
      });
    };
    const finish = () => {
      while (end === undefined && clock.step());
      if (end?.kind !== 'done') throw new Error('the run did not end well');
      return { us: end.endedAt - end.startedAt, progress: end.progress };
    };
    return { clock, device, begin, finish };
  }

  it('runs any row of its steps, and says when the job is complete', () => {
    const { begin, finish } = cut();
    begin(1, 0, 2);
    expect(finish()).toEqual({ us: 2000, progress: { steps: 2, isLast: false } });
    begin(1, 2, 2);
    expect(finish()).toEqual({ us: 2000, progress: { steps: 2, isLast: true } });
  });

  it('asked to yield, ends after the step it is at; at its last step it simply ends', () => {
    const { clock, device, begin, finish } = cut();
    begin(1, 0, 4);
    clock.runUntil(instantUs(clock.now() + 1500));
    device.yield(0);
    expect(finish()).toEqual({ us: 2000, progress: { steps: 2, isLast: false } });
    begin(1, 2, 2);
    clock.runUntil(instantUs(clock.now() + 1500));
    device.yield(0);
    expect(finish()).toEqual({ us: 2000, progress: { steps: 2, isLast: true } });
  });

  it('aborted, ends at once with the steps that were complete', () => {
    const { clock, device, begin, finish } = cut();
    begin(1, 0, 4);
    clock.runUntil(instantUs(clock.now() + 1500));
    device.abort(0);
    expect(finish()).toEqual({ us: 1600, progress: { steps: 1, isLast: false } });
  });

  it('pays for fetching what it left only when something else ran in between', () => {
    const { begin, finish } = cut();
    begin(1, 0, 2);
    finish();
    begin(9, 0, 1, 'other');
    finish();
    begin(1, 2, 2);
    expect(finish().us).toBeGreaterThan(2000);
    begin(2, 0, 2);
    finish();
    begin(2, 2, 2);
    expect(finish().us).toBe(2000);
  });

  it('yield and abort of an idle core do nothing', () => {
    const { device, begin, finish } = cut();
    device.yield(0);
    device.abort(0);
    begin(1, 0, 4);
    expect(finish().us).toBe(4000);
  });
});
