import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { createOrtDevice } from '../../../src/devices/ort/ort-device.ts';
import { probeNative } from '../../../src/native/probe.ts';
import { createOrtRig, type OrtRig, type OrtRigOptions, region } from '../../support/ort-rig.ts';
import { type TinyModels, writeTinyModels } from '../../support/tiny-onnx.ts';

let rig: OrtRig;
let models: TinyModels;

const createRig = (options?: OrtRigOptions): void => {
  rig = createOrtRig(options);
  models = writeTinyModels(rig.dir);
};

afterEach(async () => {
  await rig.close();
  vi.unstubAllEnvs();
});

/** Counts for ever, as far as a test is concerned. */
const runEndlessly = (killMs: number) => {
  new BigInt64Array(rig.arena)[0] = 10n ** 15n;
  return rig.run('count', [region(0, 8)], [region(64, 4)], { killMs });
};

const runOnce = () => {
  new BigInt64Array(rig.arena)[0] = 3n;
  return rig.run('count', [region(0, 8)], [region(64, 4)]);
};

/** As a process does that is suspended: no timer and no answer is looked at. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A zombie has ended: what is left of it waits for its new parent to look. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

it('gives its process nothing of the environment but the end of telemetry', async () => {
  vi.stubEnv('CI', undefined);
  vi.stubEnv('SECRET_OF_THE_PARENT', '1');
  createRig();
  await rig.start();
  expect(readFileSync(`/proc/${rig.pid()}/environ`, 'utf8')).toBe('ORT_DISABLE_TELEMETRY=1\0');
});

it('passes on no descriptor but those it names', async () => {
  createRig({ cores: [{ id: 0 }, { id: 1 }] });
  await rig.start(0);
  await rig.start(1);
  const folder = `/proc/${rig.pid(1)}/fd`;
  const memories = readdirSync(folder).filter((fd) => readlinkSync(join(folder, fd)).includes('/dev/shm'));
  expect(memories.sort()).toEqual(['4', '5']);
});

it('kills a core that was stopped in mid-run, by the hard timeout', async () => {
  createRig();
  await rig.start();
  await rig.load(models.count);
  const pid = rig.pid();
  const end = runEndlessly(300);
  process.kill(pid, 'SIGSTOP');
  expect(await end).toMatchObject({ kind: 'failed', reason: 'core-hung' });
  await rig.until(() => rig.losses.length === 1);
  expect(rig.losses[0]).toMatchObject({ reason: 'hung', message: expect.stringContaining('hard timeout') });
  expect(isAlive(pid)).toBe(false);
});

it('takes no core for hung that answered while this process stood still itself, and a stopped one a moment later', async () => {
  createRig();
  await rig.start();
  await rig.load(models.count);
  new BigInt64Array(rig.arena)[0] = 3n;
  const end = rig.run('count', [region(0, 8)], [region(64, 4)], { killMs: 300 });
  standStill(800);
  expect(await end).toMatchObject({ kind: 'done' });
  const hung = runEndlessly(300);
  process.kill(rig.pid(), 'SIGSTOP');
  standStill(800);
  expect(await hung).toMatchObject({ kind: 'failed', reason: 'core-hung' });
});

it('kills a core that was stopped while loading, by the load timeout', async () => {
  createRig({ loadTimeoutMs: 200 });
  await rig.start();
  process.kill(rig.pid(), 'SIGSTOP');
  expect(await rig.load(models.count)).toMatchObject({ code: 'CORE_HUNG', retryable: true });
  expect(rig.losses.map(({ reason }) => reason)).toEqual(['hung']);
});

it('ends a load as crashed when its process is killed meanwhile', async () => {
  createRig();
  await rig.start();
  process.kill(rig.pid(), 'SIGSTOP');
  const load = rig.load(models.count);
  process.kill(rig.pid(), 'SIGKILL');
  expect(await load).toMatchObject({ code: 'CORE_CRASHED', message: expect.stringContaining('SIGKILL') });
});

it('ends a run as crashed when its process is killed meanwhile, and names the signal', async () => {
  createRig();
  await rig.start();
  await rig.load(models.count);
  const end = runEndlessly(20_000);
  process.kill(rig.pid(), 'SIGKILL');
  expect(await end).toMatchObject({ reason: 'core-crashed', message: expect.stringContaining('SIGKILL') });
  expect(rig.losses.map(({ reason }) => reason)).toEqual(['crashed']);
});

it('lives on when the terminal or the service manager signals the whole group', async () => {
  createRig();
  await rig.start();
  await rig.load(models.count);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(rig.pid(), signal);
  expect(await runOnce()).toMatchObject({ kind: 'done' });
  expect(rig.losses).toEqual([]);
});

it('comes back again and again without keeping descriptors', async () => {
  createRig();
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  await rig.start();
  const before = descriptors();
  for (let round = 0; round < 4; round += 1) {
    await rig.load(models.count);
    expect(await runOnce()).toMatchObject({ kind: 'done' });
    process.kill(rig.pid(), 'SIGKILL');
    await rig.until(() => rig.losses.length === round + 1);
    expect(await rig.start()).toBeUndefined();
  }
  await rig.until(() => descriptors() <= before);
});

/** `npm test` builds first. What is built starts its processes as an installed package does, without the loader of TypeScript (some 150 ms of CPU time). */
async function builtDevice(): Promise<typeof createOrtDevice> {
  const built = new URL('../../../dist/devices/ort/ort-device.js', import.meta.url);
  if (!existsSync(built)) return createOrtDevice;
  return ((await import(built.href)) as { createOrtDevice: typeof createOrtDevice }).createOrtDevice;
}

it('is back with its models within 500 ms of the kill', async () => {
  createRig({ cores: [{ id: 0, niceness: 19 }], createDevice: await builtDevice() });
  const clock = createSystemClock();
  const all = Object.values(models);
  await rig.start();
  for (const model of all) await rig.load(model);
  await runOnce();
  const tookMs: number[] = [];
  // Up to ten tries, since other tests share this machine; on a quiet one the first takes some 150 ms.
  for (let round = 1; round <= 10 && Math.min(...tookMs) >= 500; round += 1) {
    const killedAt = clock.now();
    process.kill(rig.pid(), 'SIGKILL');
    await rig.until(() => rig.losses.length === round);
    await rig.start();
    for (const model of all) await rig.load(model);
    tookMs.push((clock.now() - killedAt) / 1000);
    expect(await runOnce()).toMatchObject({ kind: 'done' });
  }
  expect(Math.min(...tookMs)).toBeLessThan(500);
});

/** Of its main thread: 0 ordinary, 1 SCHED_FIFO, 5 SCHED_IDLE. The 41st word of proc(5)'s stat, counted from behind the name. */
const policyOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[38]);

const isRealtimeAllowed = probeNative().some(({ name, isAvailable }) => name === 'realtime' && isAvailable);

it.each([
  ['has what others on its CPU leave', { isIdle: true }, 5],
  ['goes before all others where that is allowed', { realtime: 10 }, isRealtimeAllowed ? 1 : 0],
] as const)('%s, from its first run on', async (_claim, settings, policy) => {
  createRig({ cores: [{ id: 0, ...settings }] });
  await rig.start();
  await rig.load(models.count);
  expect(policyOf(rig.pid())).toBe(0);
  expect(await runOnce()).toMatchObject({ kind: 'done' });
  expect(policyOf(rig.pid())).toBe(policy);
});

it('reports the memory of its process', async () => {
  createRig();
  await rig.start();
  await rig.until(() => rig.device.health(0).pssBytes !== undefined);
  expect(rig.device.health(0).pssBytes).toBeGreaterThan(10e6);
  expect(rig.device.health(0).pssBytes).toBeLessThan(2e9);
});

it('leaves no process behind when it is disposed of', async () => {
  createRig({ cores: [{ id: 0 }, { id: 1 }] });
  await rig.start(0);
  await rig.start(1);
  await rig.load(models.count);
  const pids = [rig.pid(0), rig.pid(1)];
  const end = runEndlessly(20_000);
  await rig.device.dispose();
  expect(await end).toMatchObject({ kind: 'failed' });
  expect(pids.map(isAlive)).toEqual([false, false]);
});

it('leaves no process behind when the runtime is killed, idle or busy', async () => {
  createRig();
  const script = fileURLToPath(new URL('../../support/device-parent.ts', import.meta.url));
  const parent = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pids = JSON.parse(await new Promise((resolve) => parent.stdout.once('data', (data) => resolve(String(data))))) as number[];
  expect(pids.map(isAlive)).toEqual([true, true]);
  parent.kill('SIGKILL');
  await rig.until(() => !pids.some(isAlive));
});

/** A program in place of Node. */
function fakeNode(lines: string): string {
  const file = join(rig.dir, 'fake-node');
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o700);
  return file;
}

it('fails the start when its program does not exist, and can be started again', async () => {
  createRig({ execPath: '/nowhere/node' });
  const error = await rig.start();
  expect(error).toMatchObject({ code: 'CORE_START_FAILED', retryable: true, message: expect.stringContaining('/nowhere/node') });
  expect(await rig.start()).toMatchObject({ code: 'CORE_START_FAILED' });
  expect(rig.losses).toEqual([]);
  expect(rig.device.health(0).state).toBe('lost');
});

const misbehaviours: [string, string, RegExp][] = [
  ['ends at once', 'echo cannot find the library >&2; exit 3', /exit code 3.*cannot find the library/],
  ['never answers', 'exec sleep 30', /did not start within 500 ms/],
  ['floods its output', 'while :; do echo much ado about nothing; done', /did not start within 500 ms/],
  ['answers nonsense', 'echo nonsense >&3; exec sleep 30', /./],
  ['answers without end', 'exec cat /dev/zero >&3', /./],
  ['answers before it is asked', `echo '{"kind":"done","startedAt":1,"endedAt":2}' >&3; exec sleep 30`, /answered "done"/],
];

it.each(misbehaviours)('fails the start of a program that %s', async (_, lines, message) => {
  createRig();
  const execPath = fakeNode(lines);
  const other = createOrtRig({ execPath, startTimeoutMs: 500 });
  const error = await other.start();
  expect(error).toMatchObject({ code: 'CORE_START_FAILED', message: expect.stringMatching(message) });
  expect(error?.message.length).toBeLessThan(4000);
  await other.close();
});
