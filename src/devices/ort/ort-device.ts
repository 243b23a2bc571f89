import { assert } from '../../core/assert.ts';
import { after, type Clock } from '../../core/clock.ts';
import type { CoreId } from '../../core/job.ts';
import type { SegmentEnd } from '../../core/segment.ts';
import { type DurationUs, durationUs } from '../../core/units.ts';
import type { Device, DeviceListener } from '../device.ts';
import { createOptimizedCopies } from './optimized-copies.ts';
import { OrtCore } from './ort-core.ts';

export interface OrtDeviceOptions {
  readonly cores: readonly OrtCoreSettings[];
  /** The shared tensor memory that the regions of segments lie in. */
  readonly arena: { readonly fd: number; readonly byteLength: number };
  /** Threads of the ONNX Runtime within one core: 1, or a core takes CPU time from the others. */
  readonly threadsPerCore: number;
  readonly startTimeoutUs: DurationUs;
  readonly loadTimeoutUs: DurationUs;
  /** Where optimised copies of models may lie while the device lives, in a folder of their own; undefined: nowhere, and a lost core comes back later. */
  readonly optimizedDir: string | undefined;
  /** The Node binary that plays the cores. Default: the one that runs us. */
  readonly execPath?: string;
}

export interface OrtCoreSettings {
  readonly id: CoreId;
  /** The CPU to stay on; any when undefined. */
  readonly cpu?: number | undefined;
  /** -20 .. 19; 0 when undefined. Applied at the first run, since starting and loading must be quick beside busy cores. */
  readonly niceness?: number | undefined;
  /** SCHED_FIFO at 1 .. 99, also from the first run on: whatever else its CPU does is interrupted for it. */
  readonly realtime?: number | undefined;
  /** SCHED_IDLE, from the first run on: it has what nobody else on its CPU wants. */
  readonly isIdle?: boolean | undefined;
}

export interface OrtDeviceDeps {
  /** Must be the machine's (core/system-clock.ts): core processes report instants on its axis. */
  readonly clock: Clock;
  readonly listener: DeviceListener;
  /** A wish such as pinning that the operating system refused; the core runs all the same. */
  readonly onWarning?: (message: string) => void;
}

const SPLIT: SegmentEnd = { kind: 'failed', reason: 'device-error', message: 'a process of ONNX Runtime runs a segment alone' };

/** The ONNX Runtime on CPU cores: one child process per core, tensors in shared memory, nothing ever computed in this process. */
export function createOrtDevice(options: OrtDeviceOptions, deps: OrtDeviceDeps): Device {
  const copies = createOptimizedCopies(options.optimizedDir);
  const cores = new Map<CoreId, OrtCore>();
  for (const settings of options.cores) {
    assert(!cores.has(settings.id), `core ${settings.id} is listed once`);
    cores.set(settings.id, createCore(settings));
  }
  const coreOf = (id: CoreId): OrtCore => {
    const core = cores.get(id);
    assert(core !== undefined, `core ${id} is one of this device`);
    return core;
  };

  let disposal: Promise<void> | undefined;
  async function disposeAll(): Promise<void> {
    await Promise.all([...cores.values()].map((core) => core.stop()));
    copies.dispose();
  }

  function createCore({ id, cpu, niceness, realtime, isIdle }: OrtCoreSettings): OrtCore {
    const { arena, threadsPerCore, startTimeoutUs, loadTimeoutUs, execPath = process.execPath } = options;
    const settings = {
      core: id,
      parentPid: process.pid,
      arenaBytes: arena.byteLength,
      threads: threadsPerCore,
      ...(cpu === undefined ? {} : { cpu }),
      ...(niceness === undefined ? {} : { niceness }),
      ...(realtime === undefined ? {} : { realtime }),
      ...(isIdle === undefined ? {} : { isIdle }),
    };
    return new OrtCore(
      { id, spawn: { settings, arenaFd: arena.fd, execPath }, startTimeoutUs, loadTimeoutUs },
      { clock: deps.clock, copies, onLost: (loss) => deps.listener.coreLost(loss), onWarning: deps.onWarning ?? (() => undefined) },
    );
  }

  return {
    cores: [...cores.keys()],
    preemption: 'between-steps',
    canSplit: false,
    yield: (core) => coreOf(core).yield(),
    abort: () => undefined,
    conditions: () => ({ bandwidthRatio: undefined, dieC: undefined }),
    start: (core, onEnd) => coreOf(core).start(onEnd),
    load: (core, model, onEnd) => coreOf(core).load(model, onEnd),
    run(core, segment, onEnd) {
      if (segment.others === undefined) coreOf(core).run(segment, onEnd);
      else after(deps.clock, durationUs(0), () => onEnd(SPLIT));
    },
    forget(job) {
      for (const core of cores.values()) core.forget(job);
    },
    kill: (core) => coreOf(core).kill(),
    health: (core) => coreOf(core).health(),
    dispose() {
      disposal ??= disposeAll();
      return disposal;
    },
  };
}
