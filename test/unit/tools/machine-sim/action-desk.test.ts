import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadActions } from '../../../../src/config/load-actions.ts';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../../src/core/units.ts';
import { ActionDesk, type Answer } from '../../../../tools/machine-sim/action-desk.ts';
import { parseFaults } from '../../../../tools/machine-sim/faults.ts';
import type { Call } from '../../../../tools/machine-sim/machine-model.ts';

const catalogue = loadActions(resolve(import.meta.dirname, '../../../../configs/actions/cockpit.yaml'), { files: createConfigFiles() });

function setUp(faults: readonly string[] = []) {
  const clock = new SimClock(instantUs(0), 1_000_000);
  const calls: Call[] = [];
  const answers: Answer[] = [];
  const desk = new ActionDesk(catalogue, parseFaults(faults, catalogue.actions), {
    clock,
    act: (call) => {
      calls.push(call);
      return { refusal: call.action === 'end_call' ? 'there is no call' : undefined, ended: [] };
    },
    answer: (answer) => answers.push(answer),
    log: () => undefined,
  });
  const give = (changes: object = {}, isRetained = false): void => {
    const command = {
      id: 'p1',
      action: 'set_fan',
      arguments: { level: 3 },
      issuedWallMs: 1_000_000,
      expiresWallMs: 1_002_000,
      answerTo: 'car/answer/x',
      ...changes,
    };
    desk.receive(new TextEncoder().encode(JSON.stringify(command)), isRetained);
  };
  return { clock, calls, answers, desk, give };
}

describe('the actuator side of a command', () => {
  it('acts once and answers whoever asked', () => {
    const { calls, answers, desk, give } = setUp();
    give();
    give();
    expect(calls).toEqual([{ id: 'p1', action: 'set_fan', values: { level: 3 } }]);
    desk.ended([{ id: 'p1', state: 'achieved', detail: 'done' }]);
    desk.ended([{ id: 'p9', state: 'achieved', detail: 'done' }]);
    expect(answers).toEqual([
      { to: 'car/answer/x', id: 'p1', state: 'accepted', detail: '' },
      { to: 'car/answer/x', id: 'p1', state: 'achieved', detail: 'done' },
    ]);
  });

  it.each([
    ['too late', { expiresWallMs: 1_000_000 }, 'it came too late'],
    ['not of its catalogue', { action: 'fly' }, 'there is no such action'],
    ['class C', { action: 'set_cruise_speed', arguments: { speed: 100 } }, 'there is no such action'],
    ['out of range', { arguments: { level: 8 } }, 'level is 8'],
    ['what the machine will not do', { action: 'end_call', arguments: {} }, 'there is no call'],
  ])('refuses what is %s', (_, changes, detail) => {
    const { answers, give } = setUp();
    give(changes);
    expect(answers).toMatchObject([{ state: 'refused', detail: expect.stringContaining(detail) }]);
  });

  it.each([
    [{ id: 'a/b' }, false],
    [{ answerTo: 'car/#' }, false],
    [{ extra: 1 }, false],
    [{ arguments: { text: 'x'.repeat(5_000) } }, false],
    [{}, true],
  ])('does not answer what is no command: %j, retained %s', (changes, isRetained) => {
    const { calls, answers, give } = setUp();
    give(changes, isRetained);
    expect([...calls, ...answers]).toEqual([]);
  });
});

describe('a fault', () => {
  it('ignores, delays or changes a command', () => {
    const ignoring = setUp(['ignore:set_fan']);
    ignoring.give();
    expect([...ignoring.calls, ...ignoring.answers]).toEqual([]);
    const late = setUp(['late:*:3000']);
    late.give();
    late.clock.runFor(durationFromMs(2_999));
    expect(late.calls).toEqual([]);
    late.clock.runFor(durationFromMs(1));
    expect(late.calls).toHaveLength(1);
    const wrong = setUp(['wrong:set_fan']);
    wrong.give();
    expect(wrong.calls).toMatchObject([{ values: { level: 7 } }]);
  });

  it.each(['set_fan', 'ignore:set_fun', 'late:set_fan', 'late:set_fan:soon', 'late:set_fan:999999999', 'wrong:set_fan:1', 'ignore'])(
    'is not made of %s',
    (text) => expect(() => parseFaults([text], catalogue.actions)).toThrow('allowed is ignore:<action>'),
  );
});
