import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { instantUs } from '../../../src/core/units.ts';
import type { Decode, ImageCoder } from '../../../src/pipeline/work.ts';
import { createHostTimedCoder } from '../../../src/runtime/host-timed-coder.ts';
import { RealWork } from '../../../src/runtime/real-work.ts';

/** A coder whose answers the test gives. */
function rig() {
  const clock = new SimClock();
  const work = new RealWork();
  let encoded: ((answer: Decode | Error) => void) | undefined;
  const coder: ImageCoder = {
    encode: (_payload, _input, _deadlineAt, onEnd) => {
      encoded = onEnd;
    },
  };
  const timed = createHostTimedCoder(coder, { clock, work, host: { prepareUs: 1000, decodeUs: 500 } });
  const told: { readonly what: Decode | Error; readonly at: number }[] = [];
  const region = { offsetBytes: 0, byteLength: 4 };
  timed.encode({ kind: 'empty' }, region, instantUs(9000), (what) => told.push({ what, at: clock.now() }));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { clock, work, told, turn, encoded: (answer: Decode | Error) => encoded?.(answer) };
}

describe('a coder in the time of a simulated host', () => {
  it('holds time up for a frame that takes longer for real, and for no other', async () => {
    const { clock, work, told, turn, encoded } = rig();
    expect(work.before(instantUs(999))).toBeUndefined();
    expect(work.before(instantUs(1000))).toBeDefined();
    encoded((_outputs, listener) => listener.decoded([]));
    await turn();
    expect(work.before(instantUs(1000))).toBeUndefined();
    expect(told).toEqual([]);
    clock.runUntil(instantUs(1000));
    expect(told).toMatchObject([{ at: 1000 }]);
  });

  it('takes the host time again to read outputs', async () => {
    const { clock, work, told, turn, encoded } = rig();
    let read: (() => void) | undefined;
    const item = { kind: 'object', label: 'person', score: 1, box: { x: 0, y: 0, width: 1, height: 1 } } as const;
    encoded((_outputs, listener) => {
      read = () => listener.decoded([item]);
    });
    await turn();
    clock.runUntil(instantUs(1000));
    const decode = told[0]?.what;
    if (decode === undefined || decode instanceof Error) throw new Error('the frame was encoded');
    const answers: unknown[] = [];
    decode([], { decoded: (answer) => void answers.push([answer, clock.now()]) });
    expect(work.before(instantUs(1499))).toBeUndefined();
    expect(work.before(instantUs(1500))).toBeDefined();
    read?.();
    await turn();
    clock.runUntil(instantUs(2000));
    expect(answers).toEqual([[[item], 1500]]);
  });

  it('tells of a frame that could not be encoded when it would have been', async () => {
    const { clock, told, turn, encoded } = rig();
    encoded(new Error('no such thing'));
    await turn();
    clock.runUntil(instantUs(5000));
    expect(told).toEqual([{ what: new Error('no such thing'), at: 1000 }]);
  });
});
