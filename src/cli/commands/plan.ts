import type { LanguageShape, ManifestModel, RuntimeConfig } from '../../config/runtime-config.ts';
import type { NumberType } from '../../core/layer-cost.ts';
import { firstKindCountOf, type SocProfile } from '../../core/soc-profile.ts';
import type { PlannedModel } from '../../runtime/model-at.ts';
import { modelsUsed } from '../../runtime/models-used.ts';
import type { Chip } from '../../runtime/on-chip.ts';
import type { BesidePlan, PlanBesideOptions } from '../../runtime/plan-beside.ts';
import type { FilePlan, NetworkFile } from '../../runtime/plan-file.ts';
import type { ModelPlan, ModelSpeed, PlanModelOptions } from '../../runtime/plan-model.ts';
import type { ModelCosts } from '../../runtime/simulate-costs.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { formatBytes, formatPercent } from '../figures-text.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Paint } from '../paint.ts';
import { prepareReportFile } from '../report-file.ts';
import { modeOf } from '../soc-mode.ts';
import { type SweepLine, sweepSketch, sweepSvg } from '../sweep-plot.ts';
import { escapeText } from '../terminal-text.ts';

export interface PlanOptions {
  readonly soc: string | undefined;
  readonly mode: string | undefined;
  readonly model: string | undefined;
  /** Undefined: as many as the kind of model mostly has. */
  readonly bits: number | undefined;
  /** Undefined: 2048, or the most that the model knows. */
  readonly context: number | undefined;
  /** Sizes that an ONNX file leaves open, by name. */
  readonly dims: Readonly<Record<string, number>>;
  /** A configuration whose streams the model runs beside. */
  readonly with: string | undefined;
  readonly isSweep: boolean;
  readonly plot: string | undefined;
  readonly isJson: boolean;
}

export interface NamedShape {
  readonly name: string;
  readonly shape: LanguageShape;
}

export interface PlanDeps extends Pick<CliDeps, 'out' | 'err' | 'env'> {
  readonly loadSoc: (soc: string) => SocProfile;
  /** Every shipped profile. */
  readonly socs: () => readonly SocProfile[];
  /** The shipped language models, the smallest first. */
  readonly models: () => readonly NamedShape[];
  readonly planModel: (options: PlanModelOptions) => ModelPlan;
  /** What is in a folder or a file. */
  readonly modelAt: (path: string) => PlannedModel;
  readonly planGraph: (network: NetworkFile, chip: Chip) => FilePlan;
  readonly loadConfig: (file: string) => RuntimeConfig;
  readonly storedAsOn: (profile: SocProfile) => NumberType;
  readonly costsOf: (model: ManifestModel, storedAs: NumberType) => ModelCosts;
  readonly planBeside: (options: PlanBesideOptions, model: Pick<PlanModelOptions, 'shape' | 'bits' | 'contextTokens'>) => BesidePlan;
  readonly planGraphBeside: (options: PlanBesideOptions, network: NetworkFile) => BesidePlan;
}

/** Says whether a model fits a chip and what it leaves, or what is left for it. 0: it fits, and so do the streams beside it; 1: it does not. */
export async function plan(options: PlanOptions, deps: PlanDeps): Promise<number> {
  if (options.isSweep) return sweep(options, deps);
  const { out } = deps;
  const profile = deps.loadSoc(options.soc ?? '');
  const chip: Chip = { profile, mode: modeOf(profile, options.mode) };
  const name = options.model ?? '';
  const isPath = name.endsWith('.onnx') || name.includes('/');
  const { shape, graph }: PlannedModel = isPath ? deps.modelAt(name) : { shape: shapeOf(name, deps) };
  // A network is converted to the type that it is converted to in a configuration, unless told otherwise.
  const bits = options.bits ?? (shape === undefined ? BITS_OF[deps.storedAsOn(profile)] : LANGUAGE_BITS);
  if (shape !== undefined && Object.keys(options.dims).length > 0)
    throw new UsageError(`--dims gives the sizes that a network's ONNX file leaves open; ${name} is a language model, leave it out`);
  const subject: Subject =
    shape === undefined
      ? { network: { file: name, graph, bits, dims: options.dims } }
      : { shape, bits, contextTokens: contextOf(options, isPath ? shape.context : shape.contextMax) };
  const made = subject.network === undefined ? deps.planModel({ ...chip, ...subject }) : deps.planGraph(subject.network, chip);
  const beside = options.with === undefined ? undefined : besideOf(options.with, subject, chip, deps);
  if (options.isJson) out.write(`${JSON.stringify(beside === undefined ? made : { ...made, beside })}\n`);
  else {
    const lines = 'runMs' in made ? networkLines(name, made, profile) : modelLines(name, made, profile);
    out.write(`${[...lines, ...(beside === undefined ? [] : ['', ...besideLines(beside)])].join('\n')}\n`);
  }
  const isBesideFine = beside === undefined || (beside.memory.doesFit && beside.streams.doFit);
  return made.memory.doesFit && made.window?.fits !== false && isBesideFine ? EXIT.fine : EXIT.findings;
}

/** What language models are mostly stored with on such chips. */
const LANGUAGE_BITS = 4;
const BITS_OF: Readonly<Record<NumberType, number>> = { int4: 4, int8: 8, int16: 16, fp16: 16, fp32: 16 };

const CONTEXT_TOKENS = 2048;

function contextOf({ model, context }: PlanOptions, contextMax = Number.POSITIVE_INFINITY): number {
  if (context === undefined) return Math.min(CONTEXT_TOKENS, contextMax);
  if (context > contextMax) throw new UsageError(`--context ${context}: ${model} knows conversations of at most ${contextMax} tokens`);
  return context;
}

/** What is planned: a language model, or a network. */
type Subject =
  | (Pick<PlanModelOptions, 'shape' | 'bits' | 'contextTokens'> & { readonly network?: undefined })
  | { readonly network: NetworkFile };

function besideOf(file: string, subject: Subject, chip: Chip, deps: PlanDeps): BesidePlan {
  const config = deps.loadConfig(file);
  const used = modelsUsed(config.pipelines);
  const storedAs = deps.storedAsOn(chip.profile);
  const costs = config.models.filter(({ id }) => used.has(id)).map((model) => deps.costsOf(model, storedAs));
  const request = { chip, config, costs };
  return subject.network === undefined ? deps.planBeside(request, subject) : deps.planGraphBeside(request, subject.network);
}

function shapeOf(name: string, deps: PlanDeps): LanguageShape {
  const models = deps.models();
  const wanted = name.toLowerCase().replaceAll('.', '_');
  const found = models.find((model) => model.name === wanted);
  if (found !== undefined) return found.shape;
  const names = models.map((model) => model.name.replaceAll('_', '.'));
  throw new UsageError(
    `--model ${name}: allowed is an ONNX file, the folder of a language model (./${name}), or one of ${names.join(', ')}`,
  );
}

const three = (value: number): string => String(Number(value.toPrecision(3)));
const range = ({ low, high }: { readonly low: number; readonly high: number }): string => `${three(low)} to ${three(high)}`;

function modelLines(name: string, made: ModelPlan, profile: SocProfile): string[] {
  const { memory, window, speed } = made;
  const head = `${escapeText(name)} (${three(made.parameters / 1e9)} B parameters, ${made.bits} bits, ${made.contextTokens} tokens of context) on ${escapeText(profile.name)}`;
  const needs = `memory  ${formatBytes(memory.weightBytes)} of weights and ${formatBytes(memory.kvBytes)} of KV cache, of ${formatBytes(memory.haveBytes)}`;
  const fits = [`${needs}: ${memory.doesFit ? 'fits' : 'does not fit'}`, ...windowLines(window)];
  if (speed === undefined) return [head, ...fits];
  const { decode, prompt, left } = speed;
  const coreCount = firstKindCountOf(profile);
  return [
    head,
    ...fits,
    `decode  ${decodeText(decode, coreCount)}, ${formatBytes(decode.bytesPerToken)} a token, ${formatPercent(decode.busRatio)} of the bus, ${decode.isMemoryBound ? 'waits for memory' : 'waits for the cores'}`,
    `prompt  ${prompt.tokens} tokens${coresText(prompt.cores, coreCount)}: first word after ${three(prompt.firstTokenMs)} ms`,
    `energy  ${range(decode.joulesPerToken)} J a token, idle power included`,
    `left    at ${three(left.tokensPerSecond)} tokens/s, as fast as anybody listens: ${three(left.busGbs)} GB/s (${formatPercent(left.busRatio)} of the bus) and ${three(left.topsInt8)} int8 TOPS (${formatPercent(left.computeRatio)}) for perception`,
  ];
}

/** Nothing where it is not in the way. */
const windowLines = (window: ModelPlan['window']): string[] =>
  window?.fits !== false
    ? []
    : [
        `window  ${formatBytes(window.neededBytes)} at once with activations, of ${formatBytes(window.haveBytes)} that a core can address: does not fit`,
      ];

/** Nothing where there is but one. */
function coresText(cores: number, of: number): string {
  if (of === 1) return '';
  if (cores === of) return ` with all ${of} cores`;
  return ` with ${cores === 1 ? 'one' : cores} of ${of} cores`;
}

/** The fastest number of cores, and what one and all of them make of it where that is not it. */
function decodeText({ tokensPerSecond, cores, oneCoreTokensPerSecond, allCoresTokensPerSecond }: ModelSpeed['decode'], of: number): string {
  const others = [
    ...(cores === 1 ? [] : [`${three(oneCoreTokensPerSecond)} with one`]),
    ...(cores === of ? [] : [`${three(allCoresTokensPerSecond)} with all`]),
  ];
  return `${three(tokensPerSecond)} tokens/s${coresText(cores, of)}${others.length === 0 ? '' : ` (${others.join(', ')})`}`;
}

function networkLines(name: string, made: FilePlan, profile: SocProfile): string[] {
  const { memory, window, unknown } = made;
  return [
    `${escapeText(name)} (${three(made.gmac)} GMAC, its floats stored as ${made.storedAs}) on one core of ${escapeText(profile.name)}`,
    `memory  ${formatBytes(memory.weightBytes)} of weights, of ${formatBytes(memory.haveBytes)}: ${memory.doesFit ? 'fits' : 'does not fit'}`,
    ...windowLines(window),
    `speed   ${three(made.runMs)} ms a run, ${three(made.runsPerSecond)} a second, ${formatPercent(made.utilisationRatio)} of the multipliers in use`,
    `bus     ${formatBytes(made.bytesPerRun)} a run, ${formatPercent(made.busRatio)} of the bus`,
    `energy  ${range(made.joulesPerRun)} J a run, idle power included`,
    ...(unknown.length === 0
      ? []
      : [`not counted, since not understood: ${unknown.map(({ operator, count }) => `${count} x ${escapeText(operator)}`).join(', ')}`]),
  ];
}

function besideLines({ node, streams, memory, cores, bus, power, speech, runs }: BesidePlan): string[] {
  const which = cores.ids.length === 1 ? `core ${cores.ids[0]}` : `${cores.ids.length} cores (${cores.ids.join(', ')})`;
  const before = streams.didFit ? '' : ', and they do not fit without it either';
  return [
    `beside the streams of ${escapeText(node)}, as background work`,
    `memory  ${formatBytes(memory.modelBytes)} beside ${formatBytes(memory.streamBytes)} of streams, of ${formatBytes(memory.haveBytes)}: ${memory.doesFit ? 'fits' : 'does not fit'}`,
    `cores   ${which} of ${cores.ofCount}, ${formatPercent(cores.idleRatio)} of their time left`,
    `bus     ${three(bus.streamGbs)} GB/s for the streams, ${three(bus.leftGbs)} GB/s (${formatPercent(bus.leftRatio)}) left`,
    `power   at most ${three(power.demandedW)} W with the streams, of ${three(power.modeW)} W`,
    ...(speech === undefined
      ? []
      : [
          `decode  ${three(speech.tokensPerSecond)} tokens/s`,
          `prompt  ${speech.promptTokens} tokens in chunks of ${speech.chunkTokens}: first word after ${three(speech.firstTokenMs)} ms`,
        ]),
    ...(runs === undefined ? [] : [`speed   ${three(runs.runMs)} ms a run, ${three(runs.runsPerSecond)} a second`]),
    `streams ${streams.doFit ? `fit (${streams.assurance})` : `do not fit${before}`}`,
    ...(streams.doFit ? [] : streams.advice.map((advice) => escapeText(advice))),
  ];
}

async function sweep({ bits = LANGUAGE_BITS, context = CONTEXT_TOKENS, ...options }: PlanOptions, deps: PlanDeps): Promise<number> {
  const { out } = deps;
  const plot = options.plot === undefined ? undefined : await prepareReportFile(options.plot, '--plot');
  const profiles = options.soc === undefined ? deps.socs() : [deps.loadSoc(options.soc)];
  const models = deps.models();
  const plans = profiles.map((profile) => ({
    profile,
    plans: models.map(({ shape }) =>
      deps.planModel({
        profile,
        mode: modeOf(profile, options.mode),
        shape,
        bits,
        contextTokens: Math.min(context, shape.contextMax ?? context),
      }),
    ),
  }));
  const lines = plans
    .map(({ profile, plans: row }): SweepLine => ({ name: profile.id, points: row.flatMap(pointOf) }))
    .filter(({ points }) => points.length > 0);
  const title = `Tokens a second at ${bits} bits and ${context} tokens of context`;
  if (options.isJson) {
    const rows = plans.flatMap(({ plans: row }) => row.map((made, index) => ({ model: models[index]?.name, ...made })));
    out.write(`${JSON.stringify(rows)}\n`);
  } else {
    const paint = choosePaint(out.isTty, deps.env);
    const text = [
      paint(title, 'bold'),
      '',
      ...sweepGrid(models, plans, out.columns(), paint),
      '',
      ...shorterLines(models, context),
      ...windowLegend(plans),
      ...(lines.length > 0 ? sweepSketch(lines, out.columns()) : []),
    ];
    out.write(`${text.join('\n')}\n`);
  }
  if (lines.length > 0) await plot?.write(sweepSvg(lines, title));
  return EXIT.fine;
}

const pointOf = ({ parameters, speed }: ModelPlan) =>
  speed === undefined ? [] : [{ parameters, tokensPerSecond: speed.decode.tokensPerSecond }];

/** Which models know less than was asked for, and are taken with what they know. */
function shorterLines(models: readonly NamedShape[], context: number): string[] {
  const shorter = models.filter(({ shape }) => (shape.contextMax ?? context) < context);
  if (shorter.length === 0) return [];
  const known = shorter.map(({ name, shape }) => `${escapeText(name)} ${shape.contextMax}`);
  return [`with the longest conversation that they know: ${known.join(', ')}`, ''];
}

function windowLegend(swept: readonly SweptSoc[]): string[] {
  const isOut = swept.some(({ plans }) => plans.some(({ memory, window }) => memory.doesFit && window?.fits === false));
  return isOut ? [`${OUT_OF_WINDOW}: fits the memory, but a core cannot address it at once`, ''] : [];
}

interface SweptSoc {
  readonly profile: SocProfile;
  readonly plans: readonly ModelPlan[];
}

/** Cells of the model's name, and of one figure with its gap. */
const NAME_CELLS = 16;
const FIGURE_CELLS = 16;

/** A row per model, a column per chip, in as many tables as the width needs; a dash where memory has no room for it, yellow where nobody would wait for it. */
function sweepGrid(models: readonly NamedShape[], swept: readonly SweptSoc[], width: number, paint: Paint): string[] {
  const perTable = Math.max(1, Math.floor((width - NAME_CELLS) / FIGURE_CELLS));
  const tables = Array.from({ length: Math.ceil(swept.length / perTable) }, (_, index) =>
    swept.slice(index * perTable, (index + 1) * perTable),
  );
  return tables.flatMap((part) => {
    const columns: Column[] = [
      { title: 'model', align: 'left', rank: 0 },
      ...part.map(({ profile }, index): Column => ({ title: profile.id, align: 'right', rank: index + 1 })),
    ];
    const rows = models.map(({ name }, index): Cell[] => [
      { text: escapeText(name), tone: 'bold' },
      ...part.map(({ plans }) => rateCell(plans[index])),
    ]);
    return [...renderGrid(columns, rows, width, paint), ''];
  });
}

/** In place of a rate. */
const OUT_OF_WINDOW = 'window';

function rateCell(made: ModelPlan | undefined): Cell {
  const rate = made?.speed?.decode.tokensPerSecond;
  if (rate === undefined) return { text: made?.memory.doesFit === true ? OUT_OF_WINDOW : '-', tone: 'dim' };
  return { text: three(rate), tone: rate < 5 ? 'yellow' : undefined };
}
