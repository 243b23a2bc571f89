import { type CsvProblem, csvInvalid } from '../../core/csv-table.ts';
import { type LayerCost, NUMBER_TYPE_BYTES, type NumberType } from '../../core/layer-cost.ts';
import { completeSize, type NetworkSize } from '../../models/network/described-network.ts';
import { readQuotedCsv } from './quoted-csv.ts';
import { RowCells } from './row-cells.ts';

/** Equal layers, as matrix products `[m, k] x [k, n]`, `groups` times each. */
interface ListedLayers {
  readonly count: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  /** Numbers that one reads besides its weights. */
  readonly reads: number;
  /** Both factors are results, as in attention. */
  readonly isScore: boolean;
  /** Of layers that multiply nothing (sums, pooling; k is 0): operations of each result. */
  readonly ops: number;
}

/** Layers of networks at the input that the list of networks has for them, by their names there. */
export type NetworkLayers = ReadonlyMap<string, readonly ListedLayers[]>;

/** Nothing in a layer is larger. */
const FIGURE_MAX = 1e10;
const COUNT_MAX = 10_000;

/** Errors: CONFIG_INVALID. */
export function readNetworkLayers(file: string, text: string): NetworkLayers {
  const problems: CsvProblem[] = [];
  const lists = new Map<string, ListedLayers[]>();
  for (const { line, cells } of readQuotedCsv(file, text).rows) {
    const row = new RowCells(cells);
    const model = row.name('model');
    const told = (column: string): number => {
      if (row.text(column) === '') row.problems.push(`${column} is empty, and must be told`);
      return row.count(column, 1, FIGURE_MAX);
    };
    const [m, n, groups, reads] = [told('m'), told('n'), told('groups'), told('reads')];
    const ops = row.number('ops') ?? 0;
    const k = ops > 0 ? 0 : told('k');
    const listed = { count: row.count('count', 1, COUNT_MAX), m, n, k, groups, reads, isScore: row.text('score') === 'true', ops };
    for (const problem of row.problems) problems.push({ line, text: problem });
    const list = lists.get(model);
    if (list === undefined) lists.set(model, [listed]);
    else list.push(listed);
  }
  if (problems.length > 0) throw csvInvalid(file, problems);
  return lists;
}

const operatorOf = ({ k, isScore }: ListedLayers): string => (k === 0 ? 'Sum' : isScore ? 'MatMul' : 'Conv');

/** A row may count otherwise than the list, such as with what resizes pictures, by this much; beyond it one of them means something else. */
const MACS_RATIO_MAX = 1.5;
/** Networks of one name and this near in parameters are the same. */
const PARAMETERS_RATIO_MAX = 1.15;

const isWithin = (a: number, b: number, ratio: number): boolean => Math.max(a / b, b / a) <= ratio;

/** The layers one by one, and whether the multiply-accumulates that the row tells were believed. */
export interface FoundLayers {
  readonly layers: readonly LayerCost[];
  readonly isRowBelieved: boolean;
}

/**
 * A listed network for a row of this size, or undefined where the row tells of another network of that name. More pixels than those of the list are more rows of each layer; what the row counts more
 * or fewer multiply-accumulates and weights than the list is spread evenly. Where a row's multiply-accumulates contradict its own parameters, those of the list are taken.
 */
export function listedLayers(
  list: readonly ListedLayers[],
  { size, pixels, type }: { readonly size: NetworkSize; readonly pixels: number; readonly type: NumberType },
): FoundLayers | undefined {
  const sum = (of: (layer: ListedLayers) => number): number => list.reduce((total, layer) => total + layer.count * of(layer), 0);
  const rowsOf = ({ m }: ListedLayers): number => (m === 1 ? 1 : Math.max(1, Math.round(m * pixels)));
  const macs = sum((layer) => rowsOf(layer) * layer.n * layer.k * layer.groups);
  const weights = sum((layer) => (layer.isScore ? 0 : layer.n * layer.k * layer.groups));
  const isRowBelieved = isWithin(size.macs, macs, MACS_RATIO_MAX);
  if (!isRowBelieved && !isWithin(size.parameters, weights, PARAMETERS_RATIO_MAX)) return undefined;
  const more = { terms: isRowBelieved ? size.macs / macs : 1, weights: size.parameters / weights };
  const { opsPerResult, hasCurves } = completeSize(size);
  const bytes = NUMBER_TYPE_BYTES[type];
  const layers = list.flatMap((layer, place): LayerCost[] => {
    const m = rowsOf(layer);
    const { n, groups } = layer;
    const k = layer.k * more.terms;
    const results = m * n * groups;
    const one: LayerCost = {
      ...(k === 0 ? { macs: 0, m: 0, n: 0, k: 0, groups: 0 } : { macs: m * n * k * groups, m, n, k, groups }),
      ...{ name: `layer${place + 1}`, operator: operatorOf(layer), type },
      ...{
        elementOps: results * (k === 0 ? layer.ops : opsPerResult),
        outputBytes: results * bytes,
        inputBytes: layer.reads * (layer.m === 1 ? 1 : pixels) * bytes,
      },
      weightBytes: layer.isScore ? 0 : n * layer.k * groups * more.weights * bytes,
      ...(hasCurves && k > 0 ? { curves: results } : {}),
    };
    return Array.from({ length: layer.count }, () => one);
  });
  return { layers, isRowBelieved };
}
