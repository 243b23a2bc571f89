import type { SocProfile } from '../../core/soc-profile.ts';
import { CONSTANT_NAMES, type ConstantName, type Constants, constantOf, withConstants } from './constants.ts';
import { requireCores } from './core-count.ts';
import { fitConstants, leaveOut, type MeasuredRow } from './fit-constants.ts';
import type { Measurement } from './measurement.ts';
import { profileOfPart } from './part-name.ts';
import {
  type ErrorSummary,
  meanOf,
  type PredictedRow,
  predictedRow,
  summariesOf,
  type UnpredictedRow,
  unpredicted,
} from './predicted-row.ts';
import { type Facts, type PreparedRow, prepareRow } from './prepared-row.ts';

/** A constant of a profile before and after. */
export interface FittedConstant {
  readonly name: ConstantName;
  readonly inProfile: number;
  readonly fitted: number;
  /** Which rows it was fitted on. */
  readonly from: 'decode' | 'networks' | 'prompts';
  /** The same in words, for the profile. */
  readonly source: string;
}

export interface FittedPart {
  readonly profile: string;
  /** Those that the rows tell about. */
  readonly constants: readonly FittedConstant[];
  readonly rows: readonly PredictedRow[];
}

export interface Fidelity {
  readonly parts: readonly FittedPart[];
  readonly unpredicted: readonly UnpredictedRow[];
  readonly summaries: readonly ErrorSummary[];
}

/** What is under way, for people who wait. */
export type Progress = (profile: string, done: number, of: number) => void;

/** Three digits are more than the rows are worth. */
const DIGITS = 3;

/** Fits the constants of every profile that some row is of, and predicts all rows with them. Errors: CONFIG_INVALID for a row with more cores than its chip has. */
export function fitProfiles(
  measurements: readonly Measurement[],
  profiles: readonly SocProfile[],
  facts: Facts,
  progress: Progress,
): Fidelity {
  const others: UnpredictedRow[] = [];
  const byProfile = new Map<SocProfile, PreparedRow[]>();
  for (const measurement of measurements) {
    const prepared = prepareRow(measurement, facts);
    const profile = profileOfPart(measurement.part, profiles);
    if ('why' in prepared) others.push(unpredicted(prepared));
    else if (profile === undefined)
      others.push(unpredicted({ measurement, why: `no profile is known as ${JSON.stringify(measurement.part)}` }));
    else byProfile.set(profile, [...(byProfile.get(profile) ?? []), prepared]);
  }
  for (const [profile, rows] of byProfile)
    requireCores(
      rows.map(({ measurement }) => measurement),
      profile,
    );
  const parts = [...byProfile].map(([profile, rows]) => fitPart(profile, rows, progress));
  const partOf = new Map(parts.flatMap(({ profile, rows }) => rows.map((row) => [row, profile] as const)));
  const summaries = summariesOf(
    parts.flatMap(({ rows }) => rows),
    (row) => partOf.get(row) ?? '',
  );
  return { parts, unpredicted: others, summaries };
}

function fitPart(profile: SocProfile, rows: readonly PreparedRow[], progress: Progress): FittedPart {
  const measured = rows.flatMap((row): MeasuredRow[] =>
    row.measurement.measured === undefined ? [] : [{ ...row, measured: row.measurement.measured }],
  );
  const exact = fitConstants(measured, profile);
  const fitted: Constants = Object.fromEntries(Object.entries(exact).map(([name, value]) => [name, Number(value.toPrecision(DIGITS))]));
  const chip = withConstants(profile, fitted);
  const leftOut = leaveOut(measured, profile, exact, (done, of) => progress(profile.id, done, of));
  const predictions = new Map([...leftOut].map(([row, predicted]) => [row.measurement, predicted / row.measured - 1]));
  const predicted = rows.map((row): PredictedRow => {
    const leftOutErrorRatio = predictions.get(row.measurement);
    return { ...predictedRow(row, chip), ...(leftOutErrorRatio === undefined ? {} : { leftOutErrorRatio }) };
  });
  const hasNetworks = predicted.some(({ kind }) => kind === 'convolutional');
  const constants = CONSTANT_NAMES.flatMap((name): FittedConstant[] => {
    const value = fitted[name];
    if (value === undefined) return [];
    const from = name === 'promptRatio' ? 'prompts' : BY_DECODING.has(name) || !hasNetworks ? 'decode' : 'networks';
    return [{ name, inProfile: constantOf(name, profile), fitted: value, from, source: sourceOf(from, predicted) }];
  });
  return { profile: profile.id, constants, rows: predicted };
}

/** Constants that decoding tells about, where networks do not. */
const BY_DECODING: ReadonlySet<ConstantName> = new Set(['efficiencyRatio', 'splitUs']);

/** The rows that constants are fitted on, in words. */
const ROWS_OF = {
  decode: { kind: 'decode', what: 'decode rates' },
  networks: { kind: 'convolutional', what: 'rates of networks' },
  prompts: { kind: 'prefill', what: 'prompts' },
} as const;

function sourceOf(from: FittedConstant['from'], rows: readonly PredictedRow[]): string {
  const { kind, what } = ROWS_OF[from];
  const own = rows.filter((row) => row.kind === kind && !row.isBySize && row.errorRatio !== undefined);
  const percent = (ratios: readonly number[]): string => `${Number((meanOf(ratios.map(Math.abs)) * 100).toPrecision(2))} %`;
  const files = [...new Set(own.map(({ file }) => file.replace(/^.*\//, '')))].join(', ');
  const leftOut = percent(own.map(({ leftOutErrorRatio = 0 }) => leftOutErrorRatio));
  return `coxswain bench fidelity: fitted on ${own.length} ${what} of ${files}; mean error ${percent(own.map(({ errorRatio = 0 }) => errorRatio))}, of rows left out ${leftOut}`;
}
