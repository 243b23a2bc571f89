import type { RuntimeConfig } from '../config/runtime-config.ts';
import { chipAsOf, coreCountOf } from '../core/soc-profile.ts';
import type { SimDevice } from '../devices/sim/sim-device.ts';
import type { SimulationFigures } from '../telemetry/report-schema.ts';
import type { ModelCosts } from './simulate-costs.ts';
import type { SimulateOptions } from './simulate-options.ts';

type DeviceFigures = ReturnType<SimDevice['figures']>;

interface Played {
  /** When the cores were up, and when the frames were over. */
  readonly before: DeviceFigures;
  readonly after: DeviceFigures;
  readonly options: SimulateOptions;
  readonly costs: readonly ModelCosts[];
  readonly config: RuntimeConfig;
  readonly policy: string;
}

/** The chip's part of the report: what lies between `before` and `after`. */
export function simulationFigures({ before, after, options, costs, config, policy }: Played): SimulationFigures {
  const { chip } = after;
  const spanUs = chip.elapsedUs - before.chip.elapsedUs;
  const bytes = chip.busBytes - before.chip.busBytes;
  const capacity = chip.capacityBytes - before.chip.capacityBytes;
  const joules = { low: chip.joules.low - before.chip.joules.low, high: chip.joules.high - before.chip.joules.high };
  const perSecond = (value: number): number => (spanUs > 0 ? rounded((value * 1e6) / spanUs) : 0);
  const runsBefore = new Map(before.models.map(({ model, runs }) => [model, runs]));
  return {
    soc: options.profile.id,
    mode: options.mode.id,
    seed: options.seed,
    span: { askedMs: options.spanUs / 1000, simulatedMs: spanUs / 1000 },
    kinds: Array.from({ length: coreCountOf(options.profile) }, (_, core) => chipAsOf(options.profile, core).kind),
    policy,
    compute: options.compute ?? 'none',
    models: costs.map(({ model, origin, told }) => {
      const found = after.models.find((figures) => figures.model === model);
      return {
        id: model,
        origin,
        told,
        runs: (found?.runs ?? 0) - (runsBefore.get(model) ?? 0),
        aloneMs: rounded((found?.aloneUs ?? 0) / 1000),
        gmac: rounded((found?.macs ?? 0) / 1e9),
        dramBytes: Math.round(found?.bytes ?? 0),
        weightBytes: Math.round(found?.weightBytes ?? 0),
        utilisationRatio: Math.min(1, rounded(found?.utilisationRatio ?? 0)),
        joules: { low: rounded(found?.joules.low ?? 0), high: rounded(found?.joules.high ?? 0) },
      };
    }),
    ...budgetFigures(before, after),
    bus: { bytes: Math.round(bytes), ratio: capacity > 0 ? Math.min(1, rounded(bytes / capacity)) : 0, meanGbs: perSecond(bytes / 1e9) },
    power: {
      joules: { low: rounded(joules.low), high: rounded(joules.high) },
      meanW: { low: perSecond(joules.low), high: perSecond(joules.high) },
      maxW: rounded(chip.wattsMax),
      modeW: options.mode.watts,
      cappedRatio: spanUs > 0 ? Math.min(1, rounded((chip.cappedUs - before.chip.cappedUs) / spanUs)) : 0,
    },
    heat: {
      dieC: rounded(chip.dieC),
      dieMaxC: rounded(chip.dieMaxC),
      caseMaxC: rounded(chip.caseMaxC),
      throttledRatio: spanUs > 0 ? Math.min(1, rounded((chip.throttledUs - before.chip.throttledUs) / spanUs)) : 0,
    },
    faults: Object.fromEntries(Object.entries(options.faults).filter(([, count]) => count > 0)),
    unfed: unfedPipelines(config, options.compute === 'ort'),
  };
}

/** Nothing where nobody is regulated. */
function budgetFigures(before: DeviceFigures, after: DeviceFigures): Pick<SimulationFigures, 'budgets'> {
  if (after.chip.budgets.length === 0) return {};
  const budgets = after.chip.budgets.map(({ stream, movedBytes, stalls, stalledUs }, index) => {
    const at = before.chip.budgets[index];
    return {
      id: stream,
      bytes: Math.round(movedBytes - (at?.movedBytes ?? 0)),
      stalls: stalls - (at?.stalls ?? 0),
      stalledMs: rounded((stalledUs - (at?.stalledUs ?? 0)) / 1000),
    };
  });
  return { budgets };
}

/** Whoever lives off the items of a pipeline whose results are empty gets no frame. */
function unfedPipelines({ pipelines, models }: RuntimeConfig, isComputed: boolean): string[] {
  const described = new Set(models.flatMap(({ id, shape }) => (shape === undefined ? [] : [id])));
  const empty = new Set(pipelines.filter(({ stream }) => !isComputed || described.has(stream.model)).map(({ id }) => id));
  return pipelines.filter(({ input }) => input.kind === 'pipeline' && empty.has(input.pipeline)).map(({ id }) => id);
}

/** Beyond six digits a figure of a model says nothing. */
const rounded = (value: number): number => Number(value.toPrecision(6));
