import type { SocProfile } from '../../core/soc-profile.ts';
import type { Unit } from './measurement.ts';
import { modeFor, predictRow } from './predict-row.ts';
import type { PreparedRow, RowKind, UnknownRow } from './prepared-row.ts';

/** One figure of a table against the cost model; printed as it is with --json. */
export interface PredictedRow {
  readonly file: string;
  readonly line: number;
  readonly part: string;
  readonly model: string;
  readonly variant: string;
  readonly kind: RowKind;
  readonly unit: Unit;
  readonly mode: string;
  readonly predicted: number;
  /** Undefined where the table leaves it open. */
  readonly measured: number | undefined;
  /** predicted / measured - 1 */
  readonly errorRatio: number | undefined;
  /** The same with constants fitted without this row. */
  readonly leftOutErrorRatio?: number;
  /** Not counted in means that the aims are for: only the name told the size. */
  readonly isBySize: boolean;
  /** How it was predicted, with what was assumed. */
  readonly how: string;
  /** What was assumed where the row does not tell, as clauses. */
  readonly assumed: readonly string[];
  readonly memory: RowMemory;
}

/** Whether what ran could be on the chip at all. */
export interface RowMemory {
  readonly neededBytes: number;
  readonly haveBytes: number;
  readonly doesFit: boolean;
}

export interface UnpredictedRow {
  readonly file: string;
  readonly line: number;
  readonly part: string;
  readonly model: string;
  readonly why: string;
}

export const unpredicted = ({ measurement, why }: UnknownRow): UnpredictedRow => {
  const { file, line, part, model } = measurement;
  return { file, line, part, model, why };
};

export function predictedRow(row: PreparedRow, profile: SocProfile, note?: string): PredictedRow {
  const { measurement, kind, isBySize } = row;
  const { file, line, part, model, variant, unit, measured } = measurement;
  const { mode, note: modeNote } = modeFor(profile, measurement.mode);
  const predicted = predictRow(row, profile, mode);
  const errorRatio = measured === undefined ? undefined : predicted / measured - 1;
  const haveBytes = profile.dram.memoryBytes;
  const memory: RowMemory = { neededBytes: row.neededBytes, haveBytes, doesFit: row.neededBytes <= haveBytes };
  const misfit = memory.doesFit ? undefined : `does not fit: ${memoryText(memory)}`;
  const how = [misfit, row.told, modeNote, note, ...row.assumed].filter((clause) => clause !== undefined).join('; ');
  return {
    ...{ file, line, part, model, variant, kind, unit, mode: mode.id, predicted, measured, errorRatio, isBySize, how },
    ...{ assumed: row.assumed, memory },
  };
}

/** What a row needs and has of memory, in GB. */
export function memoryText({ neededBytes, haveBytes }: RowMemory): string {
  const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`;
  return `needs ${gigabytes(neededBytes)}, and the chip has ${gigabytes(haveBytes)}`;
}

/** Errors of the rows of one table that are of one kind. */
export interface ErrorSummary {
  readonly file: string;
  readonly part: string;
  readonly kind: RowKind;
  readonly isBySize: boolean;
  readonly count: number;
  /** Of the sizes of the errors. */
  readonly meanErrorRatio: number;
  readonly medianErrorRatio: number;
  readonly worst: { readonly model: string; readonly line: number; readonly errorRatio: number };
  readonly meanLeftOutErrorRatio?: number;
}

/** In the order in which the tables' kinds of rows first come. Rows without a measurement are left out. */
export function summariesOf(rows: readonly PredictedRow[], partOf: (row: PredictedRow) => string): readonly ErrorSummary[] {
  const groups = new Map<string, PredictedRow[]>();
  for (const row of rows) {
    if (row.errorRatio === undefined) continue;
    const key = [row.file, partOf(row), row.kind, row.isBySize].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const sizes = group.map(({ errorRatio = 0 }) => Math.abs(errorRatio)).sort((a, b) => a - b);
    const worst = group.reduce((most, row) => (Math.abs(row.errorRatio ?? 0) > Math.abs(most.errorRatio ?? 0) ? row : most));
    const leftOut = group.flatMap(({ leftOutErrorRatio }) => (leftOutErrorRatio === undefined ? [] : [Math.abs(leftOutErrorRatio)]));
    return [
      {
        ...{ file: first.file, part: partOf(first), kind: first.kind, isBySize: first.isBySize, count: group.length },
        meanErrorRatio: meanOf(sizes),
        medianErrorRatio: sizes[Math.floor(sizes.length / 2)] ?? 0,
        worst: { model: worst.model, line: worst.line, errorRatio: worst.errorRatio ?? 0 },
        ...(leftOut.length === 0 ? {} : { meanLeftOutErrorRatio: meanOf(leftOut) }),
      },
    ];
  });
}

export const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
