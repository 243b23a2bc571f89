import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationUs } from '../../../src/core/units.ts';
import { bandwidthAt, busLevel, bytesPerUs, flowUs } from '../../../src/devices/sim/bus-share.ts';
import { lowestLevel } from '../../../src/devices/sim/lowest-level.ts';
import { BURST_US } from '../../../src/devices/sim/power-cap.ts';
import { arrayCycles, compileSegment, rooflineUs } from '../../../src/devices/sim/segment-cost.ts';
import { HEAT_STEP_US } from '../../../src/devices/sim/thermal.ts';
import { layer, twoCores } from '../../support/soc-profiles.ts';
import { type Ask, bytesOf, computeOf, play } from './sim-rig.ts';

const CORES = 4;
const BUS = 100_000;
const profile = twoCores({ coresPerCluster: CORES });

const layers = fc.array(fc.record({ computeUs: fc.integer({ min: 0, max: 3_000 }), bytes: fc.integer({ min: 0, max: 300_000_000 }) }), {
  minLength: 1,
  maxLength: 6,
});
const ask: fc.Arbitrary<Ask> = fc.record({ core: fc.integer({ min: 0, max: CORES - 1 }), at: fc.integer({ min: 0, max: 20_000 }), layers });
const asks = fc.array(ask, { minLength: 1, maxLength: 20 });
const wideAsks = fc.array(
  fc.tuple(ask, fc.integer({ min: 1, max: 3 })).map(([one, width]) => ({ ...one, width })),
  { minLength: 1, maxLength: 20 },
);

const rooflineOf = (one: Ask): number => one.layers.reduce((sum, { computeUs, bytes }) => sum + Math.max(computeUs, bytes / BUS), 0);

describe('the simulated chip', () => {
  it('gives a segment alone exactly its roofline time, rounded up to the microsecond', () => {
    fc.assert(
      fc.property(ask, fc.integer({ min: 1, max: 4 }), (one, width) => {
        const { done } = play(profile, [{ ...one, width }]);
        expect(done[0]?.endedAt).toBe(Math.ceil(one.at + rooflineOf(one) - 1e-5));
      }),
    );
  });

  it('gives a segment on several cores as many shares of the bus', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), fc.integer({ min: 1, max: 7 }), (bytes, width) => {
        const layers = [{ computeUs: 0, bytes }];
        const { flows } = play(profile, [
          { core: 0, at: 0, layers, width },
          { core: 1, at: 0, layers },
        ]);
        const shared = flows.find(({ bytesPerUs }) => bytesPerUs > 0);
        expect(shared?.bytesPerUs).toBeCloseTo(BUS, 3);
        const { done } = play(profile, [
          { core: 0, at: 0, layers: [{ computeUs: 0, bytes: bytes * width }], width },
          { core: 1, at: 0, layers },
        ]);
        // The level is found to a billionth, from below.
        const dueAt = Math.ceil(((width + 1) * bytes) / BUS - 1e-5);
        for (const { endedAt } of done) expect([dueAt, dueAt + 1]).toContain(endedAt);
      }),
    );
  });

  it('gives two equal segments that wait for memory twice the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (bytes) => {
        const { done } = play(
          profile,
          [0, 1].map((core) => ({ core, at: 0, layers: [{ computeUs: 0, bytes }] })),
        );
        for (const { endedAt } of done) expect(endedAt).toBe(Math.ceil((2 * bytes) / BUS - 1e-5));
      }),
    );
  });

  it('moves every byte that was asked for, once, and never more than the bus carries', () => {
    fc.assert(
      fc.property(wideAsks, (list) => {
        const { done, figures, flows } = play(profile, list);
        const asked = list.reduce((sum, one) => sum + bytesOf(one), 0);
        expect(done).toHaveLength(list.length);
        expect(Math.abs(figures.busBytes - asked)).toBeLessThanOrEqual(1e-6 * asked + 1e-6);
        for (const { bytesPerUs } of flows) expect(bytesPerUs).toBeLessThanOrEqual(BUS * (1 + 1e-9));
        expect(figures.busBytes).toBeLessThanOrEqual(figures.capacityBytes * (1 + 1e-9));
      }),
    );
  });

  it('never takes longer over a segment than the worst that its neighbours can do to it, and sometimes that long', () => {
    const flowOf = (one: Ask) => ({
      cost: compileSegment(
        one.layers.map(({ computeUs, bytes }) => layer(computeUs, bytes)),
        profile,
      ),
      speed: 1,
      drag: 1,
      width: one.width ?? 1,
    });
    let tight = 0;
    fc.assert(
      fc.property(wideAsks, (list) => {
        // What runs on several cores stands with each of them.
        const others = (core: number) =>
          [0, 1, 2, 3]
            .filter((other) => other !== core)
            .flatMap((other) => [1, 2, 3].map((width) => list.filter((one) => one.core === other && one.width >= width).map(flowOf)));
        for (const one of play(profile, list).done) {
          const flow = flowOf(one);
          const worst = flowUs(flow, bandwidthAt(flow, lowestLevel(flow, others(one.core), BUS), BUS));
          expect(one.endedAt - one.startedAt).toBeLessThanOrEqual(Math.ceil(worst));
          if (one.endedAt - one.startedAt > rooflineOf(one) * 1.05 && one.endedAt - one.startedAt > worst * 0.99) tight += 1;
        }
      }),
    );
    expect(tight).toBeGreaterThan(5);
  });

  it('keeps each segment between max(c, M/B) and c + nM/B, since a fair share is at least an n-th', () => {
    fc.assert(
      fc.property(asks, (list) => {
        for (const one of play(profile, list).done) {
          const took = one.endedAt - one.startedAt;
          expect(took).toBeGreaterThanOrEqual(Math.floor(Math.max(computeOf(one), bytesOf(one) / BUS)));
          expect(took).toBeLessThanOrEqual(Math.ceil(computeOf(one) + (CORES * bytesOf(one)) / BUS) + 1);
        }
      }),
    );
  });

  it('keeps every regulated segment within c + ceil(M/Q) P (MemGuard), whatever the others do', () => {
    const scenario = fc.record({
      periodUs: fc.integer({ min: 100, max: 2_000 }),
      /** Of an equal part of the bus. */
      part: fc.double({ min: 0.05, max: 1, noNaN: true }),
      mine: layers,
      others: fc.array(layers, { minLength: 1, maxLength: CORES - 1 }),
    });
    fc.assert(
      fc.property(scenario, ({ periodUs, part, mine, others }) => {
        const budget = (BUS * periodUs * part) / CORES;
        const all = [mine, ...others].map((one, core) => ({ core, at: 0, layers: one, stream: `s${core}` }));
        const regulation = { periodUs: durationUs(periodUs), bytesByStream: new Map(all.map(({ stream }) => [stream, budget])) };
        for (const one of play(profile, all, regulation).done) {
          const bound = computeOf(one) + Math.ceil(bytesOf(one) / budget) * periodUs;
          expect(one.endedAt - one.startedAt).toBeLessThanOrEqual(Math.ceil(bound) + 1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('ends a regulated segment also late in a long run, where an instant has few digits left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 2_000 }), layers, (periodUs, mine) => {
        const regulation = { periodUs: durationUs(periodUs), bytesByStream: new Map([['s', BUS * periodUs * 0.3]]) };
        expect(play(profile, [{ core: 0, at: 1_000_000_000, layers: mine, stream: 's' }], regulation).done).toHaveLength(1);
      }),
      { numRuns: 10 },
    );
  });

  it('never moves more than a budget in a period', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 2_000 }), fc.double({ min: 0.05, max: 1, noNaN: true }), layers, (periodUs, part, mine) => {
        const budget = BUS * periodUs * part;
        const regulation = { periodUs: durationUs(periodUs), bytesByStream: new Map([['s', budget]]) };
        const { flows, done } = play(profile, [{ core: 0, at: 0, layers: mine, stream: 's' }], regulation);
        const moved = new Map<number, number>();
        const end = done[0]?.endedAt ?? 0;
        // An end is told at the whole microsecond after it, so the last flow is counted up to the bytes asked for, not up to there.
        let left = mine.reduce((sum, { bytes }) => sum + bytes, 0);
        flows.forEach(({ at, bytesPerUs }, index) => {
          const until = Math.min(end, flows[index + 1]?.at ?? end);
          const period = Math.floor(at / periodUs);
          const bytes = Math.min(left, bytesPerUs * (until - at));
          left -= bytes;
          moved.set(period, (moved.get(period) ?? 0) + bytes);
          expect(until).toBeLessThanOrEqual((period + 1) * periodUs + 1e-6);
        });
        for (const bytes of moved.values()) expect(bytes).toBeLessThanOrEqual(budget * (1 + 1e-6));
      }),
      { numRuns: 60, examples: [[104, 0.05, [{ computeUs: 0, bytes: 23_380_001 }]]] },
    );
  });

  it('gives the same history from the same asks', () => {
    fc.assert(
      fc.property(asks, (list) => {
        expect(play(profile, list)).toEqual(play(profile, list));
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the die between the air and what its full power could reach, and throttles no further than to its ratio', () => {
    const hot = twoCores({
      coresPerCluster: CORES,
      power: { idleW: 2, macPicojoules: { low: 5, high: 15 }, dramPicojoulesPerByte: { low: 40, high: 60 } },
      thermal: { ...profile.thermal, throttleC: 60, resumeC: 55 },
    });
    const wattsMost = 2 + CORES * 1e12 * 10e-12 + 100e9 * 50e-12;
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 400 }), (list, factor) => {
        const { degrees, figures } = play(
          hot,
          list.map((one) => ({ ...one, layers: one.layers.map(({ computeUs, bytes }) => ({ computeUs: computeUs * factor, bytes })) })),
        );
        const { ambientC, dieToCaseKPerW, caseToAmbientKPerW } = hot.thermal;
        const dieMost = ambientC + wattsMost * (dieToCaseKPerW + caseToAmbientKPerW);
        for (const dieC of degrees) {
          expect(dieC).toBeGreaterThanOrEqual(ambientC);
          expect(dieC).toBeLessThanOrEqual(dieMost);
        }
        expect(figures.wattsMax).toBeLessThanOrEqual(wattsMost * (1 + 1e-9));
        expect(figures.joules.low).toBeLessThanOrEqual(figures.joules.high);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the shared bus', () => {
  const flow = fc.record({
    cost: layers.map((list) =>
      compileSegment(
        list.map(({ computeUs, bytes }) => layer(computeUs, bytes + 1)),
        profile,
      ),
    ),
    speed: fc.double({ min: 0.1, max: 1, noNaN: true }),
    drag: fc.double({ min: 1, max: 5, noNaN: true }),
  });

  it('is used up to its capacity when the flows together want more, and leaves all of them alone when they do not', () => {
    fc.assert(
      fc.property(fc.array(flow, { minLength: 1, maxLength: 64 }), (flows) => {
        const level = busLevel(flows, BUS);
        const taken = flows.reduce((sum, one) => sum + bytesPerUs(one, level), 0);
        expect(taken).toBeLessThanOrEqual(BUS * (1 + 1e-9));
        if (level < BUS) expect(taken).toBeGreaterThanOrEqual(BUS * (1 - 1e-6));
        else expect(level).toBe(BUS);
      }),
    );
  });
});

describe('a segment', () => {
  it('takes as long at any bandwidth as its layers one by one', () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 1, max: 1_000_000 }), (list, bandwidth) => {
        const cost = compileSegment(
          list.map(({ computeUs, bytes }) => layer(computeUs, bytes)),
          profile,
        );
        const sum = list.reduce((total, { computeUs, bytes }) => total + Math.max(computeUs, bytes / bandwidth), 0);
        expect(Math.abs(rooflineUs(cost, bandwidth) - sum)).toBeLessThanOrEqual(1e-9 * sum + 1e-9);
      }),
    );
  });

  it('never uses more multipliers than there are', () => {
    const size = fc.integer({ min: 1, max: 5_000 });
    const side = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(size, size, size, fc.integer({ min: 1, max: 512 }), side, side, side, (m, n, k, groups, am, an, ak) => {
        const cycles = arrayCycles({ m, n, k, groups }, { m: am, n: an, k: ak, groups: an });
        expect(cycles * am * an * ak).toBeGreaterThanOrEqual(m * n * k * groups);
      }),
    );
  });
});

describe('a power mode', () => {
  const capW = 3;
  const capped = twoCores({ coresPerCluster: CORES, modes: [{ id: 'cool', watts: capW, clockRatio: 1, bandwidthRatio: 1 }] });
  const long = fc.record({
    core: fc.integer({ min: 0, max: CORES - 1 }),
    at: fc.integer({ min: 0, max: 2_000_000 }),
    layers: fc.array(fc.record({ computeUs: fc.integer({ min: 0, max: 300_000 }), bytes: fc.integer({ min: 0, max: 10_000_000_000 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
  });

  it('is held over every time: its power times that time and a burst, and what one step took too much', () => {
    let wanted = 0;
    fc.assert(
      fc.property(fc.array(long, { minLength: 1, maxLength: 20 }), (list) => {
        const { flows, figures, done } = play(capped, list);
        expect(done).toHaveLength(list.length);
        if (figures.cappedUs > 0) wanted += 1;
        // Joules taken above the cap since the level was last at its lowest: the most of any window ends here.
        let [above, most] = [0, 0];
        flows.forEach(({ at, watts }, index) => {
          const until = flows[index + 1]?.at ?? at;
          above = Math.max(0, above + ((watts - capW) * (until - at)) / 1e6);
          most = Math.max(most, above);
        });
        const stepJoules = (Math.max(...flows.map(({ watts }) => watts)) * HEAT_STEP_US) / 1e6;
        expect(most).toBeLessThanOrEqual((capW * BURST_US) / 1e6 + stepJoules + 1e-9);
        expect(figures.joules.low).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
    expect(wanted).toBeGreaterThan(25);
  });

  it('changes nothing while less is taken', () => {
    const free = twoCores({ coresPerCluster: CORES, modes: [{ id: 'free', watts: 1000, clockRatio: 1, bandwidthRatio: 1 }] });
    const roomy = twoCores({ coresPerCluster: CORES, modes: [{ id: 'roomy', watts: 15, clockRatio: 1, bandwidthRatio: 1 }] });
    fc.assert(
      fc.property(fc.array(long, { minLength: 1, maxLength: 10 }), (list) => {
        // Four cores take 1 + 4 x 2 + 5 W at most.
        expect(play(roomy, list).done).toEqual(play(free, list).done);
        expect(play(roomy, list).figures.cappedUs).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});
