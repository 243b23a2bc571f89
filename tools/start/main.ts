/**
 * What `npm start` runs: configs/cockpit.yaml, and beside it the simulated car that its actions go to, driving at 80 km/h. Options are those of `coxswain run`. Ends with the runtime
 * and with its exit status; the car ends with it.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CONFIG = 'configs/cockpit.yaml';
const DRIVE_KMH = 80;

const { mqtt } = parse(readFileSync(`${root}${CONFIG}`, 'utf8')) as { readonly mqtt: { readonly port: number } };

const runtime = spawn(process.execPath, ['dist/cli/main.js', 'run', CONFIG, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// It tries until the broker is there. What it has to say would stand in the middle of the table.
const car = spawn(
  process.execPath,
  ['--import', 'tsx', 'tools/vehicle-sim/main.ts', '--url', `mqtt://127.0.0.1:${mqtt.port}`, '--drive', String(DRIVE_KMH)],
  { cwd: root, stdio: 'ignore' },
);
car.on('error', (error) => console.error(`warning: the simulated car could not be started: ${error.message}`));

// Ctrl-C reaches the runtime by itself, since it shares the terminal; this process only has to outlive it.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runtime.kill(signal));

runtime.on('error', (error) => {
  car.kill();
  console.error(`coxswain could not be started: ${error.message}`);
  process.exitCode = 70;
});
runtime.on('exit', (code, signal) => {
  car.kill();
  process.exitCode = code ?? (signal === null ? 70 : 128);
});
