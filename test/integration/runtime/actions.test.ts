import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Proposal } from '../../../src/core/proposal.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { addUs, durationFromMs } from '../../../src/core/units.ts';
import { eventually } from '../../support/eventually.ts';
import { createMachineRig } from '../../support/machine-rig.ts';

const clock = createSystemClock();
const leavers: (() => unknown)[] = [];

afterEach(async () => {
  for (const leave of leavers.splice(0).reverse()) await leave();
});

async function setUp(machine: 'vehicle' | 'robot', options: readonly string[] = []) {
  const service = await createMachineRig(machine, { clock, leavers, options });
  let serial = 0;
  const propose = (name: string, given: object, changes: Partial<Proposal> = {}): string => {
    serial += 1;
    const now = clock.now();
    const id = `p${serial}`;
    service.gate.propose({
      id,
      name,
      arguments: given,
      provenance: 'driver',
      proposedAt: now,
      validUntil: addUs(now, durationFromMs(20_000)),
      ...changes,
    });
    return id;
  };
  const becomes = (id: string, kind: string) => eventually(() => service.gate.outcomeOf(id)?.kind === kind, `${id} becomes ${kind}`);
  const confirm = (id: string) => service.gate.confirm({ id, answer: 'yes', provenance: 'driver', saidAt: clock.now() });
  return { ...service, propose, becomes, confirm };
}

describe('the way from a proposal to a simulated machine and back', () => {
  it('heats a seat, opens a door of the parked car after a confirmation, and keeps a record of it', async () => {
    const { gate, file, propose, becomes, reads, confirm } = await setUp('vehicle');
    await reads('gear', 'P');
    await becomes(propose('set_seat_heating', { seat: 'driver', level: 2 }), 'achieved');
    const door = propose('open_door', { door: 'driver' });
    expect(gate.outcomeOf(door)?.kind).toBe('awaiting-confirmation');
    await eventually(() => confirm(door)?.kind === 'accepted', 'the confirmation counts');
    await becomes(door, 'achieved');
    await reads('door.driver', 'open');
    await becomes(propose('set_window', { window: 'all', percent: 30 }), 'achieved');
    const injected = propose('unlock_doors', {}, { provenance: 'camera-text' });
    expect(gate.outcomeOf(injected)).toMatchObject({ kind: 'rejected', reason: 'provenance' });
    const kinds = (): string =>
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly kind: string }).kind)
        .join(' ');
    const story = 'opened accepted achieved awaiting-confirmation accepted achieved accepted achieved rejected';
    await eventually(() => kinds() === story, 'the record is written');
    expect(kinds()).toBe(story);
  }, 60_000);

  it('opens no door at 80 km/h, and none once the car is silent', async () => {
    const { gate, state, child, propose, reads } = await setUp('vehicle', ['--drive', '80']);
    await reads('speedKmh', 80);
    expect(gate.outcomeOf(propose('open_door', { door: 'driver' }))).toMatchObject({ kind: 'rejected', reason: 'condition' });
    child.kill('SIGKILL');
    const age = (): number => clock.now() - (state.read('speedKmh')?.at ?? 0);
    await eventually(() => age() > durationFromMs(2_000), 'the last report is old');
    expect(gate.outcomeOf(propose('open_door', { door: 'driver' }))).toMatchObject({ reason: 'state-stale' });
  }, 60_000);

  it('sees that a broken car does nothing, and that it does the wrong thing', async () => {
    const { gate, propose, becomes, reads } = await setUp('vehicle', ['--fault', 'ignore:set_fan', '--fault', 'wrong:set_seat_heating']);
    await reads('fanLevel', 3);
    const fan = propose('set_fan', { level: 5 });
    const seat = propose('set_seat_heating', { seat: 'driver', level: 3 });
    await becomes(fan, 'timed-out');
    await becomes(seat, 'timed-out');
    expect(gate.counts()).toMatchObject({ timedOut: 2, achieved: 0, commands: 2 });
  }, 60_000);

  it('drives the robot a little way, and stops it at once', async () => {
    const { propose, becomes, reads, confirm } = await setUp('robot');
    await reads('motion', 'docked');
    const drive = propose('drive_distance', { direction: 'forward', metres: 5 });
    await eventually(() => confirm(drive)?.kind === 'accepted', 'the confirmation counts');
    await reads('motion', 'driving');
    const stop = propose('stop_motion', {});
    await becomes(stop, 'achieved');
    await becomes(drive, 'refused');
    await reads('speedMps', 0);
  }, 60_000);
});
