import { describe, expect, it } from 'vitest';
import type { Job } from '../../../src/core/job.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, step } from '../../../src/scheduler/scheduler.ts';

const stream = (id: string): Stream => ({
  id,
  model: id,
  criticality: 'safety',
  periodUs: durationFromMs(100),
  deadlineUs: durationFromMs(100),
  freshness: { kind: 'latest' },
  isStateful: false,
});
const job = (id: number, of: string, atMs: number): Job => ({
  id,
  stream: of,
  model: of,
  capturedAt: instantUs(atMs * 1000),
  deadlineAt: instantUs((atMs + 100) * 1000),
});

/** Two streams at home on core 0, with core 1 as their spare. */
function createRig() {
  const models = ['a', 'b'].map((model) => ({ model, cores: [0, 1], spares: [1], costUs: durationFromMs(10) }));
  const state = createScheduler({ ...PLAN_DEFAULTS, cores: [0, 1], streams: [stream('a'), stream('b')], models });
  const started = (event: Parameters<typeof step>[1]) =>
    step(state, event).flatMap((decision) => (decision.kind === 'start' ? [`${decision.job} on ${decision.core}`] : []));
  for (const core of [0, 1]) started({ kind: 'core-back', core, models: ['a', 'b'], at: instantUs(0) });
  return started;
}

describe('a spare core', () => {
  it('stays out of use while the home core serves, even when that is busy', () => {
    const started = createRig();
    expect(started({ kind: 'arrived', job: job(1, 'a', 1), at: instantUs(1_000) })).toEqual(['1 on 0']);
    expect(started({ kind: 'arrived', job: job(2, 'b', 2), at: instantUs(2_000) })).toEqual([]);
    expect(started({ kind: 'segment-done', core: 0, job: 1, ranUs: durationFromMs(10), at: instantUs(11_000) })).toEqual(['2 on 0']);
  });

  it('takes over what ran and what waits when the home core is lost, and steps back when it returns', () => {
    const started = createRig();
    started({ kind: 'arrived', job: job(1, 'a', 1), at: instantUs(1_000) });
    expect(started({ kind: 'core-lost', core: 0, reason: 'core-crashed', at: instantUs(5_000) })).toEqual(['1 on 1']);
    expect(started({ kind: 'arrived', job: job(2, 'b', 6), at: instantUs(6_000) })).toEqual([]);
    expect(started({ kind: 'segment-done', core: 1, job: 1, ranUs: durationFromMs(10), at: instantUs(15_000) })).toEqual(['2 on 1']);
    started({ kind: 'segment-done', core: 1, job: 2, ranUs: durationFromMs(10), at: instantUs(25_000) });
    started({ kind: 'core-back', core: 0, models: ['a', 'b'], at: instantUs(30_000) });
    expect(started({ kind: 'arrived', job: job(3, 'a', 101), at: instantUs(101_000) })).toEqual(['3 on 0']);
  });
});

/** Two streams of one model, each with a copy of its own and the other's to stand in. */
function createCopies() {
  const copy = (of: string, cores: readonly number[]) => ({
    ...{ model: 'detect', streams: [of], cores, spares: cores.slice(1), costUs: durationFromMs(10) },
  });
  const streams = ['a', 'b'].map((id) => ({ ...stream(id), model: 'detect' }));
  const plan = { ...PLAN_DEFAULTS, cores: [0, 1], streams, models: [copy('a', [0, 1]), copy('b', [1, 0])] };
  const state = createScheduler(plan);
  const started = (event: Parameters<typeof step>[1]) =>
    step(state, event).flatMap((decision) => (decision.kind === 'start' ? [`${decision.job} on ${decision.core}`] : []));
  for (const core of [0, 1]) started({ kind: 'core-back', core, models: ['detect'], at: instantUs(0) });
  const arrive = (id: number, of: string, atMs: number) =>
    started({ kind: 'arrived', job: { ...job(id, of, atMs), model: 'detect' }, at: instantUs(atMs * 1000) });
  return { plan, started, arrive };
}

describe('copies of a model', () => {
  it('serve their own streams, even when the other one has nothing to do', () => {
    const { started, arrive } = createCopies();
    expect(arrive(1, 'a', 1)).toEqual(['1 on 0']);
    expect(arrive(2, 'a', 2)).toEqual([]);
    expect(arrive(3, 'b', 3)).toEqual(['3 on 1']);
    expect(started({ kind: 'segment-done', core: 1, job: 3, ranUs: durationFromMs(10), at: instantUs(9_000) })).toEqual([]);
    expect(started({ kind: 'segment-done', core: 0, job: 1, ranUs: durationFromMs(10), at: instantUs(11_000) })).toEqual(['2 on 0']);
  });

  it('stand in for each other when a core is lost', () => {
    const { started, arrive } = createCopies();
    arrive(1, 'a', 1);
    expect(started({ kind: 'core-lost', core: 0, reason: 'core-crashed', at: instantUs(5_000) })).toEqual(['1 on 1']);
    expect(arrive(2, 'b', 6)).toEqual([]);
    expect(started({ kind: 'segment-done', core: 1, job: 1, ranUs: durationFromMs(10), at: instantUs(15_000) })).toEqual(['2 on 1']);
  });

  it('are each of other streams, and all streams have one', () => {
    const { plan } = createCopies();
    const [a, b] = plan.models;
    const withModels = (models: readonly unknown[]) => () => createScheduler({ ...plan, models: models as typeof plan.models });
    expect(withModels([a, b])).not.toThrow();
    expect(withModels([a, { ...b, streams: ['a', 'b'] }])).toThrow('each in one of them');
    expect(withModels([a, { ...b, streams: undefined }])).toThrow('each in one of them');
    expect(withModels([a, a])).toThrow('each in one of them');
    expect(withModels([a])).toThrow('the model of stream b is placed');
  });
});
