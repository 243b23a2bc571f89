import { describe, expect, it } from 'vitest';
import type { ResultItem } from '../../../src/core/result.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { AudioPipeline } from '../../../src/pipeline/audio-pipeline.ts';
import type { FrameResult } from '../../../src/pipeline/pipeline.ts';
import type { AudioCoder } from '../../../src/pipeline/work.ts';
import { createPipelineRig, modelOf, streamOf } from '../../support/pipeline-rig.ts';

const speech = (score: number): ResultItem => ({ kind: 'speech', label: 'speech', score, isSpeech: true });

/** A codec that writes down which windows it heard of, in order; a skipped window gives an item when the test wants one. */
function createRig(arenaBytes?: number) {
  const rig = createPipelineRig(arenaBytes);
  const heard: string[] = [];
  let itemOfSkip: ResultItem | undefined;
  const coder: AudioCoder = {
    windowSamples: 512,
    encode: (window) => heard.push(`encode ${window[0]}`),
    decode(window) {
      heard.push(`decode ${window[0]}`);
      return [speech(0.5)];
    },
    skip(window) {
      heard.push(`skip ${window[0]}`);
      return itemOfSkip === undefined ? [] : [itemOfSkip];
    },
    flush() {
      heard.push('flush');
      return [speech(0.7)];
    },
  };
  const pipeline = new AudioPipeline(
    {
      stream: streamOf({ id: 'speech', model: 'vad', isStateful: true, freshness: { kind: 'queue', jobsMax: 8 } }),
      model: modelOf({ id: 'vad' }),
      staleAfterUs: durationFromMs(200),
    },
    { clock: rig.clock, desk: rig.desk, memory: rig.memory, coder },
  );
  const results: FrameResult[] = [];
  pipeline.results.subscribe((result) => results.push(result));
  const run = (index: number): void => {
    let items: readonly ResultItem[] = [];
    rig.desk.submitted[index]?.decode([], {
      decoded(answer) {
        if (answer instanceof Error) throw answer;
        items = answer;
      },
    });
    rig.desk.finish(index, items);
  };
  return { ...rig, heard, pipeline, results, run, skipGives: (item: ResultItem) => (itemOfSkip = item) };
}

describe('AudioPipeline', () => {
  it('submits every window at once and decodes them in order', () => {
    const { desk, audio, hand, heard, pipeline, results, run } = createRig();
    for (let n = 0; n < 3; n += 1) hand(pipeline, audio());
    expect(desk.submitted).toHaveLength(3);
    for (let n = 0; n < 3; n += 1) run(n);
    expect(heard).toEqual(['encode 1', 'encode 2', 'encode 3', 'decode 1', 'decode 2', 'decode 3']);
    expect(results.map(({ result }) => result.sequence)).toEqual([1, 2, 3]);
  });

  it('tells the codec of a dropped window only when the windows before it are through', () => {
    const { desk, audio, hand, heard, pipeline, run } = createRig();
    for (let n = 0; n < 3; n += 1) hand(pipeline, audio());
    heard.length = 0;
    desk.finish(1, [], { kind: 'dropped', reason: 'infeasible' });
    expect(heard).toEqual([]);
    run(0);
    run(2);
    expect(heard).toEqual(['decode 1', 'skip 2', 'decode 3']);
  });

  it('passes on what a skipped window closed', () => {
    const { desk, audio, hand, pipeline, results, skipGives } = createRig();
    skipGives(speech(0.1));
    hand(pipeline, audio());
    desk.finish(0, [], { kind: 'failed', reason: 'core-crashed' });
    expect(results.map(({ result }) => result.items)).toEqual([[speech(0.1)]]);
  });

  it('gives all memory back, whatever became of the windows', () => {
    const { memory, desk, audio, hand, pipeline, run } = createRig();
    for (let n = 0; n < 3; n += 1) hand(pipeline, audio());
    run(0);
    desk.finish(1, [], { kind: 'dropped', reason: 'stopping' });
    run(2);
    expect(memory.usedBytes).toBe(0);
  });

  it('rejects a window without memory for it, and the codec hears of that too', () => {
    const { desk, audio, hand, heard, pipeline } = createRig(64);
    hand(pipeline, audio());
    expect(desk.ended.get(1)).toEqual({ kind: 'rejected', reason: 'no-memory' });
    expect(heard).toEqual(['skip 1']);
  });

  it('refuses a window of another length, and pictures', () => {
    const { desk, audio, image, hand, heard, pipeline } = createRig();
    hand(pipeline, audio(511));
    hand(pipeline, image());
    expect([...desk.ended.values()]).toEqual([
      { kind: 'failed', reason: 'prepare-error' },
      { kind: 'failed', reason: 'prepare-error' },
    ]);
    expect(heard).toEqual([]);
  });

  it('lets out what the codec holds when the sound breaks off, behind the windows still under way, and once', () => {
    const { audio, hand, heard, pipeline, results, run } = createRig();
    hand(pipeline, audio());
    hand(pipeline, audio());
    run(0);
    pipeline.flush();
    heard.length = 0;
    run(1);
    pipeline.flush();
    expect(heard).toEqual(['decode 2', 'flush']);
    expect(results.at(-1)?.result).toMatchObject({ sequence: 2, items: [speech(0.7)] });
  });

  it('lets it out behind a window that was skipped, too', () => {
    const { desk, audio, hand, heard, pipeline } = createRig();
    hand(pipeline, audio());
    pipeline.flush();
    desk.finish(0, [], { kind: 'dropped', reason: 'infeasible' });
    expect(heard).toEqual(['encode 1', 'skip 1', 'flush']);
  });

  it('rejects what comes after the stop', () => {
    const { desk, audio, hand, pipeline } = createRig();
    pipeline.stop();
    hand(pipeline, audio());
    expect(desk.ended.get(1)).toEqual({ kind: 'rejected', reason: 'stopping' });
  });
});
