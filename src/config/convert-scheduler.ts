import { durationFromMs } from '../core/units.ts';
import type { LoadScope } from './load-scope.ts';
import { type KeyPath, quoted } from './problem.ts';
import type { PipelineConfig, SchedulerConfig, ServerConfig } from './runtime-config.ts';
import type { SchedulerSection } from './scheduler-schema.ts';

/** With every name resolved. Pipelines that could not be read themselves are not complained about once more. */
export function convertScheduler(
  { policy, tuning: { drop, victim, bus, resume }, cuts, servers, busBudget }: SchedulerSection,
  pipelines: readonly PipelineConfig[],
  known: ReadonlySet<string>,
  scope: LoadScope,
): SchedulerConfig {
  if (victim !== undefined && policy !== 'coxswain')
    scope.refuse(['scheduler', 'tuning', 'victim'], `only policy coxswain chooses victims, and the policy is ${policy}; leave it out`);
  if (bus !== undefined && policy !== 'coxswain')
    scope.refuse(['scheduler', 'tuning', 'bus'], `only policy coxswain looks at the bus, and the policy is ${policy}; leave it out`);
  const gang = pipelines.find(({ split }) => split !== undefined);
  if (victim === 'value' && gang !== undefined)
    scope.refuse(['scheduler', 'tuning', 'victim'], `value weighs single cores, and pipeline ${gang.id} is split over several; take turns`);
  if (Object.keys(servers).length > 0 && (policy !== 'coxswain' || victim === 'value')) {
    const text = `only policy coxswain with victim: turns keeps servers, and the policy is ${policy}${victim === undefined ? '' : ` with victim: ${victim}`}`;
    scope.refuse(['scheduler', 'servers'], `${text}; leave them out`);
  }
  return {
    policy,
    tuning: {
      ...(drop === undefined ? {} : { drop }),
      ...(victim === undefined ? {} : { victim }),
      ...(bus === undefined ? {} : { bus }),
      ...(resume === undefined ? {} : { resume }),
    },
    cuts,
    ...(Object.keys(servers).length === 0 ? {} : { servers: convertServers(servers, pipelines, known, scope) }),
    ...(busBudget === undefined ? {} : convertBusBudget(busBudget, known, scope)),
  };
}

function convertBusBudget(
  { periodMs, pipelinesMb }: NonNullable<SchedulerSection['busBudget']>,
  known: ReadonlySet<string>,
  scope: LoadScope,
): Pick<SchedulerConfig, 'busBudget'> {
  const rows = Object.entries(pipelinesMb);
  const path: KeyPath = ['scheduler', 'busBudget', 'pipelinesMb'];
  if (rows.length === 0) scope.refuse(path, 'got no pipeline; name one, or leave busBudget out');
  for (const [name] of rows)
    if (!known.has(name)) scope.refuse([...path, name], `got ${quoted(name)}, which is no pipeline; given are ${[...known].join(', ')}`);
  return {
    busBudget: { periodUs: durationFromMs(periodMs), streams: rows.map(([stream, mb]) => ({ stream, bytes: Math.round(mb * 1e6) })) },
  };
}

function convertServers(
  sections: SchedulerSection['servers'],
  pipelines: readonly PipelineConfig[],
  known: ReadonlySet<string>,
  scope: LoadScope,
): readonly ServerConfig[] {
  const serverOf = new Map<string, string>();
  return Object.entries(sections).map(([id, { pipelines: names, budgetMs, periodMs }]) => {
    const path: KeyPath = ['scheduler', 'servers', id];
    if (budgetMs > periodMs) scope.refuse([...path, 'budgetMs'], `got ${budgetMs}; allowed is periodMs (${periodMs}) or less`);
    const served = names.flatMap((name, index) => {
      const at = [...path, 'pipelines', index];
      const pipeline = pipelines.find((candidate) => candidate.id === name);
      if (pipeline === undefined) {
        if (!known.has(name)) scope.refuse(at, `got ${quoted(name)}, which is no pipeline; given are ${[...known].join(', ')}`);
        return [];
      }
      const other = serverOf.get(name);
      if (other !== undefined) scope.refuse(at, `got ${quoted(name)}, which server ${other} has already; name each pipeline once`);
      serverOf.set(name, id);
      return [{ pipeline, at }];
    });
    const { criticality: first } = served[0]?.pipeline.stream ?? {};
    for (const { pipeline, at } of served) {
      const { criticality } = pipeline.stream;
      if (criticality === 'safety')
        scope.refuse(at, `got ${quoted(pipeline.id)}, which is safety and goes before all servers; allowed are interactive and background`);
      else if (criticality !== first)
        scope.refuse(at, `got ${quoted(pipeline.id)}, which is ${criticality}; the first is ${first}, and a server serves one criticality`);
    }
    return {
      id,
      streams: served.map(({ pipeline }) => pipeline.id),
      budgetUs: durationFromMs(budgetMs),
      periodUs: durationFromMs(periodMs),
    };
  });
}
