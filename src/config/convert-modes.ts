import { MODES } from '../core/mode.ts';
import { durationFromMs } from '../core/units.ts';
import type { LoadScope } from './load-scope.ts';
import type { ModesSection } from './modes-schema.ts';
import { quoted } from './problem.ts';
import type { ModeRule, ModesConfig, PipelineConfig } from './runtime-config.ts';

const SHED = 'shed';

/** With every name resolved. Pipelines that could not be read themselves are not complained about once more. */
export function convertModes(
  section: ModesSection,
  pipelines: readonly PipelineConfig[],
  known: ReadonlySet<string>,
  scope: LoadScope,
): ModesConfig {
  const { hot } = section;
  if (hot !== undefined && hot.leaveC > hot.enterC)
    scope.refuse(['modes', 'hot', 'leaveC'], `got ${hot.leaveC}; allowed is enterC (${hot.enterC}) or less`);
  const rules = MODES.flatMap((mode): ModeRule[] => {
    if (mode === 'nominal') return [];
    const streams = Object.entries(section[mode]?.streams ?? {}).flatMap(([id, to]) => {
      const path = ['modes', mode, 'streams', id];
      const pipeline = pipelines.find((candidate) => candidate.id === id);
      if (pipeline === undefined) {
        if (!known.has(id)) scope.refuse(path, `${quoted(id)} is no pipeline; given are ${[...known].join(', ')}`);
        return [];
      }
      const models = [pipeline.stream.model, ...pipeline.variants];
      if (to !== SHED && !models.includes(to)) {
        scope.refuse(path, `got ${quoted(to)}; allowed is shed or a variant of the pipeline: ${models.join(', ')}`);
        return [];
      }
      return [{ stream: id, model: to === SHED ? null : to }];
    });
    return section[mode] === undefined ? [] : [{ mode, streams }];
  });
  return {
    enterAfterUs: durationFromMs(section.enterAfterMs),
    leaveAfterUs: durationFromMs(section.leaveAfterMs),
    bandwidthShortBelow: section['bandwidth-short']?.belowRatio,
    hot: hot === undefined ? undefined : { enterC: hot.enterC, leaveC: hot.leaveC },
    coresLost: section['core-lost']?.cores,
    rules,
  };
}
