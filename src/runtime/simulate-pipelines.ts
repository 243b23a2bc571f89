import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { Arena } from '../core/arena.ts';
import { assert } from '../core/assert.ts';
import { after, type Clock } from '../core/clock.ts';
import type { JobId } from '../core/job.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { durationUs } from '../core/units.ts';
import { AudioPipeline } from '../pipeline/audio-pipeline.ts';
import { ImagePipeline } from '../pipeline/image-pipeline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { TurnPipeline } from '../pipeline/turn-pipeline.ts';
import type { AudioCoder, Decode, ImageCoder, TurnDesk } from '../pipeline/work.ts';
import type { AssembledPipeline } from './assemble.ts';

export interface SimulatedPipelineDeps {
  readonly clock: Clock;
  readonly arena: Arena;
  readonly desk: TurnDesk;
  /** Told how long the answer to each turn will be. */
  readonly answers: Map<JobId, number>;
}

/** The pipelines of the configuration with codecs that take the profile's host time and find nothing. */
export function simulatePipelines(
  config: RuntimeConfig,
  host: SocProfile['host'],
  deps: SimulatedPipelineDeps,
): readonly AssembledPipeline[] {
  const coder = createHostCoder(host, deps.clock);
  return config.pipelines.map((section) => ({ pipeline: createPipeline(section, config, coder, deps), config: section }));
}

function createPipeline(section: PipelineConfig, config: RuntimeConfig, coder: ImageCoder, deps: SimulatedPipelineDeps): Pipeline {
  const { stream, staleAfterUs } = section;
  const model = config.models.find(({ id }) => id === stream.model);
  assert(model !== undefined, `the configuration knows model ${stream.model}`);
  const options = { stream, model, staleAfterUs };
  const { clock, desk, arena: memory, answers } = deps;
  if (section.answer !== undefined) {
    const contextTokens = model.shape?.kind === 'language' ? model.shape.context : Number.POSITIVE_INFINITY;
    return new TurnPipeline({ ...options, ...section.answer, contextTokens }, { clock, desk, memory, answers });
  }
  const variants = config.models.filter(({ id }) => section.variants.includes(id)).map((variant) => ({ model: variant, coder }));
  if (model.windowSamples === undefined) return new ImagePipeline(options, { clock, desk, memory, coder, variants });
  return new AudioPipeline(options, { clock, desk, memory, coder: createSilentCoder(model.windowSamples) });
}

const createSilentCoder = (windowSamples: number): AudioCoder => ({
  windowSamples,
  encode: () => undefined,
  decode: () => [],
  skip: () => [],
  flush: () => [],
});

/** It takes the host's time for everything, and finds nothing. */
function createHostCoder(host: SocProfile['host'], clock: Clock): ImageCoder {
  const [prepareUs, decodeUs] = [durationUs(Math.round(host.prepareUs)), durationUs(Math.round(host.decodeUs))];
  const decode: Decode = (_outputs, onEnd) => void after(clock, decodeUs, () => onEnd([]));
  return { encode: (_payload, _input, _deadlineAt, onEnd) => void after(clock, prepareUs, () => onEnd(decode)) };
}
