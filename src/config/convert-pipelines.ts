import { LANGUAGE_CODEC } from '../core/model.ts';
import type { Freshness, StreamId, TokenContract } from '../core/stream.ts';
import { type DurationUs, durationFromMs, durationUs } from '../core/units.ts';
import { convertAssistant } from './convert-assistant.ts';
import type { LoadScope } from './load-scope.ts';
import { nearest } from './nearest.ts';
import type { PipelineSection } from './pipeline-schema.ts';
import { type KeyPath, quoted } from './problem.ts';
import type { AnswerConfig, ManifestModel, PipelineConfig, PipelineInput } from './runtime-config.ts';
import type { Medium, SourceConfig } from './source-config.ts';

/** A quarter of a second of windows of 32 ms: rides out a busy moment of the core, and no longer. */
const AUDIO_QUEUE_JOBS = 8;

/** Who has to wait for four others asks again. */
const TURN_QUEUE_JOBS = 4;

export interface PipelineSurroundings {
  readonly sources: readonly SourceConfig[];
  /** Undefined when the manifest could not be read; models are not checked then. */
  readonly models: readonly ManifestModel[] | undefined;
  readonly coreCount: number;
}

/** For a source that nobody listens to: 32 ms. */
const WINDOW_SAMPLES = 512;

/** How long the windows of a source are: as the first model that listens to it wants them. */
export function windowSamplesOf(source: string, sections: Sections, models: readonly ManifestModel[]): number {
  for (const section of sections.values()) {
    const windowSamples = section.source === source ? models.find(({ id }) => id === section.model)?.windowSamples : undefined;
    if (windowSamples !== undefined) return windowSamples;
  }
  return WINDOW_SAMPLES;
}

type Sections = ReadonlyMap<StreamId, PipelineSection>;

/** What a pipeline takes in. */
interface Feed {
  readonly medium: Medium;
  /** Of sound. */
  readonly windowSamples?: number;
  readonly periodUs: DurationUs;
  /** Of turns: the most that one may have to read. */
  readonly promptTokensMax?: number;
  /** Whether turns go on with those before them. */
  readonly isConversation?: boolean;
  /** Whether turns have words, which an assistant answers. */
  readonly hasWords?: boolean;
}

/** Pipelines in an order where parents come first. Those that refer to what is not there are left out, after a problem that says so. */
export function convertPipelines(sections: Sections, around: PipelineSurroundings, scope: LoadScope): readonly PipelineConfig[] {
  const done = new Map<StreamId, PipelineConfig>();
  const feeds = new Map<StreamId, Feed>();
  for (const id of parentsFirst(sections, scope)) {
    const section = sections.get(id);
    if (section === undefined) continue;
    const path: KeyPath = ['pipelines', id];
    checkCores(section, path, around, scope);
    checkSplit(section, path, { sections, coreCount: around.coreCount }, scope);
    const feed = feedOf(section, path, around, { sections, feeds }, scope);
    const model = modelOf(section, path, around, scope);
    if (feed === undefined || model === undefined) continue;
    checkMedium(section, model, feed, path, scope);
    checkDecode(section, model, path, scope);
    checkAnswer(section, model, feed, path, scope);
    checkVariants(section, model, feed, path, around, scope);
    feeds.set(id, feed);
    done.set(id, convertPipeline(id, section, model, feed));
  }
  const media = new Map([...feeds].map(([id, { medium }]) => [id, medium] as const));
  return [...done.values()].map((pipeline) => {
    const section = sections.get(pipeline.id);
    const hasWords = feeds.get(pipeline.id)?.hasWords === true;
    const assistant = section && convertAssistant({ id: pipeline.id, section, hasWords, media }, scope);
    return assistant === undefined ? pipeline : { ...pipeline, assistant };
  });
}

function convertPipeline(id: StreamId, section: PipelineSection, model: ManifestModel, feed: Feed): PipelineConfig {
  const deadlineUs = durationFromMs(section.deadlineMs);
  return {
    id,
    input: inputOf(section),
    stream: {
      id,
      model: model.id,
      criticality: section.criticality,
      periodUs: feed.periodUs,
      deadlineUs,
      freshness: freshnessOf(section, feed.medium),
      // A conversation that goes on does so where its cache is.
      isStateful: model.states.length > 0 || feed.isConversation === true,
      ...(feed.medium === 'turn' ? { tokens: tokensOf(section.answer) } : {}),
    },
    staleAfterUs: section.staleAfterMs === undefined ? deadlineUs : durationFromMs(section.staleAfterMs),
    decode: section.decode,
    cores: section.cores,
    ...(section.split === undefined ? {} : { split: section.split }),
    ...(feed.medium === 'turn' ? { answer: answerOf(section.answer) } : {}),
    variants: section.variants ?? [],
    sinks: [...new Set(section.sinks)],
  };
}

const ANSWER_DEFAULTS: AnswerConfig = { tokensMax: 256, breaksIn: false };

function answerOf(answer: PipelineSection['answer']): AnswerConfig {
  return answer === undefined ? ANSWER_DEFAULTS : { tokensMax: answer.tokensMax, breaksIn: answer.breakIn };
}

function tokensOf({ tokensPerSecondMax, tokenMs }: NonNullable<PipelineSection['answer']> | Record<string, undefined> = {}): TokenContract {
  return {
    ...(tokensPerSecondMax === undefined ? {} : { perSecondMax: tokensPerSecondMax }),
    ...(tokenMs === undefined ? {} : { everyUs: durationFromMs(tokenMs) }),
  };
}

function inputOf({ source }: PipelineSection): PipelineInput {
  if (typeof source === 'string') return { kind: 'source', source };
  return { kind: 'pipeline', pipeline: source.pipeline, itemsMax: source.itemsMax };
}

function freshnessOf({ freshness, source }: PipelineSection, medium: Medium): Freshness {
  if (freshness === 'latest') return { kind: 'latest' };
  if (freshness !== undefined) return { kind: 'queue', jobsMax: freshness.queue };
  if (typeof source !== 'string') return { kind: 'queue', jobsMax: source.itemsMax };
  if (medium === 'turn') return { kind: 'queue', jobsMax: TURN_QUEUE_JOBS };
  return medium === 'audio' ? { kind: 'queue', jobsMax: AUDIO_QUEUE_JOBS } : { kind: 'latest' };
}

/** A pipeline has one parent at most, so following parents either ends or comes round. */
function parentsFirst(sections: Sections, scope: LoadScope): readonly StreamId[] {
  const ordered = new Set<StreamId>();
  for (const start of sections.keys()) {
    const way: StreamId[] = [];
    let id: StreamId | undefined = start;
    while (id !== undefined && sections.has(id) && !ordered.has(id) && !way.includes(id)) {
      way.push(id);
      id = parentOf(sections.get(id));
    }
    if (id !== undefined && way.includes(id)) {
      // Reported once per cycle, at the pipeline through which it was entered; all of it is marked as seen.
      const cycle = way.slice(way.indexOf(id));
      scope.refuse(
        ['pipelines', id, 'source'],
        `these pipelines feed each other in a circle: ${[...cycle, id].join(' <- ')}; let one take a source`,
      );
    }
    for (const member of way.reverse()) ordered.add(member);
  }
  return [...ordered];
}

function parentOf(section: PipelineSection | undefined): StreamId | undefined {
  return section === undefined || typeof section.source === 'string' ? undefined : section.source.pipeline;
}

interface Parents {
  readonly sections: Sections;
  readonly feeds: ReadonlyMap<StreamId, Feed>;
}

function feedOf(
  section: PipelineSection,
  path: KeyPath,
  around: PipelineSurroundings,
  parents: Parents,
  scope: LoadScope,
): Feed | undefined {
  if (typeof section.source !== 'string') return parentFeed(section.source, path, parents, scope);
  const name = section.source;
  const source = around.sources.find((candidate) => candidate.id === name);
  if (source !== undefined) {
    const [first] = source.kind === 'first-of' ? source.sources : [source];
    const window = first !== undefined && 'windowSamples' in first ? { windowSamples: first.windowSamples } : {};
    const prompts = source.kind === 'turns' ? { promptTokensMax: source.promptTokens.to, isConversation: source.followUpRatio > 0 } : {};
    // Whoever speaks in words may always go on with what was said.
    const talks = source.kind === 'words' ? { isConversation: true, hasWords: true } : {};
    return { medium: source.medium, periodUs: periodOf(source), ...window, ...prompts, ...talks };
  }
  const hint = parents.sections.has(name)
    ? `; to take the results of that pipeline, write { pipeline: ${name} }`
    : namesHint(
        name,
        around.sources.map(({ id }) => id),
      );
  scope.refuse([...path, 'source'], `got ${quoted(name)}, which is no source${hint}`);
  return undefined;
}

function parentFeed(
  source: { readonly pipeline: StreamId; readonly itemsMax: number },
  path: KeyPath,
  parents: Parents,
  scope: LoadScope,
): Feed | undefined {
  const at = [...path, 'source', 'pipeline'];
  if (!parents.sections.has(source.pipeline)) {
    scope.refuse(at, `got ${quoted(source.pipeline)}, which is no pipeline${namesHint(source.pipeline, [...parents.sections.keys()])}`);
    return undefined;
  }
  // Absent when the parent itself has a problem, which has been told, or is part of a circle.
  const parent = parents.feeds.get(source.pipeline);
  if (parent === undefined) return undefined;
  if (parent.medium === 'audio' || parent.medium === 'turn') {
    const takes = parent.medium === 'audio' ? 'sound' : 'turns';
    scope.refuse(at, `got ${quoted(source.pipeline)}, which takes ${takes}; allowed is a pipeline whose results have places in an image`);
    return undefined;
  }
  return { medium: parent.medium, periodUs: durationUs(Math.max(1, Math.round(parent.periodUs / source.itemsMax))) };
}

/** For alternatives, that of the fastest: a contract has to hold whichever is taken. */
function periodOf(source: SourceConfig): DurationUs {
  return source.kind === 'first-of' ? durationUs(Math.min(...source.sources.map((leaf) => leaf.periodUs))) : source.periodUs;
}

function modelOf(section: PipelineSection, path: KeyPath, { models }: PipelineSurroundings, scope: LoadScope): ManifestModel | undefined {
  const model = models?.find(({ id }) => id === section.model);
  if (model === undefined && models !== undefined) {
    const known = models.map(({ id }) => id);
    scope.refuse([...path, 'model'], `got ${quoted(section.model)}, which the manifest does not list${namesHint(section.model, known)}`);
  }
  return model;
}

function checkMedium(section: PipelineSection, model: ManifestModel, feed: Feed, path: KeyPath, scope: LoadScope): void {
  if (feed.medium === 'empty') return;
  const taken =
    model.codec === LANGUAGE_CODEC || model.shape?.kind === 'language' ? 'turn' : model.windowSamples === undefined ? 'image' : 'audio';
  if (taken === feed.medium) {
    if (feed.windowSamples !== undefined && feed.windowSamples !== model.windowSamples) {
      const text = `takes windows of ${model.windowSamples} samples; another model on this source takes ${feed.windowSamples}, give it a source of its own`;
      scope.refuse([...path, 'model'], `got ${quoted(section.model)}, which ${text}`);
    }
    return;
  }
  scope.refuse([...path, 'model'], `got ${quoted(section.model)}, which takes ${taken}; its source gives ${feed.medium}`);
}

function checkDecode(section: PipelineSection, model: ManifestModel, path: KeyPath, scope: LoadScope): void {
  const { codecs } = scope.deps;
  if (codecs?.keys.includes(model.codec) !== true) return;
  for (const { path: inside, message } of codecs.validate(model.codec, section.decode)) {
    scope.refuse([...path, 'decode', ...inside], `not an option of codec ${model.codec} as written; allowed is ${message}`);
  }
}

/** What is read and said has to fit into the model's context. */
function checkAnswer(section: PipelineSection, model: ManifestModel, feed: Feed, path: KeyPath, scope: LoadScope): void {
  if (feed.medium !== 'turn') {
    if (section.answer !== undefined)
      scope.refuse([...path, 'answer'], 'only turns are answered, and this source gives none; leave it out');
    return;
  }
  if (model.shape?.kind !== 'language' || feed.promptTokensMax === undefined) return;
  const { tokensMax } = answerOf(section.answer);
  const { context } = model.shape;
  if (feed.promptTokensMax + tokensMax <= context) return;
  const left = context - feed.promptTokensMax;
  const text = `a prompt of ${feed.promptTokensMax} tokens and an answer of ${tokensMax} do not fit into the ${context} tokens of ${model.id}`;
  if (left > 0) return scope.refuse([...path, 'answer', 'tokensMax'], `${text}; allowed are ${left} at most, or shorter prompts`);
  const full =
    left < 0 ? `are longer than the ${context} tokens that ${model.id} knows` : `fill the ${context} tokens that ${model.id} knows`;
  scope.refuse(
    [...path, 'model'],
    `prompts of up to ${feed.promptTokensMax} tokens ${full}, which leaves none for an answer; give shorter prompts (promptTokens of the source) or a model with a longer context`,
  );
}

/** A variant stands in for the model, so it takes the same kind of input, keeps no state, and is read by the same codec options. */
function checkVariants(
  { variants }: PipelineSection,
  model: ManifestModel,
  feed: Feed,
  path: KeyPath,
  { models }: PipelineSurroundings,
  scope: LoadScope,
): void {
  for (const [index, id] of (variants ?? []).entries()) {
    const at = [...path, 'variants', index];
    const variant = models?.find((candidate) => candidate.id === id);
    if (variant === undefined)
      scope.refuse(
        at,
        `got ${quoted(id)}, which the manifest does not list${namesHint(
          id,
          (models ?? []).map((known) => known.id),
        )}`,
      );
    else if (id === model.id || variants?.indexOf(id) !== index) scope.refuse(at, `got ${quoted(id)} twice; name each build once`);
    else if (variant.codec !== model.codec)
      scope.refuse(at, `got ${quoted(id)} with codec ${variant.codec}; allowed are models with the codec of ${model.id}, ${model.codec}`);
    else if (model.windowSamples !== undefined || model.states.length > 0 || variant.states.length > 0)
      scope.refuse(at, `got ${quoted(id)}; a model that takes sound or keeps state has no variants; leave them out`);
    else if (feed.isConversation === true)
      scope.refuse(at, `got ${quoted(id)}; a conversation that goes on is in the cache of one model; leave variants or followUpRatio out`);
  }
}

function checkCores({ cores }: PipelineSection, path: KeyPath, { coreCount }: PipelineSurroundings, scope: LoadScope): void {
  for (const [index, core] of (cores ?? []).entries()) {
    const at = [...path, 'cores', index];
    if (core >= coreCount) scope.refuse(at, `got ${core}; allowed are 0 to ${coreCount - 1}, since device.cores has ${coreCount}`);
    else if (cores?.indexOf(core) !== index) scope.refuse(at, `got ${core} twice; name each core once`);
  }
}

/** Jobs of one model are all run in the same way, whichever pipeline they come of. */
function checkSplit(
  { split, cores, model }: PipelineSection,
  path: KeyPath,
  { sections, coreCount }: { readonly sections: Sections; readonly coreCount: number },
  scope: LoadScope,
): void {
  const at = [...path, 'split'];
  const count = cores?.length ?? coreCount;
  if (typeof split === 'number' && split > count)
    scope.refuse(
      at,
      `got ${split}; allowed are 2 to ${count}, since ${cores === undefined ? 'device.cores has' : 'its cores are'} ${count}`,
    );
  const other = [...sections].find(([, section]) => section.model === model && section.split !== split);
  if (split !== undefined && other !== undefined)
    scope.refuse(at, `got ${split}, and pipeline ${other[0]} runs ${model} with ${other[1].split ?? 'none'}; give both the same`);
}

function namesHint(name: string, known: readonly string[]): string {
  if (known.length === 0) return '; none is given';
  const meant = nearest(name, known);
  return `; given are ${known.join(', ')}${meant === undefined ? '' : `; did you mean '${meant}'?`}`;
}
