import type { SocThermal } from '../../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../../core/units.ts';

/** Between two looks at the temperature. The quickest die here has a time constant of 1.5 s. */
export const HEAT_STEP_US: DurationUs = durationUs(10_000);

/**
 * Die and case as two lumps with the air behind them (a Cauer ladder of two rungs):
 *
 *     power ─▶ die ──R1──▶ case ──R2──▶ ambient
 *
 * Power is constant over a step, so each step is the exact solution of the two linear equations, and no step length can make it unstable.
 */
export class ThermalModel {
  readonly #thermal: SocThermal;
  readonly #decay: Matrix;
  #ambientC: number;
  dieC: number;
  caseC: number;
  isThrottled = false;

  constructor(thermal: SocThermal) {
    const { dieJoulesPerK: c1, caseJoulesPerK: c2, dieToCaseKPerW: r1, caseToAmbientKPerW: r2, ambientC } = thermal;
    this.#thermal = thermal;
    this.#decay = matrixExponential([-1 / (r1 * c1), 1 / (r1 * c1), 1 / (r1 * c2), -(1 / r1 + 1 / r2) / c2], HEAT_STEP_US / 1e6);
    this.#ambientC = ambientC;
    this.dieC = ambientC;
    this.caseC = ambientC;
  }

  /** One step of HEAT_STEP_US at this power; true when throttling began or ended. */
  step(watts: number): boolean {
    const { dieToCaseKPerW, caseToAmbientKPerW, throttleC, resumeC } = this.#thermal;
    // Where both would end up at this power; the distance to it decays.
    const caseEnd = this.#ambientC + watts * caseToAmbientKPerW;
    const dieEnd = caseEnd + watts * dieToCaseKPerW;
    const die = this.dieC - dieEnd;
    const shell = this.caseC - caseEnd;
    this.dieC = dieEnd + this.#decay[0] * die + this.#decay[1] * shell;
    this.caseC = caseEnd + this.#decay[2] * die + this.#decay[3] * shell;
    const before = this.isThrottled;
    if (this.dieC >= throttleC) this.isThrottled = true;
    else if (this.dieC <= resumeC) this.isThrottled = false;
    return before !== this.isThrottled;
  }

  /** From outside, such as a fan that stops or sunshine. */
  heatAmbient(byC: number): void {
    this.#ambientC += byC;
  }
}

type Matrix = readonly [number, number, number, number];

/** exp(A t) of a 2 x 2 matrix with two real eigenvalues, which a passive ladder always has (Sylvester's formula). */
function matrixExponential([a, b, c, d]: Matrix, t: number): Matrix {
  const middle = (a + d) / 2;
  const half = Math.sqrt(((a - d) / 2) ** 2 + b * c);
  const [e1, e2] = [Math.exp((middle + half) * t), Math.exp((middle - half) * t)];
  const p = (e1 * (middle - half) - e2 * (middle + half)) / (-2 * half);
  const q = (e1 - e2) / (2 * half);
  return [p + q * a, q * b, q * c, p + q * d];
}
