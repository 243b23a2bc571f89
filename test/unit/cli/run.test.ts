import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunDeps, type RunOptions, run } from '../../../src/cli/commands/run.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import type { RuntimeDeps } from '../../../src/runtime/runtime.ts';
import { reportSchema } from '../../../src/telemetry/report-schema.ts';
import { CONFIG, drive, type FakeRuntime, type FakeWorld, fakeRuntime, fakeWorld } from './cli-fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = (changes: Partial<RunOptions> = {}): RunOptions => ({
  config: 'cockpit.yaml',
  runFor: undefined,
  report: undefined,
  log: undefined,
  isJson: false,
  isPlain: false,
  ...changes,
});

/** Lets promise callbacks and real file operations of the command go on; those take as long as the disk does, so they are bounded by time. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(isTrue: () => boolean): Promise<void> {
  const giveUpAt = process.hrtime.bigint() + 5_000_000_000n;
  while (!isTrue() && process.hrtime.bigint() < giveUpAt) await turn();
  expect(isTrue()).toBe(true);
}

/** A signal that comes late enough after the last one to count as another. */
function press(world: FakeWorld, signal: string): void {
  world.clock.runFor(durationFromMs(300));
  world.signal(signal);
}

interface Started {
  readonly world: FakeWorld;
  readonly runtime: FakeRuntime;
  readonly status: Promise<number>;
  given: RuntimeDeps | undefined;
}

async function start(changes: Partial<RunOptions>, world = fakeWorld()): Promise<Started> {
  const runtime = fakeRuntime(world.clock);
  const started: Started = {
    world,
    runtime,
    given: undefined,
    status: run(options(changes), {
      ...world,
      loadConfig: () => CONFIG,
      startRuntime: async (_config, given) => {
        started.given = given;
        return runtime;
      },
    }),
  };
  await until(() => started.given !== undefined);
  await turn();
  return started;
}

describe('run', () => {
  test('drains when its time is over, prints a summary and writes the whole report', async () => {
    const report = join(folder, 'report.json');
    const { world, runtime, status } = await start({ runFor: durationFromMs(20_000), report });
    drive(runtime.telemetry, world.clock);
    await world.clock.settleUntil(instantUs(21_000_000 - 1));
    expect(runtime.stops).toEqual([]);
    await world.clock.settleUntil(instantUs(21_000_000));
    expect(runtime.stops).toEqual(['drain']);
    runtime.finish();
    expect(await status).toBe(0);
    expect(reportSchema.parse(JSON.parse(readFileSync(report, 'utf8'))).streams).toHaveLength(4);
    expect(readdirSync(folder)).toEqual(['report.json']);
    expect(world.out.text).toMatch(/^coxswain 9\.9\.9: node cockpit, configs\/cockpit\.yaml \(abababababab\)\n2 cores, 4 streams: objects/);
    expect(world.out.text.match(/\| cores /g)).toHaveLength(4);
    expect(world.out.text).toContain('core-lost core 1: process 4711 ended by SIGKILL');
    expect(world.out.text).toContain('\nran 0:20\n');
  });

  test('drains when its sources have ended', async () => {
    const { runtime, status } = await start({});
    runtime.end();
    runtime.finish();
    expect(await status).toBe(0);
    expect(runtime.stops).toEqual(['drain']);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'drains on %s, takes its echo for the same, stops now on a second one, writes the report, and leaves no listener',
    async (signal) => {
      const report = join(folder, 'report.json');
      const { world, runtime, status } = await start({ report });
      world.signal(signal);
      await until(() => runtime.stops.length === 1);
      world.signal(signal);
      await turn();
      expect(runtime.stops).toEqual(['drain']);
      press(world, signal);
      expect(await status).toBe(0);
      expect(runtime.stops).toEqual(['drain', 'now']);
      expect(JSON.parse(readFileSync(report, 'utf8')).version).toBe('coxswain-report/1');
      expect(world.signalListeners.size + world.exitListeners.size).toBe(0);
      expect(world.clock.nextAt()).toBeUndefined();
    },
  );

  test('ends the process on a third signal', async () => {
    const { world, runtime, status } = await start({});
    for (let presses = 0; presses < 3; presses += 1) press(world, 'SIGINT');
    expect(world.exits).toEqual([130]);
    runtime.finish();
    await status;
  });

  test('stops right after the start when a signal came during it, and ends the process on a second one', async () => {
    const world = fakeWorld();
    const runtime = fakeRuntime(world.clock);
    let ready = (): void => undefined;
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const startRuntime: RunDeps['startRuntime'] = () => isReady.then(() => runtime);
    const status = run(options(), { ...world, loadConfig: () => CONFIG, startRuntime });
    await until(() => world.signalListeners.size === 1);
    world.signal('SIGINT');
    expect(world.exits).toEqual([]);
    press(world, 'SIGINT');
    expect(world.exits).toEqual([130]);
    ready();
    runtime.finish();
    expect(await status).toBe(0);
    expect(runtime.stops).toEqual(['drain']);
  });

  test('ends quietly when the reader of its output leaves', async () => {
    const { world, runtime, status } = await start({});
    world.out.breakOff(true, 'EPIPE');
    runtime.finish();
    expect(await status).toBe(0);
    expect(runtime.stops).toEqual(['drain']);
    expect(world.err.text).toBe('');
  });

  test('goes on when its output is lost to a full disk, and says so', async () => {
    const { world, runtime, status } = await start({});
    world.out.breakOff(false, 'ENOSPC: no space left');
    await turn();
    expect(runtime.stops).toEqual([]);
    expect(world.err.text).toBe('warning: standard output is lost: ENOSPC: no space left\n');
    runtime.end();
    runtime.finish();
    expect(await status).toBe(0);
  });

  test.each([
    ['a folder that does not exist', 'nowhere/report.json', /--report .*nowhere\/report\.json: the folder .* cannot be written to/],
    ['a folder', '', /that is a folder/],
  ])('finds an unwritable report (%s) before anything starts', async (_, name, message) => {
    let isStarted = false;
    const startRuntime = () => {
      isStarted = true;
      return Promise.reject(new Error('must not start'));
    };
    const failure = run(options({ report: join(folder, name) }), { ...fakeWorld(), loadConfig: () => CONFIG, startRuntime });
    await expect(failure).rejects.toThrow(UsageError);
    await expect(failure).rejects.toThrow(message);
    expect(isStarted).toBe(false);
  });

  test('goes on without its log when the disk is full: one warning, every lost line in the report', async () => {
    const report = join(folder, 'report.json');
    const { world, runtime, status, given } = await start({ log: '/dev/full', report });
    const lost = (linesDropped: number) => ({ lines: 9, linesDropped, writeErrors: 1, listenerErrors: 0 });
    for (const dropped of [2, 5]) {
      const cause = await given?.decisionLog?.write('{"a":1}\n{"a":2}\n').catch((error: unknown) => error);
      expect(cause).toMatchObject({ code: 'ENOSPC' });
      given?.decisionLog?.onTrouble?.({ cause, stats: lost(dropped) });
    }
    expect(runtime.stops).toEqual([]);
    runtime.end();
    runtime.finish();
    expect(await status).toBe(0);
    expect(world.out.text.match(/warning: lines of the decision log \/dev\/full are lost: ENOSPC/g)).toHaveLength(1);
    expect(JSON.parse(readFileSync(report, 'utf8')).log).toMatchObject({ file: '/dev/full', lines: 0, bytes: 0, linesLost: 5 });
  });

  test('writes the log and counts its lines', async () => {
    const log = join(folder, 'decisions.jsonl');
    const report = join(folder, 'report.json');
    writeFileSync(log, 'old');
    const { runtime, status, given } = await start({ log, report });
    await given?.decisionLog?.write('{"a":1}\n{"a":2}\n');
    await given?.decisionLog?.write('{"gap":4}\n{"a":3}\n');
    runtime.end();
    runtime.finish();
    await status;
    expect(readFileSync(log, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"gap":4}\n{"a":3}\n');
    expect(JSON.parse(readFileSync(report, 'utf8')).log).toEqual({ file: log, lines: 3, bytes: 34, linesLost: 4, error: null });
  });

  test('with --json prints the report alone to standard output', async () => {
    const { world, runtime, status } = await start({ isJson: true });
    runtime.end();
    runtime.finish();
    await status;
    expect(reportSchema.parse(JSON.parse(world.out.text)).config.node).toBe('cockpit');
    expect(world.err.text).toContain('ran 0:00');
  });

  test('on a terminal draws a table four times a second and gives the cursor back', async () => {
    const { world, runtime, status, given } = await start({ runFor: durationFromMs(20_000) }, fakeWorld(true, { NO_COLOR: '1' }));
    const startedAt = world.clock.now();
    expect(world.out.text.startsWith('\u001b[?25l')).toBe(true);
    given?.print?.('sign "\u001b[2Jhello"');
    const frames = () => world.out.text.split('\u001b[?7h').length - 1;
    const before = frames();
    await world.clock.settleUntil(instantUs(startedAt + 1_000_000));
    expect(frames() - before).toBe(4);
    expect(world.out.text).toContain('sign "\\x1b[2Jhello"');
    runtime.end();
    runtime.finish();
    await status;
    expect(world.out.text).toContain('\u001b[?25h');
    expect(world.out.text.slice(world.out.text.indexOf('\u001b[?25h'))).toContain('ran 0:01');
    expect(world.out.text).not.toContain('\u001b[0m');
    expect(world.exitListeners.size).toBe(0);
  });

  test('gives the cursor back when the process exits in the middle', async () => {
    const { world, runtime, status } = await start({}, fakeWorld(true));
    expect(world.out.text).not.toContain('\u001b[?25h');
    for (const listener of world.exitListeners) listener();
    expect(world.out.text.endsWith('\u001b[?25h')).toBe(true);
    runtime.end();
    runtime.finish();
    await status;
  });

  test('passes on why the runtime could not start, and cleans up', async () => {
    const world = fakeWorld(true);
    const startRuntime = () => Promise.reject(new CoxswainError('MODEL_MISSING', 'no such file'));
    const log = join(folder, 'log');
    await expect(run(options({ log }), { ...world, loadConfig: () => CONFIG, startRuntime })).rejects.toMatchObject({
      code: 'MODEL_MISSING',
    });
    expect(world.signalListeners.size + world.exitListeners.size).toBe(0);
    expect(world.out.text).toBe('');
  });

  test('prints lines on a terminal when asked, or when it is a dumb one', async () => {
    for (const [changes, env] of [
      [{ isPlain: true }, {}],
      [{}, { TERM: 'dumb' }],
    ] as const) {
      const { world, runtime, status } = await start(changes, fakeWorld(true, env));
      runtime.end();
      runtime.finish();
      await status;
      expect(world.out.text.startsWith('coxswain 9.9.9')).toBe(true);
      expect(world.out.text).not.toContain('\u001b[?25l');
    }
  });

  test('exits 1 and prints the report to standard error when it cannot be written in the end', async () => {
    const report = join(folder, 'sub');
    const world = fakeWorld();
    const { runtime, status } = await start({ report: join(report, '..', 'r.json') }, world);
    rmSync(folder, { recursive: true });
    runtime.end();
    runtime.finish();
    expect(await status).toBe(1);
    expect(world.err.text).toMatch(/^FILE_UNWRITABLE: --report .*r\.json could not be written: ENOENT/);
    expect(JSON.parse(world.err.text.split('\n')[1] ?? '').version).toBe('coxswain-report/1');
    folder = mkdtempSync(join(tmpdir(), 'coxswain-run-'));
  });
});
