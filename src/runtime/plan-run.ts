import type { ManifestModel, RuntimeConfig, ServerConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type StreamId } from '../core/stream.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { type PlacedModel, type Placement, type PlacementRequest, placeModels } from '../scheduler/placement.ts';
import { type ModelPlan, PLAN_DEFAULTS, type SchedulerPlan } from '../scheduler/scheduler.ts';
import { placeVariants } from './place-variants.ts';
import type { SupervisedCore } from './supervisor.ts';

/** What is decided before the first frame: which model runs where, and all that the scheduler knows in advance. `check` prints it, `run` runs it. */
export interface RunPlan {
  readonly plan: SchedulerPlan;
  readonly placement: Placement;
  /** What each core has to load, its most critical model first, so that a core that comes back serves those first. */
  readonly cores: readonly SupervisedCore[];
}

export function planRun(config: RuntimeConfig): RunPlan {
  const streams = config.pipelines.map(({ stream }) => stream);
  const cores = config.device.cores.map(({ memoryBytes, cluster = 0, isIdle }, id) => ({ id, memoryBytes, cluster, isIdle }));
  const placed = placeModels({ ...placeable(config), cores, pins: pinsOf(config), splits: splitsOf(config), hasSpares: true });
  const placement = placeVariants(placed, config);
  const specs = new Map(config.models.map((model) => [model.id, model]));
  const { policy, tuning } = config.scheduler;
  const used = placement.models.flatMap(({ model }) => specs.get(model) ?? []);
  const plan: SchedulerPlan = {
    ...PLAN_DEFAULTS,
    cores: cores.map(({ id }) => id),
    streams,
    models: placement.models.map((row) => {
      const { model, streams: served, cores: placed, spares, split } = row;
      const { steps } = specs.get(model) ?? {};
      const isAlone = placement.models.every((other) => other === row || other.model !== model);
      return {
        model,
        ...(isAlone ? {} : { streams: served }),
        cores: placed,
        ...(spares.length > 0 ? { spares } : {}),
        ...withBusRatio(costsOn(row, config), specs.get(model), config.device),
        ...(split === undefined ? {} : { split }),
        ...(steps === undefined ? {} : { steps }),
      };
    }),
    timeouts: config.runtime.hardTimeout,
    ...(config.device.decodeUs === undefined ? {} : { tailUs: config.device.decodeUs }),
    ...(used.some(({ steps }) => steps !== undefined) ? { preemption: { kind: 'between-steps' } as const } : {}),
    policy,
    ...(Object.keys(tuning).length > 0 ? { tuning } : {}),
    ...serversOf(config),
    ...admissionPlan(config),
  };
  return { plan, placement, cores: cores.map(({ id }) => ({ core: id, models: modelsOn(id, config, placement) })) };
}

/**
 * On the cores that it takes at once, or on one. Where the cores of a model differ, what it takes on each is told once and for all: what one of them teaches says
 * nothing of the other. A spare that differs is got to know when it has to serve.
 */
function costsOn(
  { model: id, cores, spares, split = 1 }: PlacedModel,
  { models, device }: RuntimeConfig,
): Pick<ModelPlan, 'costUs' | 'exactCosts'> {
  const model = models.find((candidate) => candidate.id === id);
  if (model === undefined) return { costUs: PLAN_DEFAULTS.tailUs };
  const { costUs, coreCostsUs, splitUs } = model;
  const clusters = new Set(cores.slice(0, split).map((core) => device.cores[core]?.cluster ?? 0));
  if (split > 1) return { costUs: splitUs?.(split, clusters.size) ?? costUs };
  const rows = cores.map((core) => ({ core, costUs: coreCostsUs?.[core] ?? costUs }));
  const home = rows[0]?.costUs ?? costUs;
  const areAlike = rows.every((row) => row.costUs === home || spares.includes(row.core));
  return areAlike ? { costUs: home } : { costUs: home, exactCosts: rows };
}

/** Where it is known what a run moves and what the bus carries. */
function withBusRatio(
  costs: ReturnType<typeof costsOn>,
  model: ManifestModel | undefined,
  { busBytesPerSecond }: RuntimeConfig['device'],
): Pick<ModelPlan, 'costUs' | 'exactCosts' | 'busRatio'> {
  if (model?.runBytes === undefined || busBytesPerSecond === undefined) return costs;
  const busRatio = (model.runBytes * 1e6) / (costs.costUs * busBytesPerSecond);
  // Six digits are beyond what any cost model knows, and stay short in a log.
  return { ...costs, busRatio: Math.min(1, Number(busRatio.toPrecision(6))) };
}

/** For the pipelines that there are. */
function serversOf({ pipelines, scheduler: { servers = [] } }: RuntimeConfig): Pick<SchedulerPlan, 'servers'> {
  const known = servers
    .map((server) => ({ ...server, streams: server.streams.filter((id) => pipelines.some((pipeline) => pipeline.id === id)) }))
    .filter(({ streams }) => streams.length > 0);
  return known.length === 0 ? {} : { servers: known };
}

/**
 * What the placement reckons with: of a pipeline with a server the server's budget in every period, on whatever it is spent; of turns without one nothing, since
 * nobody knows how many there will be.
 */
function placeable({ models, pipelines, scheduler: { servers = [] } }: RuntimeConfig): Pick<PlacementRequest, 'models' | 'streams'> {
  const serverOf = (id: StreamId): ServerConfig | undefined => servers.find((server) => server.streams.includes(id));
  return {
    models: models.map((model) => {
      const users = pipelines.filter(({ stream }) => stream.model === model.id);
      const [server] = users.map(({ id }) => serverOf(id));
      return server === undefined ? model : asBudget(model, durationUs(Math.ceil(server.budgetUs / server.streams.length)));
    }),
    streams: pipelines.map(({ id, stream, answer }) => {
      const server = serverOf(id);
      if (server !== undefined) return { ...stream, periodUs: server.periodUs, deadlineUs: server.periodUs };
      return answer === undefined ? stream : { ...stream, criticality: 'background' };
    }),
  };
}

/** As long wherever it can run. */
const asBudget = (model: ManifestModel, costUs: DurationUs): ManifestModel => ({
  ...model,
  costUs,
  ...(model.coreCostsUs === undefined ? {} : { coreCostsUs: model.coreCostsUs.map((us) => (us === undefined ? us : costUs)) }),
  ...(model.splitUs === undefined ? {} : { splitUs: () => costUs }),
});

/** Nothing where the configuration has neither variants nor modes: then streams are not admitted anew. */
function admissionPlan(config: RuntimeConfig): Pick<SchedulerPlan, 'variants' | 'modes'> & Partial<Pick<SchedulerPlan, 'settleUs'>> {
  const variants = config.pipelines.flatMap(({ id, stream, variants: builds }) =>
    builds.map((model) => ({ stream: id, model, isAlike: areAlike(specOf(stream.model, config), specOf(model, config)) })),
  );
  const { modes } = config;
  if (variants.length === 0 && modes === undefined) return {};
  return { variants, modes: modes?.rules ?? [], ...(modes === undefined ? {} : { settleUs: modes.leaveAfterUs }) };
}

const specOf = (id: ModelId, { models }: RuntimeConfig): ManifestModel | undefined => models.find((model) => model.id === id);

/** Whether regions made for the one do for the other. Models that are only described say nothing of their tensors. */
function areAlike(a: ManifestModel | undefined, b: ManifestModel | undefined): boolean {
  if (a === undefined || b === undefined || a.codec !== b.codec) return false;
  return JSON.stringify([a.inputs, a.outputs, sizeOf(a)]) === JSON.stringify([b.inputs, b.outputs, sizeOf(b)]);
}

const sizeOf = ({ shape }: ManifestModel): unknown => (shape?.kind === 'network' ? [shape.height, shape.width, shape.channels] : shape);

const pinsOf = ({ pipelines }: RuntimeConfig): Readonly<Record<StreamId, readonly CoreId[]>> =>
  Object.fromEntries(pipelines.flatMap(({ id, cores }) => (cores === undefined ? [] : [[id, cores]])));

/** The same in all pipelines of a model. */
const splitsOf = ({ pipelines }: RuntimeConfig): Readonly<Record<ModelId, number | 'auto'>> =>
  Object.fromEntries(pipelines.flatMap(({ stream, split }) => (split === undefined ? [] : [[stream.model, split]])));

function modelsOn(core: CoreId, config: RuntimeConfig, placement: Placement): SupervisedCore['models'] {
  const here = new Set(placement.models.filter(({ cores }) => cores.includes(core)).map(({ model }) => model));
  const isHome = (id: ModelId): boolean => placement.models.some(({ model, cores }) => model === id && cores[0] === core);
  const rank = (id: ModelId): number =>
    Math.min(
      ...config.pipelines
        .filter(({ stream, variants }) => stream.model === id || variants.includes(id))
        .map(({ stream }) => criticalityRank(stream.criticality)),
    );
  return config.models
    .filter(({ id }) => here.has(id))
    .sort((a, b) => Number(isHome(b.id)) - Number(isHome(a.id)) || rank(a.id) - rank(b.id));
}
