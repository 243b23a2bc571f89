import { Arena } from '../../src/core/arena.ts';
import type { Frame } from '../../src/core/frame.ts';
import type { JobId } from '../../src/core/job.ts';
import type { ModelId, ModelSpec } from '../../src/core/model.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { ResultItem } from '../../src/core/result.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import type { Stream } from '../../src/core/stream.ts';
import { durationFromMs, instantUs } from '../../src/core/units.ts';
import type { Decode, ImageCoder, JobBook, JobDesk, Work } from '../../src/pipeline/work.ts';

export const face: ResultItem = { kind: 'face', label: 'face', score: 0.9, box: { x: 1, y: 2, width: 3, height: 4 }, keypoints: [] };

export const streamOf = (over: Partial<Stream> = {}): Stream => ({
  id: 'faces',
  model: 'blazeface',
  criticality: 'safety',
  periodUs: durationFromMs(66),
  deadlineUs: durationFromMs(66),
  freshness: { kind: 'latest' },
  isStateful: false,
  ...over,
});

export const modelOf = (over: Partial<ModelSpec> = {}): ModelSpec => ({
  id: 'blazeface',
  file: '/nowhere',
  sha256: '0'.repeat(64),
  inputs: [{ name: 'in', type: 'float32', shape: [1, 512] }],
  outputs: [{ name: 'out', type: 'float32', shape: [1, 1] }],
  states: [],
  constants: [],
  codec: 'none',
  costUs: durationFromMs(8),
  memoryBytes: 1,
  licence: 'none',
  files: {},
  ...over,
});

/** A desk that writes down what it is given and lets the test end jobs. */
export class RecordingDesk implements JobDesk {
  readonly submitted: Work[] = [];
  readonly ended = new Map<JobId, Outcome>();
  opened = 0;
  served: ModelId | null | undefined;

  bookOf(): JobBook {
    return { arrived: () => undefined };
  }

  open(): JobId {
    this.opened += 1;
    return this.opened;
  }

  end(job: JobId, outcome: Outcome): void {
    this.ended.set(job, outcome);
  }

  servedWith(): ModelId | null | undefined {
    return this.served;
  }

  submit(work: Work): void {
    this.submitted.push(work);
  }

  /** Ends the nth submitted work as done with these items. */
  finish(index: number, items: readonly ResultItem[] = [], outcome: Outcome = { kind: 'done' }): void {
    const work = this.submitted[index];
    if (work === undefined) throw new Error(`nothing was submitted as number ${index}`);
    this.ended.set(work.job.id, outcome);
    work.settle(outcome, items);
  }
}

/** A coder whose encodings end when the test says so. */
export class ManualCoder implements ImageCoder {
  readonly calls: ((answer: Decode | Error) => void)[] = [];

  encode(_payload: unknown, _input: unknown, _deadlineAt: unknown, onEnd: (answer: Decode | Error) => void): void {
    this.calls.push(onEnd);
  }

  succeed(index: number): void {
    this.calls[index]?.((_outputs, listener) => listener.decoded([]));
  }

  fail(index: number): void {
    this.calls[index]?.(new Error('the worker is gone'));
  }
}

export function createPipelineRig(arenaBytes = 1 << 20) {
  const clock = new SimClock(instantUs(1_000_000));
  const memory = new Arena(arenaBytes);
  const desk = new RecordingDesk();
  let sequence = 0;
  const image = (capturedAt = clock.now()): Frame => {
    const region = memory.allocate(300);
    if (region === undefined) throw new Error('the test arena is too small');
    sequence += 1;
    return { source: 'cabin', sequence, capturedAt, payload: { kind: 'image', region, width: 10, height: 10 } };
  };
  const audio = (samples = 512): Frame => {
    sequence += 1;
    return {
      source: 'microphone',
      sequence,
      capturedAt: clock.now(),
      payload: { kind: 'audio', samples: new Float32Array(samples).fill(sequence) },
    };
  };
  /** Hands a frame over as a source does: its own claim goes afterwards. */
  const hand = (pipeline: { accept(frame: Frame): void }, frame: Frame): void => {
    pipeline.accept(frame);
    if (frame.payload.kind === 'image') memory.release(frame.payload.region);
  };
  return { clock, memory, desk, image, audio, hand };
}
