/** Residuals at a point; as many each time. */
export type Residuals = (point: readonly number[]) => readonly number[];

export interface SolveOptions {
  readonly start: readonly number[];
  /** Lowest and highest value of each coordinate. */
  readonly bounds: readonly { readonly low: number; readonly high: number }[];
  /** Residuals well beyond it count hardly more than those at it, so that one odd row does not pull the rest (Cauchy's loss). */
  readonly robustBeyond: number;
  readonly turnsMax: number;
}

const STEP = 1e-4;
const DAMPING_MAX = 1e9;
/** Of the sum; less is noise of the numeric slope. */
const GAIN_MIN = 1e-7;

/** Sum of Cauchy's losses of residuals. */
export const robustSum = (residuals: readonly number[], beyond: number): number =>
  residuals.reduce((sum, residual) => sum + beyond ** 2 * Math.log1p((residual / beyond) ** 2), 0);

/** A point where the robust sum of squares is least nearby: Levenberg and Marquardt's method with weights, slopes by difference, kept within bounds. */
export function leastSquares(residualsOf: Residuals, { start, bounds, robustBeyond, turnsMax }: SolveOptions): readonly number[] {
  const inside = (point: readonly number[]): number[] =>
    point.map((value, index) => Math.min(bounds[index]?.high ?? value, Math.max(bounds[index]?.low ?? value, value)));
  let point = inside(start);
  let residuals = residualsOf(point);
  let sum = robustSum(residuals, robustBeyond);
  let damping = 1e-2;
  for (let turn = 0; turn < turnsMax && damping < DAMPING_MAX; turn += 1) {
    const weights = residuals.map((residual) => 1 / (1 + (residual / robustBeyond) ** 2));
    const slopes = point.map((value, index) => {
      // Away from the upper bound, so that the other side of a bound is never asked for.
      const step = value + STEP > (bounds[index]?.high ?? Number.POSITIVE_INFINITY) ? -STEP : STEP;
      const moved = residualsOf(point.map((own, at) => (at === index ? own + step : own)));
      return moved.map((residual, at) => (residual - (residuals[at] ?? 0)) / step);
    });
    const normal = slopes.map((a) => slopes.map((b) => dot(a, b, weights)));
    const pull = slopes.map((a) => -dot(a, residuals, weights));
    const damped = normal.map((row, index) => row.map((value, at) => (at === index ? value * (1 + damping) + 1e-12 : value)));
    const move = solveLinear(damped, pull);
    const next = inside(point.map((value, index) => value + (move[index] ?? 0)));
    const nextResiduals = residualsOf(next);
    const nextSum = robustSum(nextResiduals, robustBeyond);
    if (nextSum < sum) {
      const gain = (sum - nextSum) / Math.max(sum, Number.MIN_VALUE);
      [point, residuals, sum] = [next, nextResiduals, nextSum];
      damping = Math.max(1e-9, damping / 5);
      if (gain < GAIN_MIN) break;
    } else damping *= 4;
  }
  return point;
}

const dot = (a: readonly number[], b: readonly number[], weights: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0) * (weights[index] ?? 0), 0);

/** Gauss's elimination with the largest pivot; a coordinate that nothing tells about does not move. */
export function solveLinear(matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] {
  const size = right.length;
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  for (let column = 0; column < size; column += 1) {
    let best = column;
    for (let row = column + 1; row < size; row += 1) if (Math.abs(at(rows, row, column)) > Math.abs(at(rows, best, column))) best = row;
    const pivotRow = rows[best] as number[];
    rows[best] = rows[column] as number[];
    rows[column] = pivotRow;
    const pivot = pivotRow[column] as number;
    if (pivot === 0) continue;
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const factor = at(rows, row, column) / pivot;
      if (factor !== 0) rows[row] = (rows[row] as number[]).map((value, index) => value - factor * (pivotRow[index] as number));
    }
  }
  return rows.map((row, index) => ((row[index] as number) === 0 ? 0 : (row[size] as number) / (row[index] as number)));
}

const at = (rows: readonly (readonly number[])[], row: number, column: number): number => rows[row]?.[column] ?? 0;
