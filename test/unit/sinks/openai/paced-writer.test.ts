import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import { durationFromMs } from '../../../../src/core/units.ts';
import { PacedWriter } from '../../../../src/sinks/openai/paced-writer.ts';

/** A reader that takes a slice when it is told to. */
function setUp(unreadBytesMax = 50_000) {
  const clock = new SimClock();
  const written: Buffer[] = [];
  const takes: (() => void)[] = [];
  const ends: string[] = [];
  const writer = new PacedWriter(
    { unreadBytesMax, stalledAfterUs: durationFromMs(1_000) },
    {
      clock,
      write: (bytes, onTaken) => {
        written.push(bytes);
        takes.push(onTaken);
      },
      finish: () => ends.push('finished'),
      onGivenUp: (why) => ends.push(why),
    },
  );
  return { clock, writer, written, ends, take: () => takes.shift()?.(), text: () => Buffer.concat(written).toString('utf8') };
}

describe('a writer at the pace of its reader', () => {
  it('writes at once while the reader reads, and everything in order', () => {
    const { writer, written, take, text, ends } = setUp();
    writer.push('a');
    take();
    writer.push('b');
    writer.push('c');
    writer.push('d');
    expect(written).toHaveLength(2);
    take();
    writer.end();
    take();
    expect(text()).toBe('abcd');
    expect([written.length, ends]).toEqual([3, ['finished']]);
  });

  it('cuts what is long into slices, between or within characters', () => {
    const { writer, written, take, text, ends } = setUp();
    const long = '打'.repeat(30_000);
    writer.push(long);
    writer.end();
    for (let index = 0; index < 10; index += 1) take();
    expect(text()).toBe(long);
    expect(Math.max(...written.map(({ length }) => length))).toBeLessThanOrEqual(16_384);
    expect(ends).toEqual(['finished']);
  });

  it('gives a reader up that leaves too much unread, at the bound and not before', () => {
    const { writer, ends } = setUp(100);
    writer.push('x'.repeat(60));
    writer.push('x'.repeat(40));
    expect([ends, writer.unreadBytes]).toEqual([[], 100]);
    writer.push('x');
    writer.push('x');
    expect([ends, writer.unreadBytes]).toEqual([['unread'], 0]);
  });

  it('gives a reader up that takes nothing for too long, and none that takes a little', () => {
    const { clock, writer, take, ends } = setUp();
    writer.push('x'.repeat(40_000));
    for (let index = 0; index < 2; index += 1) {
      clock.runFor(durationFromMs(900));
      take();
    }
    expect(ends).toEqual([]);
    clock.runFor(durationFromMs(1_001));
    expect(ends).toEqual(['stalled']);
  });

  it('waits for ever for something to write', () => {
    const { clock, writer, take, ends } = setUp();
    writer.push('x');
    take();
    clock.runFor(durationFromMs(100_000));
    expect(ends).toEqual([]);
  });
});
