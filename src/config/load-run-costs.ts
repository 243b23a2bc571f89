import { type CsvProblem, csvInvalid, decimalOf, quoted, readCsv } from '../core/csv-table.ts';
import type { ModelId } from '../core/model.ts';
import type { ConfigFiles } from './config-files.ts';
import { nearest } from './nearest.ts';

/** Of one run of a model on one kind of core, alone. */
export interface RunCostRow {
  readonly latencyUs: number;
  /** No run takes longer. */
  readonly worstUs: number;
  /** Moved over the bus; undefined when the table does not say. */
  readonly bytes: number | undefined;
}

export interface RunCostTable {
  readonly file: string;
  /** Undefined where the table has no row: the model does not run on that kind. */
  readonly costOf: (model: ModelId, coreKind: string) => RunCostRow | undefined;
}

export interface RunCostNames {
  /** What rows may be about. */
  readonly models: readonly ModelId[];
  /** Of which each needs a row. */
  readonly used: readonly ModelId[];
  readonly coreKinds: readonly string[];
}

/** Hundreds of models on every kind of core take a tenth of that. */
const FILE_BYTES_MAX = 2 ** 20;

const COLUMNS = ['model', 'core', 'latency_ms'] as const;
const MORE_COLUMNS = ['worst_ms', 'dram_mb'] as const;

/** An hour, and a petabyte: beyond, a figure is a mistake of units. */
const LATENCY_MS_MAX = 3_600_000;
const DRAM_MB_MAX = 1e9;

/** Of a core, for rows that are about every kind without a row of its own. */
const ANY_KIND = '*';

/** What a run may take at worst, by what it takes typically, where the table does not say: 97th percentiles of the sample models were within it. */
const WORST_FACTOR = 1.15;

/**
 * Reads a table of run costs (CSV), measured or predicted: `model,core,latency_ms` and, if wanted, `worst_ms` and `dram_mb`, one row for each model and kind of
 * core; `*` stands for every kind that has no row of its own.
 * Errors: FILE_UNREADABLE; CONFIG_INVALID with one line `file:line: text` per problem.
 */
export function loadRunCosts(file: string, names: RunCostNames, { files }: { readonly files: ConfigFiles }): RunCostTable {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(files.read(file, FILE_BYTES_MAX));
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    throw csvInvalid(file, [{ line: 1, text: 'the bytes are not UTF-8; save the file as UTF-8' }]);
  }
  const problems: CsvProblem[] = [];
  const rows = new Map<string, RunCostRow>();
  const lines = new Map<string, number>();
  for (const { line, cells } of readCsv(file, text, COLUMNS, MORE_COLUMNS)) {
    const { model = '', core = '' } = cells;
    const refuse = (what: string): void => void problems.push({ line, text: what });
    refuseName('model', model, names.models, refuse);
    refuseName('core', core, [...names.coreKinds, ANY_KIND], refuse);
    const key = keyOf(model, core);
    const first = lines.get(key);
    if (first !== undefined) refuse(`${quoted(model)} on ${quoted(core)} stands on line ${first} already; give it once`);
    lines.set(key, line);
    const row = rowOf(cells, refuse);
    if (row !== undefined) rows.set(key, row);
  }
  const costOf = (model: ModelId, kind: string): RunCostRow | undefined => rows.get(keyOf(model, kind)) ?? rows.get(keyOf(model, ANY_KIND));
  for (const model of names.used) {
    const isThere = [...names.coreKinds, ANY_KIND].some((kind) => lines.has(keyOf(model, kind)));
    if (!isThere) problems.push({ line: 1, text: `model ${quoted(model)} has no row, and a pipeline runs it` });
  }
  if (problems.length > 0) throw csvInvalid(file, problems);
  return { file, costOf };
}

/** No name of a model or a kind has a line break. */
const keyOf = (model: string, kind: string): string => `${model}\n${kind}`;

type Refuse = (text: string) => void;

function refuseName(column: string, name: string, allowed: readonly string[], refuse: Refuse): void {
  if (allowed.includes(name)) return;
  const meant = nearest(name, allowed);
  const hint = meant === undefined ? '' : `; did you mean ${quoted(meant)}?`;
  refuse(`${column} is ${quoted(name)}, and must be one of ${allowed.join(', ')}${hint}`);
}

function rowOf(cells: Readonly<Record<string, string>>, refuse: Refuse): RunCostRow | undefined {
  const { latency_ms = '', worst_ms = '', dram_mb = '' } = cells;
  const latencyMs = decimalOf(latency_ms);
  if (latencyMs === undefined || latencyMs <= 0 || latencyMs > LATENCY_MS_MAX) {
    refuse(`latency_ms is ${quoted(latency_ms)}, and must be a number over 0 and up to ${LATENCY_MS_MAX}`);
    return undefined;
  }
  const worstMs = worst_ms === '' ? latencyMs * WORST_FACTOR : decimalOf(worst_ms);
  if (worstMs === undefined || worstMs < latencyMs || worstMs > LATENCY_MS_MAX * WORST_FACTOR) {
    refuse(`worst_ms is ${quoted(worst_ms)}, and must be empty or a number from latency_ms, ${latencyMs}, to ${LATENCY_MS_MAX}`);
    return undefined;
  }
  const dramMb = dram_mb === '' ? undefined : decimalOf(dram_mb);
  if (dram_mb !== '' && (dramMb === undefined || dramMb < 0 || dramMb > DRAM_MB_MAX)) {
    refuse(`dram_mb is ${quoted(dram_mb)}, and must be empty or a number from 0 to ${DRAM_MB_MAX}`);
    return undefined;
  }
  return { latencyUs: latencyMs * 1_000, worstUs: worstMs * 1_000, bytes: dramMb === undefined ? undefined : dramMb * 1e6 };
}
