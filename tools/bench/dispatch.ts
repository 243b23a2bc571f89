import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { CoxswainError } from '../../src/core/errors.ts';
import { type ModelSpec, type TensorSpec, tensorBytes } from '../../src/core/model.ts';
import type { Region } from '../../src/core/region.ts';
import type { SegmentEnd } from '../../src/core/segment.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationUs } from '../../src/core/units.ts';
import { createSharedMemory } from '../../src/native/shared-memory.ts';
import { describeModel } from './described-model.ts';

/**
 * What the device costs besides the model, with every core busy at niceness 19: submit to start, end to told, delay of this event loop, and the time
 * from killing a core until it is back with its model.
 *
 *     npm run build && npx tsx tools/bench/dispatch.ts [model.onnx] [seconds] [dist] [pinned|free]
 *
 * Default: .cache/models/nanodet.onnx, 10 s, the built device in dist/ (its core processes start without a TypeScript loader), each core on its own CPU.
 * BlazeFace, two cores, four alternating runs of 3 s beside other work: submit to start p50 150, 974, 157, 804 us left free and 125, 145, 136, 112 pinned; p99 0.7 to 25 ms
 * left free and 4 to 43 ms pinned, since a pinned core cannot get out of the way of a stranger.
 */
const [modelFile = '.cache/models/nanodet.onnx', seconds = '10', distDir = 'dist', placing = 'pinned'] = process.argv.slice(2);
const CORES = [0, 1];
const RESPAWN_COUNT = 10;

type DeviceModule = typeof import('../../src/devices/ort/ort-device.ts');
const { createOrtDevice } = (await import(pathToFileURL(resolve(distDir, 'devices/ort/ort-device.js')).href)) as DeviceModule;

const clock = createSystemClock();
const dir = mkdtempSync(join(tmpdir(), 'coxswain-bench-'));
const arena = createSharedMemory(64 * 2 ** 20);
const lostBefore: (() => void)[] = [];
const device = createOrtDevice(
  {
    cores: CORES.map((id) => ({ id, niceness: 19, cpu: placing === 'pinned' ? id : undefined })),
    arena: { fd: arena.fd, byteLength: arena.buffer.byteLength },
    threadsPerCore: 1,
    startTimeoutUs: durationUs(20_000_000),
    loadTimeoutUs: durationUs(20_000_000),
    optimizedDir: dir,
  },
  { clock, listener: { coreLost: () => lostBefore.shift()?.() } },
);

let nextByte = 0;
const place = (spec: TensorSpec): Region => {
  const region = { offsetBytes: nextByte, byteLength: tensorBytes(spec) };
  nextByte += Math.ceil(region.byteLength / 64) * 64;
  return region;
};

function orThrow(error: CoxswainError | undefined): void {
  if (error !== undefined) throw error;
}
const start = (core: number) => new Promise<CoxswainError | undefined>((done) => device.start(core, done)).then(orThrow);
const load = (core: number, model: ModelSpec) =>
  new Promise<CoxswainError | undefined>((done) => device.load(core, model, done)).then(orThrow);

function summary(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return `p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)}  (${sorted.length})`;
}

const model = await describeModel(modelFile);
const regions = CORES.map(() => ({ inputs: model.inputs.map(place), outputs: model.outputs.map(place) }));
for (const core of CORES) {
  await start(core);
  const before = clock.now();
  await load(core, model);
  console.log(`load on core ${core} ${((clock.now() - before) / 1000).toFixed(0)} ms`);
}

const toStart: number[] = [];
const toTold: number[] = [];
const both: number[] = [];
const ran: number[] = [];
const endAt = addUs(clock.now(), durationUs(Number(seconds) * 1e6));

async function saturate(core: number): Promise<void> {
  while (clock.now() < endAt) {
    const submittedAt = clock.now();
    const killAt = addUs(submittedAt, durationUs(60_000_000));
    const segment = {
      job: 1,
      from: 0,
      steps: 1,
      model: model.id,
      inputs: regions[core]?.inputs ?? [],
      outputs: regions[core]?.outputs ?? [],
      killAt,
    };
    const end = await new Promise<SegmentEnd>((done) => device.run(core, segment, done));
    const toldAt = clock.now();
    if (end.kind !== 'done') throw new Error(end.message);
    toStart.push(end.startedAt - submittedAt);
    toTold.push(toldAt - end.endedAt);
    both.push(end.startedAt - submittedAt + toldAt - end.endedAt);
    ran.push(end.endedAt - end.startedAt);
  }
}

const loopDelay = monitorEventLoopDelay({ resolution: 1 });
loopDelay.enable();
await Promise.all(CORES.map(saturate));
loopDelay.disable();
console.log(`submit to start, us   ${summary(toStart)}`);
console.log(`end to told, us       ${summary(toTold)}`);
console.log(`both, us              ${summary(both)}`);
console.log(`run, us               ${summary(ran)}`);
const loopMs = (share: number): string => (loopDelay.percentile(share) / 1e6).toFixed(2);
console.log(
  `event loop delay, ms  p50 ${loopMs(50)}  p99 ${loopMs(99)}  max ${(loopDelay.max / 1e6).toFixed(2)}  (the timer of 1 ms included)`,
);

/** Core 0 is killed again and again while core 1 stays busy. */
const startTook: number[] = [];
const back: number[] = [];
let isBusy = true;
const busy = (async () => {
  while (isBusy) {
    const killAt = addUs(clock.now(), durationUs(60_000_000));
    const segment = {
      job: 1,
      from: 0,
      steps: 1,
      model: model.id,
      inputs: regions[1]?.inputs ?? [],
      outputs: regions[1]?.outputs ?? [],
      killAt,
    };
    await new Promise<SegmentEnd>((done) => device.run(1, segment, done));
  }
})();
for (let round = 0; round < RESPAWN_COUNT; round += 1) {
  const killedAt = clock.now();
  const lost = new Promise<void>((done) => lostBefore.push(done));
  process.kill(device.health(0).pid ?? Number.NaN, 'SIGKILL');
  await lost;
  await start(0);
  startTook.push((clock.now() - killedAt) / 1000);
  await load(0, model);
  back.push((clock.now() - killedAt) / 1000);
}
isBusy = false;
await busy;
console.log(`kill to ready, ms     ${summary(startTook)}`);
console.log(`and with model, ms    ${summary(back)}`);
await device.dispose();
arena.close();
rmSync(dir, { recursive: true });
