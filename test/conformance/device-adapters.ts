import { join } from 'node:path';
import type { Clock } from '../../src/core/clock.ts';
import type { ModelSpec } from '../../src/core/model.ts';
import type { Region } from '../../src/core/region.ts';
import type { Segment } from '../../src/core/segment.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationUs, instantUs } from '../../src/core/units.ts';
import type { Device, DeviceListener } from '../../src/devices/device.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import { createSimDevice } from '../../src/devices/sim/sim-device.ts';
import { createSharedMemory } from '../../src/native/shared-memory.ts';
import { type Behaviour, createScriptedDevice, hang, nonFinite, ok } from '../support/scripted-device.ts';
import { layer, twoCores } from '../support/soc-profiles.ts';
import { writeTinyModels } from '../support/tiny-onnx.ts';

/** How the next run on a core shall go; each adapter has its own way to bring it about. */
export type Kind = 'ok' | 'slow' | 'hang' | 'non-finite';

export interface Adapter {
  readonly clock: Clock;
  readonly device: Device;
  /** What `segment` of the kinds ok and non-finite runs, and of the others. */
  readonly model: ModelSpec;
  readonly otherModel: ModelSpec;
  segment(kind: Kind, killAfterUs?: number): Segment;
  /** Makes a core end by itself. */
  crash(core: number): void;
  /** Lets time pass until `isReached`; false when it never is. */
  until(isReached: () => boolean): Promise<boolean>;
  /** Lets enough time pass for whatever is still under way to show itself. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

type CreateAdapter = (listener: DeviceListener, dir: string) => Adapter;

export const region = (offsetBytes: number, byteLength: number): Region => ({ offsetBytes, byteLength });

const createOrtAdapter: CreateAdapter = (listener, dir) => {
  const clock = createSystemClock();
  const arena = createSharedMemory(4096);
  const { count, divide } = writeTinyModels(dir);
  const timeouts = { startTimeoutUs: durationUs(20_000_000), loadTimeoutUs: durationUs(20_000_000) };
  const device = createOrtDevice(
    {
      cores: [0, 1].map((id) => ({ id })),
      arena: { fd: arena.fd, byteLength: 4096 },
      threadsPerCore: 1,
      ...timeouts,
      optimizedDir: join(dir, 'optimized'),
    },
    { clock, listener },
  );
  const floats = new Float32Array(arena.buffer);
  const killAt = (killAfterUs: number) => addUs(clock.now(), durationUs(killAfterUs));
  return {
    clock,
    device,
    model: divide,
    otherModel: count,
    segment(kind, killAfterUs = 10_000_000) {
      if (kind === 'ok' || kind === 'non-finite') {
        floats.fill(kind === 'ok' ? 1 : 0, 0, 32);
        return {
          job: 1,
          from: 0,
          steps: 1,
          model: 'divide',
          inputs: [region(0, 16), region(64, 16)],
          outputs: [region(128, 16)],
          killAt: killAt(killAfterUs),
        };
      }
      new BigInt64Array(arena.buffer, 256)[0] = kind === 'slow' ? 30_000n : 10n ** 15n;
      return {
        job: 2,
        from: 0,
        steps: 1,
        model: 'count',
        inputs: [region(256, 8)],
        outputs: [region(320, 4)],
        killAt: killAt(killAfterUs),
      };
    },
    crash(core) {
      process.kill(device.health(core).pid ?? Number.NaN, 'SIGSEGV');
    },
    async until(isReached) {
      const deadline = clock.now() + 30_000_000;
      while (!isReached() && clock.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
      return isReached();
    },
    rest: () => new Promise((resolve) => setTimeout(resolve, 50)),
    async close() {
      await device.dispose();
      arena.close();
    },
  };
};

const createScriptedAdapter: CreateAdapter = (listener, dir) => {
  const clock = new SimClock(instantUs(1000));
  const { count, divide } = writeTinyModels(dir);
  let behaviour: Behaviour = hang;
  const behaviours: Record<Kind, Behaviour> = { ok: ok(1000), slow: ok(50_000), hang, 'non-finite': nonFinite(1000) };
  const device = createScriptedDevice({ cores: [0, 1], script: () => behaviour }, { clock, listener });
  return {
    clock,
    device,
    model: divide,
    otherModel: count,
    segment(kind, killAfterUs = 10_000_000) {
      behaviour = behaviours[kind];
      const killAt = addUs(clock.now(), durationUs(killAfterUs));
      if (kind === 'slow' || kind === 'hang')
        return { job: 2, from: 0, steps: 1, model: 'count', inputs: [region(256, 8)], outputs: [region(320, 4)], killAt };
      return { job: 1, from: 0, steps: 1, model: 'divide', inputs: [region(0, 16), region(64, 16)], outputs: [region(128, 16)], killAt };
    },
    crash: (core) => device.crash(core),
    async until(isReached) {
      while (!isReached() && clock.step()) await Promise.resolve();
      return isReached();
    },
    rest: () => clock.settleUntil(addUs(clock.now(), durationUs(60_000_000))),
    close: () => device.dispose(),
  };
};

const createSimAdapter: CreateAdapter = (listener, dir) => {
  const clock = new SimClock(instantUs(1000));
  const { count, divide } = writeTinyModels(dir);
  const costs = new Map([
    [divide.id, [layer(1000, 0)]],
    [count.id, [layer(50_000, 0)]],
  ]);
  const device = createSimDevice({ profile: twoCores() }, { clock, listener, costs: (model) => costs.get(model) });
  return {
    clock,
    device,
    model: divide,
    otherModel: count,
    segment(kind, killAfterUs = 10_000_000) {
      if (kind === 'hang') device.prepare('hang');
      if (kind === 'non-finite') device.prepare('wrong');
      const killAt = addUs(clock.now(), durationUs(killAfterUs));
      if (kind === 'slow' || kind === 'hang')
        return { job: 2, from: 0, steps: 1, model: 'count', inputs: [region(256, 8)], outputs: [region(320, 4)], killAt };
      return { job: 1, from: 0, steps: 1, model: 'divide', inputs: [region(0, 16), region(64, 16)], outputs: [region(128, 16)], killAt };
    },
    crash: (core) => device.crash(core),
    async until(isReached) {
      while (!isReached() && clock.step()) await Promise.resolve();
      return isReached();
    },
    rest: () => clock.settleUntil(addUs(clock.now(), durationUs(60_000_000))),
    close: () => device.dispose(),
  };
};

export const ADAPTERS: readonly (readonly [string, CreateAdapter])[] = [
  ['ort', createOrtAdapter],
  ['scripted', createScriptedAdapter],
  ['sim', createSimAdapter],
];
