import { assert } from '../core/assert.ts';
import type { CoreId, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Region } from '../core/region.ts';
import type { Segment, SegmentEnd } from '../core/segment.ts';
import type { Device } from '../devices/device.ts';
import type { SimDevice } from '../devices/sim/sim-device.ts';
import type { Computed, ComputePool } from './compute-pool.ts';
import type { RealWork } from './real-work.ts';

export interface ComputedDeviceDeps {
  /** Models that are; segments of others leave their outputs as they are. */
  readonly computed: ReadonlySet<ModelId>;
  readonly pool: Pick<ComputePool, 'run'>;
  readonly work: RealWork;
  /** Of the tensor memory that the segments' regions lie in. */
  readonly bytes: (region: Region) => Uint8Array;
}

/** What a job computes, from its first segment to its last. */
interface Computing {
  /** The core whose segment it is now; none while the job is interrupted, and for good when the chip has lost it. */
  core: CoreId | undefined;
  /** Once it is there. */
  computed: Computed | undefined;
}

/** Interrupted jobs whose outputs are kept; one that has to give way, such as one that was dropped meanwhile, is computed again should it go on. */
const INTERRUPTED_MAX = 64;
/** Of computations that have not ended; most are of jobs that the chip has lost, which nothing else waits for. */
const UNFINISHED_MAX = 64;

/**
 * A simulated device whose segments have real outputs. The chip decides when a segment ends; what it computes is computed meanwhile, in real time, from a copy
 * of its inputs, and virtual time does not get to the end of the job before the outputs are there. The whole job is computed at its first segment, whatever parts the chip
 * runs it in; what becomes of a job that the chip loses is thrown away. A run that fails for real fails the job at its simulated end, as on real cores.
 */
export function createComputedDevice(sim: SimDevice, { computed: models, pool, work, bytes }: ComputedDeviceDeps): Device {
  const interrupted = new Map<JobId, Computing>();
  let unfinished = 0;

  function begin({ model, inputs }: Segment): Computing {
    const computing: Computing = { core: undefined, computed: undefined };
    const copies = inputs.map((region) => bytes(region).slice());
    unfinished += 1;
    const running = pool.run(model, copies).then((computed) => {
      unfinished -= 1;
      computing.computed = computed;
    });
    work.hold(running, () => {
      if (unfinished > UNFINISHED_MAX) return Number.NEGATIVE_INFINITY;
      return computing.core === undefined ? Number.POSITIVE_INFINITY : sim.completesAt(computing.core);
    });
    return computing;
  }

  /** What an earlier segment of the job has begun to compute. */
  function resumed({ job, from }: Segment): Computing | undefined {
    const known = interrupted.get(job);
    interrupted.delete(job);
    return from > 0 ? known : undefined;
  }

  function interrupt(job: JobId, computing: Computing): void {
    interrupted.set(job, computing);
    const [oldest] = interrupted.keys();
    if (interrupted.size > INTERRUPTED_MAX && oldest !== undefined) interrupted.delete(oldest);
  }

  function ended(segment: Segment, computing: Computing, end: SegmentEnd): SegmentEnd {
    if (end.kind === 'failed') return end;
    if (end.progress?.isLast === false) {
      interrupt(segment.job, computing);
      return end;
    }
    const { computed } = computing;
    assert(computed !== undefined, 'virtual time waits until what a job computes is there', segment.job);
    if (computed.kind === 'failed') return computed;
    for (const [index, region] of segment.outputs.entries()) bytes(region).set(computed.outputs[index] ?? []);
    return end;
  }

  return {
    ...sim,
    run(core, segment, onEnd) {
      if (!models.has(segment.model)) return sim.run(core, segment, onEnd);
      const computing = resumed(segment) ?? begin(segment);
      computing.core = core;
      sim.run(core, segment, (end) => {
        computing.core = undefined;
        onEnd(ended(segment, computing, end));
      });
    },
  };
}
