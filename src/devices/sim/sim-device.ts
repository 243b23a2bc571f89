import { assert } from '../../core/assert.ts';
import { after, type Clock } from '../../core/clock.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { CoreId, JobId, Turn } from '../../core/job.ts';
import type { LayerCost } from '../../core/layer-cost.ts';
import type { ModelId, ModelSpec } from '../../core/model.ts';
import { chipAsOf, clusterOf, coreCountOf, type FigureRange, type SocMode, type SocProfile } from '../../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../../core/units.ts';
import type { Device, DeviceListener } from '../device.ts';
import { windowFit } from './address-window.ts';
import type { Regulation } from './byte-budget.ts';
import type { ChipFigures, ChipObserver } from './chip-figures.ts';
import type { SimFault } from './faults.ts';
import { createModelSteps, type ModelSteps, type OpenedModel, type SimSteps, type StepsOn } from './model-steps.ts';
import { rooflineUs, type SegmentCost, segmentJoules } from './segment-cost.ts';
import { SimChip } from './sim-chip.ts';
import { type Mischief, SimCore } from './sim-core.ts';
import type { Split } from './split-cost.ts';
import { createTurnSteps } from './turn-steps.ts';

export interface SimDeviceOptions {
  readonly profile: SocProfile;
  /** Default: the profile's first. */
  readonly mode?: SocMode;
  readonly faults?: readonly SimFault[];
  readonly regulation?: Regulation;
}

export interface SimDeviceDeps {
  readonly clock: Clock;
  readonly listener: DeviceListener;
  /** What each model's layers ask for; undefined for a model that is not known. */
  readonly costs: (model: ModelId) => readonly LayerCost[] | undefined;
  /** What the steps of its jobs are; undefined: one step. */
  readonly steps?: (model: ModelId) => SimSteps | undefined;
  /** What the model keeps in memory beside its weights, such as caches. Default: nothing. */
  readonly stateBytes?: (model: ModelId) => number;
  /** Whether its layers may lie in several address windows, as those of language models do. Default: where its steps are those of one. */
  readonly isLanguage?: (model: ModelId) => boolean;
  /** Where the answer to a turn ends, hidden from everybody else; undefined: at the turn's own limit. */
  readonly answerTokens?: (job: JobId) => number | undefined;
  readonly observer?: ChipObserver;
}

export interface ModelFigures {
  readonly model: ModelId;
  /** Jobs that ran to their end. */
  readonly runs: number;
  /** One run with the chip to itself, in the mode there is; here and below, of a language model one token. */
  readonly aloneUs: number;
  readonly macs: number;
  /** From and to DRAM, of one run. */
  readonly bytes: number;
  readonly weightBytes: number;
  /** Of one run, without idle power. */
  readonly joules: FigureRange;
  readonly utilisationRatio: number;
}

export interface SimDevice extends Device {
  /** The next run on this core, or on whichever core runs next, goes this way. */
  prepare(mischief: Mischief, core?: CoreId): void;
  crash(core: CoreId): void;
  /**
   * When the job that the core leads will be complete as things stand, which each event may change; infinite when there is none, or when its segment leaves
   * something of it.
   */
  completesAt(core: CoreId): number;
  /** So far. */
  figures(): { readonly chip: ChipFigures; readonly models: readonly ModelFigures[] };
}

/** A core of an NPU is up within a firmware start, far sooner than a process; SIGKILL's place is taken by a reset. */
const START_US = durationUs(20_000);
const RESET_US = durationUs(2_000);

/** A command that is stopped between two of its own instructions, without a reset. */
export const ABORT_US = durationUs(100);

/** Beside the weights, which come over the bus: parsing, allocation, mapping. */
const LOAD_US = durationUs(1_000);

/**
 * Simulated cores behind the Device port. A segment takes the roofline time of its model's layers on its core, by the kind that this is of, slowed down by whoever else
 * uses the bus, by heat, by the power mode and by faults; it computes nothing and leaves its outputs as they are. On a SimClock the same calls give the same
 * history to the microsecond. Load errors: MODEL_UNLOADABLE for a model without costs, one that memory has no room for, or one that the core cannot address as a whole.
 */
export function createSimDevice(options: SimDeviceOptions, deps: SimDeviceDeps): SimDevice {
  const { profile } = options;
  const { clock } = deps;
  const mode = options.mode ?? profile.modes[0];
  assert(mode !== undefined, 'a profile has a mode');
  const chip = new SimChip(
    { profile, mode, ...(options.regulation === undefined ? {} : { regulation: options.regulation }) },
    { clock, ...(deps.observer === undefined ? {} : { observer: deps.observer }) },
  );
  const shelf = createShelf(profile, deps);
  const prepared: { readonly mischief: Mischief; readonly core: CoreId | undefined }[] = [];
  const takeMischief = (core: CoreId): Mischief | undefined => {
    if (prepared.length === 0) return undefined;
    const index = prepared.findIndex((entry) => entry.core === undefined || entry.core === core);
    return index < 0 ? undefined : prepared.splice(index, 1)[0]?.mischief;
  };
  const ids = Array.from({ length: coreCountOf(profile) }, (_, id) => id);
  const cores = ids.map(
    (id) =>
      new SimCore(
        { id, startUs: START_US, killUs: RESET_US },
        {
          clock,
          listener: deps.listener,
          chip,
          open: (model) => shelf.open(model, id),
          peer: (other) => coreOf(other),
          mischief: takeMischief,
          answerTokens: deps.answerTokens ?? (() => undefined),
        },
      ),
  );
  const coreOf = (id: CoreId): SimCore => {
    const core = cores[id];
    assert(core !== undefined, 'a core is one of this device', id);
    return core;
  };
  const device: SimDevice = {
    cores: ids,
    preemption: 'within-step',
    canSplit: true,
    yield: (core) => coreOf(core).yield(),
    abort: (core) => coreOf(core).abort(ABORT_US),
    start: (core, onEnd) => coreOf(core).start(onEnd),
    load: (core, model, onEnd) => coreOf(core).load(model, onEnd),
    run: (core, segment, onEnd) => coreOf(core).run(segment, onEnd),
    kill: (core) => coreOf(core).kill(),
    crash: (core) => coreOf(core).crash(),
    completesAt: (core) => coreOf(core).completesAt(),
    health: (core) => coreOf(core).health(),
    conditions: () => chip.conditions(),
    prepare: (mischief, core) => void prepared.push({ mischief, core }),
    figures: () => ({ chip: chip.figures(), models: shelf.figures(mode) }),
    async dispose() {
      // By promise and not by clock: a simulation that has ended steps no more.
      await Promise.resolve();
      for (const core of cores) core.dispose();
      chip.dispose();
    },
  };
  for (const fault of options.faults ?? []) clock.at(fault.at, () => bringAbout(fault, device, chip, clock));
  return device;
}

function bringAbout(fault: SimFault, device: SimDevice, chip: SimChip, clock: Clock): void {
  const back = (forUs: DurationUs, task: () => void): void => void after(clock, forUs, task);
  switch (fault.kind) {
    case 'crash':
      return device.crash(fault.core);
    case 'hang':
    case 'wrong':
      return device.prepare(fault.kind, fault.core);
    case 'slow':
      chip.drag(fault.core, fault.factor);
      return back(fault.forUs, () => chip.drag(fault.core, 1));
    case 'bandwidth':
      chip.bandwidth(fault.ratio);
      return back(fault.forUs, () => chip.bandwidth(1));
    case 'heat':
      chip.heatAmbient(fault.byC);
      return back(fault.forUs, () => chip.heatAmbient(-fault.byC));
  }
}

interface Entry {
  readonly layers: readonly LayerCost[];
  readonly steps: ModelSteps;
  /** Beside the weights. */
  readonly stateBytes: number;
  /** Every split is compiled once. */
  readonly stepsOn: StepsOn;
  /** On as many cores as it ran last. */
  ranAs: ModelSteps;
  runs: number;
}

/** The models that have been loaded: each is compiled once, and its weights lie in memory once, however many cores run it. */
function createShelf(profile: SocProfile, deps: Pick<SimDeviceDeps, 'costs' | 'steps' | 'stateBytes' | 'isLanguage'>) {
  const entries = new Map<ModelId, Entry>();
  const usable = (profile.dram.bytesPerSecond * profile.dram.efficiencyRatio) / 1e6;
  return {
    open(model: ModelSpec, core: CoreId): OpenedModel | CoxswainError {
      const known = entries.get(model.id);
      const layers = known?.layers ?? deps.costs(model.id);
      if (layers === undefined) return new CoxswainError('MODEL_UNLOADABLE', `nothing is known of what ${model.id} costs`);
      const how = deps.steps?.(model.id) ?? { cuts: [] };
      const entry = known ?? createEntry(layers, how, deps.stateBytes?.(model.id) ?? 0, profile);
      const { weightBytes } = entry.steps.whole;
      const bytes = weightBytes + entry.stateBytes;
      const isLanguage = deps.isLanguage?.(model.id) ?? !('cuts' in how);
      const window = windowFit({ layers, residentBytes: bytes, isLanguage }, chipAsOf(profile, core));
      if (window?.fits === false)
        return new CoxswainError(
          'MODEL_UNLOADABLE',
          `${model.id} needs ${gigabytes(window.neededBytes)} at once, and core ${core} of ${profile.id} can address ${gigabytes(window.haveBytes)}; take fewer bits, a smaller model or another core`,
        );
      if (known === undefined) {
        const taken = [...entries.values()].reduce((sum, { steps, stateBytes }) => sum + steps.whole.weightBytes + stateBytes, 0);
        const left = profile.dram.memoryBytes - taken;
        if (bytes > left)
          return new CoxswainError(
            'MODEL_UNLOADABLE',
            `${model.id} needs ${gigabytes(bytes)} and ${profile.id} has ${gigabytes(left)} of ${gigabytes(profile.dram.memoryBytes)} left; take fewer bits or a smaller model`,
          );
        entries.set(model.id, entry);
      }
      return {
        stepsOn: entry.stepsOn,
        loadUs: durationUs(LOAD_US + Math.ceil(weightBytes / usable)),
        ran(steps) {
          entry.runs += 1;
          entry.ranAs = steps;
        },
      };
    },
    figures: (mode: SocMode): readonly ModelFigures[] =>
      [...entries].map(
        ([
          model,
          {
            ranAs: { whole: cost },
            runs,
          },
        ]) => ({
          model,
          runs,
          aloneUs: aloneUs(cost, profile, mode),
          macs: cost.macs,
          bytes: cost.bytes,
          weightBytes: cost.weightBytes,
          joules: segmentJoules(cost, profile.power),
          utilisationRatio: cost.utilisationRatio,
        }),
      ),
  };
}

function createEntry(layers: readonly LayerCost[], how: SimSteps, stateBytes: number, profile: SocProfile): Entry {
  const make = (chip: SocProfile, split?: Split): ((turn: Turn | undefined) => ModelSteps) => {
    if (!('cuts' in how)) return createTurnSteps(how, chip, split);
    const steps = createModelSteps(layers, how.cuts, chip, split);
    return () => steps;
  };
  const alone = make(profile);
  const steps = alone(undefined);
  const chips = Array.from({ length: coreCountOf(profile) }, (_, core) => chipAsOf(profile, core));
  const others = new Map<string, ReturnType<typeof make>>();
  // A gang is told by the kind of the core that leads it.
  const stepsOn: StepsOn = (core, peers, turn) => {
    const chip = chips[core] ?? profile;
    if (peers.length === 0 && chip === profile) return alone(turn);
    const split = { ways: 1 + peers.length, clusters: new Set([core, ...peers].map((one) => clusterOf(profile, one))).size };
    const key = `${chip.kind}/${split.ways}/${split.clusters}`;
    const known = others.get(key) ?? make(chip, split);
    others.set(key, known);
    return known(turn);
  };
  return { layers, steps, stateBytes, stepsOn, ranAs: steps, runs: 0 };
}

/** One run with the chip to itself. */
export function aloneUs(cost: SegmentCost, profile: SocProfile, mode: SocMode): number {
  const usable = (profile.dram.bytesPerSecond * profile.dram.efficiencyRatio * mode.bandwidthRatio) / 1e6;
  return rooflineUs(cost, usable / mode.clockRatio) / mode.clockRatio;
}

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`;
