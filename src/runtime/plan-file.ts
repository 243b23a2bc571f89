import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { LayerCost, NumberType } from '../core/layer-cost.ts';
import { layerCosts } from '../models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../models/onnx-graph/read-onnx-graph.ts';
import type { Chip } from './on-chip.ts';
import { type NetworkPlan, planNetwork } from './plan-model.ts';

const typeOf = (bits: number): NumberType => (bits <= 4 ? 'int4' : bits <= 8 ? 'int8' : 'fp16');

/** An ONNX file on one core of a chip, its floats stored with so many bits. Errors: as of `layersOfFile`. */
export const planFile = (file: string, bits: number, { profile, mode }: Chip): NetworkPlan =>
  planNetwork(layersOfFile(file, bits), profile, mode);

/** Errors: FILE_UNREADABLE, MODEL_UNLOADABLE, CONFIG_INVALID (sizes left open). */
export function layersOfFile(file: string, bits: number): readonly LayerCost[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (thrown) {
    throw new CoxswainError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
  return layerCosts(readOnnxGraph(bytes, { name: basename(file) }), { storedAs: typeOf(bits), isFused: true }).layers;
}
