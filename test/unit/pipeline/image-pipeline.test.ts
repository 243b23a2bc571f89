import { describe, expect, it } from 'vitest';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { ImagePipeline } from '../../../src/pipeline/image-pipeline.ts';
import type { FrameResult } from '../../../src/pipeline/pipeline.ts';
import type { ImageCoder } from '../../../src/pipeline/work.ts';
import { createPipelineRig, face, ManualCoder, modelOf, streamOf } from '../../support/pipeline-rig.ts';

function createRig(over: Parameters<typeof streamOf>[0] = {}, arenaBytes?: number) {
  const rig = createPipelineRig(arenaBytes);
  const coder = new ManualCoder();
  const pipeline = new ImagePipeline(
    { stream: streamOf(over), model: modelOf(), staleAfterUs: durationFromMs(200) },
    { clock: rig.clock, desk: rig.desk, memory: rig.memory, coder },
  );
  const results: FrameResult[] = [];
  pipeline.results.subscribe((result) => results.push(result));
  return { ...rig, coder, pipeline, results };
}

describe('ImagePipeline', () => {
  it('encodes a frame, submits its job with a deadline from capture, and gives the result with its age', () => {
    const { clock, desk, image, hand, coder, pipeline, results } = createRig();
    hand(pipeline, image());
    expect(desk.submitted).toEqual([]);
    coder.succeed(0);
    expect(desk.submitted[0]?.job).toMatchObject({ id: 1, stream: 'faces', capturedAt: 1_000_000, deadlineAt: 1_066_000 });
    clock.runFor(durationFromMs(12));
    desk.finish(0, [face]);
    expect(results).toHaveLength(1);
    expect(results[0]?.result).toMatchObject({ job: 1, sequence: 1, ageUs: 12_000, isLate: false, items: [face], model: 'blazeface' });
  });

  it('keeps only the newest frame that waits, and says so of the older one', () => {
    const { desk, image, hand, coder, pipeline } = createRig();
    for (let n = 0; n < 4; n += 1) hand(pipeline, image());
    expect([...desk.ended]).toEqual([
      [2, { kind: 'dropped', reason: 'superseded' }],
      [3, { kind: 'dropped', reason: 'superseded' }],
    ]);
    coder.succeed(0);
    coder.succeed(1);
    expect(desk.submitted.map(({ job }) => job.id)).toEqual([1, 4]);
  });

  it('encodes no third frame while one runs and one is ready behind it', () => {
    const { desk, image, hand, coder, pipeline } = createRig();
    hand(pipeline, image());
    coder.succeed(0);
    hand(pipeline, image());
    coder.succeed(1);
    hand(pipeline, image());
    expect(coder.calls).toHaveLength(2);
    desk.finish(0);
    expect(coder.calls).toHaveLength(3);
  });

  it('of a queue keeps as many as it holds, and drops the oldest when one more comes', () => {
    const { desk, image, hand, pipeline } = createRig({ freshness: { kind: 'queue', jobsMax: 2 } });
    for (let n = 0; n < 3; n += 1) hand(pipeline, image());
    expect([...desk.ended]).toEqual([]);
    hand(pipeline, image());
    expect([...desk.ended]).toEqual([[2, { kind: 'dropped', reason: 'queue-full' }]]);
  });

  it('holds the frame until its job has ended, and gives all memory back', () => {
    const { memory, desk, image, hand, coder, pipeline } = createRig();
    hand(pipeline, image());
    coder.succeed(0);
    expect(memory.regionCount).toBe(2);
    desk.finish(0, [], { kind: 'dropped', reason: 'infeasible' });
    expect(memory.usedBytes).toBe(0);
  });

  it('fails a frame whose encoding fails, gives its memory back and goes on with the next', () => {
    const { memory, desk, image, hand, coder, pipeline } = createRig();
    hand(pipeline, image());
    hand(pipeline, image());
    coder.fail(0);
    expect(desk.ended.get(1)).toEqual({ kind: 'failed', reason: 'prepare-error' });
    coder.succeed(1);
    desk.finish(0);
    expect(memory.usedBytes).toBe(0);
  });

  it('rejects a frame when there is no memory for its input, and takes the next when there is', () => {
    const { memory, desk, image, hand, coder, pipeline } = createRig({}, 2_400);
    const hog = memory.allocate(1_000);
    hand(pipeline, image());
    expect(desk.ended.get(1)).toEqual({ kind: 'rejected', reason: 'no-memory' });
    if (hog !== undefined) memory.release(hog);
    hand(pipeline, image());
    coder.succeed(0);
    expect(desk.submitted).toHaveLength(1);
  });

  it('rejects a frame that is older than it may be, but not one just as old', () => {
    const { clock, desk, image, hand, coder, pipeline } = createRig();
    hand(pipeline, image(instantUs(clock.now() - 200_001)));
    expect(desk.ended.get(1)).toEqual({ kind: 'rejected', reason: 'stale' });
    hand(pipeline, image(instantUs(clock.now() - 200_000)));
    expect(coder.calls).toHaveLength(1);
  });

  it('takes the answer of an encoder that has it at once, frame by frame', () => {
    const rig = createPipelineRig();
    const coder: ImageCoder = { encode: (_payload, _input, _deadlineAt, onEnd) => onEnd((_outputs, listener) => listener.decoded([])) };
    const pipeline = new ImagePipeline({ stream: streamOf(), model: modelOf(), staleAfterUs: durationFromMs(200) }, { ...rig, coder });
    for (let n = 0; n < 4; n += 1) rig.hand(pipeline, rig.image());
    expect(rig.desk.submitted.map(({ job }) => job.id)).toEqual([1, 2]);
    rig.desk.finish(0);
    expect(rig.desk.submitted.map(({ job }) => job.id)).toEqual([1, 2, 4]);
    rig.desk.finish(1);
    rig.desk.finish(2);
    expect(rig.memory.usedBytes).toBe(0);
  });

  it('refuses sound', () => {
    const { desk, audio, hand, pipeline } = createRig();
    hand(pipeline, audio());
    expect(desk.ended.get(1)).toEqual({ kind: 'failed', reason: 'prepare-error' });
  });

  it('at the stop drops what waits and rejects what comes, but lets running jobs end', () => {
    const { memory, desk, image, hand, coder, pipeline, results } = createRig();
    hand(pipeline, image());
    coder.succeed(0);
    hand(pipeline, image());
    hand(pipeline, image());
    pipeline.stop();
    hand(pipeline, image());
    coder.succeed(1);
    expect([...desk.ended]).toEqual([
      [3, { kind: 'dropped', reason: 'stopping' }],
      [4, { kind: 'rejected', reason: 'stopping' }],
    ]);
    desk.finish(0, [face]);
    desk.finish(1);
    expect(results).toHaveLength(2);
    expect(memory.usedBytes).toBe(0);
  });

  it('makes jobs for the variant that the desk asks for, and none while its stream is not served', () => {
    const rig = createPipelineRig();
    const [own, small] = [new ManualCoder(), new ManualCoder()];
    const variants = [{ model: { ...modelOf(), id: 'small' }, coder: small }];
    const pipeline = new ImagePipeline(
      { stream: streamOf(), model: modelOf(), staleAfterUs: durationFromMs(200) },
      { clock: rig.clock, desk: rig.desk, memory: rig.memory, coder: own, variants },
    );
    rig.desk.served = 'small';
    rig.hand(pipeline, rig.image());
    small.succeed(0);
    expect(rig.desk.submitted.map(({ job }) => job.model)).toEqual(['small']);
    rig.desk.served = null;
    rig.hand(pipeline, rig.image());
    expect(rig.desk.ended.get(2)).toEqual({ kind: 'dropped', reason: 'shed' });
    rig.desk.served = 'blazeface';
    rig.hand(pipeline, rig.image());
    own.succeed(0);
    expect(rig.desk.submitted.map(({ job }) => job.model)).toEqual(['small', 'blazeface']);
  });
});
