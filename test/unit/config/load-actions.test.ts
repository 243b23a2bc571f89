import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadActions } from '../../../src/config/load-actions.ts';
import type { ActionCatalogue, ActionSpec } from '../../../src/core/action.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { edited, memoryFiles } from '../../support/config-files.ts';

const folder = resolve(import.meta.dirname, '../../../configs/actions');
const shipped = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

const SMALL = `version: 1
machine: vehicle
signals:
  speedKmh: { type: number, min: 0, max: 300, unit: km/h }
  gear: { type: enum, values: [P, D] }
  isLocked: { type: boolean }
  door: { type: enum, values: [open, closed], each: [left, right] }
  heat: { type: number, min: 0, max: 3, each: [left, right] }
actions:
  set_heat:
    about: Heat a seat
    class: A
    arguments:
      seat: { type: enum, values: [left, right, all] }
      level: { type: integer, min: 0, max: 3 }
    passenger: { seat: [right] }
    effect: { signal: "heat.{seat}", argument: level }
  open_door:
    about: Open a door
    class: B
    arguments: { door: { type: enum, values: [left, right] } }
    requires: { speedKmh: { atMost: 0.5 }, gear: [P], isLocked: false, "door.{door}": closed }
    effect: { signal: "door.{door}", value: open }
  brake:
    about: Brake
    class: C
`;

const load = (text: string): ActionCatalogue => loadActions('actions.yaml', { files: memoryFiles({ 'actions.yaml': text }) });

function problemsOf(text: string): readonly string[] {
  try {
    load(text);
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'CONFIG_INVALID') return error.message.split('\n');
    throw error;
  }
  return [];
}

const action = (catalogue: ActionCatalogue, name: string): ActionSpec | undefined => catalogue.actions.find((one) => one.name === name);

describe('the shipped catalogues', () => {
  it.each(shipped)('%s loads and is frozen to the bottom', (name) => {
    const catalogue = loadActions(resolve(folder, name), { files: createConfigFiles() });
    expect(Object.isFrozen(catalogue.actions[0]?.arguments[0]) && Object.isFrozen(catalogue.signals[0])).toBe(true);
    expect(catalogue.actions.length).toBeGreaterThan(5);
  });

  it('run nothing that drives, unlocks or opens without a standing vehicle and a confirmation', () => {
    const { actions } = loadActions(resolve(folder, 'cockpit.yaml'), { files: createConfigFiles() });
    for (const name of ['open_door', 'open_trunk', 'unlock_doors']) {
      const spec = actions.find((one) => one.name === name);
      expect(spec).toMatchObject({ class: 'B', needsConfirmation: true, passenger: { kind: 'nothing' } });
      expect(spec?.class === 'B' && spec.requires).toContainEqual({
        signal: 'speedKmh',
        condition: { kind: 'range', atLeast: Number.NEGATIVE_INFINITY, atMost: 0.5 },
      });
    }
    expect(actions.filter((one) => one.class === 'C').map(({ name }) => name)).toEqual(['set_cruise_speed', 'disable_safety_system']);
  });
});

describe('a catalogue', () => {
  it('becomes signals with their instances and actions in the order of the file', () => {
    const catalogue = load(SMALL);
    expect(catalogue.signals.map(({ name }) => name)).toEqual([
      'speedKmh',
      'gear',
      'isLocked',
      'door.left',
      'door.right',
      'heat.left',
      'heat.right',
    ]);
    expect(catalogue.actions.map(({ name }) => name)).toEqual(['set_heat', 'open_door', 'brake']);
    expect(action(catalogue, 'set_heat')).toEqual({
      name: 'set_heat',
      about: 'Heat a seat',
      class: 'A',
      arguments: [
        { name: 'seat', about: '', isOptional: false, type: 'enum', values: ['left', 'right', 'all'] },
        { name: 'level', about: '', isOptional: false, type: 'integer', min: 0, max: 3, unit: '' },
      ],
      requires: [],
      needsConfirmation: false,
      passenger: { kind: 'own', values: { seat: ['right'] } },
      modes: ['nominal', 'bandwidth-short', 'hot', 'core-lost'],
      rateLimit: { count: 5, perUs: 10_000_000 },
      validUs: 5_000_000,
      achieveWithinUs: 10_000_000,
      effect: { signal: 'heat.{seat}', target: { kind: 'argument', argument: 'level' }, tolerance: 0 },
      topic: 'set_heat',
    });
  });

  it('gives class B a confirmation and no passenger, class C no way to be sent', () => {
    const catalogue = load(SMALL);
    expect(action(catalogue, 'open_door')).toMatchObject({ needsConfirmation: true, passenger: { kind: 'nothing' } });
    expect(action(catalogue, 'brake')).toEqual({ name: 'brake', about: 'Brake', class: 'C', arguments: [] });
  });

  const at = (text: string) => expect.stringMatching(new RegExp(`^actions\\.yaml:\\d+:\\d+: .*${text}`));

  it.each([
    [
      'class B without a condition',
      '    requires: { speedKmh: { atMost: 0.5 }, gear: [P], isLocked: false, "door.{door}": closed }\n',
      '',
      'requires: missing',
    ],
    ['class B that is not confirmed', '    class: B\n', '    class: B\n    confirm: false\n', 'class B is always confirmed'],
    ['class C with a topic', '    class: C\n', '    class: C\n    topic: brake\n', 'unknown key'],
    ['a condition on an unknown signal', 'gear: [P]', 'geer: [P]', 'no signal "geer"; did you mean \'gear\''],
    ['a value that its signal never has', 'gear: [P]', 'gear: [Q]', 'gear is never "Q"; allowed is one of P, D'],
    ['a range of words', 'gear: [P]', 'gear: { atMost: 1 }', 'a range needs a number'],
    ['an empty range', '{ atMost: 0.5 }', '{ atLeast: 2, atMost: 1 }', 'no value of speedKmh'],
    ['a range without bounds', '{ atMost: 0.5 }', '{}', 'got no bound'],
    ['a placeholder without its argument', '"door.{door}": closed', '"door.{dor}": closed', 'no argument "dor"; did you mean \'door\''],
    ['a placeholder for a number', '"heat.{seat}"', '"heat.{level}"', 'allowed here is an enum'],
    ['an instance that is not there', 'values: [left, right, all]', 'values: [left, rigth, all]', 'no signal "heat.rigth"'],
    ['an effect that can never be reported', 'max: 3 }\n    passenger', 'max: 4 }\n    passenger', 'heat.left is never 4'],
    ['an effect by an unknown argument', 'argument: level', 'argument: levl', "did you mean 'level'"],
    ['an effect by two targets', 'argument: level }', 'argument: level, value: 1 }', 'allowed is either argument or value'],
    ['an effect by no target', ', argument: level }', ' }', 'allowed is either argument or value'],
    ['an effect by an optional argument', 'max: 3 }\n    passenger', 'max: 3, optional: true }\n    passenger', 'is optional'],
    ['a tolerance between words', 'value: open }', 'value: open, tolerance: 1 }', 'only where the signal is a number'],
    ['a passenger with unknown things', '{ seat: [right] }', '{ seat: [rihgt] }', "did you mean 'right'"],
    ['a range that is upside down', 'min: 0, max: 3 }\n    passenger', 'min: 4, max: 3 }\n    passenger', 'allowed is min \\(4\\) or more'],
    ['half a level', 'min: 0, max: 3 }\n    passenger', 'min: 0.5, max: 3 }\n    passenger', 'allowed is a whole number'],
    ['a value named twice', 'values: [P, D]', 'values: [P, P]', '"P" is named twice'],
    ['an instance named twice', 'values: [open, closed], each: [left, right]', 'values: [open, closed], each: [left, left]', 'named twice'],
    ['an action called as what every object has', '  brake:', '  constructor:', 'in JavaScript'],
    ['a name in capitals', '  brake:', '  Brake:', 'lower case words'],
    ['a misspelt key', 'passenger:', 'pasenger:', "did you mean 'passenger'"],
    ['the topic of another', '    about: Open a door\n', '    about: Open a door\n    topic: set_heat\n', 'that of set_heat already'],
    ['a wildcard in a topic', '    about: Open a door\n', '    about: Open a door\n    topic: "a/#"\n', '1 to 4 levels'],
  ])('is refused with %s', (_, from, to, text) => {
    expect(problemsOf(edited(from, to, SMALL))).toContainEqual(at(text));
  });

  it('is refused when it is not there, not YAML or too long', () => {
    expect(() => loadActions('none.yaml', { files: memoryFiles({}) })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    expect(problemsOf('a: [')).not.toEqual([]);
    expect(problemsOf('')).not.toEqual([]);
    expect(() => load(`# ${'x'.repeat(70_000)}`)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('leaves no key of the shipped files unread', () => {
    const text = readFileSync(resolve(folder, 'cockpit.yaml'), 'utf8');
    expect(problemsOf(edited('achieveWithinMs: 15000', 'achieveWithinMs: 15', text))).toContainEqual(at('100 to 600000'));
  });
});
