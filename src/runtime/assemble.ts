import type { Observable } from 'rxjs';
import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { Prng } from '../core/prng.ts';
import type { StreamId } from '../core/stream.ts';
import { durationUs } from '../core/units.ts';
import { codecs } from '../models/registry.ts';
import { AudioPipeline } from '../pipeline/audio-pipeline.ts';
import { derivedFrames } from '../pipeline/derived-frames.ts';
import { ImagePipeline } from '../pipeline/image-pipeline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ImageCoder, JobDesk } from '../pipeline/work.ts';
import { createEdgeGuard } from '../sources/edge-guard.ts';
import { createNodeSpawn } from '../sources/node-spawn.ts';
import { createSource, type SourceDeps } from '../sources/registry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Assistant } from './assistant/assistant.ts';
import { WordsPipeline } from './assistant/words-pipeline.ts';
import { createAudioCoder, createImageCoder } from './coders.ts';
import type { TensorArena } from './frame-memory.ts';
import { takeIn } from './intake.ts';
import { createMediaDecoder } from './media/media-decoder.ts';
import type { MediaPool } from './media/media-pool.ts';
import { sourceOptions } from './source-options.ts';

export interface AssemblyDeps {
  readonly clock: Clock;
  readonly prng: Prng;
  readonly memory: TensorArena;
  readonly pool: MediaPool;
  readonly desk: JobDesk;
  readonly telemetry: Telemetry;
  /** Who answers the words of which pipeline. */
  readonly assistants: ReadonlyMap<StreamId, Assistant>;
  /** Words that come over MQTT. */
  readonly hear: SourceDeps['hear'];
}

/** A pipeline with what the configuration says of its ends. */
export interface AssembledPipeline {
  readonly pipeline: Pipeline;
  readonly config: PipelineConfig;
}

/** An RGB frame of 8K, the largest that a camera of today gives. */
const FRAME_BYTES_MAX = 7680 * 4320 * 3;

/** Every pipeline of the configuration, parents first; those that read another pipeline are connected to it already. */
export function assemblePipelines(config: RuntimeConfig, deps: AssemblyDeps): readonly AssembledPipeline[] {
  const models = new Map(config.models.map((model) => [model.id, model]));
  const built = new Map<string, Pipeline>();
  return config.pipelines.map((section) => {
    const pipeline = createPipeline(section, models, deps);
    built.set(section.id, pipeline);
    if (section.input.kind === 'pipeline') {
      const parent = built.get(section.input.pipeline);
      assert(parent !== undefined, `pipeline ${section.input.pipeline} stands before its child ${section.id}`);
      const frames = derivedFrames(parent.results, { id: section.input.pipeline, itemsMax: section.input.itemsMax });
      frames.subscribe((frame) => pipeline.accept(frame));
    }
    return { pipeline, config: section };
  });
}

function createPipeline(section: PipelineConfig, models: ReadonlyMap<ModelId, ModelSpec>, deps: AssemblyDeps): Pipeline {
  const { stream, decode, staleAfterUs } = section;
  const model = modelIn(models, stream.model);
  const assistant = deps.assistants.get(section.id);
  if (assistant !== undefined) return new WordsPipeline({ stream, staleAfterUs }, { clock: deps.clock, desk: deps.desk, assistant });
  const factory = codecs[model.codec];
  assert(factory !== undefined, `the configuration checked codec ${model.codec}`);
  const { clock, desk, memory, pool } = deps;
  if (factory.kind === 'image') {
    const coderOf = (id: ModelId): ImageCoder => createImageCoder(stream, id, decode, pool);
    const variants = section.variants.map((id) => ({ model: modelIn(models, id), coder: coderOf(id) }));
    return new ImagePipeline({ stream, model, staleAfterUs }, { clock, desk, memory, coder: coderOf(model.id), variants });
  }
  const coder = createAudioCoder(model, factory.create(model, decode), memory.shared.buffer);
  return new AudioPipeline({ stream, model, staleAfterUs }, { clock, desk, memory, coder });
}

function modelIn(models: ReadonlyMap<ModelId, ModelSpec>, id: ModelId): ModelSpec {
  const model = models.get(id);
  assert(model !== undefined, `the configuration knows model ${id}`);
  return model;
}

/** Every source of the configuration, guarded and read by its pipelines. Subscribing starts them; each completes when its source has ended. */
export function assembleSources(
  config: RuntimeConfig,
  pipelines: readonly AssembledPipeline[],
  deps: AssemblyDeps,
): readonly Observable<never>[] {
  const { clock, memory, pool, prng, telemetry } = deps;
  const spawn = createNodeSpawn();
  const decoder = createMediaDecoder(pool);
  return config.sources.flatMap((section) => {
    const readers = pipelines.filter(({ config: { input } }) => input.kind === 'source' && input.source === section.id);
    if (readers.length === 0) return [];
    const source = createSource(sourceOptions(section), { clock, memory, decoder, spawn, prng, hear: deps.hear });
    const staleAfterUs = durationUs(Math.max(...readers.map(({ config: { staleAfterUs: us } }) => us)));
    const guard = createEdgeGuard({ staleAfterUs, bytesMax: FRAME_BYTES_MAX }, { clock, memory });
    const release = memory.release;
    return [takeIn(source, { guard, readers: readers.map(({ pipeline }) => pipeline), telemetry, release })];
  });
}
