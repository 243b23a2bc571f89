import { describe, expect, it } from 'vitest';
import type { Proposal, Provenance } from '../../../../src/core/proposal.ts';
import { instantUs } from '../../../../src/core/units.ts';
import { type ActionRig, createActionRig, ms } from '../../../support/action-rig.ts';

/** Proposes to open the left door, valid for as long as the action allows. */
function askForDoor(rig: ActionRig, changes: Partial<Proposal> = {}): string {
  const proposal = rig.proposal('open_door', { door: 'left' }, { validUntil: instantUs(rig.clock.now() + ms(20_000)), ...changes });
  expect(rig.gate.propose(proposal).kind).toBe('awaiting-confirmation');
  rig.clock.runFor(ms(100));
  return proposal.id;
}

const answer = (rig: ActionRig, id: string, said: 'yes' | 'no', provenance: Provenance = 'driver', saidAt = rig.clock.now()) =>
  rig.gate.confirm({ id, answer: said, provenance, saidAt });

describe('a condition', () => {
  it.each<[string, (rig: ActionRig) => void, string]>([
    ['does not hold', (rig) => rig.set({ speedKmh: 80 }), 'condition'],
    ['does not hold by a little', (rig) => rig.set({ speedKmh: 0.51 }), 'condition'],
    ['of another kind does not hold', (rig) => rig.set({ gear: 'D' }), 'condition'],
    ['of the named thing does not hold', (rig) => rig.set({ 'door.left': 'open' }), 'condition'],
    ['is not known', (rig) => rig.forget('gear'), 'state-unknown'],
  ])('that %s keeps the door shut', (_, change, reason) => {
    const rig = createActionRig();
    change(rig);
    expect(rig.gate.propose(rig.proposal('open_door', { door: 'left' }))).toMatchObject({ kind: 'rejected', reason });
  });

  it('is of the door that was named', () => {
    const rig = createActionRig();
    rig.set({ 'door.right': 'open' });
    expect(rig.gate.propose(rig.proposal('open_door', { door: 'left' })).kind).toBe('awaiting-confirmation');
  });

  it('that was known a second ago holds, and a moment later does not', () => {
    for (const [span, kind] of [
      [1000, 'awaiting-confirmation'],
      [1000.001, 'rejected'],
    ] as const) {
      const rig = createActionRig();
      rig.clock.runFor(ms(span));
      const outcome = rig.gate.propose(rig.proposal('open_door', { door: 'left' }));
      expect(outcome.kind).toBe(kind);
      if (outcome.kind === 'rejected') expect(outcome.reason).toBe('state-stale');
    }
  });

  it('is asked of a class A action too', () => {
    const rig = createActionRig();
    expect(rig.gate.propose(rig.proposal('set_speed_sign', { kmh: 50 }))).toMatchObject({ reason: 'condition' });
  });
});

describe('a confirmation', () => {
  it('by the driver lets the command out, and the door says when it is open', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    expect(rig.sent).toEqual([]);
    expect(answer(rig, id, 'yes')?.kind).toBe('accepted');
    expect(rig.sent).toMatchObject([{ id, values: { door: 'left' } }]);
    rig.clock.runFor(ms(300));
    rig.report({ 'door.left': 'open' });
    expect(rig.events.map(({ outcome }) => outcome.kind)).toEqual(['awaiting-confirmation', 'accepted', 'achieved']);
  });

  it('is asked once more when it comes: the car may have driven off', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    rig.set({ speedKmh: 12 });
    expect(answer(rig, id, 'yes')).toMatchObject({ kind: 'rejected', reason: 'condition' });
    const other = createActionRig();
    const late = askForDoor(other);
    other.clock.runFor(ms(2_000));
    expect(answer(other, late, 'yes')).toMatchObject({ reason: 'state-stale' });
    const hot = createActionRig();
    const third = askForDoor(hot);
    hot.gate.enterMode('core-lost');
    expect(answer(hot, third, 'yes')).toMatchObject({ reason: 'mode' });
    expect([...rig.sent, ...other.sent, ...hot.sent]).toEqual([]);
  });

  it.each<Provenance>(['passenger', 'mqtt', 'camera-text'])('by %s is none', (provenance) => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    expect(answer(rig, id, 'yes', provenance)?.kind).toBe('awaiting-confirmation');
    expect(rig.gate.counts().confirmationsIgnored).toBe(1);
    expect(answer(rig, id, 'yes')?.kind).toBe('accepted');
  });

  it('from before the question, from the future or at no time is none', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    for (const saidAt of [1_000_000, 0, rig.clock.now() + 1, Number.NaN])
      expect(answer(rig, id, 'yes', 'driver', instantUs(saidAt))?.kind).toBe('awaiting-confirmation');
    expect(rig.sent).toEqual([]);
  });

  it('for another id is none', () => {
    const rig = createActionRig();
    askForDoor(rig);
    expect(answer(rig, 'p99', 'yes')).toBeUndefined();
    expect(rig.sent).toEqual([]);
  });

  it('that comes too late finds a rejection', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    rig.clock.runUntil(instantUs(11_000_000));
    rig.set({ speedKmh: 0, gear: 'P', 'door.left': 'closed' });
    expect(answer(rig, id, 'yes')).toMatchObject({ kind: 'rejected', reason: 'unconfirmed' });
  });

  it('has no longer than the proposal is valid', () => {
    const rig = createActionRig();
    const id = askForDoor(rig, { validUntil: instantUs(3_000_000) });
    rig.clock.runUntil(instantUs(3_000_000));
    expect(rig.gate.outcomeOf(id)).toMatchObject({ reason: 'unconfirmed' });
  });

  it('twice acts once', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    answer(rig, id, 'yes');
    expect(answer(rig, id, 'yes')?.kind).toBe('accepted');
    expect(rig.sent).toHaveLength(1);
  });

  it('may be refused by whoever sits in the car, but by no text', () => {
    const rig = createActionRig();
    const id = askForDoor(rig);
    expect(answer(rig, id, 'no', 'camera-text')?.kind).toBe('awaiting-confirmation');
    expect(answer(rig, id, 'no', 'passenger')).toMatchObject({ reason: 'declined' });
    expect(answer(rig, id, 'yes')).toMatchObject({ reason: 'declined' });
    expect(rig.sent).toEqual([]);
  });

  it('is asked of so many at once and no more, and costs of the rate', () => {
    const rig = createActionRig();
    const doors = Array.from({ length: 6 }, () => rig.gate.propose(rig.proposal('open_door', { door: 'left' })));
    expect(doors.map((outcome) => (outcome.kind === 'rejected' ? outcome.reason : outcome.kind))).toEqual([
      ...Array(4).fill('awaiting-confirmation'),
      'busy',
      'busy',
    ]);
  });
});

describe('whose words they are', () => {
  it.each<[Provenance, string, unknown, string]>([
    ['driver', 'set_heat', { seat: 'left', level: 1 }, 'accepted'],
    ['passenger', 'set_heat', { seat: 'right', level: 1 }, 'accepted'],
    ['passenger', 'set_heat', { seat: 'left', level: 1 }, 'provenance'],
    ['passenger', 'set_heat', { seat: 'all', level: 1 }, 'provenance'],
    ['passenger', 'set_speed_sign', { kmh: 50 }, 'provenance'],
    ['passenger', 'say', { text: 'a' }, 'accepted'],
    ['passenger', 'open_door', { door: 'right' }, 'provenance'],
    ['mqtt', 'say', { text: 'a' }, 'accepted'],
    ['mqtt', 'set_heat', { seat: 'right', level: 1 }, 'provenance'],
    ['mqtt', 'open_door', { door: 'right' }, 'provenance'],
    ['camera-text', 'say', { text: 'a' }, 'provenance'],
    ['camera-text', 'open_door', { door: 'right' }, 'provenance'],
    ['camera-text', 'brake', { hard: true }, 'forbidden'],
  ])('%s and %s with %j: %s', (provenance, name, given, expected) => {
    const rig = createActionRig();
    const outcome = rig.gate.propose(rig.proposal(name, given, { provenance }));
    expect(outcome.kind === 'rejected' ? outcome.reason : outcome.kind).toBe(expected);
  });

  it.each<[Provenance, string]>([
    ['camera-text', 'text that a camera sees may not ask for anything'],
    ['mqtt', 'words from MQTT may not ask for this'],
    ['passenger', 'only the driver may ask for this'],
  ])('tells %s its own rule, not that of somebody who is trusted more', (provenance, detail) => {
    const rig = createActionRig();
    expect(rig.gate.propose(rig.proposal('open_door', { door: 'right' }, { provenance }))).toMatchObject({ reason: 'provenance', detail });
  });

  it('gives MQTT nothing that a passenger may not ask for, even where it is configured', () => {
    const rig = createActionRig({ fromMqtt: ['set_heat', 'open_door', 'brake'] });
    const ask = (name: string, given: unknown) => rig.gate.propose(rig.proposal(name, given, { provenance: 'mqtt' }));
    expect(ask('set_heat', { seat: 'right', level: 1 }).kind).toBe('accepted');
    expect(ask('set_heat', { seat: 'left', level: 1 })).toMatchObject({ reason: 'provenance' });
    expect(ask('open_door', { door: 'left' })).toMatchObject({ reason: 'provenance' });
    expect(ask('brake', { hard: true })).toMatchObject({ reason: 'forbidden' });
  });
});
