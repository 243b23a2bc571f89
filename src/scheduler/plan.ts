import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Stream } from '../core/stream.ts';
import { type DurationUs, durationFromMs } from '../core/units.ts';

/** Where a model is loaded, and what one run of it is expected to cost until that is measured. */
export interface ModelPlan {
  readonly model: ModelId;
  /** In order of preference: the first is its home, the next ones take over when it is lost or busy. A stateful model has exactly one. */
  readonly cores: readonly CoreId[];
  /** From the manifest. */
  readonly costUs: DurationUs;
}

/** A core that has not answered within clamp(factor x high quantile of the model's cost, floor..ceiling) is killed. */
export interface TimeoutPlan {
  readonly floorUs: DurationUs;
  readonly factor: number;
  readonly ceilingUs: DurationUs;
}

/** Everything that the scheduler knows before the first event. Plain data: it is the header of a decision log. */
export interface SchedulerPlan {
  /** Every core that an event may name, each once. */
  readonly cores: readonly CoreId[];
  readonly streams: readonly Stream[];
  /** One row for each model that a stream names. */
  readonly models: readonly ModelPlan[];
  readonly timeouts: TimeoutPlan;
  /** From the loss of a core to its being back with its models; jobs that can wait that long are kept. */
  readonly restartUs: DurationUs;
  /** From the end of a segment to the decoded result, until measured. */
  readonly tailUs: DurationUs;
  /** How often one job may be started; beyond, the loss of its core fails it, so that an input which kills cores cannot kill them all. */
  readonly attemptsMax: number;
}

/**
 * Floor: NanoDet's slowest run on a loaded machine was about four times its median of 57 ms. Ceiling: the slowest sample model, M-LSD, takes up to
 * 0.7 s. Restart: SIGKILL to exit took 10 ms, a new child 205 ms, loading its models the rest. Tail: 0.2 ms to be told, the rest decoding.
 */
export const PLAN_DEFAULTS = {
  timeouts: { floorUs: durationFromMs(250), factor: 4, ceilingUs: durationFromMs(5_000) },
  restartUs: durationFromMs(400),
  tailUs: durationFromMs(2),
  attemptsMax: 2,
} as const satisfies Omit<SchedulerPlan, 'cores' | 'streams' | 'models'>;

/** Configuration has been checked by now; what is wrong here is a bug of the caller. */
export function assertPlan(plan: SchedulerPlan): void {
  const cores = new Set(plan.cores);
  assert(cores.size === plan.cores.length, 'a plan names each core once');
  const models = new Map(plan.models.map((row) => [row.model, row]));
  assert(models.size === plan.models.length, 'a plan has one row per model');
  for (const row of plan.models) {
    assert(
      row.cores.length > 0 && new Set(row.cores).size === row.cores.length,
      `model ${row.model} is placed on at least one core, each once`,
    );
    assert(
      row.cores.every((core) => cores.has(core)),
      `model ${row.model} is placed on cores of the plan`,
    );
    assert(row.costUs > 0 && Number.isFinite(row.costUs), `model ${row.model} has a positive cost`);
  }
  assert(new Set(plan.streams.map((stream) => stream.id)).size === plan.streams.length, 'a plan names each stream once');
  for (const stream of plan.streams) {
    const row = models.get(stream.model);
    assert(row !== undefined, `the model of stream ${stream.id} is placed`);
    assert(stream.deadlineUs > 0 && stream.periodUs >= 0, `stream ${stream.id} has a deadline and a period that is not negative`);
    assert(stream.freshness.kind === 'latest' || stream.freshness.jobsMax >= 1, `the queue of stream ${stream.id} holds a job`);
    assert(!stream.isStateful || row.cores.length === 1, `the model of stateful stream ${stream.id} has one owner core`);
  }
  const { floorUs, factor, ceilingUs } = plan.timeouts;
  assert(floorUs > 0 && floorUs <= ceilingUs && factor >= 1, 'timeouts are 0 < floor <= ceiling with a factor of at least 1');
  assert(plan.restartUs >= 0 && plan.tailUs >= 0 && plan.attemptsMax >= 1, 'a plan has constants within their ranges');
}
