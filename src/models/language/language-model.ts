import type { LayerCost, NumberType } from '../../core/layer-cost.ts';
import {
  ACTIVATION_BYTES,
  type CompleteShape,
  completeShape,
  type LanguageModelShape,
  multipliedAs,
  parameterCounts,
  requireCount,
} from './model-shape.ts';

/** A language model made from its shape alone. Bytes are decimal (4.5e9 is 4.5 GB). */
export interface LanguageModel {
  readonly shape: CompleteShape;
  /** Tied weights counted once. */
  readonly parameters: number;
  /** What one token uses; as `parameters` without experts. */
  readonly activeParameters: number;
  /** What the weights occupy. */
  readonly weightBytes: number;
  /** What one more token of context occupies: 2 x layers x kvHeads x headSize numbers. */
  readonly kvBytesPerToken: number;
  /** One chunk of a prompt: `tokens` new tokens of one sequence behind `past` others. Logits are made for its last token only. */
  prefillLayers(tokens: number, past: number): readonly LayerCost[];
  /** One token each for `batch` sequences that are `past` tokens long. */
  decodeLayers(batch: number, past: number): readonly LayerCost[];
}

/** CONFIG_INVALID for a shape that cannot be, and for token counts below their least. */
export function createLanguageModel(description: LanguageModelShape): LanguageModel {
  const shape = completeShape(description);
  const counts = parameterCounts(shape);
  const tableBits = counts.embedding * (shape.tiedEmbedding ? 1 : 2);
  return {
    shape,
    parameters: counts.total,
    activeParameters: counts.active,
    weightBytes: ((counts.total - tableBits) * shape.bits + tableBits * shape.headBits) / 8,
    kvBytesPerToken: (2 * shape.layers * shape.kvHeads * shape.headSize * shape.kvBits) / 8,
    prefillLayers: (tokens, past) => {
      requireCount('tokens', tokens);
      requireCount('past', past, 0);
      return forward(shape, { operator: 'prefill', batch: 1, tokens, past });
    },
    decodeLayers: (batch, past) => {
      requireCount('batch', batch);
      requireCount('past', past, 0);
      return forward(shape, { operator: 'decode', batch, tokens: 1, past });
    },
  };
}

interface Pass {
  readonly operator: 'prefill' | 'decode';
  /** Sequences, and new tokens and old ones of each. */
  readonly batch: number;
  readonly tokens: number;
  readonly past: number;
}

function forward(shape: CompleteShape, pass: Pass): readonly LayerCost[] {
  const rows = pass.batch * pass.tokens;
  const row = (shape.hidden * shape.headBits) / 8;
  const embedding = plainLayer('embedding', pass, { weightBytes: rows * row, outputBytes: rows * shape.hidden * ACTIVATION_BYTES });
  // The blocks are alike in everything, so they are the same objects over and over.
  const block = [...attentionLayers(shape, pass), ...feedForwardLayers(shape, rows)].map((layer) => ({
    ...layer,
    operator: pass.operator,
  }));
  const layers = [embedding];
  for (let index = 0; index < shape.layers; index += 1) layers.push(...block);
  // Only the last token of each sequence is sampled.
  const head = productLayer(
    'head',
    { m: pass.batch, n: shape.vocabulary, k: shape.hidden, groups: 1 },
    shape.headBits,
    pass.batch * shape.hidden * NORM_OPS,
  );
  layers.push({ ...head, operator: pass.operator });
  return layers;
}

/** Vector operations per element: root mean square norm and residual sum, rotation, and scaling, masking and softmax of a score. */
const NORM_OPS = 5;
const ROTATION_OPS = 4;
const SCORE_OPS = 9;
/** An activation of the gate and its product with the other half. */
const GATE_OPS = 5;

function attentionLayers(shape: CompleteShape, pass: Pass): readonly LayerCost[] {
  const { hidden, heads, kvHeads, headSize, bits } = shape;
  const rows = pass.batch * pass.tokens;
  const project = productLayer(
    'qkv',
    { m: rows, n: (heads + 2 * kvHeads) * headSize, k: hidden, groups: 1 },
    bits,
    rows * (hidden * NORM_OPS + (heads + kvHeads) * headSize * ROTATION_OPS),
  );
  const combine = productLayer('attention-output', { m: rows, n: hidden, k: heads * headSize, groups: 1 }, bits, 0);
  return [project, scoreLayer(shape, pass), combine];
}

/**
 * Scores and their weighted sum, two products for each KV head, whose query heads stack into `m`. The whole rectangle is counted, masked or not. The cache
 * is read once and appended to, and always lies in DRAM.
 */
function scoreLayer({ heads, kvHeads, headSize, kvBits }: CompleteShape, { batch, tokens, past }: Pass): LayerCost {
  const attended = past + tokens;
  const [m, n, k, groups] = [tokens * (heads / kvHeads), attended, headSize, 2 * batch * kvHeads];
  const kvBytes = (count: number): number => (2 * batch * kvHeads * headSize * count * kvBits) / 8;
  const queryBytes = batch * tokens * heads * headSize * ACTIVATION_BYTES;
  const newBytes = 2 * batch * tokens * kvHeads * headSize * ACTIVATION_BYTES;
  return {
    ...{ name: 'attention', operator: 'attention', type: cacheType(kvBits), m, n, k, groups, macs: m * n * k * groups },
    elementOps: batch * heads * tokens * attended * SCORE_OPS,
    weightBytes: 0,
    inputBytes: queryBytes + newBytes + kvBytes(past),
    outputBytes: queryBytes + kvBytes(tokens),
    stateBytes: kvBytes(past) + kvBytes(tokens),
  };
}

/** Scores are multiplied in the cache's type, at least int8: four-bit caches are widened. */
const cacheType = (bits: number): NumberType => (bits <= 9 ? 'int8' : multipliedAs(bits));

/**
 * With experts each of `rows` tokens goes to `active` of them; drawn evenly, `count (1 - (1 - active/count)^rows)` different ones are read, and the tokens
 * spread over those: `m` is their mean and need not be whole.
 */
function feedForwardLayers(shape: CompleteShape, rows: number): readonly LayerCost[] {
  const { hidden, intermediate, bits, experts } = shape;
  const used = experts.count === 1 ? 1 : experts.count * (1 - (1 - experts.active / experts.count) ** rows);
  const m = (rows * experts.active) / used;
  const isGated = shape.feedForward === 'gated';
  const wide = isGated ? 2 * intermediate : intermediate;
  const gateOps = rows * experts.active * intermediate * GATE_OPS;
  const up = productLayer('feed-forward-up', { m, n: wide, k: hidden, groups: used }, bits, rows * hidden * NORM_OPS + gateOps);
  const down = productLayer('feed-forward-down', { m, n: hidden, k: intermediate, groups: used }, bits, 0);
  if (experts.count === 1) return [{ ...up, outputBytes: up.outputBytes - gatedAway(isGated, rows * intermediate) }, down];
  const router = productLayer('router', { m: rows, n: experts.count, k: hidden, groups: 1 }, bits, rows * experts.count * SCORE_OPS);
  const routed = rows * experts.active * intermediate;
  return [router, { ...up, outputBytes: up.outputBytes - gatedAway(isGated, routed) }, down];
}

/** Gate and up leave the core as one product of half the width. */
const gatedAway = (isGated: boolean, elements: number): number => (isGated ? elements * ACTIVATION_BYTES : 0);

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
}

/** Each group has its own weights `[k, n]` of `bits`. */
function productLayer(name: string, { m, n, k, groups }: Product, bits: number, elementOps: number): LayerCost {
  return {
    ...{ name, operator: name, type: multipliedAs(bits), m, n, k, groups, macs: m * n * k * groups, elementOps },
    weightBytes: (groups * n * k * bits) / 8,
    inputBytes: groups * m * k * ACTIVATION_BYTES,
    outputBytes: groups * m * n * ACTIVATION_BYTES,
  };
}

function plainLayer(name: string, pass: Pass, bytes: { weightBytes: number; outputBytes: number }): LayerCost {
  return { name, operator: pass.operator, type: 'fp16', m: 0, n: 0, k: 0, groups: 0, macs: 0, elementOps: 0, inputBytes: 0, ...bytes };
}
