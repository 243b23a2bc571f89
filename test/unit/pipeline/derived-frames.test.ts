import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame, Quad } from '../../../src/core/frame.ts';
import type { ResultItem } from '../../../src/core/result.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { derivedFrames } from '../../../src/pipeline/derived-frames.ts';
import type { FrameResult } from '../../../src/pipeline/pipeline.ts';
import { face } from '../../support/pipeline-rig.ts';

const quad = (x: number): Quad => [
  { x, y: 0 },
  { x: x + 1, y: 0 },
  { x: x + 1, y: 1 },
  { x, y: 1 },
];
const textBox = (x: number, score: number): ResultItem => ({ kind: 'text-box', label: 'text-box', score, quad: quad(x) });

function resultOf(items: readonly ResultItem[], payload?: Frame['payload']): FrameResult {
  const frame: Frame = {
    source: 'front',
    sequence: 7,
    capturedAt: instantUs(5),
    payload: payload ?? { kind: 'image', region: { offsetBytes: 64, byteLength: 300 }, width: 10, height: 10 },
  };
  return {
    frame,
    result: {
      pipeline: 'signs',
      job: 1,
      source: 'front',
      sequence: 7,
      capturedAt: frame.capturedAt,
      model: 'det',
      ageUs: durationUs(9),
      isLate: false,
      items,
    },
  };
}

function derive(itemsMax: number, ...results: FrameResult[]): Frame[] {
  const parent = new Subject<FrameResult>();
  const frames: Frame[] = [];
  derivedFrames(parent, { id: 'signs', itemsMax }).subscribe((frame) => frames.push(frame));
  for (const result of results) parent.next(result);
  return frames;
}

describe('derivedFrames', () => {
  it('makes one frame per item, best first, up to the bound, from the same pixels and instant', () => {
    const frames = derive(2, resultOf([textBox(1, 0.5), textBox(2, 0.9), textBox(3, 0.7)]));
    expect(frames.map(({ payload }) => (payload.kind === 'image' ? payload.crop?.[0].x : undefined))).toEqual([2, 3]);
    expect(frames.map(({ source, capturedAt }) => [source, capturedAt])).toEqual([
      ['signs', 5],
      ['signs', 5],
    ]);
  });

  it('numbers its frames in one rising sequence over all results', () => {
    const frames = derive(9, resultOf([textBox(1, 0.5), textBox(2, 0.4)]), resultOf([textBox(3, 0.9)]));
    expect(frames.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('takes the box of an object as outline, and nothing from items without one', () => {
    const line: ResultItem = { kind: 'line', label: 'line', score: 1, from: { x: 0, y: 0 }, to: { x: 1, y: 1 } };
    const [frame, ...others] = derive(9, resultOf([line, face]));
    expect(others).toEqual([]);
    expect(frame?.payload).toMatchObject({
      crop: [
        { x: 1, y: 2 },
        { x: 4, y: 2 },
        { x: 4, y: 6 },
        { x: 1, y: 6 },
      ],
    });
  });

  it('has nothing to derive from sound', () => {
    expect(derive(9, resultOf([textBox(1, 1)], { kind: 'audio', samples: new Float32Array(512) }))).toEqual([]);
  });
});
