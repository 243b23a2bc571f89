import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { assert } from '../core/assert.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { NumberType } from '../core/layer-cost.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { layerCosts } from '../models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../models/onnx-graph/read-onnx-graph.ts';
import { type NetworkPlan, planNetwork } from './plan-model.ts';

const typeOf = (bits: number): NumberType => (bits <= 4 ? 'int4' : bits <= 8 ? 'int8' : 'fp16');

/** An ONNX file on one core of a chip, its floats stored with so many bits. Errors: FILE_UNREADABLE, MODEL_UNLOADABLE, CONFIG_INVALID (sizes left open). */
export function planFile(file: string, bits: number, profile: SocProfile): NetworkPlan {
  const [mode] = profile.modes;
  assert(mode !== undefined, 'a profile has a mode');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (thrown) {
    throw new CoxswainError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
  const { layers } = layerCosts(readOnnxGraph(bytes, { name: basename(file) }), { storedAs: typeOf(bits) });
  return planNetwork(layers, profile, mode);
}
