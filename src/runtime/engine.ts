import type { ModesConfig } from '../config/runtime-config.ts';
import type { Arena } from '../core/arena.ts';
import { after, type Clock } from '../core/clock.ts';
import type { Decision } from '../core/decision.ts';
import { createDeferred } from '../core/deferred.ts';
import type { Event } from '../core/event.ts';
import type { Mode } from '../core/mode.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { FailReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { StreamId } from '../core/stream.ts';
import type { DurationUs } from '../core/units.ts';
import type { Device, DeviceListener } from '../devices/device.ts';
import type { TurnDesk } from '../pipeline/work.ts';
import { createScheduler, type SchedulerPlan, step } from '../scheduler/scheduler.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { activateModel } from './activation.ts';
import { Dispatcher } from './dispatcher.ts';
import { createJobDesk } from './job-desk.ts';
import { ModeWatch } from './mode-watch.ts';
import { type RestartPolicy, type SupervisedCore, Supervisor } from './supervisor.ts';

export interface EngineOptions {
  readonly plan: SchedulerPlan;
  readonly models: ReadonlyMap<ModelId, ModelSpec>;
  readonly cores: readonly SupervisedCore[];
  readonly restart: RestartPolicy;
  /** Undefined: the mode stays nominal. */
  readonly modes?: ModesConfig;
}

export interface EngineDeps {
  readonly clock: Clock;
  readonly arena: Arena;
  /** Zeroes a region in this process. */
  readonly clear: (region: Region) => void;
  readonly telemetry: Telemetry;
  /** The device tells its losses to the engine. */
  readonly createDevice: (listener: DeviceListener) => Device;
  /** The mode is another one now. */
  readonly onMode?: (mode: Mode) => void;
  /** Everything that the scheduler was told and answered, in order. */
  readonly record?: (event: Event, decisions: readonly Decision[]) => void;
}

/**
 * Scheduler, dispatcher, supervisor and one device, wired together and measured. It does no I/O of its own and reads time from its Clock alone: with a
 * SimClock and a scripted device the same engine runs in virtual time.
 */
export interface Engine {
  readonly desk: TurnDesk;
  readonly device: Device;
  /** Brings the cores up; resolves when each is ready or has failed once. */
  start(): Promise<void>;
  /** Enters or leaves mode `safe`, where the configuration has modes. */
  setSafe(isSafe: boolean): void;
  /** Waiting jobs are dropped, running ones may end within this time; true when all have. */
  drain(within: DurationUs): Promise<boolean>;
  /** Ends the cores. Jobs still running stay in flight in the ledger: nothing is said of them that is not known. */
  dispose(): Promise<void>;
}

const QUIET_REASONS: ReadonlySet<FailReason> = new Set(['prepare-error', 'no-memory', 'core-crashed', 'core-hung']);

export function createEngine(options: EngineOptions, deps: EngineDeps): Engine {
  const { clock, arena, telemetry } = deps;
  const { ledger, cores, decisions, turns, incidents } = telemetry;
  const scheduler = createScheduler(options.plan);
  const served = new Map<StreamId, ModelId | null>();
  let onJobEnded: () => void = () => undefined;
  let lossCount = 0;

  const device = deps.createDevice({ coreLost: (loss) => supervisor.coreLost(loss) });
  const dispatcher: Dispatcher = new Dispatcher({
    clock,
    device,
    arena,
    models: options.models,
    step: (event) => step(scheduler, event),
    observer: {
      decided(event, decided, tookUs) {
        decisions.step(tookUs, decided.length);
        turns.step(event, decided);
        deps.record?.(event, decided);
      },
      segmentStarted: cores.segmentStarted,
      segmentEnded(core, job, end, at) {
        cores.segmentEnded(core, end, at);
        // Whoever asked is told that the log says why. What they asked wrongly they are told themselves, and a lost core is told of as such.
        if (end.kind !== 'failed' || job.turn === undefined || QUIET_REASONS.has(end.reason)) return;
        incidents.add({ kind: 'warning', stream: job.stream, message: `a step of an answer failed (${end.reason}): ${end.message}` });
      },
      interrupted: (how) => decisions.interrupted(how),
      decodeFailed: (job, message) =>
        incidents.add({ kind: 'warning', stream: job.stream, message: `a result could not be decoded: ${message}` }),
      servedWith(stream, model, mode) {
        served.set(stream, model);
        const message = model === null ? `${stream} is not served in mode ${mode}` : `${stream} is served with ${model} in mode ${mode}`;
        incidents.add({ kind: 'variant', stream, message });
      },
      ended(job, outcome, at) {
        // The books of a step are kept after its decisions are carried out, so a turn that ends now is still known.
        const firstTokenAt = job.turn === undefined ? undefined : turns.firstTokenAt(job.id);
        ledger.ended(job.id, outcome, firstTokenAt ?? at);
        onJobEnded();
      },
    },
  });
  const supervisor: Supervisor = new Supervisor(
    { cores: options.cores, policy: options.restart },
    {
      clock,
      device,
      activate: (core, model, onEnd) => activateModel(core, model, { clock, device, arena, clear: deps.clear }, onEnd),
      listener: {
        coreStarting: (core) => cores.state(core, 'starting', clock.now()),
        coreBack(core, models) {
          cores.state(core, 'ready', clock.now());
          cores.process(core, device.health(core));
          incidents.add({ kind: 'core-back', core, message: `core ${core} is ready with ${models.join(', ') || 'no model'}` });
          dispatcher.coreBack(core, models);
        },
        coreLost(core, reason, message) {
          lossCount += 1;
          cores.state(core, 'lost', clock.now());
          incidents.add({ kind: 'core-lost', core, message: `${reason === 'core-hung' ? 'hung' : 'crashed'}: ${message}` });
          dispatcher.coreLost(core, reason);
        },
        quarantined(core, message) {
          cores.state(core, 'quarantined', clock.now());
          incidents.add({ kind: 'core-quarantined', core, message: `core ${core} was lost too often and is in quarantine: ${message}` });
        },
        modelRefused: (core, model, error) =>
          incidents.add({ kind: 'model-refused', core, message: `core ${core} refuses model ${model}: ${error.message}` }),
      },
    },
  );

  const { modes } = options;
  const watch =
    modes === undefined
      ? undefined
      : new ModeWatch(modes, {
          clock,
          conditions: () => device.conditions(),
          coresMissing: () => supervisor.coresMissing,
          changed(mode, from) {
            incidents.add({ kind: 'mode', message: `mode ${mode}, after ${from}` });
            dispatcher.setMode(mode);
            deps.onMode?.(mode);
          },
        });

  return {
    desk: createJobDesk({
      clock,
      books: ledger,
      submit: (work) => dispatcher.submit(work),
      servedWith: (stream) => (served.size === 0 ? undefined : served.get(stream)),
      cancel: (job) => dispatcher.cancel(job),
      lossCount: () => lossCount,
    }),
    device,
    async start() {
      await supervisor.start();
      watch?.start();
    },
    setSafe: (isSafe) => watch?.setSafe(isSafe),
    async drain(within) {
      watch?.stop();
      supervisor.stop();
      dispatcher.stop();
      const idle = createDeferred<boolean>();
      const timeout = after(clock, within, () => idle.resolve(false));
      onJobEnded = () => {
        if (dispatcher.jobsUnderWay === 0) idle.resolve(true);
      };
      onJobEnded();
      const isIdle = await idle.promise;
      timeout.cancel();
      return isIdle;
    },
    async dispose() {
      watch?.stop();
      supervisor.stop();
      dispatcher.dispose();
      await device.dispose();
    },
  };
}
