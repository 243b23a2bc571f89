import fc from 'fast-check';
import type { Event } from '../../../src/core/event.ts';
import type { CoreId, JobId } from '../../../src/core/job.ts';
import { CRITICALITIES, type Criticality, type Stream } from '../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import type { Step } from '../../simulation/checkers.ts';

/** One poke at the scheduler; what it means depends on what runs at the time, so any sequence is a legal one. */
export type Poke = { readonly afterUs: number } & (
  | { readonly kind: 'arrive'; readonly stream: number; readonly ageUs: number }
  | { readonly kind: 'finish' | 'fail' | 'lose' | 'raise'; readonly core: number }
  | { readonly kind: 'decode' | 'spoil'; readonly nth: number }
  | { readonly kind: 'timer' }
);

const streamArbitrary = (criticalities: readonly Criticality[]) =>
  fc.record({
    criticality: fc.constantFrom(...criticalities),
    periodUs: fc.integer({ min: 0, max: 200_000 }),
    deadlineUs: fc.integer({ min: 1_000, max: 200_000 }),
    jobsMax: fc.integer({ min: 0, max: 5 }),
    isStateful: fc.boolean(),
    costUs: fc.integer({ min: 100, max: 150_000 }),
    home: fc.integer({ min: 0, max: 2 }),
    spares: fc.integer({ min: 0, max: 2 }),
  });

/** Up to five streams, each with a model of its own, on three cores. `jobsMax` 0 stands for `latest`. */
export const planArbitrary = (criticalities: readonly Criticality[] = CRITICALITIES): fc.Arbitrary<SchedulerPlan> =>
  fc.array(streamArbitrary(criticalities), { minLength: 1, maxLength: 5, size: 'max' }).map((rows) => ({
    ...PLAN_DEFAULTS,
    cores: [0, 1, 2],
    streams: rows.map(
      (row, index): Stream => ({
        id: `s${index}`,
        model: `m${index}`,
        criticality: row.criticality,
        periodUs: durationUs(row.periodUs),
        deadlineUs: durationUs(row.deadlineUs),
        freshness: row.jobsMax === 0 ? { kind: 'latest' } : { kind: 'queue', jobsMax: row.jobsMax },
        isStateful: row.isStateful,
      }),
    ),
    models: rows.map((row, index) => ({
      model: `m${index}`,
      cores: row.isStateful ? [row.home] : Array.from({ length: row.spares + 1 }, (_, n) => (row.home + n) % 3),
      costUs: durationUs(row.costUs),
    })),
  }));

const afterUs = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 200_000 }));
const core = fc.integer({ min: 0, max: 2 });
const nth = fc.nat(9);

export const pokesArbitrary: fc.Arbitrary<Poke[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('arrive' as const),
        afterUs,
        stream: fc.nat(4),
        ageUs: fc.integer({ min: 0, max: 30_000 }),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('finish' as const), afterUs, core }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('fail' as const, 'lose' as const), afterUs, core }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('raise' as const), afterUs, core }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('decode' as const, 'decode' as const, 'spoil' as const), afterUs, nth }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('timer' as const), afterUs }) },
  ),
  { minLength: 1, maxLength: 150, size: 'max' },
);

/** A legal run made of pokes, then stopped and let end; `see` is told of every step as it happens. */
export function poke(plan: SchedulerPlan, pokes: readonly Poke[], see: (step: Step) => void): readonly Step[] {
  const state = createScheduler(plan);
  const steps: Step[] = [];
  const running = new Map<CoreId, JobId>();
  const decoding: JobId[] = [];
  let at = 0;
  let nextJob = 1;
  const tell = (event: Event): void => {
    const record = { event, decisions: step(state, event) };
    steps.push(record);
    see(record);
    for (const decision of record.decisions) if (decision.kind === 'start') running.set(decision.core, decision.job);
  };
  const finish = (id: CoreId, kind: 'finish' | 'fail'): void => {
    const job = running.get(id);
    if (job === undefined) return;
    running.delete(id);
    if (kind === 'fail') return tell({ kind: 'segment-failed', at: instantUs(at), core: id, job, reason: 'non-finite' });
    decoding.push(job);
    tell({ kind: 'segment-done', at: instantUs(at), core: id, job, ranUs: durationUs(1) });
  };
  const decode = (index: number, kind: 'decode' | 'spoil'): void => {
    const [job] = decoding.splice(index % Math.max(1, decoding.length), 1);
    if (job !== undefined) tell({ kind: kind === 'decode' ? 'decoded' : 'decode-failed', at: instantUs(at), job });
  };
  const modelsOf = (id: CoreId): string[] => plan.models.filter((row) => row.cores.includes(id)).map((row) => row.model);

  for (const each of pokes) {
    at += each.afterUs;
    if (each.kind === 'arrive') {
      const stream = plan.streams[each.stream % plan.streams.length];
      if (stream === undefined) continue;
      const capturedAt = instantUs(at - each.ageUs);
      const deadlineAt = instantUs(capturedAt + stream.deadlineUs);
      tell({ kind: 'arrived', at: instantUs(at), job: { id: nextJob++, stream: stream.id, model: stream.model, capturedAt, deadlineAt } });
    } else if (each.kind === 'finish' || each.kind === 'fail') finish(each.core, each.kind);
    else if ('nth' in each) decode(each.nth, each.kind);
    else if (each.kind === 'timer') tell({ kind: 'timer', at: instantUs(at) });
    else if (each.kind === 'raise') tell({ kind: 'core-back', at: instantUs(at), core: each.core, models: modelsOf(each.core) });
    else {
      running.delete(each.core);
      tell({ kind: 'core-lost', at: instantUs(at), core: each.core, reason: 'core-crashed' });
    }
  }
  tell({ kind: 'stopping', at: instantUs(at) });
  for (const id of plan.cores) finish(id, 'finish');
  while (decoding.length > 0) decode(0, 'decode');
  return steps;
}
