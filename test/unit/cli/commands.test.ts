import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configPrintCommand, configSchemaCommand } from '../../../src/cli/commands/config.ts';
import { doctor, type Finding } from '../../../src/cli/commands/doctor.ts';
import { type ModelsDeps, modelsList, modelsVerify } from '../../../src/cli/commands/models.ts';
import { createDoctorChecks, type DoctorProbe, type ProgramResult } from '../../../src/cli/doctor-checks.ts';
import type { ManifestModel } from '../../../src/config/runtime-config.ts';
import { CONFIG, fakeTerminal, fakeWorld } from './cli-fixtures.ts';

describe('config', () => {
  test('prints the schema and the effective configuration', () => {
    const out = fakeTerminal(false);
    const deps = { out, loadConfig: () => CONFIG, configJsonSchema: () => ({ type: 'object' }), printConfig: () => 'node: cockpit' };
    expect(configSchemaCommand(deps) + configPrintCommand('x', deps)).toBe(0);
    expect(out.text).toBe('{\n  "type": "object"\n}\nnode: cockpit\n');
  });
});

describe('models', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coxswain-models-'));
    writeFileSync(join(folder, 'good.onnx'), 'good');
    writeFileSync(join(folder, 'keys.txt'), 'changed');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const deps = (): ModelsDeps & { out: ReturnType<typeof fakeTerminal> } => {
    const entry = (id: string, sideFiles: ManifestModel['sideFiles'] = {}): ManifestModel =>
      ({
        id,
        file: join(folder, `${id}.onnx`),
        fileBytes: 4,
        sha256: sha256('good'),
        licence: 'MIT\u001b[0m',
        sideFiles,
      }) as unknown as ManifestModel;
    const keys = { file: join(folder, 'keys.txt'), sha256: sha256('keys'), fileBytes: 4 };
    return { out: fakeTerminal(false, 200), err: fakeTerminal(false), env: {}, models: [entry('good', { keys }), entry('gone')] };
  };

  test('lists models and their side files with sizes and licences', () => {
    const world = deps();
    expect(modelsList({ isJson: false }, world)).toBe(0);
    expect(world.out.text).toMatch(/good\s+model\s+0 kB\s+MIT\\x1b\[0m\s+770e607624d6/);
    expect(world.out.text).toMatch(/good\s+keys/);
  });

  test('tells same, different and missing files apart, and exits 1', async () => {
    const world = deps();
    expect(await modelsVerify({ isJson: true }, world)).toBe(1);
    const verdicts = JSON.parse(world.out.text).map(({ model, part, verdict }: Record<string, string>) => [model, part, verdict]);
    expect(verdicts).toEqual([
      ['good', 'model', 'same'],
      ['good', 'keys', 'different'],
      ['gone', 'model', 'missing'],
    ]);
    const plain = deps();
    await modelsVerify({ isJson: false }, plain);
    expect(plain.out.text).toContain('and has 7 bytes instead of 4');
    expect(plain.out.text).toContain('1 of 3 files are what the manifest says');
  });

  test('exits 0 when every file is what the manifest says', async () => {
    const world = deps();
    const [good] = world.models;
    const only = good === undefined ? [] : [{ ...good, sideFiles: {} }];
    expect(await modelsVerify({ isJson: false }, { ...world, models: only })).toBe(0);
  });

  test('shows a bar for a large file on a terminal and takes it away', async () => {
    const world = deps();
    const [good] = world.models;
    const err = fakeTerminal(true);
    const large = good === undefined ? [] : [{ ...good, sideFiles: {}, fileBytes: 64 * 1024 * 1024 }];
    await modelsVerify({ isJson: false }, { ...world, err, models: large });
    expect(err.text).toContain('░');
    expect(err.text.endsWith('\r\u001b[K')).toBe(true);
  });
});

describe('doctor', () => {
  const fine: ProgramResult = { code: 0, stdout: '1.2.3\n', stderr: '' };
  const probe = (changes: Partial<DoctorProbe> = {}): DoctorProbe => ({
    nodeVersion: '20.20.2',
    env: { PATH: '/bin' },
    packageFolder: '/p',
    probeNative: () => [{ name: 'futex', isAvailable: true, detail: 'works', remedy: '' }],
    run: async () => fine,
    list: async (folder) => (folder === '/dev' ? ['video2', 'null', 'video0'] : ['a.onnx']),
    diskRoom: async () => ({ totalBytes: 1e9, freeBytes: 1e9 }),
    ...changes,
  });
  const diagnose = async (changes: Partial<DoctorProbe> = {}): Promise<{ status: number; findings: readonly Finding[] }> => {
    const { out, env } = fakeWorld();
    const status = await doctor({ isJson: true }, { out, env, checks: createDoctorChecks(probe(changes)) });
    return { status, findings: JSON.parse(out.text) };
  };
  const finding = async (name: string, changes: Partial<DoctorProbe>): Promise<Finding | undefined> =>
    (await diagnose(changes)).findings.find((found) => found.name === name);

  test('finds nothing on a machine that has everything', async () => {
    const { status, findings } = await diagnose();
    expect(status).toBe(0);
    expect(findings.filter(({ status: word, fix }) => word !== 'ok' || fix !== '')).toEqual([]);
    expect(findings.find(({ name }) => name === 'cameras')?.detail).toBe('/dev/video0, /dev/video2');
  });

  test.each<[string, Partial<DoctorProbe>, Finding['status']]>([
    ['node', { nodeVersion: '20.18.9' }, 'fail'],
    ['node', { nodeVersion: '22.0.0' }, 'ok'],
    ['futex', { probeNative: () => [{ name: 'futex' as const, isAvailable: false, detail: 'EPERM', remedy: 'allow it' }] }, 'fail'],
    ['realtime', { probeNative: () => [{ name: 'realtime' as const, isAvailable: false, detail: 'EPERM', remedy: 'allow it' }] }, 'warn'],
    ['/dev/shm', { diskRoom: async () => undefined }, 'fail'],
    ['/dev/shm', { diskRoom: async () => ({ totalBytes: 67_108_864, freeBytes: 67_108_864 }) }, 'warn'],
    ['samples', { list: async () => [] }, 'warn'],
    ['ffmpeg', { run: async (command: string) => (command === 'ffmpeg' ? undefined : fine) }, 'warn'],
    ['onnxruntime', { run: async () => ({ code: 1, stdout: '', stderr: 'node:x\nError: libonnxruntime.so.1\nNode.js v20' }) }, 'fail'],
  ])('says of %s with %o: %s', async (name, changes, status) => {
    const found = await finding(name, changes);
    expect(found?.status).toBe(status);
    expect(found?.fix === '').toBe(status === 'ok');
  });

  test('exits 1 only when the runtime could not work', async () => {
    expect((await diagnose({ list: async () => [] })).status).toBe(0);
    expect((await diagnose({ nodeVersion: '18.0.0' })).status).toBe(1);
  });

  test('loads ONNX Runtime in a child with its telemetry off', async () => {
    const environments: unknown[] = [];
    await diagnose({
      run: async (_command, args, options) => {
        if (args.some((argument) => argument.includes('onnxruntime-node'))) environments.push(options?.env);
        return fine;
      },
    });
    expect(environments).toEqual([{ PATH: '/bin', ORT_DISABLE_TELEMETRY: '1' }]);
  });

  test('prints a line for each finding, with the fix below, escaped', async () => {
    const { out, env } = fakeWorld();
    const checks = [async (): Promise<Finding[]> => [{ name: 'x', status: 'warn', detail: 'a\u001b[2J', fix: 'do b' }]];
    expect(await doctor({ isJson: false }, { out, env, checks })).toBe(0);
    expect(out.text).toBe(`warn x${' '.repeat(22)}a\\x1b[2J\n${' '.repeat(28)}do b\nready to run; 1 to know of\n`);
  });
});
