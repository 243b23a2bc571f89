import type { StreamId } from '../core/stream.ts';
import type { LoadScope } from './load-scope.ts';
import { nearest } from './nearest.ts';
import type { PipelineSection } from './pipeline-schema.ts';
import { quoted } from './problem.ts';
import type { AssistantConfig, WatchedPipeline } from './runtime-config.ts';
import type { Medium } from './source-config.ts';

/** A pipeline whose source gives words, or one that only claims so. */
export interface AssistantPlace {
  readonly id: StreamId;
  readonly section: PipelineSection;
  /** Whether its source gives words. */
  readonly hasWords: boolean;
  /** What each pipeline takes in. */
  readonly media: ReadonlyMap<StreamId, Medium>;
}

/** Undefined for a pipeline that nobody speaks to. */
export function convertAssistant({ id, section, hasWords, media }: AssistantPlace, scope: LoadScope): AssistantConfig | undefined {
  const { assistant } = section;
  const path = ['pipelines', id, 'assistant'];
  if (!hasWords) {
    if (assistant !== undefined)
      scope.refuse(path, 'only a source of words has an assistant behind it; leave it out, or give a source of kind words');
    return undefined;
  }
  const { machine, sees = [], reads = [], texts = [], followUps = 'fixed' } = assistant ?? {};
  const watched = (key: 'sees' | 'reads', rows: typeof sees): readonly WatchedPipeline[] =>
    rows.map(({ pipeline, looks, fieldOfViewDeg }, index) => {
      const at = [...path, key, index, 'pipeline'];
      const medium = media.get(pipeline);
      const meant = nearest(pipeline, [...media.keys()]);
      const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
      if (medium === undefined) scope.refuse(at, `got ${quoted(pipeline)}, which is no pipeline${hint}`);
      else if (medium !== 'image' && medium !== 'empty')
        scope.refuse(at, `got ${quoted(pipeline)}, which takes ${medium}; allowed is a pipeline that takes images`);
      return { stream: pipeline, bearing: looks, ...(fieldOfViewDeg === undefined ? {} : { fieldOfViewDeg }) };
    });
  return { machine, sees: watched('sees', sees), reads: watched('reads', reads), texts, followUps };
}
