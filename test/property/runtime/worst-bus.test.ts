import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PipelineConfig } from '../../../src/config/runtime-config.ts';
import { durationUs } from '../../../src/core/units.ts';
import { bytesPerUs, type Flow, flowUs } from '../../../src/devices/sim/bus-share.ts';
import { compileSegment } from '../../../src/devices/sim/segment-cost.ts';
import type { Place } from '../../../src/runtime/placed-split.ts';
import { createWorstBus } from '../../../src/runtime/worst-bus.ts';
import type { Placement } from '../../../src/scheduler/placement.ts';
import { shippedConfig } from '../../support/shipped.ts';
import { layer, twoCores } from '../../support/soc-profiles.ts';
import { type Ask, bytesOf, play } from '../devices/sim-rig.ts';

const CORES = 4;
const BUS = 100_000;
const profile = twoCores({ coresPerCluster: CORES });
const RUNS = 80 * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));

const layers = fc.array(fc.record({ computeUs: fc.integer({ min: 0, max: 3_000 }), bytes: fc.integer({ min: 0, max: 400_000_000 }) }), {
  minLength: 1,
  maxLength: 4,
});
const [first] = shippedConfig('vehicle-500').pipelines;
if (first === undefined) throw new Error('the vehicle has pipelines');

/** Of a stream: the cores on which its runs may be, those that each takes, and whose it is. */
const streams = fc.record({
  periodUs: fc.integer({ min: 100, max: 2_000 }),
  /** Budgets as parts of the bus; the last stream has none. */
  parts: fc.tuple(fc.double({ min: 0.02, max: 1, noNaN: true }), fc.double({ min: 0.02, max: 1, noNaN: true })),
  /** The first stream may have two cores, and then run twice at once. */
  isWide: fc.boolean(),
  asks: fc.array(fc.record({ core: fc.integer({ min: 0, max: CORES - 1 }), at: fc.integer({ min: 0, max: 5_000 }), layers }), {
    minLength: 2,
    maxLength: 16,
  }),
});

const flowOf = (one: Ask): Flow => ({
  cost: compileSegment(
    one.layers.map(({ computeUs, bytes }) => layer(computeUs, bytes)),
    profile,
  ),
  ...{ speed: 1, drag: 1, width: 1 },
});

describe('what the bus does at worst', () => {
  it('is never exceeded by a segment, whether it has a budget or stands beside those that have', () => {
    let [relieved, held, tight] = [0, 0, 0];
    fc.assert(
      fc.property(streams, ({ periodUs, parts, isWide, asks: bare }) => {
        const coresOf: Record<string, readonly number[]> = isWide ? { a: [0, 1], b: [2], free: [3] } : { a: [0], b: [1], free: [2, 3] };
        const streamOn = (core: number): string => Object.entries(coresOf).find(([, cores]) => cores.includes(core))?.[0] ?? '';
        const asks = bare.map((one) => ({ ...one, stream: streamOn(one.core) }));
        const budgets = { a: Math.ceil(parts[0] * BUS * periodUs), b: Math.ceil(parts[1] * BUS * periodUs) };
        const pipelines = Object.keys(coresOf).map(
          (id): PipelineConfig => ({ ...first, id, stream: { ...first.stream, id, model: id }, variants: [] }),
        );
        const busBudget = {
          periodUs: durationUs(periodUs),
          streams: Object.entries(budgets).map(([stream, bytes]) => ({ stream, bytes })),
        };
        const flowsOf = ({ model }: Pick<Place, 'model'>, core: number): readonly Flow[] =>
          asks.filter((one) => one.stream === model && (model !== 'free' || one.core === core)).map(flowOf);
        const placement: Placement = {
          models: Object.entries(coresOf).map(([model, cores]) => ({ model, streams: [model], cores, spares: [], reason: '' })),
          cores: [0, 1, 2, 3].map((core) => ({ core, loadRatio: 0, memoryBytes: 0, streams: [] })),
          problems: [],
        };
        const shareOf = createWorstBus({
          ...{
            config: { pipelines, scheduler: { policy: 'coxswain', tuning: {}, cuts: 'none', busBudget } },
            placement,
            capacity: BUS,
            flowsOf,
          },
          rateMaxOf: (place, core) => Math.max(0, ...flowsOf(place, core).map((flow) => bytesPerUs(flow, BUS))),
        });
        const regulation = { periodUs: busBudget.periodUs, bytesByStream: new Map(Object.entries(budgets)) };
        for (const one of play(profile, asks, regulation).done) {
          const share = shareOf({ model: one.stream ?? '', cores: [one.core], spares: [] }, [one.core]);
          const flow = flowOf(one);
          const us = Math.ceil(share.usOf(flow));
          const waitUs = share.stallUs(bytesOf(one), us);
          const took = one.endedAt - one.startedAt;
          expect(took).toBeLessThanOrEqual(us + waitUs);
          if (us < flowUs(flow, share.bandwidth) * 0.99) relieved += 1;
          if (waitUs > 0) held += 1;
          if (took > 0.7 * (us + waitUs) && took > 1.2 * flowUs(flow, BUS)) tight += 1;
        }
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(relieved, held, tight)).toBeGreaterThan(RUNS / 10);
  });
});
