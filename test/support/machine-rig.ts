import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadActions } from '../../src/config/load-actions.ts';
import type { Clock } from '../../src/core/clock.ts';
import { Prng } from '../../src/core/prng.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.ts';
import { createMqttLink } from '../../src/mqtt/link.ts';
import { startActions } from '../../src/runtime/actions-service.ts';
import { createIncidentLog } from '../../src/telemetry/incident-log.ts';
import { eventually } from './eventually.ts';

const root = resolve(import.meta.dirname, '../..');
function simulate(machine: 'vehicle' | 'robot', url: string, options: readonly string[], leavers: (() => unknown)[]): ChildProcess {
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

/** A broker, a link, the gate and a simulated machine in a process of its own. What is to be undone, last first, goes into `leavers`. */
export async function createMachineRig(
  machine: 'vehicle' | 'robot',
  { clock, leavers, options = [] }: { readonly clock: Clock; readonly leavers: (() => unknown)[]; readonly options?: readonly string[] },
) {
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
  const catalogue = loadActions(catalogueFile, { files: createConfigFiles() });
  const service = await startActions(
    {
      file: catalogueFile,
      catalogue,
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
  const child = simulate(machine, broker.url, options, leavers);
  const reads = (signal: string, value: unknown) =>
    eventually(() => service.state.read(signal)?.value === value, `${signal} is ${String(value)}`, 30_000);
  return { ...service, child, file, catalogue, reads };
}
