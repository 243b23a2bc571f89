import { Arena } from '../core/arena.ts';
import { assert } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import type { JobId, Turn } from '../core/job.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import { SimClock } from '../core/sim-clock.ts';
import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import type { StreamId } from '../core/stream.ts';
import { addUs, type DurationUs, durationFromMs, type InstantUs } from '../core/units.ts';
import type { Regulation } from '../devices/sim/byte-budget.ts';
import type { SimSteps } from '../devices/sim/model-steps.ts';
import { createSimDevice, type SimDevice } from '../devices/sim/sim-device.ts';
import type { SchedulerPlan } from '../scheduler/scheduler.ts';
import type { CoreFigures } from '../telemetry/core-meter.ts';
import { createEngine } from './engine.ts';
import { playUntil } from './simulate-clock.ts';
import { createSimTelemetry } from './simulate-telemetry.ts';

/** A model of a stage: nothing but what its layers cost. */
export interface StageModel {
  readonly id: ModelId;
  readonly layers: readonly LayerCost[];
  readonly steps: SimSteps;
}

export interface StageOptions {
  readonly plan: SchedulerPlan;
  /** Every model of the plan. */
  readonly models: readonly StageModel[];
  readonly profile: SocProfile;
  readonly mode: SocMode;
  /** Part of the bus that there is, all the time. Default: 1. */
  readonly bandwidthRatio?: number;
  readonly regulation?: Regulation | undefined;
}

export interface StageRequest {
  readonly stream: StreamId;
  readonly model: ModelId;
  readonly deadlineUs: DurationUs;
  readonly turn?: Turn;
  /** Called at each end of a segment of it that ran, with how many steps are done by then. */
  readonly onSteps?: (stepsDone: number, at: InstantUs) => void;
}

/**
 * The engine of `run` on a simulated chip without pipelines: whoever has a request hands it in now and is told when it has ended. Nothing goes on before and
 * after the core, so all times are those of scheduler, core and bus.
 */
export interface Stage {
  readonly clock: SimClock;
  request(request: StageRequest, onEnd: (outcome: Outcome, at: InstantUs) => void): JobId;
  /** Moves the clock to `end`; between two stretches of tasks `pause` may take real time, and ends it early when that resolves to true. */
  play(end: InstantUs, pause: () => Promise<boolean>): Promise<void>;
  figures(): { readonly device: ReturnType<SimDevice['figures']>; readonly cores: readonly CoreFigures[] };
  dispose(): Promise<void>;
}

/** Far beyond the largest model on the slowest bus. */
const START_MAX_US = durationFromMs(600_000);
/** Requests bring no tensors along. */
const ARENA_BYTES = 4_096;
/** Longer than anything is played. */
const FOR_EVER_US = durationFromMs(1e12);
const RESTART = {
  lossesMax: 3,
  withinUs: durationFromMs(10_000),
  backoffUs: durationFromMs(100),
  probeAfterUs: durationFromMs(5_000),
};

/**
 * Resolves when the cores are up with their models. The stage's clock stands still unless its owner moves it.
 * Errors: MODEL_UNLOADABLE when the chip's memory has no room for one.
 */
export async function createStage({ plan, models, profile, mode, bandwidthRatio = 1, regulation }: StageOptions): Promise<Stage> {
  const clock = new SimClock();
  const known = new Map(models.map((model) => [model.id, model]));
  const specs = new Map(models.map(({ id }) => [id, specOf(id)]));
  const telemetry = createSimTelemetry(
    { streams: plan.streams, cores: plan.cores, sources: [], config: { node: 'stage', file: '', sha256: '' } },
    profile,
    clock,
  );
  const watches = createWatches();
  let device: SimDevice | undefined;
  const engine = createEngine(
    {
      plan,
      models: specs,
      cores: plan.cores.map((core) => ({
        core,
        models: plan.models.filter(({ cores }) => cores.includes(core)).flatMap(({ model }) => specs.get(model) ?? []),
      })),
      restart: RESTART,
    },
    {
      clock,
      arena: new Arena(ARENA_BYTES),
      clear: () => undefined,
      telemetry,
      createDevice: (listener) => {
        device = createSimDevice(
          {
            ...{ profile, mode, ...(regulation === undefined ? {} : { regulation }) },
            faults: bandwidthRatio === 1 ? [] : [{ kind: 'bandwidth', at: clock.now(), ratio: bandwidthRatio, forUs: FOR_EVER_US }],
          },
          { clock, listener, costs: (id) => known.get(id)?.layers, steps: (id) => known.get(id)?.steps },
        );
        return device;
      },
      record: (event, decisions) => watches.see(event, decisions),
    },
  );
  assert(device !== undefined, 'the engine creates its device at once');
  const { figures } = device;
  await clock.settle(engine.start(), addUs(clock.now(), START_MAX_US));
  const refused = telemetry.incidents.latest().find(({ kind }) => kind === 'model-refused');
  if (refused !== undefined) throw new CoxswainError('MODEL_UNLOADABLE', refused.message);
  return {
    clock,
    request: ({ stream, model, deadlineUs, turn, onSteps }, onEnd) => {
      const capturedAt = clock.now();
      const id = engine.desk.open(engine.desk.bookOf(stream), capturedAt);
      const deadlineAt = addUs(capturedAt, deadlineUs);
      if (onSteps !== undefined) watches.add(id, onSteps);
      engine.desk.submit({
        job: { id, stream, model, capturedAt, deadlineAt, turn },
        inputs: [],
        decode: (_outputs, listener) => listener.decoded([]),
        settle: (outcome) => {
          watches.remove(id);
          onEnd(outcome, clock.now());
        },
      });
      return id;
    },
    play: (end, pause) => playUntil(clock, end, pause),
    figures: () => ({ device: figures(), cores: telemetry.cores.figures(clock.now()) }),
    dispose: () => engine.dispose(),
  };
}

/** Follows how many steps are done of the jobs that somebody asked about. */
function createWatches() {
  const watched = new Map<JobId, { stepsDone: number; readonly onSteps: NonNullable<StageRequest['onSteps']> }>();
  return {
    add: (job: JobId, onSteps: NonNullable<StageRequest['onSteps']>): void => void watched.set(job, { stepsDone: 0, onSteps }),
    remove: (job: JobId): void => void watched.delete(job),
    see(event: Event, decisions: readonly Decision[]): void {
      if (watched.size === 0) return;
      if (event.kind === 'segment-done' && event.progress !== undefined && event.progress.steps > 0) {
        const watch = watched.get(event.job);
        if (watch !== undefined) {
          watch.stepsDone += event.progress.steps;
          watch.onSteps(watch.stepsDone, event.at);
        }
      }
      // A job whose core was lost begins anew.
      for (const decision of decisions) {
        const watch = decision.kind === 'start' ? watched.get(decision.job) : undefined;
        if (watch !== undefined && decision.kind === 'start') watch.stepsDone = decision.segment?.from ?? 0;
      }
    },
  };
}

const specOf = (id: ModelId): ModelSpec => ({
  ...{ id, file: '', sha256: '', codec: '', licence: '', files: {} },
  ...{ inputs: [], outputs: [], states: [], constants: [] },
  ...{ costUs: durationFromMs(1), memoryBytes: 0 },
});
