import { describe, expect, it } from 'vitest';
import type { Frame, TurnPayload } from '../../../src/core/frame.ts';
import type { JobId, Turn } from '../../../src/core/job.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import type { FrameResult } from '../../../src/pipeline/pipeline.ts';
import { TurnPipeline, type TurnPipelineOptions } from '../../../src/pipeline/turn-pipeline.ts';
import { createPipelineRig, modelOf, RecordingDesk, streamOf } from '../../support/pipeline-rig.ts';

/** Writes down who is called off; the test lets them end. */
class TurnDeskRecorder extends RecordingDesk {
  readonly cancelled: JobId[] = [];
  lossCount = 0;

  cancel(job: JobId): void {
    this.cancelled.push(job);
  }

  job(index: number): { readonly id: JobId; readonly turn: Turn | undefined } | undefined {
    const job = this.submitted[index]?.job;
    return job === undefined ? undefined : { id: job.id, turn: job.turn };
  }
}

function createRig(options: Partial<TurnPipelineOptions> = {}, arenaBytes?: number) {
  const rig = createPipelineRig(arenaBytes);
  const desk = new TurnDeskRecorder();
  const answers = new Map<JobId, number>();
  const pipeline = new TurnPipeline(
    {
      stream: streamOf({ id: 'chat', model: 'talker', criticality: 'interactive', freshness: { kind: 'queue', jobsMax: 2 }, tokens: {} }),
      model: modelOf({ id: 'talker' }),
      staleAfterUs: durationFromMs(500),
      ...{ tokensMax: 100, breaksIn: false, contextTokens: 1000 },
      ...options,
    },
    { clock: rig.clock, desk, memory: rig.memory, answers },
  );
  const results: FrameResult[] = [];
  pipeline.results.subscribe((result) => results.push(result));
  let sequence = 0;
  const say = (promptTokens: number, { answerTokens = 40, isFollowUp = false } = {}): void => {
    const payload: TurnPayload = { kind: 'turn', promptTokens, answerTokens, isFollowUp };
    sequence += 1;
    pipeline.accept({ source: 'talk', sequence, capturedAt: rig.clock.now(), payload });
  };
  return { ...rig, desk, answers, pipeline, results, say };
}

const FOLLOW = { isFollowUp: true };

describe('a pipeline of turns', () => {
  it('makes a job of a turn, whose length only those learn who answer it', () => {
    const { desk, say, answers, results } = createRig();
    say(300);
    expect(desk.job(0)).toEqual({ id: 1, turn: { promptTokens: 300, tokensMax: 100 } });
    expect(JSON.stringify(desk.submitted[0]?.job)).not.toContain('40');
    expect(answers.get(1)).toBe(40);
    desk.finish(0);
    expect(results.map(({ result }) => [result.sequence, result.isLate, result.items])).toEqual([[1, false, []]]);
    expect(answers.size).toBe(0);
  });

  it('cuts an answer off where it has to', () => {
    const { say, answers } = createRig();
    say(300, { answerTokens: 5_000 });
    expect(answers.get(1)).toBe(100);
  });

  it('lets conversations of their own go on side by side', () => {
    const { desk, say } = createRig();
    say(300);
    say(200);
    expect([desk.job(0)?.turn, desk.job(1)?.turn]).toEqual([
      { promptTokens: 300, tokensMax: 100 },
      { promptTokens: 200, tokensMax: 100 },
    ]);
  });

  it('goes on with a conversation when its turn has ended, and need not read again what was said', () => {
    const { desk, say } = createRig();
    say(300);
    say(20, FOLLOW);
    expect(desk.submitted).toHaveLength(1);
    desk.finish(0);
    expect(desk.job(1)).toEqual({ id: 2, turn: { promptTokens: 20, pastTokens: 340, tokensMax: 100 } });
    desk.finish(1);
    say(10, FOLLOW);
    expect(desk.job(2)?.turn).toEqual({ promptTokens: 10, pastTokens: 400, tokensMax: 100 });
  });

  it('reads everything again when a core was lost meanwhile', () => {
    const { desk, say } = createRig();
    say(300);
    desk.finish(0);
    desk.lossCount += 1;
    say(20, FOLLOW);
    expect(desk.job(1)?.turn).toEqual({ promptTokens: 360, tokensMax: 100 });
    desk.finish(1);
    say(20, FOLLOW);
    expect(desk.job(2)?.turn).toEqual({ promptTokens: 20, pastTokens: 400, tokensMax: 100 });
  });

  it('forgets a turn that was not answered, and does not trust the cache of one that failed', () => {
    const { desk, say } = createRig();
    say(300);
    desk.finish(0);
    say(50, FOLLOW);
    desk.finish(1, [], { kind: 'dropped', reason: 'infeasible' });
    say(20, FOLLOW);
    expect(desk.job(2)?.turn).toEqual({ promptTokens: 20, pastTokens: 340, tokensMax: 100 });
    desk.finish(2, [], { kind: 'failed', reason: 'core-crashed' });
    say(10, FOLLOW);
    expect(desk.job(3)?.turn).toEqual({ promptTokens: 350, tokensMax: 100 });
  });

  it('begins anew when the conversation no longer fits into the context', () => {
    const { desk, say } = createRig();
    say(600);
    desk.finish(0);
    say(260, FOLLOW);
    expect(desk.job(1)?.turn).toEqual({ promptTokens: 260, pastTokens: 640, tokensMax: 100 });
    desk.finish(1);
    say(1, FOLLOW);
    expect(desk.job(2)?.turn).toEqual({ promptTokens: 1, tokensMax: 100 });
  });

  it('keeps as many that wait for their conversation as the queue may hold, the newest', () => {
    const { desk, say } = createRig();
    say(300);
    for (const prompt of [1, 2, 3]) say(prompt, FOLLOW);
    expect([...desk.ended]).toEqual([[2, { kind: 'dropped', reason: 'queue-full' }]]);
    desk.finish(0);
    expect(desk.job(1)?.turn?.promptTokens).toBe(2);
  });

  it('breaks in where it is told to: what waits is dropped, what is answered is called off', () => {
    const { desk, say } = createRig({ breaksIn: true });
    say(300);
    say(20, FOLLOW);
    expect(desk.cancelled).toEqual([1]);
    say(30, FOLLOW);
    expect(desk.ended.get(2)).toEqual({ kind: 'dropped', reason: 'cancelled' });
    desk.finish(0, [], { kind: 'dropped', reason: 'cancelled' });
    expect(desk.job(1)).toEqual({ id: 3, turn: { promptTokens: 30, tokensMax: 100 } });
    say(40);
    expect(desk.cancelled).toEqual([1, 1, 3]);
    expect(desk.submitted).toHaveLength(3);
  });

  it('takes nothing that is stale, no turn or not served, and nothing after it was stopped', () => {
    const { desk, say, pipeline, clock, image } = createRig();
    const late: Frame = { source: 'talk', sequence: 1, capturedAt: instantUs(0), payload: { kind: 'empty' } };
    clock.runUntil(instantUs(1_000_000));
    pipeline.accept(late);
    pipeline.accept(image());
    desk.served = null;
    say(1);
    desk.served = undefined;
    say(2);
    say(3, FOLLOW);
    pipeline.stop();
    say(4);
    pipeline.flush();
    expect([...desk.ended.values()]).toEqual([
      { kind: 'rejected', reason: 'stale' },
      { kind: 'failed', reason: 'prepare-error' },
      { kind: 'dropped', reason: 'shed' },
      { kind: 'dropped', reason: 'stopping' },
      { kind: 'rejected', reason: 'stopping' },
    ]);
    expect(desk.submitted).toHaveLength(1);
  });

  it('runs the variant that serves, and gives all memory back, also where there is too little', () => {
    const { desk, say, memory } = createRig({}, 3 * 2048);
    desk.served = 'small-talker';
    say(1);
    expect(desk.submitted[0]?.job.model).toBe('small-talker');
    for (let more = 0; more < 9; more += 1) say(1);
    expect(desk.ended.get(10)).toEqual({ kind: 'rejected', reason: 'no-memory' });
    for (const index of desk.submitted.keys()) desk.finish(index, [], { kind: 'dropped', reason: 'cancelled' });
    expect(memory.usedBytes).toBe(0);
  });
});
