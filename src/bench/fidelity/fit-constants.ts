import type { SocProfile } from '../../core/soc-profile.ts';
import { type ConstantName, type Constants, constantOf, priorOf, toldBy, withConstants } from './constants.ts';
import { leastSquares, robustSum } from './least-squares.ts';
import { modeFor, predictRow } from './predict-row.ts';
import type { PreparedRow, RowKind } from './prepared-row.ts';

/** A row that was measured, of a chip whose constants are sought. */
export interface MeasuredRow extends PreparedRow {
  readonly measured: number;
}

/** Scatter of measurements around a right model (standard deviation of the logarithm): decoding is simple, compilers of networks and readers of prompts are not. */
const SCATTER: Readonly<Record<RowKind, number>> = { decode: 0.04, prefill: 0.15, convolutional: 0.15, attention: 0.5 };

/** Scatters from which on a row is an exception. */
const ROBUST_BEYOND = 2;

const TURNS_MAX = 60;
/** From the optimum of all rows to that of all but one. */
const TURNS_NEAR_MAX = 6;

/**
 * Rows that tell about constants: what only its name tells the size of does not, nor do attention and prompts, which NPUs run in ways of their own. Prompts tell
 * about one constant of theirs.
 */
const isTelling = (row: MeasuredRow): boolean => !row.isBySize && (row.kind === 'decode' || row.kind === 'convolutional');

const isTellingPrompt = (row: MeasuredRow): boolean => !row.isBySize && row.kind === 'prefill';

/** One or two prompts of a chip say more about their models and lengths than about it. */
const PROMPTS_MIN = 3;

/** Constants of a chip under which its rows, and what is known before any row, are most likely. Empty when no row tells anything. Prompts move none but their own. */
export function fitConstants(rows: readonly MeasuredRow[], profile: SocProfile): Constants {
  const others = fitOthers(rows, profile);
  const prompts = rows.filter(isTellingPrompt);
  return prompts.length < PROMPTS_MIN ? others : { ...others, ...fitPrompts(prompts, withConstants(profile, others)) };
}

/** On a chip whose other constants are known. */
function fitPrompts(rows: readonly MeasuredRow[], chip: SocProfile): Constants {
  const problem = problemOf(rows, ['promptRatio'], chip);
  const start = [Math.log(priorOf('promptRatio', chip).middle)];
  return constantsAt(['promptRatio'], leastSquares(problem.residuals, { ...problem, start, turnsMax: TURNS_MAX }));
}

function fitOthers(rows: readonly MeasuredRow[], profile: SocProfile): Constants {
  const telling = rows.filter(isTelling);
  const names = namesFor(telling, profile);
  if (names.length === 0) return {};
  const problem = problemOf(telling, names, profile);
  // The vector unit is known the least; a second start far below its middle finds the chips whose results leave slowly.
  const starts = [1, 0.05].map((factor) =>
    names.map((name) => Math.log(priorOf(name, profile).middle * (name === 'vectorOpsPerSecond' ? factor : 1))),
  );
  const points = starts.map((start) => leastSquares(problem.residuals, { ...problem, start, turnsMax: TURNS_MAX }));
  const best = points.reduce((least, point) => (problem.lossOf(point) < problem.lossOf(least) ? point : least));
  const inProfile = names.map((name) => Math.log(constantOf(name, profile)));
  const told = names.filter((_, index) => doesMatter(telling.length, problem.residuals, best, index, inProfile[index] ?? 0));
  return Object.fromEntries(Object.entries(constantsAt(names, best)).filter(([name]) => told.some((kept) => kept === name)));
}

/** Twice or half of a constant, or what the profile has in its place, must move some row by this much; if not, the rows say nothing about it, and the profile knows better. */
const MATTERS_RATIO = 0.02;

function doesMatter(
  rowCount: number,
  residualsOf: (point: readonly number[]) => readonly number[],
  point: readonly number[],
  index: number,
  inProfile: number,
): boolean {
  const own = point[index] ?? 0;
  const at = (value: number) => residualsOf(point.map((other, place) => (place === index ? value : other))).slice(0, rowCount);
  // Residuals are in scatters, of which decoding has the smaller.
  const differ = (a: readonly number[], b: readonly number[]): boolean =>
    a.some((residual, place) => Math.abs(residual - (b[place] ?? 0)) * SCATTER.decode >= MATTERS_RATIO);
  return differ(at(own + Math.LN2), at(own - Math.LN2)) || differ(at(own), at(inProfile));
}

/** Where a chip has more lines, several are left out at once: nothing much is learned from leaving out one of a hundred. */
const FOLDS_MAX = 20;

/**
 * For each row, its prediction with constants fitted without the rows of its line (and of other lines, where there are many). `onFold` is called before each
 * fit.
 */
export function leaveOut(
  rows: readonly MeasuredRow[],
  profile: SocProfile,
  fitted: Constants,
  onFold: (done: number, of: number) => void,
): ReadonlyMap<MeasuredRow, number> {
  const lines = [...new Set(rows.map(lineOf))];
  const foldCount = Math.min(FOLDS_MAX, lines.length);
  const foldOf = new Map(lines.map((line, index) => [line, index % foldCount]));
  const told = namesFor(rows, profile);
  const predictions = new Map<MeasuredRow, number>();
  for (let fold = 0; fold < foldCount; fold += 1) {
    onFold(fold, foldCount);
    const own = rows.filter((row) => foldOf.get(lineOf(row)) === fold);
    const rest = rows.filter((row) => foldOf.get(lineOf(row)) !== fold && isTelling(row));
    const names = namesFor(rest, profile);
    // Where nothing else tells of a constant, what is known before any row is left of it.
    const lost = told.filter((name) => !names.includes(name));
    const blank = withConstants(profile, Object.fromEntries(lost.map((name) => [name, priorOf(name, profile).middle])));
    const others = withConstants(blank, own.some(isTelling) ? near(rest, names, blank, fitted) : fitted);
    const prompts = rows.filter((row) => foldOf.get(lineOf(row)) !== fold && isTellingPrompt(row));
    const chip = fitted.promptRatio === undefined ? others : withConstants(others, fitPrompts(prompts, others));
    for (const row of own) predictions.set(row, predictRow(row, chip, modeFor(chip, row.measurement.mode).mode));
  }
  return predictions;
}

const lineOf = ({ measurement }: MeasuredRow): string => `${measurement.file}:${measurement.line}`;

/** What is told of floats alone needs rows of whole numbers beside them. */
function namesFor(rows: readonly MeasuredRow[], profile: SocProfile): readonly ConstantName[] {
  const telling = rows.filter(isTelling);
  const areFloats = telling.filter(({ kind }) => kind === 'convolutional').map(({ layers }) => layers[0]?.type.startsWith('fp') === true);
  return toldBy(new Set(telling.map(({ kind }) => kind)), profile, areFloats.includes(true) && areFloats.includes(false));
}

function near(rows: readonly MeasuredRow[], names: readonly ConstantName[], profile: SocProfile, from: Constants): Constants {
  if (names.length === 0) return {};
  const problem = problemOf(rows, names, profile);
  const start = names.map((name) => Math.log(from[name] ?? constantOf(name, profile)));
  return constantsAt(names, leastSquares(problem.residuals, { ...problem, start, turnsMax: TURNS_NEAR_MAX }));
}

const constantsAt = (names: readonly ConstantName[], point: readonly number[]): Constants =>
  Object.fromEntries(names.map((name, index) => [name, Math.exp(point[index] ?? 0)]));

function problemOf(rows: readonly MeasuredRow[], names: readonly ConstantName[], profile: SocProfile) {
  const priors = names.map((name) => priorOf(name, profile));
  const modes = rows.map((row) => modeFor(profile, row.measurement.mode).mode);
  // Figures of one line are one measurement told twice.
  const lines = rows.map(lineOf);
  const shares = lines.map((line) => Math.sqrt(1 / lines.filter((other) => other === line).length));
  const residuals = (point: readonly number[]): readonly number[] => {
    const chip = withConstants(profile, constantsAt(names, point));
    const ofRows = rows.map((row, index) => {
      const predicted = predictRow(row, chip, modes[index] as (typeof modes)[number]);
      return ((shares[index] ?? 1) * Math.log(predicted / row.measured)) / SCATTER[row.kind];
    });
    return [...ofRows, ...priors.map(({ middle, spread }, index) => ((point[index] ?? 0) - Math.log(middle)) / spread)];
  };
  return {
    residuals,
    lossOf: (point: readonly number[]) => robustSum(residuals(point), ROBUST_BEYOND),
    bounds: priors.map(({ min, max }) => ({ low: Math.log(min), high: Math.log(max) })),
    robustBeyond: ROBUST_BEYOND,
  };
}
