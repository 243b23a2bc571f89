import { CURVE_OPS, type LayerCost, NUMBER_TYPE_BYTES, type NumberType } from '../../core/layer-cost.ts';

/** What kinds of layers a network is made of: ordinary convolutions, depthwise ones between 1 x 1, or attention. */
export const NETWORK_STYLES = ['dense', 'depthwise', 'attention'] as const;
export type NetworkStyle = (typeof NETWORK_STYLES)[number];

/** A network of which only the size is known. The last seven fields are estimated from the first ones where they are not told. */
export interface NetworkSize {
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  readonly parameters: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Default: dense. */
  readonly style?: NetworkStyle;
  /** Numbers that all layers with multiplications put out together. */
  readonly results?: number;
  /** Of those, what depthwise layers put out. */
  readonly depthwiseResults?: number;
  /** Layers with multiplications. */
  readonly layers?: number;
  /** Some layers multiply results by results. Default: where the style is attention. */
  readonly hasAttention?: boolean;
  /** Results go through SiLU, GELU or the like, not through ReLU or nothing. Default: false. */
  readonly hasCurves?: boolean;
  /** Element operations of a result on its way out, curves included. Default: 1 to requantise it, and those of a curve. */
  readonly opsPerResult?: number;
}

/** Strides 2, 4, 8, 16, 32, as backbones have them. */
const STAGES = 5;
const LAYERS_MAX = 1_000;
/** Terms of a sum of a depthwise layer: a 3 x 3 window. */
const WINDOW = 9;
const RATIO_MAX = 1e6;
const TURNS = 100;

/**
 * Results grow with the root of multiply-accumulates times pixels. The factor is the mean over 55 dense networks, 16 with depthwise layers and 8 with attention
 * whose layers were counted one by one; the first two scatter by a third around it, the last by twice.
 */
const RESULT_FACTORS: Readonly<Record<NetworkStyle, number>> = { dense: 0.46, depthwise: 1.2, attention: 1.1 };
/** Of all results, those of depthwise layers in networks with them: the mean of the same sixteen. */
const DEPTHWISE_RATIO = 0.3;
/** Part of the layers that are depthwise: one of the three of an inverted bottleneck. */
const DEPTHWISE_LAYER_RATIO = 1 / 3;
/** Of all multiply-accumulates, those of scores and their weighted sums, where there is attention: 4 to 14 % in vision transformers. */
const SCORE_RATIO = 0.08;
/** At least this part of the multiply-accumulates is dense, whatever was said of depthwise layers. */
const DENSE_RATIO_MIN = 0.3;

/** Fitted on the same networks, of which two thirds lie within 28 % of it: 47 layers for ResNet-50, 78 for YOLOv8s. */
const layersOf = (macs: number, pixels: number): number => 0.42 * macs ** 0.134 * pixels ** 0.162;

/** What is known and estimated of a network, in whole. */
export function completeSize(size: NetworkSize): Required<NetworkSize> {
  const { macs, height, width, style = 'dense' } = size;
  const pixels = height * width;
  const results = size.results ?? RESULT_FACTORS[style] * Math.sqrt(macs * pixels);
  const layers = Math.min(LAYERS_MAX, Math.max(STAGES, Math.round(size.layers ?? layersOf(macs, pixels))));
  const depthwiseResults = size.depthwiseResults ?? (style === 'depthwise' ? DEPTHWISE_RATIO * results : 0);
  const opsPerResult = size.hasCurves === true ? 1 + CURVE_OPS : 1;
  return {
    hasCurves: false,
    opsPerResult,
    hasAttention: style === 'attention',
    ...size,
    style,
    results,
    layers,
    depthwiseResults: Math.min(depthwiseResults, results),
  };
}

/**
 * A network of which only the size is known, as a pyramid: five stages, each with a quarter of the pixels of the one before, of equal layers, and depthwise
 * layers between them where there are any. How the multiply-accumulates divide over the stages (geometrically) is chosen so that the weights are as many as
 * published; more weights than any division gives become one dense layer at the end. Sums are exact, single layers are means.
 */
export function pyramidLayers(size: NetworkSize, type: NumberType): readonly LayerCost[] {
  const whole = completeSize(size);
  const { macs: all, parameters, height, width, channels } = whole;
  const bytes = NUMBER_TYPE_BYTES[type];
  const pixels = Array.from({ length: STAGES }, (_, stage) => Math.max(1, Math.round((height * width) / 4 ** (stage + 1))));
  const depthwiseMacs = Math.min(WINDOW * whole.depthwiseResults, all * (1 - DENSE_RATIO_MIN - SCORE_RATIO));
  const scoreMacs = whole.hasAttention ? all * SCORE_RATIO : 0;
  const macs = all - depthwiseMacs - scoreMacs;
  const isSpread = depthwiseMacs > 0;
  const depthwisePerStage = isSpread ? Math.max(1, Math.round((whole.layers * DEPTHWISE_LAYER_RATIO) / STAGES)) : 0;
  const perStage = Math.max(1, Math.round(whole.layers / STAGES) - depthwisePerStage);

  const ratio = stageRatio(macs, parameters, pixels);
  const dense = Math.max(0, Math.min(macs, parameters - weightsAt(ratio, macs, pixels)));
  const shares = sharesAt(ratio, STAGES);
  const products = pixels.map((m, stage) => ((macs - dense) * (shares[stage] ?? 0)) / (m * perStage));
  // Of a product n x k, n is what makes the results of all stages as many as they are.
  const roots = pixels.map((m, stage) => m * Math.sqrt(products[stage] ?? 0));
  const rootSum = roots.reduce((sum, root) => sum + root, 0);
  const widen = rootSum === 0 ? 1 : Math.max(0, whole.results - depthwiseMacs / WINDOW) / (rootSum * perStage);

  const shared = { type, opsPerResult: whole.opsPerResult, hasCurves: whole.hasCurves, bytes };
  const layers = pixels.flatMap((m, stage): LayerCost[] => {
    const product = products[stage] ?? 0;
    const n = Math.max(1, Math.sqrt(product) * widen);
    const spread = isSpread && rootSum > 0 ? ((depthwiseMacs / WINDOW) * (roots[stage] ?? 0)) / rootSum / depthwisePerStage / m : 0;
    const dense = { m, n, k: product / n, groups: 1, inputs: m * n };
    const row = Array.from({ length: perStage }, (_, index) => ({
      ...convolution({ ...shared, ...dense }),
      name: `stage${stage + 1}.${index + 1}`,
    }));
    if (spread === 0) return row;
    const between = { m, n: 1, k: WINDOW, groups: spread, inputs: m * spread };
    const depthwise = (index: number) => ({ ...convolution({ ...shared, ...between }), name: `stage${stage + 1}.depthwise${index + 1}` });
    return [...row, ...Array.from({ length: depthwisePerStage }, (_, index) => depthwise(index))];
  });
  const [first, ...rest] = layers as [LayerCost, ...LayerCost[]];
  const begun = [{ ...first, inputBytes: height * width * channels * bytes }, ...rest];
  const scores = scoreMacs === 0 ? [] : [scoreLayer(scoreMacs, pixels[STAGES - 1] ?? 1, type)];
  return [...begun, ...scores, ...(dense === 0 ? [] : [denseLayer(dense, type)])];
}

interface Convolution {
  readonly type: NumberType;
  readonly bytes: number;
  readonly opsPerResult: number;
  readonly hasCurves: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  /** Numbers read besides the weights. */
  readonly inputs: number;
}

function convolution({ type, bytes, opsPerResult, hasCurves, m, n, k, groups, inputs }: Convolution): LayerCost {
  const results = m * n * groups;
  return {
    ...{ name: '', operator: 'Conv', type, m, n, k, groups, macs: m * n * k * groups, elementOps: results * opsPerResult },
    ...{ weightBytes: n * k * groups * bytes, inputBytes: inputs * bytes, outputBytes: results * bytes },
    ...(hasCurves ? { curves: results } : {}),
    // How groups lie in an array is known; how wide the real layers of a stage are is not.
    ...(n === 1 && groups > 1 ? {} : { isMean: true as const }),
  };
}

/** All scores of a network as one layer between activations, at the pixels of the last stage. */
function scoreLayer(macs: number, m: number, type: NumberType): LayerCost {
  const bytes = NUMBER_TYPE_BYTES[type];
  const side = Math.sqrt(macs / m);
  return {
    ...{
      name: 'scores',
      operator: 'MatMul',
      type,
      m,
      n: side,
      k: side,
      groups: 1,
      macs,
      elementOps: m * side,
      weightBytes: 0,
      isMean: true,
    },
    ...{ inputBytes: 2 * m * side * bytes, outputBytes: m * side * bytes },
  };
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
