import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelSpec, TensorSpec } from '../../../src/core/model.ts';
import { MAILBOX_BYTES } from '../../../src/devices/ort/mailbox.ts';
import { createOrtRig, type OrtRig, region } from '../../support/ort-rig.ts';
import { ACCUMULATE, DIVIDE, encodeModel, OPEN_IDENTITY, readsFile, writeTinyModel, writeTinyModels } from '../../support/tiny-onnx.ts';

const spec = (name: string, ...shape: number[]): TensorSpec => ({ name, type: 'float32', shape });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const VECTOR = [1, 2, 3, 4];

let rig: OrtRig;
let divide: ModelSpec;
let accumulate: ModelSpec;

beforeAll(async () => {
  rig = createOrtRig({ cores: [{ id: 0 }, { id: 1 }] });
  ({ divide, accumulate } = writeTinyModels(rig.dir));
  expect(await rig.start(0)).toBeUndefined();
  expect(await rig.start(1)).toBeUndefined();
});

afterAll(() => rig.close());

/** A hash that no bytes have, so that no copy of an earlier load can stand in for the file. */
const UNKNOWN_HASH = 'b'.repeat(64);

/** A manifest entry for `divide` whose file has other bytes and their right hash. */
function withBytes(name: string, bytes: Uint8Array): ModelSpec {
  const file = join(rig.dir, name);
  writeFileSync(file, bytes);
  return { ...divide, id: name, file, sha256: sha256(bytes) };
}

describe('opening a model', () => {
  it.each([
    ['garbage', () => Buffer.from('this is no model at all'.repeat(100))],
    ['truncated', () => encodeModel(DIVIDE).subarray(0, 60)],
    ['empty', () => new Uint8Array(0)],
    ['zeros', () => new Uint8Array(100_000)],
    ['unknown operator', () => encodeModel({ ...DIVIDE, nodes: [{ op: 'Divide', inputs: ['a', 'b'], outputs: ['quotient'] }] })],
  ])('refuses bytes that are %s as unloadable, and the core lives on', async (name, bytes) => {
    const pid = rig.pid();
    const error = await rig.load(withBytes(`${name}.onnx`, bytes()));
    expect(error).toMatchObject({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining(name) });
    expect(rig.pid()).toBe(pid);
    expect(await rig.load(divide)).toBeUndefined();
  });

  it('refuses bytes with another hash before anything parses them, naming both hashes', async () => {
    const garbage = withBytes('other.onnx', Buffer.from('not even a model'));
    const error = await rig.load({ ...garbage, sha256: 'a'.repeat(64) });
    expect(error?.code).toBe('MODEL_HASH_MISMATCH');
    expect(error?.message).toContain(garbage.sha256);
    expect(error?.message).toContain('a'.repeat(64));
  });

  it('says that a file is missing', async () => {
    expect(await rig.load({ ...divide, sha256: UNKNOWN_HASH, file: join(rig.dir, 'nowhere.onnx') })).toMatchObject({
      code: 'MODEL_MISSING',
    });
    expect(await rig.load({ ...divide, sha256: UNKNOWN_HASH, file: `${divide.file}/below` })).toMatchObject({ code: 'MODEL_MISSING' });
  });

  it('refuses a directory', async () => {
    const file = join(rig.dir, 'folder.onnx');
    mkdirSync(file);
    expect(await rig.load({ ...divide, sha256: UNKNOWN_HASH, file })).toMatchObject({
      code: 'MODEL_UNLOADABLE',
      message: expect.stringContaining('regular'),
    });
  });

  it('refuses a named pipe instead of waiting for its writer', async () => {
    const file = join(rig.dir, 'pipe.onnx');
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    expect(await rig.load({ ...divide, sha256: UNKNOWN_HASH, file })).toMatchObject({
      code: 'MODEL_UNLOADABLE',
      message: expect.stringContaining('regular'),
    });
  });

  it('refuses a device file', async () => {
    expect(await rig.load({ ...divide, sha256: UNKNOWN_HASH, file: '/dev/zero' })).toMatchObject({ code: 'MODEL_UNLOADABLE' });
  });

  it('follows a symbolic link to the right bytes', async () => {
    const file = join(rig.dir, 'link.onnx');
    const target = withBytes('target.onnx', encodeModel({ ...DIVIDE, fileConstants: {}, constants: { unused: [1] } }));
    symlinkSync(target.file, file);
    expect(await rig.load({ ...target, file })).toBeUndefined();
  });

  it('reads no weights from other files', async () => {
    for (const file of ['etc/passwd', '/etc/passwd', '../etc/passwd']) {
      const tensors = { inputs: [spec('given', 1)], outputs: [spec('sum', 1)] };
      const model = writeTinyModel(join(rig.dir, 'reads.onnx'), readsFile(file), tensors);
      expect([file, (await rig.load(model))?.code]).toEqual([file, 'MODEL_UNLOADABLE']);
    }
  });

  it('refuses a manifest entry that is too long to be handed over', async () => {
    const inputs = Array.from({ length: MAILBOX_BYTES / 64 }, (_, index) =>
      spec(`a tensor with a name of more than sixty-four bytes, so that all are too long ${index}`, 1, 4),
    );
    expect(await rig.load({ ...divide, inputs })).toMatchObject({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining('too long') });
    expect(await rig.load(divide)).toBeUndefined();
  });
});

describe('holding a model to its contract', () => {
  const refusals: [string, Partial<ModelSpec>, RegExp][] = [
    [
      'an input of another name',
      { inputs: [spec('a', 1, 4), spec('c', 1, 4)] },
      /"c"; the model has "a", "b".*"b" that the manifest does not name/,
    ],
    ['an input too few', { inputs: [spec('a', 1, 4)] }, /input "b" that the manifest does not name/],
    ['an output that is not there', { outputs: [spec('product', 1, 4)] }, /output "product"; the model has "quotient"/],
    [
      'another type',
      { inputs: [{ ...spec('a', 1, 4), type: 'uint8' }, spec('b', 1, 4)] },
      /float32 \[1, 4\] in the model and uint8 \[1, 4\] in the manifest/,
    ],
    ['another shape', { outputs: [spec('quotient', 1, 5)] }, /float32 \[1, 4\] in the model and float32 \[1, 5\]/],
    ['another rank', { outputs: [spec('quotient', 4)] }, /float32 \[1, 4\] in the model and float32 \[4\]/],
    [
      'a constant with too few values',
      { inputs: [spec('a', 1, 4)], constants: [{ ...spec('b', 1, 4), values: [1] }] },
      /1 values; its shape holds 4/,
    ],
    [
      'a state that changes its shape',
      { inputs: [spec('a', 1, 4)], outputs: [], states: [{ input: spec('b', 1, 4), output: spec('quotient', 4) }] },
      /state "b"/,
    ],
  ];
  it.each(refusals)('refuses %s, naming what is and what should be', async (_, change, message) => {
    const error = await rig.load({ ...divide, ...change });
    expect(error?.code).toBe('MODEL_CONTRACT');
    expect(error?.message).toMatch(message);
  });

  it('fits any size into a dimension that the model leaves open', async () => {
    const tensors = { inputs: [spec('given', 4)], outputs: [spec('same', 4)] };
    expect(await rig.load(writeTinyModel(join(rig.dir, 'open.onnx'), OPEN_IDENTITY, tensors))).toBeUndefined();
    rig.floats.set(VECTOR, 0);
    expect(await rig.run('open', [region(0, 16)], [region(64, 16)])).toMatchObject({ kind: 'done' });
    expect([...rig.floats.subarray(16, 20)]).toEqual(VECTOR);
  });

  it('fails the run when an open dimension turns out otherwise', async () => {
    const tensors = { inputs: [spec('given', 4)], outputs: [spec('same', 5)] };
    await rig.load(writeTinyModel(join(rig.dir, 'longer.onnx'), OPEN_IDENTITY, tensors));
    expect(await rig.run('longer', [region(0, 16)], [region(64, 20)])).toMatchObject({ kind: 'failed', reason: 'wrong-shape' });
  });
});

describe('running a model', () => {
  const accumulateOnce = (core = 0) => rig.run('accumulate', [region(0, 16)], [region(64, 16)], { core });
  const sum = (): number[] => [...rig.floats.subarray(16, 20)];

  it('writes its output into the arena', async () => {
    await rig.load(divide);
    rig.floats.set([...VECTOR, ...Array(12).fill(0), 2, 2, 2, 2]);
    expect(await rig.run('divide', [region(0, 16), region(64, 16)], [region(128, 16)])).toMatchObject({ kind: 'done' });
    expect([...rig.floats.subarray(32, 36)]).toEqual([0.5, 1, 1.5, 2]);
  });

  it.each([
    ['NaN', 0],
    ['infinite', 1],
  ])('calls an output that is %s non-finite', async (_, dividend) => {
    await rig.load(divide);
    rig.floats.fill(1, 0, 32);
    rig.floats[3] = dividend;
    rig.floats[19] = 0;
    expect(await rig.run('divide', [region(0, 16), region(64, 16)], [region(128, 16)])).toMatchObject({
      kind: 'failed',
      reason: 'non-finite',
    });
  });

  it('refuses regions outside of the arena or not aligned', async () => {
    await rig.load(divide);
    const good = [region(0, 16), region(64, 16)];
    for (const offset of [-16, 65_536 - 8, 2 ** 40, 130, 0.5, Number.NaN]) {
      const end = await rig.run('divide', good, [region(offset, 16)]);
      expect([offset, end.kind === 'failed' && end.reason]).toEqual([offset, 'wrong-shape']);
    }
    expect(await rig.run('divide', good, [region(65_536 - 16, 16)])).not.toMatchObject({ reason: 'wrong-shape' });
  });

  it('keeps a state from run to run, each core its own', async () => {
    await rig.load(accumulate, 0);
    await rig.load(accumulate, 1);
    rig.floats.set(VECTOR, 0);
    await accumulateOnce();
    await accumulateOnce();
    expect(sum()).toEqual([2, 4, 6, 8]);
    await accumulateOnce(1);
    expect(sum()).toEqual(VECTOR);
    await accumulateOnce();
    expect(sum()).toEqual([3, 6, 9, 12]);
  });

  it('keeps the state of before when a run gives values that are not finite', async () => {
    await rig.load(accumulate);
    rig.floats.set(VECTOR, 0);
    await accumulateOnce();
    rig.floats[0] = Number.POSITIVE_INFINITY;
    expect(await accumulateOnce()).toMatchObject({ kind: 'failed', reason: 'non-finite' });
    rig.floats[0] = 1;
    expect(await accumulateOnce()).toMatchObject({ kind: 'done' });
    expect(sum()).toEqual([2, 4, 6, 8]);
  });

  it('begins with zeros again when the model is loaded again', async () => {
    await rig.load(accumulate);
    rig.floats.set(VECTOR, 0);
    await accumulateOnce();
    await rig.load(accumulate);
    await accumulateOnce();
    expect(sum()).toEqual(VECTOR);
  });

  it('feeds constants by itself', async () => {
    const inputs = [spec('a', 1, 4)];
    const constants = [{ ...spec('b', 1, 4), values: [1, 2, 4, 8] }];
    expect(await rig.load({ ...divide, id: 'by-constant', inputs, constants })).toBeUndefined();
    rig.floats.fill(8, 0, 4);
    await rig.run('by-constant', [region(0, 16)], [region(64, 16)]);
    expect(sum()).toEqual([8, 4, 2, 1]);
  });

  it('carries int64 and uint8 tensors', async () => {
    const identity = (type: 'int64' | 'uint8') => ({
      nodes: [{ op: 'Identity', inputs: ['given'], outputs: ['same'] }],
      inputs: [{ name: 'given', type, shape: [2] }],
      outputs: [{ name: 'same', type, shape: [2] }],
    });
    for (const [type, bytes] of [
      ['int64', 16],
      ['uint8', 2],
    ] as const) {
      const tensors = { inputs: [{ name: 'given', type, shape: [2] }], outputs: [{ name: 'same', type, shape: [2] }] };
      expect(await rig.load(writeTinyModel(join(rig.dir, `${type}.onnx`), identity(type), tensors))).toBeUndefined();
      new Uint8Array(rig.arena).set(
        Array.from({ length: bytes }, (_, index) => 255 - index),
        0,
      );
      expect(await rig.run(type, [region(0, bytes)], [region(64, bytes)])).toMatchObject({ kind: 'done' });
      expect(Buffer.from(rig.arena, 64, bytes)).toEqual(Buffer.from(rig.arena, 0, bytes));
    }
  });
});

describe('optimised copies', () => {
  const copiesOf = (own: OrtRig): string[] =>
    readdirSync(join(own.dir, 'optimized')).flatMap((folder) =>
      readdirSync(join(own.dir, 'optimized', folder)).map((name) => join(own.dir, 'optimized', folder, name)),
    );

  it('are used by the next load even when the original is gone, and never when tampered with', async () => {
    const own = createOrtRig({ cores: [{ id: 0 }] });
    try {
      const model = writeTinyModel(join(own.dir, 'sum.onnx'), ACCUMULATE, accumulate);
      await own.start();
      expect(await own.load({ ...accumulate, ...model })).toBeUndefined();
      expect(copiesOf(own)).toHaveLength(1);
      const gone = { ...accumulate, sha256: model.sha256, file: join(own.dir, 'gone.onnx') };
      expect(await own.load(gone)).toBeUndefined();
      writeFileSync(copiesOf(own)[0] ?? '', encodeModel(DIVIDE));
      expect(await own.load(gone)).toMatchObject({ code: 'MODEL_MISSING' });
      expect(await own.load(accumulate)).toBeUndefined();
    } finally {
      await own.close();
    }
  });

  it('are removed with the device, as are those of a device that was killed', async () => {
    const own = createOrtRig();
    const dir = join(own.dir, 'elsewhere');
    const dead = spawnSync('true').pid;
    mkdirSync(join(dir, `coxswain-optimized-${dead}-abc`), { recursive: true });
    const other = createOrtRig({ optimizedDir: dir });
    expect(readdirSync(dir)).toEqual([expect.stringMatching(`^coxswain-optimized-${process.pid}-`)]);
    await other.close();
    expect(readdirSync(dir)).toEqual([]);
    await own.close();
  });

  it('are done without where their folder cannot be made', async () => {
    const own = createOrtRig({ optimizedDir: '/proc/nothing/here' });
    await own.start();
    expect(await own.load(divide)).toBeUndefined();
    await own.close();
  });
});

const SILERO = '.cache/models/silero-vad-v5.onnx';

describe.skipIf(!existsSync(SILERO))(`Silero VAD from ${SILERO}`, () => {
  it('gives the same bits from its file and from its optimised copy, state included', async () => {
    const state = (name: string): TensorSpec => spec(name, 2, 1, 128);
    const silero: ModelSpec = {
      ...divide,
      id: 'silero',
      file: join(process.cwd(), SILERO),
      sha256: sha256(readFileSync(SILERO)),
      inputs: [spec('input', 1, 576)],
      outputs: [spec('output', 1, 1)],
      states: [{ input: state('state'), output: state('stateN') }],
      constants: [{ name: 'sr', type: 'int64', shape: [], values: [16_000] }],
    };
    const scores: number[][] = [];
    for (const core of [0, 1]) {
      expect(await rig.load(silero, core)).toBeUndefined();
      const list: number[] = [];
      for (let window = 0; window < 20; window += 1) {
        for (let index = 0; index < 576; index += 1) rig.floats[index] = Math.sin((window * 576 + index) ** 1.3 / 50) * 0.5;
        expect(await rig.run('silero', [region(0, 2304)], [region(4096, 4)], { core })).toMatchObject({ kind: 'done' });
        list.push(rig.floats[1024] ?? Number.NaN);
      }
      scores.push(list);
    }
    expect(scores[0]?.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(new Set(scores[0]).size).toBeGreaterThan(10);
    expect(scores[1]).toEqual(scores[0]);
  });
});
