import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import type { Event } from '../../../src/core/event.ts';
import { instantUs } from '../../../src/core/units.ts';
import { canonicalJson } from '../../../src/telemetry/canonical-json.ts';
import { createDecisionLog, type DecisionLogTrouble } from '../../../src/telemetry/decision-log.ts';
import { replayDecisions } from '../../../src/telemetry/decision-replay.ts';

const timer = (at: number): Event => ({ kind: 'timer', at: instantUs(at) });
const wake = (at: number): Decision[] => [{ kind: 'timer', wakeAt: instantUs(at) }];
const options = { plan: { b: 1, a: [2] }, seed: 7 };

describe('canonical JSON', () => {
  it('sorts keys at every depth and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [{ d: null, c: 'ä"' }], a: undefined, B: 1.5, A: true })).toBe(
      '{"A":true,"B":1.5,"b":[{"c":"ä\\"","d":null}]}',
    );
  });

  it('refuses numbers that JSON cannot hold', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => canonicalJson({ value })).toThrow(/finite/);
  });
});

describe('a decision log', () => {
  it('writes a header, then one line per step, keys sorted, in whole lines', async () => {
    const texts: string[] = [];
    const log = createDecisionLog(options, { write: async (text) => void texts.push(text) });
    log.record(timer(1), wake(5));
    log.record(timer(5), []);
    await log.flush();
    expect(texts.join('')).toBe(
      '{"format":"coxswain-decisions","plan":{"a":[2],"b":1},"seed":7,"version":1}\n' +
        '{"decisions":[{"kind":"timer","wakeAt":5}],"event":{"at":1,"kind":"timer"}}\n' +
        '{"decisions":[],"event":{"at":5,"kind":"timer"}}\n',
    );
    expect(log.stats()).toEqual({ lines: 3, linesDropped: 0, writeErrors: 0, listenerErrors: 0 });
  });

  it('never calls its sink inside record, and only once at a time', async () => {
    let calls = 0;
    let underWay = 0;
    const log = createDecisionLog(options, {
      write: async () => {
        calls += 1;
        underWay += 1;
        expect(underWay).toBe(1);
        await Promise.resolve();
        underWay -= 1;
      },
    });
    log.record(timer(1), []);
    expect(calls).toBe(0);
    await Promise.resolve();
    for (let n = 2; n < 50; n += 1) log.record(timer(n), []);
    await log.flush();
    expect(calls).toBe(2);
  });

  it('drops lines past its bound while the sink is slow, says so once, and marks the gap', async () => {
    const texts: string[] = [];
    const troubles: DecisionLogTrouble[] = [];
    let release: () => void = () => undefined;
    const log = createDecisionLog(
      { ...options, bufferCharsMax: 120 },
      {
        write: (text) => {
          texts.push(text);
          return new Promise((resolve) => {
            release = resolve;
          });
        },
        onTrouble: (trouble) => troubles.push(trouble),
      },
    );
    await Promise.resolve();
    for (let n = 1; n <= 10; n += 1) log.record(timer(n), []);
    expect(log.stats()).toMatchObject({ lines: 11, linesDropped: 8 });
    expect(troubles).toHaveLength(1);
    expect(troubles[0]?.cause).toBeUndefined();
    release();
    await new Promise(setImmediate);
    log.record(timer(11), []);
    release();
    await new Promise(setImmediate);
    release();
    await log.flush();
    const ats = texts.join('').match(/"at":\d+|"gap":\d+/g);
    expect(ats).toEqual(['"at":1', '"at":2', '"gap":8', '"at":11']);
  });

  it('survives a sink that fails: the batch is lost and counted, the gap stands before what came after, and it goes on', async () => {
    const texts: string[] = [];
    const causes: unknown[] = [];
    let fails = true;
    const log = createDecisionLog(options, {
      write: async (text) => {
        await Promise.resolve();
        if (fails) throw new Error('ENOSPC');
        texts.push(text);
      },
      onTrouble: ({ cause }) => causes.push(cause),
    });
    await Promise.resolve();
    await Promise.resolve();
    log.record(timer(1), []);
    await log.flush();
    fails = false;
    log.record(timer(2), []);
    await log.flush();
    expect(log.stats()).toMatchObject({ lines: 3, linesDropped: 2, writeErrors: causes.length });
    expect(causes[0]).toMatchObject({ message: 'ENOSPC' });
    const gaps = [...texts.join('').matchAll(/"gap":(\d+)/g)].map((match) => Number(match[1]));
    expect(gaps.length).toBeGreaterThan(0);
    expect(texts.join('').trimEnd().split('\n').at(-1)).toContain('"at":2');
  });

  it('survives a listener that throws', async () => {
    const log = createDecisionLog(options, {
      write: () => Promise.reject(new Error('EIO')),
      onTrouble: () => {
        throw new Error('listener');
      },
    });
    await log.flush();
    expect(log.stats()).toMatchObject({ writeErrors: 1, listenerErrors: 1 });
  });
});

describe('a replay', () => {
  const header = '{"format":"coxswain-decisions","plan":{"step":10},"seed":7,"version":1}';
  const line = (at: number, wakeAt: number): string =>
    `{"decisions":[{"kind":"timer","wakeAt":${wakeAt}}],"event":{"at":${at},"kind":"timer"}}`;
  /** Wakes `plan.step` later; refuses time 666. */
  const stepper = (plan: unknown) => (event: Event) => {
    if (event.at === 666) throw new Error('no');
    return wake(event.at + (plan as { step: number }).step);
  };

  it('of an honest log is the same', () => {
    expect(replayDecisions([header, line(1, 11), line(2, 12), ''], stepper)).toEqual({ same: true, events: 2 });
  });

  it('tells the first line that differs', () => {
    expect(replayDecisions([header, line(1, 11), line(2, 13), line(3, 13)], stepper)).toEqual({
      same: false,
      events: 1,
      firstDifference: { line: 3, kind: 'decisions', logged: line(2, 13), replayed: line(2, 12) },
    });
  });

  it.each([
    ['an empty log', [], 'header', 1],
    ['another format', ['{"format":"other","version":1,"plan":{}}'], 'header', 1],
    ['a later version', [header.replace('"version":1', '"version":2')], 'header', 1],
    ['a gap', [header, line(1, 11), '{"gap":3}', line(9, 19)], 'gap', 3],
    ['an unreadable line in the middle', [header, '{"eve', line(1, 11)], 'unreadable', 2],
    ['an event that the scheduler refuses', [header, line(666, 1)], 'assertion', 2],
  ])('finds %s', (_name, lines, kind, at) => {
    expect(replayDecisions(lines, stepper)).toMatchObject({ same: false, firstDifference: { kind, line: at } });
  });

  it('passes over a torn last line', () => {
    expect(replayDecisions([header, line(1, 11), '{"decisions":[{"ki'], stepper)).toEqual({ same: true, events: 1 });
  });
});
