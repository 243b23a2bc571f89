import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelSpec, TensorSpec } from '../../src/core/model.ts';
import { tensorBytes } from '../../src/core/model.ts';
import { Prng } from '../../src/core/prng.ts';
import type { Region } from '../../src/core/region.ts';
import type { SegmentEnd } from '../../src/core/segment.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationUs } from '../../src/core/units.ts';
import { createSharedMemory } from '../../src/native/shared-memory.ts';
import { describeModel } from './described-model.ts';
import { quantile } from './quantile.ts';

/**
 * What it costs that a network is cut: one model whole and in blocks on one core process, all taking turns; the time of each block by itself, with a command for each; and
 * whether the outputs are the same to the bit.
 *
 *     npm run build && npx tsx tools/bench/blocks.ts [model.onnx] [rounds] [dist] [blocks ...]
 *
 * Default: .cache/models/nanodet.onnx, 100 rounds, dist, 2 3 4 6 8 blocks.
 */
const [modelFile = '.cache/models/nanodet.onnx', rounds = '100', distDir = 'dist', ...asked] = process.argv.slice(2);
const COUNTS = [1, ...(asked.length === 0 ? [2, 3, 4, 6, 8] : asked.map(Number))];

type DeviceModule = typeof import('../../src/devices/ort/ort-device.ts');
const { createOrtDevice } = (await import(pathToFileURL(resolve(distDir, 'devices/ort/ort-device.js')).href)) as DeviceModule;

const clock = createSystemClock();
const dir = mkdtempSync(join(tmpdir(), 'coxswain-bench-'));
const arena = createSharedMemory(64 * 2 ** 20);
const device = createOrtDevice(
  {
    cores: [{ id: 0 }],
    arena: { fd: arena.fd, byteLength: arena.buffer.byteLength },
    threadsPerCore: 1,
    startTimeoutUs: durationUs(20_000_000),
    loadTimeoutUs: durationUs(60_000_000),
    optimizedDir: dir,
  },
  { clock, listener: { coreLost: ({ message }) => console.error(message) }, onWarning: (message) => console.log(message) },
);

let nextByte = 0;
const place = (spec: TensorSpec): Region => {
  const region = { offsetBytes: nextByte, byteLength: tensorBytes(spec) };
  nextByte += Math.ceil(region.byteLength / 64) * 64;
  return region;
};
const bytesOf = ({ offsetBytes, byteLength }: Region): Buffer => Buffer.from(arena.buffer, offsetBytes, byteLength);

const described = await describeModel(modelFile);
const inputs = described.inputs.map(place);
const outputs = described.outputs.map(place);
const prng = new Prng(1);
for (const [index, { type }] of described.inputs.entries()) {
  const { offsetBytes, byteLength } = inputs[index] as Region;
  if (type !== 'float32') continue;
  const values = new Float32Array(arena.buffer, offsetBytes, byteLength / 4);
  for (const at of values.keys()) values[at] = prng.ratio();
}

const models = COUNTS.map((blocks): ModelSpec => ({ ...described, id: `${blocks}`, ...(blocks > 1 ? { blocks } : {}) }));
await new Promise((done) => device.start(0, done));
for (const model of models) {
  const before = clock.now();
  await new Promise<void>((done, fail) => device.load(0, model, (error) => (error === undefined ? done() : fail(error))));
  console.log(`${model.id} blocks opened in ${((clock.now() - before) / 1000).toFixed(0)} ms`);
}

async function run(model: ModelSpec, from: number, steps: number): Promise<number> {
  const killAt = addUs(clock.now(), durationUs(60_000_000));
  const end = await new Promise<SegmentEnd>((done) =>
    device.run(0, { job: 1, from, steps, model: model.id, inputs, outputs, killAt }, done),
  );
  if (end.kind === 'failed') throw new Error(end.message);
  return end.endedAt - end.startedAt;
}

const whole = models.map((): number[] => []);
const blocks = models.map(({ blocks: count = 1 }) => Array.from({ length: count }, (): number[] => []));
const given = models.map((): Buffer => Buffer.alloc(0));
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const [index, model] of models.entries()) {
    for (const output of outputs) bytesOf(output).fill(0);
    const tookUs = await run(model, 0, model.blocks ?? 1);
    given[index] = Buffer.concat(outputs.map(bytesOf));
    // The first round is for warming up.
    if (round > 0) whole[index]?.push(tookUs);
  }
  for (const [index, model] of models.entries())
    for (const [block, times] of (blocks[index] ?? []).entries()) times.push(await run(model, block, 1));
}

const msAt = (valuesUs: readonly number[], ratio: number): number => quantile(valuesUs, ratio) / 1000;
const ms = (value: number): string => value.toFixed(1);
const base = msAt(whole[0] ?? [], 0.5);
console.log('blocks  median ms  p90 ms  against whole  each block, median ms (longest)  same bits');
for (const [index, model] of models.entries()) {
  const median = msAt(whole[index] ?? [], 0.5);
  const each = (blocks[index] ?? []).map((times) => msAt(times, 0.5));
  const cells = [
    model.id.padStart(6),
    ms(median).padStart(10),
    ms(msAt(whole[index] ?? [], 0.9)).padStart(7),
    `${(((median - base) / base) * 100).toFixed(1)} %`.padStart(14),
    `  ${each.map(ms).join(' ')} (${ms(Math.max(...each))})`,
    given[index]?.equals(given[0] as Buffer) ? '  yes' : '  NO',
  ];
  console.log(cells.join(' '));
}
device.health(0);
await new Promise((done) => setTimeout(done, 100));
console.log(`memory of the core with all of them ${Math.round((device.health(0).pssBytes ?? 0) / 2 ** 20)} MiB`);
await device.dispose();
arena.close();
rmSync(dir, { recursive: true });
