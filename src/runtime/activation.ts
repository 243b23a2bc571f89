import type { Arena } from '../core/arena.ts';
import { after, type Clock } from '../core/clock.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelSpec } from '../core/model.ts';
import type { Region } from '../core/region.ts';
import type { SegmentEnd } from '../core/segment.ts';
import { addUs, durationUs } from '../core/units.ts';
import type { Device } from '../devices/device.ts';
import { allocateTensors, releaseTensors, sizesOf } from './tensors.ts';

/** A first run pages in memory and may take several times its later cost; the slowest seen, M-LSD 512 large, took 1.1 s. */
const ACTIVATION_MAX_US = durationUs(10_000_000);

export interface ActivationDeps {
  readonly clock: Clock;
  readonly device: Device;
  readonly arena: Arena;
  /** Zeroes a region in this process. */
  readonly clear: (region: Region) => void;
}

/** One run of a loaded model on zeros, on a core that runs nothing else. */
export function activateModel(core: CoreId, model: ModelSpec, deps: ActivationDeps, onEnd: (end: SegmentEnd) => void): void {
  const { arena, clear, clock, device } = deps;
  const regions = allocateTensors(arena, sizesOf([...model.inputs, ...model.outputs]));
  if (regions === undefined) {
    const end: SegmentEnd = {
      kind: 'failed',
      reason: 'no-memory',
      message: `the tensor memory has no room for the tensors of model ${model.id}`,
    };
    after(clock, durationUs(0), () => onEnd(end));
    return;
  }
  const inputs = regions.slice(0, model.inputs.length);
  const outputs = regions.slice(model.inputs.length);
  for (const input of inputs) clear(input);
  device.run(
    core,
    { job: 0, from: 0, steps: model.blocks ?? 1, model: model.id, inputs, outputs, killAt: addUs(clock.now(), ACTIVATION_MAX_US) },
    (end) => {
      releaseTensors(arena, regions);
      onEnd(end);
    },
  );
}
