/**
 * Windowed-sinc resampling between any two whole rates (J. O. Smith, "Digital Audio Resampling"; Kaiser window). At the lower of the two rates, with half-rate
 * 1: flat within 0.1 dB up to 0.84, at least 80 dB down from 1 on.
 */

/** Zero crossings of the sinc on each side: with 80 dB the transition is 0.157 of the half-rate wide ((A - 8) / (2.285 * 2 * pi * 64) cycles a sample). */
const ZERO_CROSSINGS = 32;
/** The middle of that transition, such that it ends at the half-rate. */
const CUTOFF_RATIO = 0.92;
/** 0.1102 * (80 dB - 8.7) */
const KAISER_BETA = 7.857;
/** Points of the kernel table per zero crossing; linear interpolation then errs below -100 dB. */
const TABLE_POINTS = 512;
/**
 * Rates with more phases than this, such as 44101, use the nearest of so many. That moves a sample by at most 1/4096 of the input's period: -77 dB for 7 kHz
 * at 44.1 kHz. It bounds the weights to 13 MB.
 */
const PHASES_MAX = 2048;

/** `floor(samples.length * rateOut / rateIn)` samples. Outside its ends the input counts as silence. A NaN spreads over the kernel's width. */
export function resample(samples: Float32Array, rateIn: number, rateOut: number): Float32Array {
  if (rateIn === rateOut) return samples;
  const divisor = greatestCommonDivisor(rateIn, rateOut);
  const step = rateIn / divisor;
  const phaseCount = rateOut / divisor;
  const reach = Math.ceil(ZERO_CROSSINGS * Math.max(1, rateIn / rateOut));
  const weightsOf = createWeights(Math.min(1, rateOut / rateIn), reach, Math.min(phaseCount, PHASES_MAX));
  const out = new Float32Array(Math.floor((samples.length * rateOut) / rateIn));
  for (let index = 0; index < out.length; index += 1) {
    const position = index * step;
    const phase = position % phaseCount;
    const weights = weightsOf(phase / phaseCount);
    // The first weight belongs to the sample `reach - 1` before the one at or left of the position.
    const first = (position - phase) / phaseCount - reach + 1;
    const end = Math.min(weights.length, samples.length - first);
    let sum = 0;
    for (let tap = Math.max(0, -first); tap < end; tap += 1) sum += (weights[tap] as number) * (samples[first + tap] as number);
    out[index] = sum;
  }
  return out;
}

/** The weights of the 2 * reach input samples around an output sample that lies `fraction`, 0..1, after an input sample. */
function createWeights(scale: number, reach: number, phaseCount: number): (fraction: number) => Float64Array {
  const table = createKernelTable();
  const known: (Float64Array | undefined)[] = new Array(phaseCount + 1).fill(undefined);
  const compute = (fraction: number): Float64Array => {
    const weights = new Float64Array(2 * reach);
    for (let tap = 0; tap < weights.length; tap += 1) {
      const distance = Math.abs(tap - reach + 1 - fraction) * scale * TABLE_POINTS;
      const point = Math.floor(distance);
      const left = table[point] ?? 0;
      const right = table[point + 1] ?? 0;
      weights[tap] = scale * (left + (right - left) * (distance - point));
    }
    return weights;
  };
  return (fraction) => {
    const phase = Math.round(fraction * phaseCount);
    const weights = known[phase] ?? compute(phase / phaseCount);
    known[phase] = weights;
    return weights;
  };
}

/** cutoff * sinc(cutoff * t) * kaiser(t / ZERO_CROSSINGS) for t = 0 .. ZERO_CROSSINGS in samples of the lower rate. */
function createKernelTable(): Float64Array {
  const table = new Float64Array(ZERO_CROSSINGS * TABLE_POINTS + 1);
  const windowScale = besselI0(KAISER_BETA);
  for (let point = 0; point < table.length; point += 1) {
    const time = point / TABLE_POINTS;
    const angle = Math.PI * CUTOFF_RATIO * time;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    const taper = time / ZERO_CROSSINGS;
    table[point] = (CUTOFF_RATIO * sinc * besselI0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - taper * taper)))) / windowScale;
  }
  return table;
}

/** The modified Bessel function of order 0 by its power series, to double precision for arguments up to 20. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 60 && term > sum * 1e-17; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
