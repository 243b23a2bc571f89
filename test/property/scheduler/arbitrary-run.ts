import fc from 'fast-check';
import type { Event } from '../../../src/core/event.ts';
import type { CoreId, JobId, Turn } from '../../../src/core/job.ts';
import { MODES, type Mode } from '../../../src/core/mode.ts';
import type { StepPlan } from '../../../src/core/step-plan.ts';
import { CRITICALITIES, type Criticality, type Stream } from '../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, type PreemptionPlan, rowFor, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import type { Step } from '../../simulation/checkers.ts';

const CHUNK_TOKENS = 100;

/** One poke at the scheduler; what it means depends on what runs at the time, so any sequence is a legal one. */
export type Poke = { readonly afterUs: number } & (
  | { readonly kind: 'arrive'; readonly stream: number; readonly ageUs: number }
  | { readonly kind: 'finish' | 'fail' | 'lose' | 'raise'; readonly core: number }
  | { readonly kind: 'decode' | 'spoil' | 'cancel'; readonly nth: number }
  | { readonly kind: 'timer' }
  | { readonly kind: 'mode'; readonly mode: Mode }
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
    blocks: fc.integer({ min: 1, max: 4 }),
    switchUs: fc.integer({ min: 0, max: 2_000 }),
    isKept: fc.boolean(),
    split: fc.integer({ min: 1, max: 3 }),
    isTalk: fc.integer({ min: 0, max: 2 }).map((value) => value === 0),
    turnsMax: fc.integer({ min: 1, max: 3 }),
    tokens: fc.record(
      { perSecondMax: fc.integer({ min: 1, max: 500 }), everyUs: fc.integer({ min: 1_000, max: 100_000 }).map(durationUs) },
      { requiredKeys: [] },
    ),
    server: fc.option(fc.record({ budgetUs: fc.integer({ min: 100, max: 50_000 }), idleUs: fc.integer({ min: 0, max: 100_000 }) }), {
      nil: undefined,
    }),
  });

const preemption = fc.constantFrom<PreemptionPlan>(
  { kind: 'none' },
  { kind: 'between-steps' },
  { kind: 'within-step', abortUs: durationUs(100) },
);

/** Up to five streams, each with a model of its own, on three cores. `jobsMax` 0 stands for `latest`. */
export const planArbitrary = (criticalities: readonly Criticality[] = CRITICALITIES): fc.Arbitrary<SchedulerPlan> =>
  fc.tuple(fc.array(streamArbitrary(criticalities), { minLength: 1, maxLength: 5, size: 'max' }), preemption).map(([rows, kind]) => ({
    ...PLAN_DEFAULTS,
    preemption: kind,
    servers: rows.flatMap(({ criticality, server }, index) =>
      server === undefined || criticality === 'safety'
        ? []
        : [
            {
              id: `server ${index}`,
              streams: [`s${index}`],
              budgetUs: durationUs(server.budgetUs),
              periodUs: durationUs(server.budgetUs + server.idleUs),
            },
          ],
    ),
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
        ...(row.isTalk ? { tokens: row.tokens } : {}),
      }),
    ),
    models: rows.map((row, index) => ({
      model: `m${index}`,
      ...coresOf(row),
      costUs: durationUs(row.costUs),
      ...(row.isTalk ? { steps: tokensOf(row) } : row.blocks === 1 ? {} : { steps: blocksOf(row) }),
    })),
  }));

/** Each job on one core. */
export const withoutGangs = (plan: SchedulerPlan): SchedulerPlan => ({
  ...plan,
  models: plan.models.map(({ split: _, ...row }) => {
    const isStateful = plan.streams.some(({ model, isStateful: has }) => has && model === row.model);
    return isStateful ? { ...row, cores: row.cores.slice(0, 1) } : row;
  }),
});

/** Every network that keeps no state is the first one's, each stream with a row of it on the cores where its own was. */
export function withShares(plan: SchedulerPlan): SchedulerPlan {
  const rowOf = ({ model }: Stream) => plan.models.find((row) => row.model === model);
  const alike = plan.streams.filter((stream) => !stream.isStateful && rowOf(stream)?.steps?.kind !== 'tokens');
  const [first] = alike;
  if (first === undefined) return plan;
  const model = rowOf(first);
  return {
    ...plan,
    streams: plan.streams.map((stream) => (alike.includes(stream) ? { ...stream, model: first.model } : stream)),
    models: plan.streams.flatMap((stream) => {
      const row = rowOf(stream);
      if (row === undefined || !alike.includes(stream)) return row ?? [];
      const { steps: _, ...place } = row;
      return { ...place, ...(model?.steps === undefined ? {} : { steps: model.steps }), model: first.model, streams: [stream.id] };
    }),
  };
}

/** Every stream that keeps no state has a variant of half the cost, and there is something to give up in three modes. */
export function withModes(plan: SchedulerPlan): SchedulerPlan {
  const stateless = plan.streams.filter(({ isStateful }) => !isStateful);
  const rowOf = (stream: Stream) => rowFor(plan.models, stream.model, stream.id);
  return {
    ...plan,
    models: [
      ...plan.models,
      ...stateless.map((stream, index) => ({
        model: `v${stream.id}`,
        cores: rowOf(stream)?.cores ?? [0],
        costUs: durationUs(Math.ceil((rowOf(stream)?.costUs ?? 2) / (index + 2))),
        ...tokensLike(rowOf(stream)?.steps),
      })),
    ],
    variants: stateless.map(({ id }, index) => ({ stream: id, model: `v${id}`, isAlike: index % 2 === 0 })),
    modes: [
      { mode: 'hot', streams: stateless.map(({ id }, index) => ({ stream: id, model: index === 0 ? null : `v${id}` })) },
      { mode: 'bandwidth-short', streams: stateless.slice(1).map(({ id }) => ({ stream: id, model: `v${id}` })) },
      {
        mode: 'safe',
        streams: plan.streams.filter(({ criticality }) => criticality !== 'safety').map(({ id }) => ({ stream: id, model: null })),
      },
    ],
    settleUs: durationUs(20_000),
  };
}

const tokensLike = (steps: StepPlan | undefined) => (steps?.kind === 'tokens' ? { steps } : {});

/** A gang of up to as many as it has; one with a state has no others. */
function coresOf({ home, spares, isStateful, split }: { home: number; spares: number; isStateful: boolean; split: number }) {
  const width = isStateful ? split : Math.min(split, spares + 1);
  const count = isStateful ? split : spares + 1;
  const cores = Array.from({ length: count }, (_, n) => (home + n) % 3);
  return width === 1 ? { cores } : { cores, split: width };
}

const blocksOf = ({ blocks, switchUs, isKept }: { blocks: number; switchUs: number; isKept: boolean }): StepPlan => ({
  kind: 'blocks',
  shares: Array.from({ length: blocks }, () => 1 / blocks),
  switchUs: Array.from({ length: blocks - 1 }, () => durationUs(switchUs)),
  ...(isKept ? { isKept } : {}),
});

const tokensOf = ({
  blocks,
  costUs,
  switchUs,
  turnsMax,
}: {
  blocks: number;
  costUs: number;
  switchUs: number;
  turnsMax: number;
}): StepPlan => ({
  kind: 'tokens',
  chunkTokens: CHUNK_TOKENS,
  chunkUs: durationUs(costUs),
  burstTokens: blocks,
  switchUs: durationUs(switchUs),
  turnsMax,
});

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
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), afterUs, nth }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('timer' as const), afterUs }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('mode' as const), afterUs, mode: fc.constantFrom(...MODES) }) },
  ),
  { minLength: 1, maxLength: 150, size: 'max' },
);

/** By its leading core. */
interface Running {
  readonly job: JobId;
  readonly model: string;
  readonly cores: readonly CoreId[];
  readonly from: number;
  readonly steps: number;
}

/** A legal run made of pokes, then stopped and let end; `see` is told of every step as it happens. */
export function poke(plan: SchedulerPlan, pokes: readonly Poke[], see: (step: Step) => void): readonly Step[] {
  const state = createScheduler(plan);
  const steps: Step[] = [];
  const running = new Map<CoreId, Running>();
  const modelOf = new Map<JobId, string>();
  /** What pipelines would make jobs for. */
  const served = new Map<string, string>();
  const isAsked = new Set<JobId>();
  const decoding: JobId[] = [];
  const turns = new Map<JobId, Turn>();
  const ended = new Set<JobId>();
  let at = 0;
  let nextJob = 1;
  const tell = (event: Event): void => {
    const record = { event, decisions: step(state, event) };
    steps.push(record);
    see(record);
    if (event.kind === 'arrived') modelOf.set(event.job.id, event.job.model);
    for (const decision of record.decisions) {
      if (decision.kind === 'start') {
        const { core: on, others = [], job, segment = { from: 0, steps: 1 } } = decision;
        running.set(on, { job, model: decision.model ?? modelOf.get(job) ?? '', cores: [on, ...others], ...segment });
        isAsked.delete(job);
      } else if (decision.kind === 'end') ended.add(decision.job);
      else if (decision.kind === 'yield' || decision.kind === 'abort') isAsked.add(decision.job);
      else if (decision.kind === 'variant' && decision.model !== null) served.set(decision.stream, decision.model);
    }
  };
  const finish = (id: CoreId, kind: 'finish' | 'fail'): void => {
    const run = running.get(id);
    if (run === undefined) return;
    const { job, model, from, steps: granted } = run;
    running.delete(id);
    if (kind === 'fail') return tell({ kind: 'segment-failed', at: instantUs(at), core: id, job, reason: 'non-finite' });
    const plannedSteps = plan.models.find((row) => row.model === model)?.steps;
    const turn = turns.get(job);
    const chunks = Math.ceil((turn?.promptTokens ?? 0) / CHUNK_TOKENS);
    const count = plannedSteps?.kind === 'blocks' ? plannedSteps.shares.length : turn === undefined ? 1 : chunks + turn.tokensMax - 1;
    // One that was asked to leave off may have done so at once, and a model may end an answer early.
    const ran = isAsked.has(job) ? job % (granted + 1) : granted;
    const isLast = from + ran === count || (turn !== undefined && from + ran >= chunks + (job % 7));
    if (isLast) decoding.push(job);
    const progress = count === 1 && isLast ? {} : { progress: { steps: ran, isLast } };
    tell({ kind: 'segment-done', at: instantUs(at), core: id, job, ranUs: durationUs(1), ...progress });
  };
  const decode = (index: number, kind: 'decode' | 'spoil'): void => {
    const [job] = decoding.splice(index % Math.max(1, decoding.length), 1);
    // One that was cancelled has ended.
    if (job !== undefined && !ended.has(job)) tell({ kind: kind === 'decode' ? 'decoded' : 'decode-failed', at: instantUs(at), job });
  };
  const modelsOf = (id: CoreId): string[] => plan.models.filter((row) => row.cores.includes(id)).map((row) => row.model);

  for (const each of pokes) {
    at += each.afterUs;
    if (each.kind === 'arrive') {
      const stream = plan.streams[each.stream % plan.streams.length];
      if (stream === undefined) continue;
      const capturedAt = instantUs(at - each.ageUs);
      const deadlineAt = instantUs(capturedAt + stream.deadlineUs);
      const model = served.get(stream.id) ?? stream.model;
      const job = { id: nextJob++, stream: stream.id, model, capturedAt, deadlineAt };
      if (plan.models.find((row) => row.model === model)?.steps?.kind !== 'tokens') {
        tell({ kind: 'arrived', at: instantUs(at), job });
        continue;
      }
      const turn = { promptTokens: 1 + (each.ageUs % 350), tokensMax: 1 + (each.ageUs % 13) };
      turns.set(job.id, turn);
      tell({ kind: 'arrived', at: instantUs(at), job: { ...job, turn } });
    } else if (each.kind === 'cancel') tell({ kind: 'cancel', at: instantUs(at), job: Math.max(1, nextJob - 1 - each.nth) });
    else if (each.kind === 'finish' || each.kind === 'fail') finish(each.core, each.kind);
    else if ('nth' in each) decode(each.nth, each.kind);
    else if (each.kind === 'mode') tell({ kind: 'mode', at: instantUs(at), mode: each.mode });
    else if (each.kind === 'timer') tell({ kind: 'timer', at: instantUs(at) });
    else if (each.kind === 'raise') tell({ kind: 'core-back', at: instantUs(at), core: each.core, models: modelsOf(each.core) });
    else {
      for (const [lead, { cores }] of running) if (cores.includes(each.core)) running.delete(lead);
      tell({ kind: 'core-lost', at: instantUs(at), core: each.core, reason: 'core-crashed' });
    }
  }
  tell({ kind: 'stopping', at: instantUs(at) });
  for (const id of plan.cores) finish(id, 'finish');
  while (decoding.length > 0) decode(0, 'decode');
  return steps;
}
