import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODES, type Mode } from '../../../src/core/mode.ts';
import { type Confirmation, PROVENANCES, type Proposal, type Provenance } from '../../../src/core/proposal.ts';
import type { SignalValue } from '../../../src/core/signal.ts';
import { instantUs } from '../../../src/core/units.ts';
import type { ActionCommand } from '../../../src/sinks/action-gate/actuator.ts';
import { type ActionRig, createActionRig, ms } from '../../support/action-rig.ts';

const anyValue = fc.oneof(
  fc.constantFrom<unknown>('left', 'right', 'all', 'middle', '', 'hello', 'hello world', '2', Number.NaN, Number.POSITIVE_INFINITY, null),
  fc.integer({ min: -2, max: 5 }),
  fc.double(),
  fc.boolean(),
  fc.string(),
  fc.constant([]),
);

/** Half of them are good calls, so that much goes out and the laws have something to hold. */
const call = fc.oneof(
  fc.constantFrom<{ readonly name: string; readonly given: unknown }>(
    { name: 'set_heat', given: { seat: 'left', level: 2 } },
    { name: 'set_heat', given: { seat: 'right', level: 3 } },
    { name: 'set_heat', given: { seat: 'all', level: 0 } },
    { name: 'say', given: { text: 'hello' } },
    { name: 'set_speed_sign', given: { kmh: 50 } },
    { name: 'open_door', given: { door: 'left' } },
    { name: 'open_door', given: { door: 'right' } },
    { name: 'brake', given: { hard: true } },
  ),
  fc.record({
    name: fc.constantFrom('set_heat', 'say', 'set_speed_sign', 'open_door', 'brake', 'unknown'),
    given: fc.oneof(
      anyValue,
      fc.dictionary(fc.constantFrom('seat', 'level', 'text', 'loud', 'kmh', 'door', 'hard', 'other', '__proto__'), anyValue),
    ),
  }),
);

type Step =
  | {
      readonly kind: 'propose';
      readonly id: string;
      readonly call: { readonly name: string; readonly given: unknown };
      readonly provenance: Provenance;
      readonly ageMs: number;
      readonly validMs: number;
    }
  | {
      readonly kind: 'confirm';
      readonly id: string;
      readonly answer: 'yes' | 'no';
      readonly provenance: Provenance;
      readonly ageMs: number;
    }
  | { readonly kind: 'report'; readonly values: Readonly<Record<string, SignalValue>> }
  | { readonly kind: 'forget'; readonly signal: string }
  | { readonly kind: 'answer'; readonly id: string; readonly state: 'accepted' | 'refused' | 'achieved' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'mode'; readonly mode: Mode }
  | { readonly kind: 'reach'; readonly isReachable: boolean }
  | { readonly kind: 'stop' };

/** Of a confirmation: of the newest proposal, which is the one that most likely waits. */
const LAST = 'the last one';

const id = fc.integer({ min: 0, max: 40 }).map((number) => `id${number}`);
const nominal = Array<Mode>(8).fill('nominal');
const mostlyDriver = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Provenance>('driver') },
  { weight: 1, arbitrary: fc.constantFrom(...PROVENANCES) },
);
const standing = { speedKmh: 0, gear: 'P', 'door.left': 'closed', 'door.right': 'closed', 'heat.left': 0, 'heat.right': 0 };
const values = fc.oneof(
  fc.constant<Readonly<Record<string, SignalValue>>>(standing),
  fc.record(
    {
      speedKmh: fc.constantFrom(0, 0.5, 0.6, 1, 80),
      gear: fc.constantFrom('P', 'D'),
      'door.left': fc.constantFrom('open', 'closed'),
      'heat.left': fc.integer({ min: 0, max: 3 }),
    },
    { requiredKeys: [] },
  ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 80,
    arbitrary: fc.record({
      kind: fc.constant('propose' as const),
      id,
      call,
      provenance: mostlyDriver,
      ageMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1, 1_999, 2_000, 60_000) }),
      validMs: fc.constantFrom(0, 1, 1_000, 20_000, 20_000, 20_000, 20_000, 1_000_000),
    }),
  },
  {
    weight: 50,
    arbitrary: fc.record({
      kind: fc.constant('confirm' as const),
      id: fc.oneof(id, fc.constant(LAST)),
      answer: fc.oneof({ weight: 4, arbitrary: fc.constant('yes' as const) }, { weight: 1, arbitrary: fc.constant('no' as const) }),
      provenance: mostlyDriver,
      ageMs: fc.constantFrom(0, 0, 0, 5_000, -1),
    }),
  },
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('report' as const), values }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('forget' as const), signal: fc.constantFrom('speedKmh', 'gear', 'door.left') }) },
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), id, state: fc.constantFrom('accepted', 'refused', 'achieved') }),
  },
  { weight: 50, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 100, 400, 900, 1_100, 10_000) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom<Mode>(...nominal, ...MODES) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('reach' as const), isReachable: fc.constantFrom(true, true, true, false) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
);

/** The whole way of a door that is opened, with something in between that may come in its way. */
const door: fc.Arbitrary<readonly Step[]> = fc
  .tuple(id, fc.option(step))
  .map(([doorId, between]) => [
    { kind: 'report', values: standing },
    { kind: 'propose', id: doorId, call: { name: 'open_door', given: { door: 'left' } }, provenance: 'driver', ageMs: 0, validMs: 20_000 },
    { kind: 'wait', ms: 20 },
    ...(between === null ? [] : [between]),
    { kind: 'confirm', id: doorId, answer: 'yes', provenance: 'driver', ageMs: 0 },
  ]);
const anySteps = fc
  .array(fc.oneof({ weight: 12, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: door }), { minLength: 40, maxLength: 80 })
  .map((parts) => parts.flat());

/** What is known from outside of the gate, kept by other code than the gate's. */
interface Watch {
  readonly proposals: Map<string, Proposal>;
  readonly yes: Confirmation[];
  readonly readings: Map<string, { readonly value: SignalValue; readonly at: number }>;
  mode: Mode;
  hasStopped: boolean;
}

function apply(rig: ActionRig, next: Step, watch: Watch): void {
  const now = rig.clock.now();
  switch (next.kind) {
    case 'propose': {
      const proposedAt = instantUs(now - ms(next.ageMs));
      const { provenance, call: called } = next;
      const proposal = {
        id: next.id,
        name: called.name,
        arguments: called.given,
        provenance,
        proposedAt,
        validUntil: instantUs(proposedAt + ms(next.validMs)),
      };
      if (!watch.proposals.has(next.id)) watch.proposals.set(next.id, proposal);
      rig.gate.propose(proposal);
      // What is not remembered may come again, and is then what counts.
      if (rig.gate.outcomeOf(next.id) === undefined) watch.proposals.delete(next.id);
      return;
    }
    case 'confirm': {
      const confirmation: Confirmation = {
        id: next.id === LAST ? ([...watch.proposals.keys()].at(-1) ?? LAST) : next.id,
        answer: next.answer,
        provenance: next.provenance,
        saidAt: instantUs(now - ms(next.ageMs)),
      };
      watch.yes.push(confirmation);
      rig.gate.confirm(confirmation);
      return;
    }
    case 'report':
      for (const [signal, value] of Object.entries(next.values)) watch.readings.set(signal, { value, at: now });
      return rig.report(next.values);
    case 'forget':
      watch.readings.delete(next.signal);
      return rig.forget(next.signal);
    case 'answer':
      return rig.gate.answered({ id: next.id, state: next.state, detail: '' });
    case 'wait':
      return rig.clock.runFor(ms(next.ms));
    case 'mode':
      watch.mode = next.mode;
      return rig.gate.enterMode(next.mode);
    case 'reach':
      rig.isReachable = next.isReachable;
      return;
    case 'stop':
      watch.hasStopped = true;
      return rig.gate.stop();
  }
}

const RANGES: Readonly<Record<string, (given: Readonly<Record<string, unknown>>) => boolean>> = {
  set_heat: ({ seat, level, ...rest }) =>
    ['left', 'right', 'all'].includes(String(seat)) && [0, 1, 2, 3].includes(level as number) && Object.keys(rest).length === 0,
  say: ({ text, loud, ...rest }) =>
    typeof text === 'string' &&
    text.length >= 1 &&
    text.length <= 20 &&
    ['boolean', 'undefined'].includes(typeof loud) &&
    Object.keys(rest).length === 0,
  set_speed_sign: ({ kmh, ...rest }) => typeof kmh === 'number' && kmh >= 0.5 && kmh <= 130 && Object.keys(rest).length === 0,
  open_door: ({ door, ...rest }) => (door === 'left' || door === 'right') && Object.keys(rest).length === 0,
};
const VALID_MS: Readonly<Record<string, number>> = { set_heat: 2_000, say: 5_000, set_speed_sign: 5_000, open_door: 20_000 };

/** Every rule once more, by what is known outside. */
function checkCommand(command: ActionCommand, now: number, before: readonly ActionCommand[], watch: Watch): void {
  const { id: sentId, action, values: sent } = command;
  const proposal = watch.proposals.get(sentId);
  expect(proposal).toBeDefined();
  if (proposal === undefined) return;
  expect(before.some((other) => other.id === sentId)).toBe(false);
  expect(action.class).not.toBe('C');
  expect(watch.hasStopped).toBe(false);
  expect(RANGES[action.name]?.(sent)).toBe(true);
  expect(proposal.arguments).toEqual(sent);
  expect(now).toBeLessThan(Math.min(proposal.validUntil, proposal.proposedAt + ms(VALID_MS[action.name] ?? 0)));
  expect(action.modes).toContain(watch.mode);
  expect(proposal.provenance).not.toBe('camera-text');
  if (proposal.provenance === 'passenger') expect(['set_heat right', 'say undefined']).toContain(`${action.name} ${String(sent.seat)}`);
  if (proposal.provenance === 'mqtt') expect(action.name).toBe('say');
  const fresh = (signal: string): SignalValue | undefined => {
    const reading = watch.readings.get(signal);
    return reading !== undefined && now - reading.at <= ms(1_000) ? reading.value : undefined;
  };
  if (action.name === 'set_speed_sign') expect(Number(fresh('speedKmh'))).toBeGreaterThanOrEqual(1);
  if (action.name !== 'open_door') return;
  expect(proposal.provenance).toBe('driver');
  expect(Number(fresh('speedKmh') ?? Number.NaN)).toBeLessThanOrEqual(0.5);
  expect([fresh('gear'), fresh(`door.${String(sent.door)}`)]).toEqual(['P', 'closed']);
  expect(watch.yes.at(-1)).toMatchObject({ id: sentId, answer: 'yes', provenance: 'driver' });
  expect(watch.yes.at(-1)?.saidAt).toBeGreaterThan(proposal.proposedAt);
}

function expectBalanced(rig: ActionRig): void {
  const counts = rig.gate.counts();
  const { rejected, awaitingConfirmation, accepted, achieved, timedOut, refused, superseded } = counts;
  expect(rejected + awaitingConfirmation + accepted + achieved + timedOut + refused + superseded).toBe(counts.proposed);
  expect(Object.values(counts.rejectedBy).reduce((sum, count) => sum + count, 0)).toBe(rejected);
  expect(accepted + achieved + timedOut + refused + superseded).toBe(counts.commands);
  expect(counts.commands).toBe(rig.sent.length);
}

describe('the gate, whatever is proposed, confirmed and reported in whatever order', () => {
  let commands = 0;
  let doors = 0;

  it('lets out only what every rule allows, once, and accounts for each proposal', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const rig = createActionRig();
        const watch: Watch = {
          proposals: new Map(),
          yes: [],
          readings: new Map(Object.entries(standing).map(([signal, value]) => [signal, { value, at: rig.clock.now() }])),
          mode: 'nominal',
          hasStopped: false,
        };
        for (const next of steps) {
          const sentBefore = rig.sent.length;
          apply(rig, next, watch);
          for (const [index, command] of rig.sent.slice(sentBefore).entries())
            checkCommand(command, rig.clock.now(), rig.sent.slice(0, sentBefore + index), watch);
          expectBalanced(rig);
        }
        rig.gate.close();
        expect(rig.clock.nextAt()).toBeUndefined();
        expect(rig.gate.counts()).toMatchObject({ accepted: 0, awaitingConfirmation: 0 });
        commands += rig.sent.length;
        doors += rig.sent.filter(({ action }) => action.name === 'open_door').length;
      }),
      { numRuns: 200 },
    );
    // A gate that lets nothing out keeps every law above.
    expect(commands).toBeGreaterThan(200);
    expect(doors).toBeGreaterThan(50);
  });

  it('holds each action to its rate in every stretch of time', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 20, maxLength: 80 });
    fc.assert(
      fc.property(waits, (spans) => {
        const rig = createActionRig();
        for (const span of spans) {
          rig.clock.runFor(ms(span));
          rig.gate.propose(rig.proposal('set_heat', { seat: 'left', level: 1 }));
        }
        const times = rig.sent.map(({ issuedAt }) => issuedAt);
        for (const [index, from] of times.entries()) {
          for (const [offset, to] of times.slice(index).entries()) expect(offset + 1).toBeLessThanOrEqual(3 + (to - from) / ms(1_000));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never allows more to those who are trusted less', () => {
    const RANK = { rejected: 0, 'awaiting-confirmation': 1, accepted: 2 } as const;
    const rankOf = (kind: string): number => RANK[kind as keyof typeof RANK];
    const policies = fc.subarray(['set_heat', 'say', 'set_speed_sign', 'open_door', 'brake']);
    fc.assert(
      fc.property(call, values, policies, fc.constantFrom(...MODES), (called, reported, fromMqtt, mode) => {
        const ranks = PROVENANCES.map((provenance) => {
          const rig = createActionRig({ fromMqtt });
          rig.report(reported);
          rig.gate.enterMode(mode);
          return rankOf(rig.gate.propose(rig.proposal(called.name, called.given, { provenance })).kind);
        });
        expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
      }),
      { numRuns: 400 },
    );
  });
});
