import type { CoreId } from '../../src/core/job.ts';
import type { ModelId } from '../../src/core/model.ts';
import type { Prng } from '../../src/core/prng.ts';
import type { Stream } from '../../src/core/stream.ts';
import { type DurationUs, durationFromMs, durationUs } from '../../src/core/units.ts';
import { PLAN_DEFAULTS, type SchedulerPlan } from '../../src/scheduler/scheduler.ts';

export interface Range {
  readonly fromUs: number;
  readonly toUs: number;
}

export const rangeMs = (fromMs: number, toMs: number): Range => ({ fromUs: durationFromMs(fromMs), toUs: durationFromMs(toMs) });
export const drawUs = (prng: Prng, range: Range): DurationUs => durationUs(prng.integer(range.fromUs, range.toUs));

/** What feeds one stream, and what its jobs really take. */
export interface Load {
  readonly stream: Stream;
  /** As the manifest would say. */
  readonly seedUs: DurationUs;
  readonly cost: Range;
  /** From capture to arrival: reading and preparing the frame. */
  readonly lag: Range;
  readonly tail: Range;
  readonly jobsPerCapture: { readonly from: number; readonly to: number };
}

export interface Workload {
  readonly cores: readonly CoreId[];
  readonly loads: readonly Load[];
  readonly placement: Readonly<Record<ModelId, readonly CoreId[]>>;
}

/** Measured medians of the sample models, give or take 15 %. */
const around = (lowMs: number, highMs: number): Range => rangeMs(lowMs * 0.85, highMs * 1.15);

const stream = (
  id: string,
  criticality: Stream['criticality'],
  periodMs: number,
  deadlineMs: number,
  extra: Partial<Stream> = {},
): Stream => ({
  id,
  model: id,
  criticality,
  periodUs: durationFromMs(periodMs),
  deadlineUs: durationFromMs(deadlineMs),
  freshness: { kind: 'latest' },
  isStateful: false,
  ...extra,
});

const one = { from: 1, to: 1 };

/** configs/cockpit.yaml as its streams reach the scheduler: front and cabin camera and microphone on core 0, as much OCR and M-LSD as fits on core 1. */
export function cockpit(): Workload {
  const vad = { freshness: { kind: 'queue', jobsMax: 8 }, isStateful: true } as const;
  const frame = { lag: rangeMs(10, 16), tail: rangeMs(1, 4), jobsPerCapture: one };
  return {
    cores: [0, 1],
    loads: [
      { stream: stream('objects', 'safety', 125, 125), seedUs: durationFromMs(57), cost: around(55, 60), ...frame },
      { stream: stream('faces', 'safety', 1000 / 15, 66), seedUs: durationFromMs(8), cost: around(8, 8), ...frame },
      {
        stream: stream('vad', 'interactive', 32, 100, vad),
        seedUs: durationFromMs(0.4),
        cost: around(0.4, 0.4),
        lag: rangeMs(0.2, 4),
        tail: rangeMs(0.2, 1),
        jobsPerCapture: one,
      },
      { stream: stream('ocr-find', 'background', 500, 1_000), seedUs: durationFromMs(150), cost: around(150, 150), ...frame },
      {
        stream: stream('ocr-read', 'background', 500, 1_500, { freshness: { kind: 'queue', jobsMax: 16 } }),
        seedUs: durationFromMs(32),
        cost: around(32, 32),
        ...frame,
        jobsPerCapture: { from: 0, to: 6 },
      },
      { stream: stream('lines', 'background', 1_000, 2_000), seedUs: durationFromMs(400), cost: rangeMs(130, 700), ...frame },
    ],
    placement: { objects: [0], faces: [0], vad: [0], 'ocr-find': [1], 'ocr-read': [1], lines: [1] },
  };
}

export function planOf(workload: Workload): SchedulerPlan {
  return {
    ...PLAN_DEFAULTS,
    cores: workload.cores,
    streams: workload.loads.map((load) => load.stream),
    models: workload.loads.map((load) => ({
      model: load.stream.model,
      cores: workload.placement[load.stream.model] ?? workload.cores,
      costUs: load.seedUs,
    })),
  };
}
