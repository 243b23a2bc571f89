import type { TaskRow, TaskSet } from '../core/task-set.ts';
import { type CheckedDocument, checkSchema } from './check-schema.ts';
import type { ConfigFiles } from './config-files.ts';
import { parseJson } from './json-document.ts';
import { configInvalid, type KeyPath, type Problem, quoted } from './problem.ts';
import { type TaskSetSection, taskSetSchema } from './task-set-schema.ts';

/** Twenty thousand tasks with every key take about 3 MB. */
const FILE_BYTES_MAX = 8 * 2 ** 20;

/** Thousands of rows may all have the same mistake. */
const PROBLEMS_MAX = 100;

export interface LoadTaskSetDeps {
  readonly files: ConfigFiles;
  /** What the chosen test cannot work with. */
  readonly misfits: (set: TaskSet) => readonly { readonly path: KeyPath; readonly text: string }[];
}

/**
 * Reads a table of tasks (JSON), fills in its defaults and checks what rows say of each other.
 *
 * Errors: FILE_UNREADABLE; CONFIG_INVALID with one line `file:line:column: key: text` per problem.
 */
export function loadTaskSet(file: string, { files, misfits }: LoadTaskSetDeps): TaskSet {
  const document = parseJson(file, files.read(file, FILE_BYTES_MAX));
  if (!('valueAt' in document)) throw configInvalid(document);
  const problems: Problem[] = [];
  const section = checkSchema(taskSetSchema, document, problems);
  if (section === undefined) throw configInvalid(problems);
  const refuse = (path: KeyPath, text: string): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(document.problem(path, text));
  };
  const set = withDefaults(section);
  checkRows(section, set, document, refuse);
  if (problems.length === 0) for (const { path, text } of misfits(set)) refuse(path, text);
  if (problems.length > 0) throw configInvalid(problems);
  return set;
}

function withDefaults({ tasks, servers, chains, memory, ...rest }: TaskSetSection): TaskSet {
  return {
    tasks: tasks.map(
      (task, index): TaskRow => ({
        id: task.id ?? String(index + 1),
        c: task.c,
        t: task.t,
        d: task.d ?? task.t,
        b: task.b ?? 0,
        j: task.j ?? 0,
        crit: task.crit ?? 'LO',
        cHi: task.cHi ?? task.c,
        cores: task.cores ?? 1,
        path: task.path ?? task.c,
        segment: task.segment ?? task.c,
        group: task.group ?? '',
        bytes: task.bytes ?? 0,
        budget: task.budget,
      }),
    ),
    order: rest.order ?? 'deadline',
    tick: rest.tick,
    cores: rest.cores,
    servers: (servers ?? []).map(({ id, q, t, jobs }, index) => ({ id: id ?? `server-${index + 1}`, q, t, jobs: jobs ?? [] })),
    until: rest.until,
    chains: chains?.map(({ id, tasks: ids, d }, index) => ({ id: id ?? `chain-${index + 1}`, tasks: ids, d })),
    via: rest.via ?? 'rta',
    memory: memory === undefined ? undefined : { ...memory, guaranteed: memory.guaranteed ?? memory.rate },
  };
}

type Refuse = (path: KeyPath, text: string) => void;

function checkRows(section: TaskSetSection, set: TaskSet, document: CheckedDocument, refuse: Refuse): void {
  const atMost = (path: KeyPath, key: string, value: number | undefined, limitKey: string, limit: number): void => {
    if (value !== undefined && value > limit) refuse([...path, key], `got ${value}; allowed is at most ${limitKey}, which is ${limit}`);
  };
  for (const [index, { c, path, segment, cHi, crit, cores }] of section.tasks.entries()) {
    const at: KeyPath = ['tasks', index];
    atMost(at, 'path', path, 'c', c);
    atMost(at, 'segment', segment, 'c', c);
    if (cHi !== undefined && cHi < c) refuse([...at, 'cHi'], `got ${cHi}; allowed is at least c, which is ${c}`);
    if (cHi !== undefined && cHi !== c && crit !== 'HI') refuse([...at, 'cHi'], 'a LO task has no C(HI); add "crit": "HI" or remove cHi');
    if (cores !== undefined && set.cores !== undefined && cores > set.cores)
      refuse([...at, 'cores'], `got ${cores}; there are only ${set.cores} cores`);
  }
  for (const [index, { q, t, jobs }] of set.servers.entries()) {
    atMost(['servers', index], 'q', q, 't', t);
    const late = jobs.findIndex(({ r }, job) => r < (jobs[job - 1]?.r ?? 0));
    if (late >= 0) refuse(['servers', index, 'jobs', late, 'r'], 'jobs must stand in order of release');
  }
  if (set.memory !== undefined) atMost(['memory'], 'guaranteed', set.memory.guaranteed, 'rate', set.memory.rate);
  checkIds(set, document, refuse);
}

function checkIds(set: TaskSet, document: CheckedDocument, refuse: Refuse): void {
  const seen = new Set<string>();
  const take = (list: 'tasks' | 'servers' | 'chains', rows: readonly { readonly id: string }[]): void => {
    for (const [index, { id }] of rows.entries()) {
      const path: KeyPath = [list, index, 'id'];
      const origin = document.valueAt(path) === undefined ? `, the default of this row; give it an id` : '';
      if (seen.has(id)) refuse(path, `the id ${quoted(id)} is given twice${origin}`);
      seen.add(id);
    }
  };
  take('tasks', set.tasks);
  const tasks = new Set(seen);
  take('servers', set.servers);
  take('chains', set.chains ?? []);
  for (const [index, chain] of (set.chains ?? []).entries()) {
    for (const [hop, id] of chain.tasks.entries()) {
      const first = chain.tasks.indexOf(id);
      if (!tasks.has(id)) refuse(['chains', index, 'tasks', hop], `no task has the id ${quoted(id)}`);
      else if (first < hop)
        refuse(
          ['chains', index, 'tasks', hop],
          `the task ${quoted(id)} is in this chain already, as tasks[${first}], so data would go round in a circle; give each task once`,
        );
    }
  }
}
