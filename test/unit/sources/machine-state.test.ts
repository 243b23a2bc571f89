import { describe, expect, it } from 'vitest';
import type { SignalSpec } from '../../../src/core/signal.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createMachineState } from '../../../src/sources/machine-state.ts';

const SIGNALS: readonly SignalSpec[] = [
  { name: 'speedKmh', about: '', type: 'number', min: 0, max: 300, unit: 'km/h' },
  { name: 'gear', about: '', type: 'enum', values: ['P', 'D'] },
  { name: 'isLocked', about: '', type: 'boolean' },
  { name: 'title', about: '', type: 'string', lengthMax: 5 },
];

function setUp() {
  const clock = new SimClock(instantUs(1000));
  let changes = 0;
  const state = createMachineState(SIGNALS, {
    clock,
    onChange: () => {
      changes += 1;
    },
  });
  const raw = (text: string | Uint8Array, isRetained = false): void =>
    state.receive({ payload: typeof text === 'string' ? new TextEncoder().encode(text) : text, isRetained });
  const report = (sequence: number, values: unknown, run = 'a'): void => raw(JSON.stringify({ run, sequence, values }));
  return { clock, state, raw, report, changes: () => changes };
}

describe('the state of a machine', () => {
  it('is what was reported last of each signal, with the instant at which it came', () => {
    const { clock, state, report, changes } = setUp();
    report(0, { speedKmh: 30, gear: 'D', isLocked: true, title: 'Blue' });
    clock.runFor(durationUs(500));
    report(1, { speedKmh: 31 });
    expect(state.read('speedKmh')).toEqual({ value: 31, at: 1500 });
    expect(state.read('gear')).toEqual({ value: 'D', at: 1000 });
    expect([...state.readings().keys()]).toEqual(['speedKmh', 'gear', 'isLocked', 'title']);
    expect(changes()).toBe(2);
  });

  it.each([
    ['out of range', { speedKmh: 301 }],
    ['below its range', { speedKmh: -0.1 }],
    ['of another type', { speedKmh: '30' }],
    ['missing', { speedKmh: null }],
  ])('does not know a signal whose last value was %s', (_, values) => {
    const { state, report, changes } = setUp();
    report(0, { speedKmh: 30, gear: 'P' });
    report(1, values);
    expect(state.read('speedKmh')).toBeUndefined();
    expect(state.read('gear')?.value).toBe('P');
    expect(state.counts().invalidValues).toBe(1);
    expect(changes()).toBe(2);
  });

  it('takes no word that is not of a signal, and no text that could drive a display', () => {
    const { state, report } = setUp();
    report(0, { gear: 'X', isLocked: 1, title: 'too long' });
    report(1, { title: 'a\u001bb' });
    expect([...state.readings().keys()]).toEqual([]);
    report(2, { title: '\u{1f697}\u{1f697}\u{1f697}\u{1f697}\u{1f697}' });
    expect(state.read('title')?.value).toHaveLength(10);
  });

  it('counts signals that nobody declared, whatever they are called', () => {
    const { state, raw } = setUp();
    raw('{"run":"a","sequence":0,"values":{"__proto__":{"speedKmh":0},"constructor":1,"toString":2,"warp":9}}');
    expect(state.counts()).toMatchObject({ unknownSignals: 4, invalidValues: 0 });
    expect(state.read('constructor')).toBeUndefined();
  });

  it.each<[string, string | Uint8Array]>([
    ['not JSON', '{'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['without a sequence', '{"run":"a","values":{}}'],
    ['half a sequence', '{"run":"a","sequence":0.5,"values":{}}'],
    ['without a run', '{"run":"","sequence":0,"values":{}}'],
    ['with a list of values', '{"run":"a","sequence":0,"values":[]}'],
    ['too deep', `{"run":"a","sequence":0,"values":${'['.repeat(5000)}`],
  ])('takes no report that is %s', (_, text) => {
    const { state, raw, changes } = setUp();
    raw(text);
    expect(state.counts()).toMatchObject({ reports: 1, rejected: { malformed: 1 } });
    expect(changes()).toBe(0);
  });

  it('takes a report up to its size and none above', () => {
    const { state, raw } = setUp();
    const padded = (bytes: number, sequence: number): string => {
      const text = JSON.stringify({ run: 'a', sequence, values: { speedKmh: 1 } });
      return text + ' '.repeat(bytes - text.length);
    };
    raw(padded(16_384, 0));
    raw(padded(16_385, 1));
    expect(state.counts()).toMatchObject({ reports: 2, rejected: { oversized: 1 } });
  });

  it('takes nothing that the broker kept, for it has no age', () => {
    const { state, raw } = setUp();
    raw('{"run":"a","sequence":0,"values":{"speedKmh":0}}', true);
    expect(state.read('speedKmh')).toBeUndefined();
    expect(state.counts().rejected.retained).toBe(1);
  });

  it('is not made younger by a report that comes twice or late', () => {
    const { clock, state, report } = setUp();
    report(7, { speedKmh: 0 });
    clock.runFor(durationUs(5000));
    report(7, { speedKmh: 0 });
    report(6, { speedKmh: 50 });
    expect(state.read('speedKmh')).toEqual({ value: 0, at: 1000 });
    expect(state.counts().rejected['out-of-order']).toBe(2);
  });

  it('begins anew when the machine does', () => {
    const { state, report } = setUp();
    report(900, { speedKmh: 0, gear: 'P' });
    report(0, { speedKmh: 1 }, 'b');
    expect(state.read('speedKmh')?.value).toBe(1);
    expect(state.read('gear')).toBeUndefined();
  });
});
