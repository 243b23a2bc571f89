import type { ManifestModel, PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { Arena } from '../core/arena.ts';
import { assert } from '../core/assert.ts';
import type { JobId } from '../core/job.ts';
import type { ResultItem } from '../core/result.ts';
import { Ring } from '../core/ring.ts';
import type { SimClock } from '../core/sim-clock.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { addUs, type DurationUs, durationUs } from '../core/units.ts';
import { AudioPipeline } from '../pipeline/audio-pipeline.ts';
import { derivedFrames } from '../pipeline/derived-frames.ts';
import { type ImageBuild, ImagePipeline } from '../pipeline/image-pipeline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { TurnPipeline } from '../pipeline/turn-pipeline.ts';
import type { AudioCoder, Decode, DecodeListener, ImageCoder, TurnDesk } from '../pipeline/work.ts';
import type { AssembledPipeline } from './assemble.ts';

export interface SimulatedPipelineDeps {
  readonly clock: SimClock;
  readonly arena: Arena;
  readonly desk: TurnDesk;
  /** Told how long the answer to each turn will be. */
  readonly answers: Map<JobId, number>;
  /** Codecs that read frames and find something in them; undefined: nobody looks. */
  readonly coders: SimulatedCoders | undefined;
}

/** Undefined for models that nothing is computed of. */
export interface SimulatedCoders {
  image(section: PipelineConfig, model: ManifestModel): ImageCoder | undefined;
  audio(section: PipelineConfig, model: ManifestModel): AudioCoder | undefined;
}

/**
 * The pipelines of the configuration with codecs that take the profile's host time, and find nothing unless there are `coders`. Only then do pipelines that read the
 * results of another get frames.
 */
export function simulatePipelines(
  config: RuntimeConfig,
  host: SocProfile['host'],
  deps: SimulatedPipelineDeps,
): readonly AssembledPipeline[] {
  const idle = createHostCoder(host, deps.clock);
  const built = new Map<string, Pipeline>();
  return config.pipelines.map((section) => {
    const pipeline = createPipeline(section, config, idle, deps);
    built.set(section.id, pipeline);
    const { input } = section;
    const parent = input.kind === 'pipeline' ? built.get(input.pipeline) : undefined;
    if (input.kind === 'pipeline' && parent !== undefined && deps.coders !== undefined)
      derivedFrames(parent.results, { id: input.pipeline, itemsMax: input.itemsMax }).subscribe((frame) => pipeline.accept(frame));
    return { pipeline, config: section };
  });
}

function createPipeline(section: PipelineConfig, config: RuntimeConfig, idle: ImageCoder, deps: SimulatedPipelineDeps): Pipeline {
  const { stream, staleAfterUs } = section;
  const model = config.models.find(({ id }) => id === stream.model);
  assert(model !== undefined, `the configuration knows model ${stream.model}`);
  const options = { stream, model, staleAfterUs };
  const { clock, desk, arena: memory, answers, coders } = deps;
  if (section.answer !== undefined) {
    const contextTokens = model.shape?.kind === 'language' ? model.shape.context : Number.POSITIVE_INFINITY;
    return new TurnPipeline({ ...options, ...section.answer, contextTokens }, { clock, desk, memory, answers });
  }
  const build = (of: ManifestModel): ImageBuild => ({ model: of, coder: coders?.image(section, of) ?? idle });
  const variants = config.models.filter(({ id }) => section.variants.includes(id)).map(build);
  if (model.windowSamples === undefined) return new ImagePipeline(options, { clock, desk, memory, coder: build(model).coder, variants });
  const coder = coders?.audio(section, model) ?? createSilentCoder(model.windowSamples);
  return new AudioPipeline(options, { clock, desk, memory, coder });
}

const createSilentCoder = (windowSamples: number): AudioCoder => ({
  windowSamples,
  encode: () => undefined,
  decode: () => [],
  skip: () => [],
  flush: () => [],
});

/** It takes the host's time for everything, and finds nothing. */
function createHostCoder(host: SocProfile['host'], clock: SimClock): ImageCoder {
  const decoding = delayed<DecodeListener>(clock, durationUs(Math.round(host.decodeUs)), (listener) => listener.decoded(NOTHING));
  const decode: Decode = (_outputs, listener) => decoding(listener);
  const encoding = delayed<(answer: Decode) => void>(clock, durationUs(Math.round(host.prepareUs)), (onEnd) => onEnd(decode));
  return { encode: (_payload, _input, _deadlineAt, onEnd) => encoding(onEnd) };
}

/** Whoever is given to it is told so much later: each as long as the others, so one after the other. */
function delayed<T>(clock: SimClock, delayUs: DurationUs, tell: (one: T) => void): (one: T) => void {
  const waiting = new Ring<T>();
  const tellFirst = (): void => {
    const first = waiting.popFront();
    if (first !== undefined) tell(first);
  };
  return (one) => {
    waiting.pushBack(one);
    clock.post(addUs(clock.now(), delayUs), tellFirst);
  };
}

const NOTHING: readonly ResultItem[] = [];
