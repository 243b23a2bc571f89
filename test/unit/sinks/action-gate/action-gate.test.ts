import { describe, expect, it } from 'vitest';
import type { Proposal, Provenance } from '../../../../src/core/proposal.ts';
import { instantUs } from '../../../../src/core/units.ts';
import { type ActionRig, createActionRig, ms } from '../../../support/action-rig.ts';

const HEAT = { seat: 'left', level: 2 };

/** Proposes to open the left door, valid for as long as the action allows. */
function askForDoor(rig: ActionRig, changes: Partial<Proposal> = {}): string {
  const proposal = rig.proposal('open_door', { door: 'left' }, { validUntil: instantUs(rig.clock.now() + ms(20_000)), ...changes });
  expect(rig.gate.propose(proposal).kind).toBe('awaiting-confirmation');
  rig.clock.runFor(ms(100));
  return proposal.id;
}

const answer = (rig: ActionRig, id: string, said: 'yes' | 'no', provenance: Provenance = 'driver', saidAt = rig.clock.now()) =>
  rig.gate.confirm({ id, answer: said, provenance, saidAt });

describe('a class A proposal', () => {
  it('goes out at once, and is achieved when the state says so', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('set_heat', HEAT);
    expect(rig.gate.propose(proposal)).toEqual({ kind: 'accepted', until: instantUs(11_000_000) });
    expect(rig.sent).toMatchObject([{ id: proposal.id, values: HEAT, issuedAt: 1_000_000, expiresAt: 2_000_000 }]);
    rig.clock.runFor(ms(500));
    rig.report({ 'heat.left': 1 });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('accepted');
    rig.report({ 'heat.left': 2 });
    expect(rig.gate.outcomeOf(proposal.id)).toEqual({ kind: 'achieved' });
    expect(rig.events.map(({ outcome }) => outcome.kind)).toEqual(['accepted', 'achieved']);
    expect(rig.gate.counts()).toMatchObject({ proposed: 1, achieved: 1, accepted: 0, commands: 1 });
  });

  it('has timed out when the state does not say so, whatever the actuator claims', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('set_heat', HEAT);
    rig.gate.propose(proposal);
    rig.gate.answered({ id: proposal.id, state: 'achieved', detail: '' });
    rig.clock.runFor(ms(9_999));
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('accepted');
    rig.clock.runFor(ms(1));
    expect(rig.gate.outcomeOf(proposal.id)).toEqual({ kind: 'timed-out' });
  });

  it('is not achieved by what was so before the command', () => {
    const rig = createActionRig();
    rig.set({ 'heat.left': 2 });
    const proposal = rig.proposal('set_heat', HEAT);
    rig.gate.propose(proposal);
    rig.gate.stateChanged();
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('accepted');
    rig.clock.runFor(ms(1));
    rig.report({ 'heat.left': 2 });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('achieved');
  });

  it('for all seats is achieved when all seats say so', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('set_heat', { seat: 'all', level: 3 });
    rig.gate.propose(proposal);
    rig.clock.runFor(ms(10));
    rig.report({ 'heat.left': 3 });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('accepted');
    rig.report({ 'heat.right': 3 });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('achieved');
  });

  it('without an effect in the state is achieved when the actuator says so', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('say', { text: 'hello' });
    rig.gate.propose(proposal);
    rig.gate.answered({ id: proposal.id, state: 'accepted', detail: '' });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('accepted');
    rig.gate.answered({ id: proposal.id, state: 'achieved', detail: '' });
    expect(rig.gate.outcomeOf(proposal.id)?.kind).toBe('achieved');
    rig.gate.answered({ id: proposal.id, state: 'refused', detail: '' });
    rig.gate.answered({ id: 'nobody', state: 'achieved', detail: '' });
    expect(rig.gate.counts()).toMatchObject({ achieved: 1, refused: 0, answersIgnored: 2 });
  });

  it('is refused when the actuator says so, in words without control characters', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('set_heat', HEAT);
    rig.gate.propose(proposal);
    rig.gate.answered({ id: proposal.id, state: 'refused', detail: 'fuse\u001b[2J blown' });
    expect(rig.gate.outcomeOf(proposal.id)).toEqual({ kind: 'refused', detail: 'fuse [2J blown' });
  });

  it('is superseded by a later one for the same target, and by no other', () => {
    const rig = createActionRig();
    const first = rig.proposal('set_heat', HEAT);
    const other = rig.proposal('set_heat', { seat: 'right', level: 1 });
    const later = rig.proposal('set_heat', { seat: 'left', level: 1 });
    for (const proposal of [first, other, later]) rig.gate.propose(proposal);
    expect([first, other, later].map(({ id }) => rig.gate.outcomeOf(id)?.kind)).toEqual(['superseded', 'accepted', 'accepted']);
  });

  it('is rejected, and nothing kept for later, when the actuator cannot be reached', () => {
    const rig = createActionRig();
    rig.isReachable = false;
    const proposal = rig.proposal('set_heat', HEAT);
    expect(rig.gate.propose(proposal)).toMatchObject({ kind: 'rejected', reason: 'unreachable' });
    rig.isReachable = true;
    rig.clock.runFor(ms(20_000));
    expect(rig.sent).toEqual([]);
    expect(rig.gate.propose(proposal)).toMatchObject({ reason: 'unreachable' });
  });
});

describe('the gate', () => {
  it.each<[string, string, unknown, Partial<Proposal>, string]>([
    ['an action that nobody declared', 'open_hood', {}, {}, 'unknown-action'],
    ['what every object has', 'constructor', {}, {}, 'unknown-action'],
    ['class C, whoever asks', 'brake', { hard: true }, {}, 'forbidden'],
    ['a level above the range', 'set_heat', { seat: 'left', level: 4 }, {}, 'invalid-arguments'],
    ['a level below the range', 'set_heat', { seat: 'left', level: -1 }, {}, 'invalid-arguments'],
    ['half a level', 'set_heat', { seat: 'left', level: 1.5 }, {}, 'invalid-arguments'],
    ['a level that is no number', 'set_heat', { seat: 'left', level: Number.NaN }, {}, 'invalid-arguments'],
    ['an endless level', 'set_speed_sign', { kmh: Number.POSITIVE_INFINITY }, {}, 'invalid-arguments'],
    ['a level in quotes', 'set_heat', { seat: 'left', level: '2' }, {}, 'invalid-arguments'],
    ['a seat that there is not', 'set_heat', { seat: 'middle', level: 2 }, {}, 'invalid-arguments'],
    ['a missing argument', 'set_heat', { seat: 'left' }, {}, 'invalid-arguments'],
    ['an argument too many', 'set_heat', { ...HEAT, now: true }, {}, 'invalid-arguments'],
    ['a prototype for an argument', 'set_heat', JSON.parse('{"seat":"left","level":2,"__proto__":{"x":1}}'), {}, 'invalid-arguments'],
    ['a list', 'set_heat', ['left', 2], {}, 'invalid-arguments'],
    ['nothing', 'set_heat', null, {}, 'invalid-arguments'],
    ['an object of a class', 'set_heat', new (class extends Map {})(), {}, 'invalid-arguments'],
    ['a text that is too long', 'say', { text: 'x'.repeat(11) }, {}, 'invalid-arguments'],
    ['a text that is huge', 'say', { text: 'x'.repeat(10_000_000) }, {}, 'invalid-arguments'],
    ['an empty text', 'say', { text: '  ' }, {}, 'invalid-arguments'],
    ['a text that turns the writing round', 'say', { text: 'a\u202eb' }, {}, 'invalid-arguments'],
    ['a text with a line end', 'say', { text: 'a\nb' }, {}, 'invalid-arguments'],
    ['half a character', 'say', { text: 'a\ud83d' }, {}, 'invalid-arguments'],
    ['what is over', 'set_heat', HEAT, { validUntil: instantUs(1_000_000) }, 'expired'],
    [
      'what is older than its action allows',
      'set_heat',
      HEAT,
      { proposedAt: instantUs(-1_000_000), validUntil: instantUs(9e9) },
      'expired',
    ],
    ['what comes from the future', 'set_heat', HEAT, { proposedAt: instantUs(1_000_001) }, 'malformed'],
    ['a time that is none', 'set_heat', HEAT, { validUntil: instantUs(Number.NaN) }, 'malformed'],
    ['an id with a slash', 'set_heat', HEAT, { id: 'a/b' }, 'malformed'],
    ['an id that is too long', 'set_heat', HEAT, { id: 'a'.repeat(65) }, 'malformed'],
    ['an id that is none', 'set_heat', HEAT, { id: 7 as unknown as string }, 'malformed'],
    ['a name that is none', {} as unknown as string, HEAT, {}, 'malformed'],
    ['words of nobody', 'set_heat', HEAT, { provenance: 'radio' as Provenance }, 'malformed'],
  ])('rejects %s', (_, name, given, changes, reason) => {
    const rig = createActionRig();
    expect(rig.gate.propose(rig.proposal(name, given, changes))).toMatchObject({ kind: 'rejected', reason });
    expect(rig.sent).toEqual([]);
    expect(rig.gate.counts()).toMatchObject({ proposed: 1, rejected: 1, rejectedBy: { [reason]: 1 } });
  });

  it('survives arguments that cannot be written down', () => {
    const rig = createActionRig();
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    for (const given of [circle, { deep }, { big: 1n }]) {
      expect(rig.gate.propose(rig.proposal('set_heat', given))).toMatchObject({ reason: 'invalid-arguments' });
    }
    expect(rig.events.every(({ proposal }) => proposal.argumentsText.length <= 503)).toBe(true);
  });

  it('takes what is at the ends of a range, and an optional argument that is left out', () => {
    const rig = createActionRig();
    rig.set({ speedKmh: 20 });
    for (const given of [
      ['set_heat', { level: 0, seat: 'left' }],
      ['set_heat', { seat: 'right', level: -0 }],
      ['set_speed_sign', { kmh: 0.5 }],
      ['set_speed_sign', { kmh: 130 }],
      ['say', { text: '\u{1f600}'.repeat(10) }],
      ['say', { text: 'a', loud: true }],
    ] as const)
      expect(rig.gate.propose(rig.proposal(given[0], given[1])).kind).toBe('accepted');
    expect(JSON.stringify(rig.sent.map(({ values }) => values).slice(0, 2))).toBe('[{"seat":"left","level":0},{"seat":"right","level":0}]');
  });

  it('acts once on an id, however often it comes and whatever comes with it', () => {
    const rig = createActionRig();
    const proposal = rig.proposal('set_heat', HEAT);
    expect(rig.gate.propose(proposal).kind).toBe('accepted');
    expect(rig.gate.propose(proposal).kind).toBe('accepted');
    expect(rig.gate.propose({ ...proposal, arguments: { seat: 'right', level: 1 } }).kind).toBe('accepted');
    rig.clock.runFor(ms(20_000));
    expect(rig.gate.propose({ ...proposal, proposedAt: rig.clock.now() })).toEqual({ kind: 'timed-out' });
    expect(rig.sent).toHaveLength(1);
    expect(rig.gate.counts()).toMatchObject({ proposed: 1, duplicates: 3 });
  });

  it('gives a rejected id the same rejection again, when it would be good by now', () => {
    const rig = createActionRig();
    rig.forget('speedKmh');
    const proposal = rig.proposal('set_speed_sign', { kmh: 50 });
    expect(rig.gate.propose(proposal)).toMatchObject({ reason: 'state-unknown' });
    rig.set({ speedKmh: 50 });
    expect(rig.gate.propose(proposal)).toMatchObject({ reason: 'state-unknown' });
  });

  it('does not act again on a message whose id it had to forget', () => {
    const rig = createActionRig({ limits: { idsMax: 8, awaitingMax: 2, runningMax: 4 } });
    const proposal = rig.proposal('say', { text: 'once' });
    rig.gate.propose(proposal);
    rig.gate.answered({ id: proposal.id, state: 'achieved', detail: '' });
    for (let round = 0; round < 20; round += 1) {
      rig.clock.runFor(ms(500));
      rig.gate.propose(rig.proposal('nothing', {}));
    }
    expect(rig.gate.outcomeOf(proposal.id)).toBeUndefined();
    expect(rig.gate.propose(proposal)).toMatchObject({ reason: 'expired' });
    expect(rig.sent).toHaveLength(1);
  });

  it('rather takes nothing new than forgets an id that could act again', () => {
    const rig = createActionRig({ limits: { idsMax: 8, awaitingMax: 2, runningMax: 4, proposals: { count: 100, perUs: ms(1000) } } });
    const outcomes = Array.from({ length: 9 }, () => rig.gate.propose(rig.proposal('nothing', {})));
    expect(outcomes.map((outcome) => outcome.kind === 'rejected' && outcome.reason)).toEqual([...Array(8).fill('unknown-action'), 'busy']);
    rig.clock.runFor(ms(1000));
    expect(rig.gate.propose(rig.proposal('nothing', {}))).toMatchObject({ reason: 'unknown-action' });
  });

  it('holds an action to its rate and gives the time back', () => {
    const rig = createActionRig();
    const heat = () => rig.gate.propose(rig.proposal('set_heat', HEAT));
    expect([heat(), heat(), heat()].map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(heat()).toMatchObject({ reason: 'rate-limited' });
    expect(rig.gate.propose(rig.proposal('say', { text: 'other' })).kind).toBe('accepted');
    rig.clock.runFor(ms(999));
    expect(heat()).toMatchObject({ reason: 'rate-limited' });
    rig.clock.runFor(ms(1));
    expect(heat().kind).toBe('accepted');
    expect(heat()).toMatchObject({ reason: 'rate-limited' });
  });

  it('holds all proposals together to a rate, good or not, without remembering those above', () => {
    const rig = createActionRig();
    for (let index = 0; index < 10_000; index += 1) rig.gate.propose(rig.proposal('nothing', {}));
    expect(rig.gate.counts()).toMatchObject({
      proposed: 10_000,
      rejected: 10_000,
      rejectedBy: { 'unknown-action': 10, 'rate-limited': 9_990 },
    });
    expect(rig.events).toHaveLength(10);
  });

  it('has so many commands under way and no more', () => {
    const rig = createActionRig({ limits: { runningMax: 2 } });
    const outcomes = Array.from({ length: 3 }, () => rig.gate.propose(rig.proposal('say', { text: 'a' })));
    expect(outcomes[2]).toMatchObject({ reason: 'busy' });
    rig.clock.runFor(ms(10_000));
    expect(rig.gate.propose(rig.proposal('say', { text: 'a' })).kind).toBe('accepted');
  });

  it('runs an action in its modes only', () => {
    const rig = createActionRig();
    rig.gate.enterMode('hot');
    expect(rig.gate.propose(rig.proposal('say', { text: 'a' }))).toMatchObject({ reason: 'mode' });
    expect(rig.gate.propose(rig.proposal('set_heat', HEAT)).kind).toBe('accepted');
    rig.gate.enterMode('safe');
    expect(rig.gate.propose(rig.proposal('set_heat', HEAT))).toMatchObject({ reason: 'mode' });
  });

  it('lets nothing out once it is stopping, and ends what waits', () => {
    const rig = createActionRig();
    const door = askForDoor(rig);
    const heat = rig.proposal('set_heat', HEAT);
    rig.gate.propose(heat);
    rig.gate.stop();
    expect(rig.gate.outcomeOf(door)).toMatchObject({ kind: 'rejected', reason: 'stopping' });
    expect(answer(rig, door, 'yes')).toMatchObject({ reason: 'stopping' });
    expect(rig.gate.propose(rig.proposal('say', { text: 'a' }))).toMatchObject({ reason: 'stopping' });
    expect(rig.sent).toHaveLength(1);
    rig.clock.runFor(ms(10));
    rig.report({ 'heat.left': 2 });
    expect(rig.gate.outcomeOf(heat.id)?.kind).toBe('achieved');
  });

  it('leaves no timer and nothing under way when it is closed', () => {
    const rig = createActionRig();
    askForDoor(rig);
    const heat = rig.proposal('set_heat', HEAT);
    rig.gate.propose(heat);
    rig.gate.close();
    expect(rig.gate.outcomeOf(heat.id)).toEqual({ kind: 'timed-out' });
    expect(rig.clock.nextAt()).toBeUndefined();
    expect(rig.gate.counts()).toMatchObject({ accepted: 0, awaitingConfirmation: 0 });
  });
});
