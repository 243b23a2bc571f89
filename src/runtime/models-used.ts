import type { PipelineConfig } from '../config/runtime-config.ts';
import type { ModelId } from '../core/model.ts';

/** Every model that some pipeline runs or may switch to. */
export const modelsUsed = (pipelines: readonly PipelineConfig[]): ReadonlySet<ModelId> =>
  new Set(pipelines.flatMap(({ stream, variants }) => [stream.model, ...variants]));
