import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoxswainError } from '../../src/core/errors.ts';
import type { ModelSpec } from '../../src/core/model.ts';
import type { Region } from '../../src/core/region.ts';
import type { SegmentEnd } from '../../src/core/segment.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationUs } from '../../src/core/units.ts';
import type { CoreLoss, Device } from '../../src/devices/device.ts';
import { createOrtDevice, type OrtCoreSettings } from '../../src/devices/ort/ort-device.ts';
import { createSharedMemory } from '../../src/native/shared-memory.ts';

export interface OrtRigOptions {
  readonly cores?: readonly OrtCoreSettings[];
  readonly arenaBytes?: number;
  readonly startTimeoutMs?: number;
  readonly loadTimeoutMs?: number;
  readonly execPath?: string;
  readonly optimizedDir?: string;
  /** Default: the one of the sources. */
  readonly createDevice?: typeof createOrtDevice;
}

/** The ONNX Runtime device with promises for callbacks, an arena and a temporary folder. */
export interface OrtRig {
  readonly device: Device;
  readonly dir: string;
  readonly arena: ArrayBuffer;
  readonly floats: Float32Array;
  readonly losses: readonly CoreLoss[];
  readonly warnings: readonly string[];
  start(core?: number): Promise<CoxswainError | undefined>;
  load(model: ModelSpec, core?: number): Promise<CoxswainError | undefined>;
  run(
    model: string,
    inputs: readonly Region[],
    outputs: readonly Region[],
    options?: { core?: number; killMs?: number; job?: number; from?: number; steps?: number },
  ): Promise<SegmentEnd>;
  pid(core?: number): number;
  until(isReached: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export const region = (offsetBytes: number, byteLength: number): Region => ({ offsetBytes, byteLength });

export function createOrtRig(options: OrtRigOptions = {}): OrtRig {
  const {
    cores = [{ id: 0 }],
    arenaBytes = 65_536,
    startTimeoutMs = 20_000,
    loadTimeoutMs = 20_000,
    createDevice = createOrtDevice,
  } = options;
  const clock = createSystemClock();
  const dir = mkdtempSync(join(tmpdir(), 'coxswain-ort-'));
  const arena = createSharedMemory(arenaBytes);
  const losses: CoreLoss[] = [];
  const warnings: string[] = [];
  const device = createDevice(
    {
      cores,
      arena: { fd: arena.fd, byteLength: arenaBytes },
      threadsPerCore: 1,
      startTimeoutUs: durationUs(startTimeoutMs * 1000),
      loadTimeoutUs: durationUs(loadTimeoutMs * 1000),
      optimizedDir: options.optimizedDir ?? join(dir, 'optimized'),
      ...(options.execPath === undefined ? {} : { execPath: options.execPath }),
    },
    { clock, listener: { coreLost: (loss) => losses.push(loss) }, onWarning: (message) => warnings.push(message) },
  );
  return {
    device,
    dir,
    arena: arena.buffer,
    floats: new Float32Array(arena.buffer),
    losses,
    warnings,
    start: (core = 0) => new Promise((resolve) => device.start(core, resolve)),
    load: (model, core = 0) => new Promise((resolve) => device.load(core, model, resolve)),
    run: (model, inputs, outputs, { core = 0, killMs = 20_000, job = 1, from = 0, steps = 1 } = {}) => {
      const killAt = addUs(clock.now(), durationUs(killMs * 1000));
      return new Promise((resolve) => device.run(core, { job, from, steps, model, inputs, outputs, killAt }, resolve));
    },
    pid: (core = 0) => device.health(core).pid ?? Number.NaN,
    async until(isReached) {
      const deadline = clock.now() + 20_000_000;
      while (!isReached()) {
        if (clock.now() > deadline) throw new Error('what was waited for did not come within 20 s');
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    async close() {
      await device.dispose();
      arena.close();
      rmSync(dir, { recursive: true });
    },
  };
}
