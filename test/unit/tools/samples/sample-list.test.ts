import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { archiveName, checkSampleList, pinnedFiles, type SampleList, type SamplePackage } from '../../../../tools/samples/sample-list.ts';
import { SAMPLES } from '../../../../tools/samples/samples.ts';

const FILE = {
  target: 'models/a.onnx',
  sha256: 'a'.repeat(64),
  bytes: 1,
  use: 'model',
  licence: 'MIT',
  licenceReadIn: 'LICENSE',
  member: 'package/a.onnx',
} as const;
const PACKAGE: SamplePackage = { name: '@scope/a.b', version: '1.2.3', integrity: `sha512-${'A'.repeat(86)}==`, bytes: 1, files: [FILE] };

const withPackage = (changes: Partial<SamplePackage>): SampleList => ({ packages: [{ ...PACKAGE, ...changes }], own: [], conversions: [] });
const withFile = (changes: Partial<(typeof PACKAGE.files)[number]>): SampleList => withPackage({ files: [{ ...FILE, ...changes }] });

describe('checkSampleList', () => {
  it('accepts a sound list and the real one', () => {
    checkSampleList(withPackage({}));
    checkSampleList(SAMPLES);
  });

  it.each([
    '../a.onnx',
    'models/../../a',
    '/etc/passwd',
    'models//a',
    'models/',
    '',
    '.npmrc',
    '..',
    'models\\..\\a',
    '-rf',
    'a\u0000b',
    'a b',
    'samples/ä',
  ])('refuses to write to %j', (target) => {
    expect(() => checkSampleList(withFile({ target }))).toThrow(/is not a plain path below the cache folder/);
  });

  it.each(['../a', 'package/../a', 'package', 'package/', '/package/a', 'package/-a', '--to-command=x', 'other/a', 'package/a*'])(
    'refuses to unpack %j',
    (member) => {
      expect(() => checkSampleList(withFile({ member }))).toThrow(/is not a plain path below package/);
    },
  );

  it.each<[string, SampleList, RegExp]>([
    ['a hash that is none', withFile({ sha256: 'abc' }), /has no SHA-256/],
    ['a hash in capitals', withFile({ sha256: 'A'.repeat(64) }), /has no SHA-256/],
    ['an empty file', withFile({ bytes: 0 }), /has size 0/],
    ['two files at one place', withPackage({ files: [FILE, FILE] }), /listed twice/],
    ['a version range', withPackage({ version: '^1.2.3' }), /an exact one is needed/],
    ['a tag', withPackage({ version: 'latest' }), /an exact one is needed/],
    ['a weaker integrity', withPackage({ integrity: 'sha1-AAAA' }), /has no sha512 integrity/],
    ['an address for a name', withPackage({ name: 'git+ssh://host/x' }), /package name/],
    ['a folder for a name', withPackage({ name: '../x' }), /package name/],
    ['an option for a name', withPackage({ name: '--registry=x' }), /package name/],
    ['an asset elsewhere', { ...withPackage({}), own: [{ ...FILE, target: 'b', asset: '../../etc/passwd' }] }, /not a plain file name/],
    [
      'a conversion of nothing',
      { ...withPackage({}), conversions: [{ ...FILE, target: 'b', from: ['ghost'], converter: 'nanodet' }] },
      /made from ghost/,
    ],
  ])('refuses %s', (_, list, message) => {
    expect(() => checkSampleList(list)).toThrow(message);
    expect(() => checkSampleList(list)).toThrow(expect.objectContaining({ code: 'list', exitStatus: 70 }));
  });
});

describe('archiveName', () => {
  it('is the name npm gives', () => {
    expect(archiveName(PACKAGE)).toBe('scope-a.b-1.2.3.tgz');
  });
});

describe('the samples', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../../docs/samples.md', import.meta.url)), 'utf8');

  it.each(pinnedFiles(SAMPLES).map((file) => [file.target, file] as const))(
    '%s stands in docs/samples.md with its licence',
    (target, file) => {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${target}\` |`));
      expect(row).toContain(` ${file.licence} `);
    },
  );

  it.each(SAMPLES.packages.map((entry) => [entry.name, entry] as const))('%s stands in docs/samples.md with its version', (name, entry) => {
    expect(page).toContain(`${name}@${entry.version}`);
  });

  it('come under no licence that is non-commercial, copyleft or unknown', () => {
    const permitted = ['Apache-2.0', 'MIT'];
    expect(pinnedFiles(SAMPLES).filter((file) => !permitted.includes(file.licence))).toEqual([]);
  });

  it('that are our own lie in the repository', () => {
    for (const file of SAMPLES.own)
      expect(existsSync(fileURLToPath(new URL(`../../../../tools/samples/assets/${file.asset}`, import.meta.url)))).toBe(true);
  });
});
