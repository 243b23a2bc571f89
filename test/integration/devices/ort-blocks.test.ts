import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelSpec } from '../../../src/core/model.ts';
import { Prng } from '../../../src/core/prng.ts';
import type { SegmentEnd } from '../../../src/core/segment.ts';
import { durationUs } from '../../../src/core/units.ts';
import { HALF_DONE_MAX } from '../../../src/devices/ort/network-session.ts';
import { onnxModel, type TestModel } from '../../support/onnx-model.ts';
import { createOrtRig, type OrtRig, region } from '../../support/ort-rig.ts';
import { writeTinyModels } from '../../support/tiny-onnx.ts';

const LAYERS = 8;
const ROWS = 64;
/** A block takes about half a millisecond, longer than it takes to ask it to yield. */
const WIDTH = 256;
const BYTES = 4 * ROWS * WIDTH;
const ARENA_BYTES = 16 << 20;
const BLOCKS = 4;

/** Each job has its own inputs and outputs in the arena. */
const ins = (job: number) => [region(2 * job * BYTES, BYTES)];
const outs = (job: number) => [region((2 * job + 1) * BYTES, BYTES), region(50 * BYTES + 4 * job * ROWS, 4 * ROWS)];

/** Matrices and saturations in a row, each layer also added to the next but one; `sums`, of the third layer, is given too and read again at the end. */
function deepModel(): TestModel {
  const prng = new Prng(3);
  const layers = Array.from({ length: LAYERS }, (_, layer) => [
    { op: 'MatMul', inputs: [layer === 0 ? 'x' : `t${layer - 1}`, `w${layer}`], outputs: [`m${layer}`] },
    { op: 'Add', inputs: [`m${layer}`, layer < 2 ? 'x' : `t${layer - 2}`], outputs: [`a${layer}`] },
    { op: 'Tanh', inputs: [`a${layer}`], outputs: [`t${layer}`] },
  ]).flat();
  return {
    nodes: [
      ...layers,
      { op: 'ReduceSum', inputs: ['t2', 'axis'], outputs: ['sums'] },
      { op: 'Div', inputs: [`t${LAYERS - 1}`, 'sums'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', shape: [ROWS, WIDTH] }],
    outputs: [
      { name: 'y', shape: [ROWS, WIDTH] },
      { name: 'sums', shape: [ROWS, 1] },
    ],
    constants: [
      ...Array.from({ length: LAYERS }, (_, layer) => ({
        name: `w${layer}`,
        shape: [WIDTH, WIDTH],
        values: Array.from({ length: WIDTH * WIDTH }, () => (prng.ratio() - 0.5) / 8),
      })),
      { name: 'axis', type: 'int64' as const, shape: [1], values: [1] },
    ],
  };
}

function writeDeep(dir: string): ModelSpec {
  const file = join(dir, 'deep.onnx');
  const bytes = onnxModel(deepModel());
  writeFileSync(file, bytes);
  const shape = [ROWS, WIDTH];
  return {
    ...{ id: 'deep', file, sha256: createHash('sha256').update(bytes).digest('hex') },
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: [
      { name: 'y', type: 'float32', shape },
      { name: 'sums', type: 'float32', shape: [ROWS, 1] },
    ],
    ...{ states: [], constants: [], codec: 'none', licence: 'Apache-2.0', files: {} },
    ...{ costUs: durationUs(100), memoryBytes: 1_000_000 },
  };
}

let rig: OrtRig;
let deep: ModelSpec;

const inBlocks = (model: ModelSpec, blocks: number): ModelSpec => ({ ...model, id: `${model.id}-${blocks}`, blocks });

function fill(job: number, seed = job, own = rig): void {
  const prng = new Prng(seed);
  const from = (2 * job * BYTES) / 4;
  for (let index = 0; index < ROWS * WIDTH; index += 1) own.floats[from + index] = prng.ratio();
  for (const { offsetBytes, byteLength } of outs(job)) new Uint8Array(own.arena, offsetBytes, byteLength).fill(0xff);
}

const given = (job: number, own = rig): string =>
  Buffer.concat(outs(job).map(({ offsetBytes, byteLength }) => Buffer.from(own.arena, offsetBytes, byteLength))).toString('hex');

const run = (job: number, from: number, steps: number, own = rig, model = `deep-${BLOCKS}`): Promise<SegmentEnd> =>
  own.run(model, ins(job), outs(job), { job, from, steps });

/** What the network gives whole. */
async function wholeOf(seed: number, own = rig): Promise<string> {
  fill(0, seed, own);
  expect(await own.run('deep', ins(0), outs(0))).toMatchObject({ kind: 'done' });
  return given(0, own);
}

const left = (steps: number) => ({ kind: 'done', progress: { steps, isLast: false } });
const gone = (job: number, block: number) => ({
  kind: 'failed',
  reason: 'device-error',
  message: expect.stringContaining(`what job ${job} had come to by block ${block}`),
});

/** Begins a job and asks the core to leave it, as often as it takes until that is asked soon enough: this process may be the one that waits for a CPU. Blocks that were run. */
async function leave(job: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const running = run(job, 0, BLOCKS);
    rig.device.yield(0);
    const end = await running;
    if (end.kind === 'done' && end.progress !== undefined) {
      expect(end.progress.isLast).toBe(false);
      return end.progress.steps;
    }
  }
  throw new Error('the core was never left between two blocks');
}

beforeAll(async () => {
  rig = createOrtRig({ arenaBytes: ARENA_BYTES });
  deep = writeDeep(rig.dir);
  expect(await rig.start()).toBeUndefined();
  expect(await rig.load(deep)).toBeUndefined();
  expect(await rig.load(inBlocks(deep, BLOCKS))).toBeUndefined();
  expect(rig.warnings).toEqual([]);
});

afterAll(() => rig.close());

describe('a network in blocks', () => {
  it.each([2, 3, 5, 8])('gives the bits of the whole in %i, in one segment that says nothing of them', async (blocks) => {
    const expected = await wholeOf(11);
    expect(await rig.load(inBlocks(deep, blocks))).toBeUndefined();
    fill(1, 11);
    const end = await run(1, 0, blocks, rig, `deep-${blocks}`);
    expect(end).toMatchObject({ kind: 'done' });
    expect(end).not.toHaveProperty('progress');
    expect(given(1)).toBe(expected);
  });

  it('can be run one block after the other, and tells after each but the last that there are more', async () => {
    const expected = await wholeOf(12);
    fill(1, 12);
    for (let block = 0; block < BLOCKS - 1; block += 1) expect(await run(1, block, 1)).toMatchObject(left(1));
    const end = await run(1, BLOCKS - 1, 1);
    expect(end).not.toHaveProperty('progress');
    expect(given(1)).toBe(expected);
  });

  it('is left after the block that it is at when asked, and goes on with the next', async () => {
    const expected = await wholeOf(13);
    fill(1, 13);
    const steps = await leave(1);
    fill(2, 14);
    expect(await run(2, 0, BLOCKS)).toMatchObject({ kind: 'done' });
    expect(await run(1, steps, BLOCKS - steps)).toMatchObject({ kind: 'done' });
    expect(given(1)).toBe(expected);
    expect(given(2)).toBe(await wholeOf(14));
  });

  it('keeps half-done jobs apart', async () => {
    const jobs = [1, 2, 3];
    for (const job of jobs) fill(job, 20 + job);
    for (let block = 0; block < BLOCKS; block += 1) for (const job of jobs) await run(job, block, 1);
    for (const job of jobs) expect(given(job)).toBe(await wholeOf(20 + job));
  });

  it('begins anew when a job begins anew, whatever it had come to', async () => {
    fill(1, 30);
    await run(1, 0, 2);
    fill(1, 31);
    expect(await run(1, 0, BLOCKS)).toMatchObject({ kind: 'done' });
    expect(given(1)).toBe(await wholeOf(31));
    expect(await run(1, 2, 2)).toMatchObject(gone(1, 2));
  });

  it('fails a job that goes on where it is not, and lives on', async () => {
    fill(1, 32);
    expect(await run(1, 1, 1)).toMatchObject(gone(1, 1));
    await run(1, 0, 2);
    expect(await run(1, 3, 1)).toMatchObject(gone(1, 3));
    // What it had come to is gone with that.
    expect(await run(1, 2, 2)).toMatchObject(gone(1, 2));
    expect(await run(1, 0, BLOCKS)).toMatchObject({ kind: 'done' });
    expect(given(1)).toBe(await wholeOf(32));
  });

  it('forgets a job that has ended, and no other', async () => {
    for (const job of [1, 2]) {
      fill(job, 40 + job);
      await run(job, 0, 2);
    }
    rig.device.forget?.(1);
    expect(await run(1, 2, 2)).toMatchObject(gone(1, 2));
    expect(await run(2, 2, 2)).toMatchObject({ kind: 'done' });
    expect(given(2)).toBe(await wholeOf(42));
  });

  it('keeps so many half-done jobs and no more: the oldest gives way', async () => {
    for (let job = 1; job <= HALF_DONE_MAX + 1; job += 1) {
      fill(job);
      expect(await run(job, 0, 1)).toMatchObject(left(1));
    }
    expect(await run(1, 1, BLOCKS - 1)).toMatchObject(gone(1, 1));
    for (let job = 2; job <= HALF_DONE_MAX + 1; job += 1) {
      expect(await run(job, 1, BLOCKS - 1)).toMatchObject({ kind: 'done' });
      expect(given(job)).toBe(await wholeOf(job));
    }
  });

  it('says at its end that what it gives is not finite, and has nothing of it left for the next', async () => {
    fill(1, 50);
    rig.floats[(2 * BYTES) / 4] = Number.NaN;
    expect(await run(1, 0, 3)).toMatchObject(left(3));
    expect(await run(1, 3, 1)).toMatchObject({ kind: 'failed', reason: 'non-finite' });
    fill(1, 50);
    expect(await run(1, 0, BLOCKS)).toMatchObject({ kind: 'done' });
    expect(given(1)).toBe(await wholeOf(50));
  });

  it('refuses regions that are not its own in any of its segments', async () => {
    fill(1, 51);
    await run(1, 0, 2);
    const end = await rig.run(`deep-${BLOCKS}`, [region(0, 4)], outs(1), { job: 1, from: 2, steps: 2 });
    expect(end).toMatchObject({ kind: 'failed', reason: 'wrong-shape' });
  });
});

describe('a core that runs a network in blocks', () => {
  const savedIn = (own: OrtRig): string[] =>
    readdirSync(join(own.dir, 'optimized')).flatMap((folder) =>
      readdirSync(join(own.dir, 'optimized', folder)).map((name) => join(own.dir, 'optimized', folder, name)),
    );

  async function lose(own: OrtRig): Promise<void> {
    const before = own.losses.length;
    process.kill(own.pid(), 'SIGKILL');
    await own.until(() => own.losses.length > before);
  }

  it('has lost what jobs had come to when it comes back, opens the blocks it saved, and gives the same bits', async () => {
    const own = createOrtRig({ arenaBytes: ARENA_BYTES });
    try {
      const model = inBlocks(writeDeep(own.dir), BLOCKS);
      await own.start();
      expect(await own.load(model)).toBeUndefined();
      expect(savedIn(own)).toHaveLength(BLOCKS);
      fill(1, 60, own);
      await run(1, 0, 2, own);
      await lose(own);
      await own.start();
      expect(await own.load(model)).toBeUndefined();
      expect(savedIn(own)).toHaveLength(BLOCKS);
      expect(await run(1, 2, 2, own)).toMatchObject(gone(1, 2));
      expect(await run(1, 0, BLOCKS, own)).toMatchObject({ kind: 'done' });
      expect(given(1, own)).toBe(await wholeOf(60));
    } finally {
      await own.close();
    }
  });

  it('fails the segment that it was lost in, and takes the original when a saved block was tampered with', async () => {
    const own = createOrtRig({ arenaBytes: ARENA_BYTES });
    try {
      const model = inBlocks(writeDeep(own.dir), BLOCKS);
      await own.start();
      await own.load(model);
      fill(1, 61, own);
      await run(1, 0, 1, own);
      const running = run(1, 1, BLOCKS - 1, own);
      process.kill(own.pid(), 'SIGKILL');
      expect(await running).toMatchObject({ kind: 'failed', reason: 'core-crashed' });
      const [, second] = savedIn(own);
      writeFileSync(second ?? '', Buffer.from('other bytes'));
      await own.start();
      expect(await own.load(model)).toBeUndefined();
      expect(await run(1, 0, BLOCKS, own)).toMatchObject({ kind: 'done' });
      expect(given(1, own)).toBe(await wholeOf(61));
      expect(own.warnings).toEqual([]);
    } finally {
      await own.close();
    }
  });

  it('cuts it for itself when another core is still at it', async () => {
    const own = createOrtRig({ arenaBytes: ARENA_BYTES, cores: [{ id: 0 }, { id: 1 }] });
    try {
      const model = inBlocks(writeDeep(own.dir), BLOCKS);
      await Promise.all([own.start(0), own.start(1)]);
      expect(await Promise.all([own.load(model, 0), own.load(model, 1)])).toEqual([undefined, undefined]);
      const expected = await wholeOf(62);
      for (const core of [0, 1]) {
        fill(1, 62, own);
        expect(await own.run(model.id, ins(1), outs(1), { core, job: 1, from: 0, steps: 1 })).toMatchObject(left(1));
        await own.run(model.id, ins(1), outs(1), { core, job: 1, from: 1, steps: BLOCKS - 1 });
        expect(given(1, own)).toBe(expected);
      }
    } finally {
      await own.close();
    }
  });
});

describe('a network that cannot be cut as asked', () => {
  it('is run whole and said to be, when a node holds a graph', async () => {
    const { count } = writeTinyModels(rig.dir);
    expect(await rig.load(inBlocks(count, BLOCKS))).toBeUndefined();
    expect(rig.warnings.at(-1)).toBe('core 0 runs count-4 whole instead of in 4 blocks: its node Loop holds a graph of its own');
    new BigInt64Array(rig.arena)[0] = 3n;
    expect(await rig.run('count-4', [region(0, 8)], [region(64, 4)], { steps: BLOCKS })).not.toHaveProperty('progress');
    expect(rig.floats[16]).toBe(3);
  });

  it('is run whole when there is but one node, or nowhere to write', async () => {
    const { divide } = writeTinyModels(rig.dir);
    expect(await rig.load(inBlocks(divide, 2))).toBeUndefined();
    expect(rig.warnings.at(-1)).toContain('there is no border');
    const own = createOrtRig({ arenaBytes: ARENA_BYTES, optimizedDir: '/proc/nothing/here' });
    try {
      await own.start();
      expect(await own.load(inBlocks(writeDeep(own.dir), BLOCKS))).toBeUndefined();
      expect(own.warnings.at(-1)).toContain('there is no folder');
      fill(1, 70, own);
      expect(await run(1, 0, BLOCKS, own)).not.toHaveProperty('progress');
      expect(given(1, own)).toBe(await wholeOf(70));
    } finally {
      await own.close();
    }
  });

  it('is over before the last of the planned blocks when it has fewer', async () => {
    const { accumulate: _, divide } = writeTinyModels(rig.dir);
    await rig.load(inBlocks(divide, 3));
    for (const at of [0, 1, 2, 3]) {
      rig.floats[at] = 6;
      rig.floats[4 + at] = 3;
    }
    expect(await rig.run('divide-3', [region(0, 16), region(16, 16)], [region(32, 16)], { steps: 1 })).not.toHaveProperty('progress');
    expect([...rig.floats.subarray(8, 12)]).toEqual([2, 2, 2, 2]);
  });

  it('is refused as it would be whole when it is not what its entry says', async () => {
    const error = await rig.load({ ...inBlocks(deep, 7), outputs: [{ name: 'z', type: 'float32', shape: [1] }] });
    expect(error).toMatchObject({ code: 'MODEL_CONTRACT' });
    expect(await rig.load({ ...inBlocks(deep, 7), sha256: 'c'.repeat(64) })).toMatchObject({ code: 'MODEL_HASH_MISMATCH' });
  });
});

const NANODET = '.cache/models/nanodet.onnx';

describe.skipIf(!existsSync(NANODET))(`NanoDet from ${NANODET}`, () => {
  it('gives in four blocks the bits that it gives whole', async () => {
    const own = createOrtRig({ arenaBytes: ARENA_BYTES });
    try {
      const tensor = (name: string, ...shape: number[]) => ({ name, type: 'float32' as const, shape });
      const heads = [8, 16, 32].map((stride): [number, number] => [stride, (416 / stride) ** 2]);
      const nanodet: ModelSpec = {
        ...deep,
        id: 'nanodet',
        file: join(process.cwd(), NANODET),
        sha256: createHash('sha256').update(readFileSync(NANODET)).digest('hex'),
        inputs: [tensor('image', 1, 3, 416, 416)],
        outputs: [
          ...heads.map(([stride, places]) => tensor(`scores_${stride}`, 1, places, 80)),
          ...heads.map(([stride, places]) => tensor(`boxes_${stride}`, 1, places, 44)),
        ],
      };
      let at = 0;
      const place = ({ shape }: { readonly shape: readonly number[] }) => {
        const bytes = shape.reduce((product, size) => product * size, 4);
        at += Math.ceil(bytes / 64) * 64;
        return region(at - Math.ceil(bytes / 64) * 64, bytes);
      };
      const inputs = nanodet.inputs.map(place);
      const outputs = nanodet.outputs.map(place);
      const prng = new Prng(5);
      for (let index = 0; index < 3 * 416 * 416; index += 1) own.floats[index] = prng.ratio() * 4 - 2;
      await own.start();
      const given: string[] = [];
      for (const model of [nanodet, inBlocks(nanodet, BLOCKS)]) {
        expect(await own.load(model)).toBeUndefined();
        const blocks = model.blocks ?? 1;
        const first = await own.run(model.id, inputs, outputs, { steps: 1 });
        if (blocks > 1) {
          expect(first).toMatchObject(left(1));
          expect(await own.run(model.id, inputs, outputs, { from: 1, steps: blocks - 1 })).toMatchObject({ kind: 'done' });
        }
        const hash = createHash('sha256');
        for (const { offsetBytes, byteLength } of outputs) hash.update(new Uint8Array(own.arena, offsetBytes, byteLength));
        given.push(hash.digest('hex'));
      }
      expect(given[1]).toBe(given[0]);
      expect(own.warnings).toEqual([]);
    } finally {
      await own.close();
    }
  });
});
