import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadActions } from '../../../src/config/load-actions.ts';
import { Prng } from '../../../src/core/prng.ts';
import type { Proposal } from '../../../src/core/proposal.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { addUs, durationFromMs, durationUs } from '../../../src/core/units.ts';
import { startEmbeddedBroker } from '../../../src/mqtt/embedded-broker.ts';
import { createMqttLink } from '../../../src/mqtt/link.ts';
import { startActions } from '../../../src/runtime/actions-service.ts';
import { createIncidentLog } from '../../../src/telemetry/incident-log.ts';
import { eventually } from '../../support/eventually.ts';

const root = resolve(import.meta.dirname, '../../..');
const clock = createSystemClock();
const leavers: (() => unknown)[] = [];

afterEach(async () => {
  for (const leave of leavers.splice(0).reverse()) await leave();
});

function simulate(machine: 'vehicle' | 'robot', url: string, options: readonly string[]): ChildProcess {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const main = `${root}/tools/${machine}-sim/main.ts`;
  const child = spawn(process.execPath, ['--import', loader, main, '--url', url, '--json', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  leavers.push(() => {
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    const gone = new Promise((leave) => child.once('exit', leave));
    child.kill('SIGINT');
    return gone;
  });
  return child;
}

/** A broker, a link, the gate and a simulated machine in a process of its own. */
async function setUp(machine: 'vehicle' | 'robot', options: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'actions-'));
  leavers.push(() => rmSync(folder, { recursive: true, force: true }));
  const broker = await startEmbeddedBroker({ host: '127.0.0.1' });
  leavers.push(() => broker.close());
  const link = createMqttLink(
    { url: broker.url, protocolVersion: 4, prefix: 'coxswain', node: 'cockpit', receives: true, validatesPayloads: true },
    { clock, prng: new Prng(1), onState: () => undefined },
  );
  leavers.push(() => link.close(durationUs(500_000)));
  const file = join(folder, 'actions.jsonl');
  const catalogueFile = `${root}/configs/actions/${machine === 'vehicle' ? 'cockpit' : 'robot'}.yaml`;
  const service = await startActions(
    {
      file: catalogueFile,
      catalogue: loadActions(catalogueFile, { files: createConfigFiles() }),
      topics: `coxswain/${machine}`,
      stateAgeMaxUs: durationFromMs(2_000),
      confirmWithinUs: durationFromMs(15_000),
      fromMqtt: [],
      audit: { file, bytesMax: 1_000_000, filesMax: 2 },
    },
    'cockpit',
    { clock, link, incidents: createIncidentLog(clock.now(), clock) },
  );
  leavers.push(() => service.close());
  const child = simulate(machine, broker.url, options);
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
  const reads = (signal: string, value: unknown) =>
    eventually(() => service.state.read(signal)?.value === value, `${signal} is ${String(value)}`, 30_000);
  const confirm = (id: string) => service.gate.confirm({ id, answer: 'yes', provenance: 'driver', saidAt: clock.now() });
  return { ...service, child, file, propose, becomes, reads, confirm };
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
