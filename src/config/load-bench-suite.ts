import type { Aim, BenchSuite, Load, LoadPattern, SuiteModel, Workload } from '../core/bench-suite.ts';
import { durationFromMs, durationUs } from '../core/units.ts';
import { type BenchSuiteSection, benchSuiteSchema } from './bench-suite-schema.ts';
import { checkSchema } from './check-schema.ts';
import type { ConfigFiles } from './config-files.ts';
import { deepFreeze } from './deep-freeze.ts';
import { nearest } from './nearest.ts';
import { networkSizeProblem } from './network-size.ts';
import { configInvalid, type KeyPath, type Problem, quoted } from './problem.ts';
import { parseYaml, YamlDocument } from './yaml-document.ts';

/** A trace of a hundred thousand requests takes about a megabyte. */
const FILE_BYTES_MAX = 4 * 2 ** 20;

/**
 * Reads the workloads of a bench suite, turns them into inner units and freezes them.
 * Errors: FILE_UNREADABLE; CONFIG_INVALID with one line `file:line:column: key: text` per problem.
 */
export function loadBenchSuite(file: string, { files }: { readonly files: ConfigFiles }): BenchSuite {
  const document = parseYaml(file, files.read(file, FILE_BYTES_MAX));
  if (!(document instanceof YamlDocument)) throw configInvalid(document);
  const problems: Problem[] = [];
  const section = checkSchema(benchSuiteSchema, document, problems);
  if (section === undefined) throw configInvalid(problems);
  const refuse = (path: KeyPath, text: string): void => {
    problems.push(document.problem(path, text));
  };
  for (const model of Object.keys(section.measured?.runMs ?? {}))
    checkName(['measured', 'runMs', model], model, Object.keys(section.models), 'model', refuse);
  for (const [id, model] of Object.entries(section.models)) {
    const problem = model.kind === 'network' ? networkSizeProblem(model) : undefined;
    if (problem !== undefined) refuse(['models', id, 'paramsM'], problem);
  }
  checkWorkloads(section, refuse);
  checkAims(section, refuse);
  if (problems.length > 0) throw configInvalid(problems);
  return deepFreeze(convert(file, section));
}

type Refuse = (path: KeyPath, text: string) => void;
type WorkloadSection = BenchSuiteSection['workloads'][string];
type LoadsSection = WorkloadSection['loads'];

function checkWorkloads({ workloads, models, cores }: BenchSuiteSection, refuse: Refuse): void {
  if (Object.keys(workloads).length === 0) refuse(['workloads'], 'got no workload; allowed is at least one');
  for (const [id, { loads }] of Object.entries(workloads)) {
    const at: KeyPath = ['workloads', id, 'loads'];
    if (Object.keys(loads).length === 0) refuse(at, 'got no load; allowed is at least one');
    for (const [name, load] of Object.entries(loads)) {
      const isKnown = checkName([...at, name, 'model'], load.model, Object.keys(models), 'model', refuse);
      const isTalk = isKnown && models[load.model]?.kind === 'language';
      if (isTalk && load.turn === undefined)
        refuse([...at, name], `${quoted(load.model)} is a language model; say what is asked with turn`);
      if (isKnown && !isTalk && load.turn !== undefined)
        refuse([...at, name, 'turn'], `${quoted(load.model)} is no language model; leave turn out`);
      const missing = load.cores?.findIndex((core) => cores !== undefined && core >= cores) ?? -1;
      if (missing >= 0) refuse([...at, name, 'cores', missing], `got ${load.cores?.[missing]}; only ${cores} cores take part, from 0`);
      checkPattern([...at, name, 'load'], load.load, refuse);
    }
    checkDependencies(at, loads, refuse);
    checkReserves(['workloads', id, 'reserves'], workloads[id]?.reserves ?? {}, loads, refuse);
    for (const name of Object.keys(workloads[id]?.busBudget?.loadsMb ?? {}))
      checkName(['workloads', id, 'busBudget', 'loadsMb', name], name, Object.keys(loads), 'load of this workload', refuse);
  }
}

function checkReserves(at: KeyPath, reserves: WorkloadSection['reserves'], loads: LoadsSection, refuse: Refuse): void {
  const kept = new Set<string>();
  for (const [id, { loads: names, budgetMs, periodMs }] of Object.entries(reserves)) {
    if (budgetMs > periodMs) refuse([...at, id, 'budgetMs'], `got ${budgetMs}; allowed is at most periodMs, which is ${periodMs}`);
    const classes = new Set<string>();
    for (const [index, name] of names.entries()) {
      const path: KeyPath = [...at, id, 'loads', index];
      if (!checkName(path, name, Object.keys(loads), 'load of this workload', refuse)) continue;
      const { criticality = '' } = loads[name] ?? {};
      classes.add(criticality);
      if (criticality === 'safety') refuse(path, `${quoted(name)} is safety, which goes before every reserve; leave it out`);
      else if (classes.size > 1) refuse(path, `${quoted(name)} is ${criticality}, and those before it are not; a reserve is for one class`);
      if (kept.has(name)) refuse(path, `${quoted(name)} has a reserve already`);
      kept.add(name);
    }
  }
}

function checkPattern(path: KeyPath, load: LoadsSection[string]['load'], refuse: Refuse): void {
  if (load.kind !== 'trace') return;
  const { atMs, repeatMs } = load;
  const back = atMs.findIndex((at, index) => at < (atMs[index - 1] ?? 0));
  if (back >= 0) refuse([...path, 'atMs', back], `got ${atMs[back]} after ${atMs[back - 1]}; the instants must ascend`);
  const last = atMs.at(-1) ?? 0;
  if (repeatMs !== undefined && repeatMs <= last)
    refuse([...path, 'repeatMs'], `got ${repeatMs}; allowed is more than the last instant, which is ${last}`);
}

function checkDependencies(at: KeyPath, loads: LoadsSection, refuse: Refuse): void {
  const afterOf = (name: string): string | undefined => {
    const load = Object.hasOwn(loads, name) ? loads[name]?.load : undefined;
    return load?.kind === 'dependent' ? load.after : undefined;
  };
  for (const name of Object.keys(loads)) {
    const path: KeyPath = [...at, name, 'load', 'after'];
    const after = afterOf(name);
    if (after === undefined) continue;
    if (!checkName(path, after, Object.keys(loads), 'load of this workload', refuse)) continue;
    const seen = new Set<string>();
    for (let step: string | undefined = after; step !== undefined && !seen.has(step); step = afterOf(step)) seen.add(step);
    if (seen.has(name)) refuse(path, `got ${quoted(after)}, so that ${quoted(name)} waits for itself; break the circle`);
  }
}

function checkAims({ aims, workloads }: BenchSuiteSection, refuse: Refuse): void {
  for (const [index, { workload, load, atMost, atLeast }] of aims.entries()) {
    const at: KeyPath = ['aims', index];
    if (atMost === undefined && atLeast === undefined) refuse(at, 'got no bound; give atMost or atLeast');
    if (!checkName([...at, 'workload'], workload, Object.keys(workloads), 'workload', refuse)) continue;
    checkName([...at, 'load'], load, Object.keys(workloads[workload]?.loads ?? {}), 'load of that workload', refuse);
  }
}

function checkName(path: KeyPath, name: string, known: readonly string[], what: string, refuse: Refuse): boolean {
  if (known.includes(name)) return true;
  const meant = nearest(name, known);
  refuse(
    path,
    `got ${quoted(name)}, which is no ${what}; given are ${known.join(', ')}${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
  );
  return false;
}

function convert(file: string, section: BenchSuiteSection): BenchSuite {
  return {
    file,
    name: section.name,
    about: section.about,
    soc: section.soc,
    coresMax: section.cores,
    spanUs: durationFromMs(section.forMs),
    models: Object.entries(section.models).map(([id, model]): SuiteModel => convertModel(id, model)),
    measured:
      section.measured === undefined
        ? undefined
        : {
            source: section.measured.source,
            runUs: Object.fromEntries(Object.entries(section.measured.runMs).map(([id, ms]) => [id, durationFromMs(ms)])),
          },
    workloads: Object.entries(section.workloads).map(
      ([id, { about, loads, reserves, bandwidthRatio, busBudget }]): Workload => ({
        ...{ id, about, bandwidthRatio, busBudget: convertBudget(busBudget) },
        loads: Object.entries(loads).map(([name, load]) => convertLoad(name, load)),
        reserves: Object.entries(reserves).map(([reserve, { loads: kept, budgetMs, periodMs }]) => ({
          ...{ id: reserve, loads: kept },
          ...{ budgetUs: durationFromMs(budgetMs), periodUs: durationFromMs(periodMs) },
        })),
      }),
    ),
    published: section.published,
    aims: section.aims.map(({ atMost, atLeast, ...aim }): Aim => ({ ...aim, atMost, atLeast })),
  };
}

function convertBudget(budget: WorkloadSection['busBudget']): Workload['busBudget'] {
  if (budget === undefined) return undefined;
  const bytesByStream = new Map(Object.entries(budget.loadsMb).map(([load, mb]) => [load, mb * 1e6]));
  return { periodUs: durationUs(Math.max(1, Math.round(budget.periodMs * 1000))), bytesByStream };
}

function convertModel(id: string, model: BenchSuiteSection['models'][string]): SuiteModel {
  if (model.kind === 'language') return { ...model, id, blocks: 1, headSize: model.headSize };
  const { source, blocks } = model;
  if (model.kind === 'time') return { id, source, blocks, kind: 'time', runUs: durationFromMs(model.runMs) };
  const [height = 1, width = 1, channels = 1] = model.input;
  return { id, source, blocks, kind: 'network', macs: model.gmac * 1e9, parameters: model.paramsM * 1e6, height, width, channels };
}

const convertLoad = (id: string, load: LoadsSection[string]): Load => ({
  id,
  model: load.model,
  criticality: load.criticality,
  pattern: convertPattern(load.load),
  deadlineUs: durationFromMs(load.deadlineMs),
  queueMax: load.queue,
  cores: load.cores,
  ...(load.turn === undefined ? {} : convertTurn(load.turn)),
});

const convertTurn = ({ promptTokens, answerTokens, perSecondMax, everyMs }: NonNullable<LoadsSection[string]['turn']>) => ({
  turn: { promptTokens, tokensMax: answerTokens },
  tokens: {
    ...(perSecondMax === undefined ? {} : { perSecondMax }),
    ...(everyMs === undefined ? {} : { everyUs: durationFromMs(everyMs) }),
  },
});

function convertPattern(load: LoadsSection[string]['load']): LoadPattern {
  switch (load.kind) {
    case 'uniform':
      return { kind: 'uniform', periodUs: 1e6 / load.perSecond, phaseUs: load.phaseMs * 1000 };
    case 'poisson':
      return { kind: 'poisson', meanUs: 1e6 / load.perSecond };
    case 'closed-loop':
      return { kind: 'closed-loop', clients: load.clients, thinkUs: durationFromMs(load.thinkMs) };
    case 'trace':
      return {
        kind: 'trace',
        atUs: load.atMs.map((at) => durationFromMs(at)),
        repeatUs: load.repeatMs === undefined ? undefined : durationUs(Math.max(1, Math.round(load.repeatMs * 1000))),
      };
    case 'dependent':
      return { kind: 'dependent', after: load.after, delayUs: durationFromMs(load.delayMs) };
  }
}
