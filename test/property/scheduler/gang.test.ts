import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRITICALITIES, type Stream } from '../../../src/core/stream.ts';
import { durationUs } from '../../../src/core/units.ts';
import { type ModelPlan, PLAN_DEFAULTS, type PolicyName, type SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { type Arrival, type Played, playGangs, type Scene } from './gang-player.ts';

const RUNS = { numRuns: 300 };
const CORES = [0, 1, 2, 3];
/** Estimates that were never measured are taken with this margin where being too low would hurt. */
const MARGIN = 1.25;

const rowArbitrary = fc.record({
  criticality: fc.constantFrom(...CRITICALITIES),
  costUs: fc.integer({ min: 100, max: 20_000 }),
  deadlineUs: fc.integer({ min: 20_000, max: 400_000 }),
  cores: fc.shuffledSubarray(CORES, { minLength: 1 }),
  width: fc.integer({ min: 1, max: 4 }),
});
type Row = typeof rowArbitrary extends fc.Arbitrary<infer T> ? T : never;

function planOf(rows: readonly Row[], policy: PolicyName): SchedulerPlan {
  return {
    ...PLAN_DEFAULTS,
    tailUs: durationUs(0),
    // Nothing shall be killed here.
    timeouts: { floorUs: durationUs(10_000_000), factor: 4, ceilingUs: durationUs(20_000_000) },
    policy,
    tuning: { drop: 'none' },
    cores: CORES,
    streams: rows.map(
      ({ criticality, deadlineUs }, index): Stream => ({
        id: `s${index}`,
        model: `m${index}`,
        criticality,
        periodUs: durationUs(0),
        deadlineUs: durationUs(deadlineUs),
        freshness: { kind: 'queue', jobsMax: 1_000 },
        isStateful: false,
      }),
    ),
    models: rows.map(({ cores, width, costUs }, index): ModelPlan => {
      const split = Math.min(width, cores.length);
      return { model: `m${index}`, cores, costUs: durationUs(costUs), ...(split > 1 ? { split } : {}) };
    }),
  };
}

const arrivals = fc.array(fc.record({ at: fc.integer({ min: 0, max: 200_000 }), stream: fc.nat(9) }), {
  minLength: 1,
  maxLength: 80,
  size: 'max',
});
const rows = fc.array(rowArbitrary, { minLength: 2, maxLength: 7, size: 'max' });

/** When so many of these cores are free, by what really runs there. */
function freeAt({ now, running }: Scene, cores: readonly number[], count: number): number {
  const ends = cores.map((core) => running.get(core)?.endsAt ?? now).sort((a, b) => a - b);
  return ends[count - 1] ?? Number.POSITIVE_INFINITY;
}

describe('gangs', () => {
  it('all end, however they overlap, under every order of jobs', () => {
    const policy = fc.constantFrom<PolicyName>('coxswain', 'edf', 'fifo', 'fixed-priority', 'laxity', 'round-robin', 'latency-greedy');
    fc.assert(
      fc.property(rows, arrivals, policy, (drawn, list, name) => {
        const { ends } = playGangs(planOf(drawn, name), list);
        expect(ends.size).toBe(list.length);
        expect([...ends.values()].filter((kind) => kind !== 'done' && kind !== 'late')).toEqual([]);
      }),
      RUNS,
    );
  });

  it('that go before all others start when what ran on their cores as they came has ended, and not later', () => {
    let waited = 0;
    fc.assert(
      fc.property(rows, arrivals, (drawn, list) => {
        const gang: Row = { criticality: 'safety', costUs: 5_000, deadlineUs: 20_000, cores: [1, 2, 3], width: 3 };
        const plan = planOf([gang, ...drawn.map((row) => ({ ...row, criticality: 'background' as const }))], 'coxswain');
        const scenes = new Map<number, number>();
        const { runs } = playGangs(plan, list, (scene) => {
          const alone = scene.waiting.filter(({ stream }) => stream === 's0');
          const [job] = alone;
          if (alone.length === 1 && job !== undefined && job.capturedAt === scene.now) scenes.set(job.id, freeAt(scene, [1, 2, 3], 3));
        });
        for (const { job, startedAt } of runs) {
          const dueAt = scenes.get(job.id);
          if (dueAt === undefined) continue;
          waited += 1;
          expect(startedAt).toBe(dueAt);
        }
      }),
      RUNS,
    );
    expect(waited).toBeGreaterThan(500);
  });

  it('keep a core idle only from what would hold them up', () => {
    let kept = 0;
    fc.assert(
      fc.property(rows, arrivals, (drawn, list) => {
        const plan = planOf(drawn, 'edf');
        const rowOf = (model: string): ModelPlan => plan.models.find((row) => row.model === model) as ModelPlan;
        playGangs(plan, list, (scene) => {
          for (const job of scene.waiting) {
            const { split, cores, costUs } = rowOf(job.model);
            if (split !== undefined) continue;
            for (const core of cores.filter((id) => !scene.running.has(id))) {
              const isInTheWay = scene.waiting.some((gang) => {
                const row = rowOf(gang.model);
                if (row.split === undefined || !row.cores.includes(core)) return false;
                const goesBefore = gang.deadlineAt < job.deadlineAt || (gang.deadlineAt === job.deadlineAt && gang.id < job.id);
                return goesBefore && scene.now + MARGIN * costUs > freeAt(scene, row.cores, row.split);
              });
              kept += 1;
              expect(isInTheWay).toBe(true);
            }
          }
        });
      }),
      RUNS,
    );
    expect(kept).toBeGreaterThan(500);
  });

  it('never take longer than one run after the other would', () => {
    fc.assert(
      fc.property(rows, arrivals, (drawn, list) => {
        const plan = planOf(drawn, 'edf');
        const longest = Math.max(...plan.models.map(({ costUs }) => costUs));
        const { runs, ends } = playGangs(plan, list);
        expect(ends.size).toBe(list.length);
        expect(lastEnd({ runs, ends })).toBeLessThanOrEqual(lastArrival(list) + list.length * longest);
      }),
      RUNS,
    );
  });
});

const lastEnd = ({ runs }: Played): number => Math.max(...runs.map(({ endsAt }) => endsAt));
const lastArrival = (list: readonly Arrival[]): number => Math.max(...list.map(({ at }) => at));
