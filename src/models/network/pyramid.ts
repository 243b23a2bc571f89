import type { LayerCost, NumberType } from '../../core/layer-cost.ts';
import { NUMBER_TYPE_BYTES } from '../../core/layer-cost.ts';

export interface NetworkSize {
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  readonly parameters: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Strides 2, 4, 8, 16, 32, as backbones of detectors have them. */
const STAGES = 5;
/** Published detectors of 3 to 80 GMAC have 60 to 110 convolutions, of which about half are 1 x 1 and cheap. */
const LAYERS_PER_STAGE = 10;
/** Terms of a sum per input channel: a 3 x 3 window. */
const WINDOW = 9;
const RATIO_MAX = 1e6;
const TURNS = 200;

/**
 * A convolutional network of which only the size is known, as a pyramid of 3 x 3 convolutions: five stages of ten equal layers, each stage with a quarter of the
 * pixels of the one before. How the multiply-accumulates divide over the stages (geometrically) is chosen so that the weights are as many as
 * published; more weights than any division gives become one dense layer at the end. Sums are exact, single layers are not those of the real network.
 */
export function pyramidLayers({ macs, parameters, height, width, channels }: NetworkSize, type: NumberType): readonly LayerCost[] {
  const bytes = NUMBER_TYPE_BYTES[type];
  const pixels = Array.from({ length: STAGES }, (_, stage) => Math.max(1, Math.round((height * width) / 4 ** (stage + 1))));
  const ratio = stageRatio(macs, parameters, pixels);
  const dense = Math.max(0, Math.min(macs, parameters - weightsAt(ratio, macs, pixels)));
  const shares = sharesAt(ratio, pixels.length);
  const layers = pixels.flatMap((m, stage) => {
    const product = ((macs - dense) * (shares[stage] ?? 0)) / (m * LAYERS_PER_STAGE);
    const n = Math.max(1, Math.round(Math.sqrt(product / WINDOW)));
    const k = product / n;
    return Array.from(
      { length: LAYERS_PER_STAGE },
      (_, index): LayerCost => ({
        ...{ name: `stage${stage + 1}.${index + 1}`, operator: 'Conv', type, m, n, k, groups: 1, macs: m * product },
        elementOps: m * n,
        weightBytes: product * bytes,
        inputBytes: (stage === 0 && index === 0 ? height * width * channels : (m * k) / WINDOW) * bytes,
        outputBytes: m * n * bytes,
      }),
    );
  });
  return dense === 0 ? layers : [...layers, denseLayer(dense, type)];
}

function denseLayer(weights: number, type: NumberType): LayerCost {
  const bytes = NUMBER_TYPE_BYTES[type];
  const n = Math.max(1, Math.round(Math.sqrt(weights)));
  const k = weights / n;
  return {
    ...{ name: 'dense', operator: 'Gemm', type, m: 1, n, k, groups: 1, macs: weights },
    ...{ elementOps: n, weightBytes: weights * bytes, inputBytes: k * bytes, outputBytes: n * bytes },
  };
}

/** Each stage has `ratio` times the multiply-accumulates of the one before; they sum to 1. */
function sharesAt(ratio: number, stages: number): readonly number[] {
  const powers = Array.from({ length: stages }, (_, stage) => ratio ** (stage - (ratio > 1 ? stages - 1 : 0)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

const weightsAt = (ratio: number, macs: number, pixels: readonly number[]): number =>
  sharesAt(ratio, pixels.length).reduce((sum, share, stage) => sum + (macs * share) / (pixels[stage] ?? 1), 0);

/** By bisection of its logarithm: later stages have fewer pixels, so the weights grow with it. */
function stageRatio(macs: number, parameters: number, pixels: readonly number[]): number {
  let low = 1 / RATIO_MAX;
  let high = RATIO_MAX;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const middle = Math.sqrt(low * high);
    if (weightsAt(middle, macs, pixels) < parameters) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}
