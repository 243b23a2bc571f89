import type { LanguageShape, ManifestModel, PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import { chipAsOf, firstKindCountOf, usableBytesPerSecond } from '../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { flowUs } from '../devices/sim/bus-share.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import type { Placement } from '../scheduler/placement.ts';
import { checkFit } from './check-fit.ts';
import { cutModels } from './cut-models.ts';
import type { Fit } from './fit.ts';
import { modelsUsed } from './models-used.ts';
import { type Chip, onChip } from './on-chip.ts';
import { PROMPT_TOKENS, storedBits } from './plan-model.ts';
import { planRun } from './plan-run.ts';
import { planTurns } from './plan-turns.ts';
import { languageModelOf, type ModelCosts } from './simulate-costs.ts';
import { simulatedCosts } from './simulated-costs.ts';

/** A model beside the streams of a configuration, on the cores that these leave the most of. */
export interface BesidePlan {
  readonly node: string;
  /** Whether every stream with a guarantee is in time: without the model, and with it. */
  readonly streams: {
    readonly didFit: boolean;
    readonly doFit: boolean;
    readonly assurance: Fit['assurance'];
    readonly advice: readonly string[];
  };
  readonly memory: { readonly streamBytes: number; readonly modelBytes: number; readonly haveBytes: number; readonly doesFit: boolean };
  /** Those that work on the model together, and the part of their time that the streams leave. */
  readonly cores: { readonly ids: readonly CoreId[]; readonly ofCount: number; readonly idleRatio: number };
  readonly bus: { readonly usableGbs: number; readonly streamGbs: number; readonly leftGbs: number; readonly leftRatio: number };
  /** Of the streams and the model together, at the upper end. */
  readonly power: { readonly demandedW: number; readonly modeW: number };
  /** Of a language model. */
  readonly speech?: {
    readonly tokensPerSecond: number;
    readonly promptTokens: number;
    readonly chunkTokens: number;
    readonly firstTokenMs: number;
  };
  /** Of a network. */
  readonly runs?: { readonly runMs: number; readonly runsPerSecond: number };
}

export interface PlanBesideOptions {
  readonly chip: Chip;
  readonly config: RuntimeConfig;
  /** Of every model that a pipeline uses. */
  readonly costs: readonly ModelCosts[];
}

/** Prompt tokens in one segment, the longest first: fewer chunks read the weights less often, and keep the core from others for longer. */
const CHUNKS = [512, 256, 128, 64, 32, 16];

/**
 * A language model beside streams. It runs as background work in segments of a token or of a chunk of the prompt, each spread over some cores by columns; taken are as
 * many cores, the least loaded first, as give the most tokens while the streams still fit, and the longest chunks with which they do. On average: the bus carries what
 * the streams leave of it, and the cores work on the model when they have nothing else to do.
 */
export function planBeside(
  options: PlanBesideOptions,
  { shape, bits, contextTokens }: { readonly shape: LanguageShape; readonly bits: number; readonly contextTokens: number },
): BesidePlan {
  const model = languageModelOf({ ...shape, bits: storedBits(bits) });
  const modelBytes = model.weightBytes + model.kvBytesPerToken * contextTokens;
  const base = baseOf(options, modelBytes);
  const promptTokens = Math.min(PROMPT_TOKENS, contextTokens);
  const decode = model.decodeLayers(1, contextTokens - 1);
  const chunkLayers = (tokens: number, past: number): readonly LayerCost[] => model.prefillLayers(tokens, past);
  const chunks = [...new Set(CHUNKS.map((chunk) => Math.min(chunk, promptTokens)))];
  const smallest = chunks.at(-1);
  assert(smallest !== undefined, 'a prompt has a token');
  // Together work only cores of the first kind, which share a layer in equal parts.
  const order = base.order.filter((core) => core < firstKindCountOf(options.chip.profile));
  const candidates = order
    .map((_, index) => order.slice(0, index + 1))
    .map((cores) => ({ cores, tokensPerSecond: base.ratePerSecond(decode, cores) }));
  const fastest = Math.max(...candidates.map(({ tokensPerSecond }) => tokensPerSecond));
  // Where the bus decides, one core is as fast as eight; the prompt is read faster by more.
  const inOrder = [...candidates].sort((a, b) => bucketOf(b, fastest) - bucketOf(a, fastest) || b.cores.length - a.cores.length);
  // The last chunk of the prompt looks back on all of it, so it takes longest.
  const fitWith = (cores: readonly CoreId[], chunk: number, depth: Depth = 'verdict'): Fit =>
    base.fitBeside(cores, [decode, chunkLayers(chunk, promptTokens - chunk)], { shape, depth });
  const [least] = candidates;
  assert(least !== undefined, 'a chip has a core');
  const chosen = inOrder.find(({ cores }) => fitWith(cores, smallest).fits) ?? least;
  const chunk = chunks.find((size) => fitWith(chosen.cores, size).fits) ?? promptTokens;
  // The last chunk gives the first token.
  let promptUs = 0;
  for (let past = 0; past < promptTokens; past += chunk)
    promptUs += base.runUs(chunkLayers(Math.min(chunk, promptTokens - past), past), chosen.cores);
  return {
    ...base.planOn(chosen.cores, fitWith(chosen.cores, chunk, 'advice')),
    speech: { tokensPerSecond: chosen.tokensPerSecond, promptTokens, chunkTokens: chunk, firstTokenMs: promptUs / 1000 },
  };
}

/** Rates that differ by less than a fiftieth count as the same. */
const bucketOf = ({ tokensPerSecond }: { readonly tokensPerSecond: number }, fastest: number): number =>
  fastest > 0 ? Math.round((50 * tokensPerSecond) / fastest) : 0;

/** A network beside streams, one run after the other on the core that the streams leave the most of. */
export function planNetworkBeside(
  options: PlanBesideOptions,
  { layers, weightBytes }: { readonly layers: readonly LayerCost[]; readonly weightBytes: number },
): BesidePlan {
  const base = baseOf(options, weightBytes);
  const placed = base.order.map((core) => [core]);
  const [first] = placed;
  assert(first !== undefined, 'a chip has a core');
  const chosen = placed.find((cores) => base.fitBeside(cores, [layers], { depth: 'verdict' }).fits) ?? first;
  const runUs = base.runUs(layers, chosen);
  return {
    ...base.planOn(chosen, base.fitBeside(chosen, [layers], { depth: 'advice' })),
    runs: { runMs: runUs / 1000, runsPerSecond: base.ratePerSecond(layers, chosen) },
  };
}

/** What is the same whatever the model is made of. */
function baseOf({ chip, config, costs }: PlanBesideOptions, modelBytes: number) {
  const { profile, mode } = chip;
  const before = fitOn({ chip, config, costs }, [], 'verdict');
  const { fit, placement } = before;
  const used = modelsUsed(config.pipelines);
  const streamBytes = before.config.models.reduce((sum, model) => sum + (used.has(model.id) ? model.memoryBytes : 0), 0);
  const haveBytes = profile.dram.memoryBytes;
  const usable = usableBytesPerSecond(profile) * mode.bandwidthRatio;
  const left = Math.max(0, usable - (fit.bus?.demandedBytesPerSecond ?? 0));
  const idleOf = (core: CoreId): number => Math.max(0, 1 - (placement.cores.find((row) => row.core === core)?.loadRatio ?? 0));
  const idleRatio = (cores: readonly CoreId[]): number => Math.min(...cores.map(idleOf));
  const isGuarded = (core: CoreId): boolean => (fit.cores.find((row) => row.core === core)?.loadRatio ?? 0) > 0;
  /** A row of layers on these cores together, with what is left of the bus, when nobody else wants the cores. */
  const alone = (layers: readonly LayerCost[], cores: readonly CoreId[]): number => {
    const cost = compileSegment(partOf(layers, cores.length), chipAsOf(profile, cores[0] ?? 0));
    return flowUs({ cost, speed: mode.clockRatio, drag: 1 }, left / 1e6 / cores.length);
  };
  return {
    order: [...placement.cores]
      .sort((a, b) => Number(isGuarded(a.core)) - Number(isGuarded(b.core)) || a.loadRatio - b.loadRatio || a.core - b.core)
      .map(({ core }) => core),
    runUs: (layers: readonly LayerCost[], cores: readonly CoreId[]): number => alone(layers, cores) / idleRatio(cores),
    ratePerSecond: (layers: readonly LayerCost[], cores: readonly CoreId[]): number => (1e6 * idleRatio(cores)) / alone(layers, cores),
    fitBeside: (
      cores: readonly CoreId[],
      work: readonly (readonly LayerCost[])[],
      { shape, depth }: { readonly shape?: LanguageShape; readonly depth: Depth },
    ): Fit =>
      fitOn(
        { chip, config, costs },
        cores.map((core) => ({
          core,
          shape,
          work: work.map((layers, index) => ({
            layers: partOf(layers, cores.length),
            periodUs: index === 0 ? Math.max(1, alone(layers, cores)) : RARE_US,
          })),
        })),
        depth,
      ).fit,
    planOn: (cores: readonly CoreId[], beside: Fit): BesidePlan => ({
      node: config.node,
      streams: { didFit: fit.fits, doFit: beside.fits, assurance: beside.assurance, advice: beside.advice },
      memory: { streamBytes, modelBytes, haveBytes, doesFit: streamBytes + modelBytes <= haveBytes },
      cores: { ids: [...cores].sort((a, b) => a - b), ofCount: placement.cores.length, idleRatio: idleRatio(cores) },
      power: { demandedW: beside.power?.demandedW ?? profile.power.idleW, modeW: mode.watts },
      bus: { usableGbs: usable / 1e9, streamGbs: (usable - left) / 1e9, leftGbs: left / 1e9, leftRatio: left / usable },
    }),
  };
}

/**
 * What one of `count` cores does of layers that they share: each takes its part of the columns, or of the groups where there are several, as tensor parallelism
 * does.
 */
function partOf(layers: readonly LayerCost[], count: number): readonly LayerCost[] {
  if (count === 1) return layers;
  return layers.map((layer) => ({
    ...layer,
    ...(layer.groups > 1 ? { groups: Math.ceil(layer.groups / count) } : { n: Math.ceil(layer.n / count) }),
    macs: layer.macs / count,
    elementOps: layer.elementOps / count,
    weightBytes: layer.weightBytes / count,
    // Everybody needs the whole input, but only its part of the state.
    inputBytes: layer.inputBytes - (layer.stateBytes ?? 0) * (1 - 1 / count),
    outputBytes: layer.outputBytes / count,
    ...(layer.stateBytes === undefined ? {} : { stateBytes: layer.stateBytes / count }),
  }));
}

type Depth = 'verdict' | 'advice';

interface Extra {
  readonly core: CoreId;
  /** The first again and again, as fast as it goes; the others now and then, in its place. */
  readonly work: readonly { readonly layers: readonly LayerCost[]; readonly periodUs: number }[];
  /** Of a language model, whose segments are as long as they are told. */
  readonly shape: LanguageShape | undefined;
}

/** The streams with background work beside them on some cores, whose memory is not counted here. */
function fitOn(
  { chip, config, costs }: PlanBesideOptions,
  extras: readonly Extra[],
  depth: Depth,
): { readonly fit: Fit; readonly placement: Placement; readonly config: RuntimeConfig } {
  const rows = extras.flatMap(({ core, work, shape }) =>
    work.map((one, index) => ({ ...one, id: `beside/${index}/${core}`, core, shape })),
  );
  const extraCosts = rows.map(({ id, layers }): ModelCosts => ({ model: id, layers, isPart: true, origin: 'shape', told: '' }));
  const all = [...costs, ...extraCosts];
  const adapted = onChip(
    {
      ...config,
      models: [...config.models, ...rows.map(({ id, shape }) => extraModel(id, shape))],
      pipelines: [...config.pipelines, ...rows.map(({ id, core, periodUs }) => extraPipeline(id, core, durationUs(Math.ceil(periodUs))))],
    },
    all,
    chip,
  );
  const weightless = adapted.models.map((model) => (rows.some(({ id }) => id === model.id) ? { ...model, memoryBytes: 0 } : model));
  const cut = planTurns(cutModels({ ...adapted, models: weightless }, all, chip), all, chip);
  const { placement } = planRun(cut.config);
  return { fit: checkFit(cut.config, placement, simulatedCosts(cut, placement, all, chip), depth), placement, config: cut.config };
}

/** Between two prompts. */
const RARE_US = 10_000_000;

/** Nothing is guaranteed to it. */
const EXTRA_DEADLINE_US = durationUs(1_000_000);

const extraModel = (id: string, shape: LanguageShape | undefined): ManifestModel => ({
  ...(shape === undefined ? {} : { shape }),
  ...{ id, file: '', sha256: '', codec: '', licence: '', origin: '', fileBytes: 0, files: {}, sideFiles: {} },
  ...{ inputs: [], outputs: [], states: [], constants: [], windowSamples: undefined },
  ...{ costUs: durationUs(1), memoryBytes: 0 },
});

const extraPipeline = (id: string, core: CoreId, periodUs: DurationUs): PipelineConfig => ({
  id,
  input: { kind: 'source', source: id },
  stream: {
    ...{ id, model: id, criticality: 'background', periodUs, deadlineUs: EXTRA_DEADLINE_US },
    ...{ freshness: { kind: 'latest' }, isStateful: false },
  },
  staleAfterUs: EXTRA_DEADLINE_US,
  decode: {},
  variants: [],
  cores: [core],
  sinks: [],
});
