import { basename } from 'node:path';
import { createConfigFiles } from '../config/config-files.ts';
import type { LayerCost, NumberType } from '../core/layer-cost.ts';
import type { OnnxGraph } from '../models/onnx-graph/graph.ts';
import { type GraphCosts, layerCosts } from '../models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../models/onnx-graph/read-onnx-graph.ts';
import type { Chip } from './on-chip.ts';
import { type NetworkPlan, planNetwork } from './plan-model.ts';

/** A graph that is longer has its weights beside it. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

const typeOf = (bits: number): NumberType => (bits <= 4 ? 'int4' : bits <= 8 ? 'int8' : 'fp16');

/** A network from a file, and what is to be known of how it was read. */
export interface FilePlan extends NetworkPlan {
  /** What its float tensors were taken to be converted to. */
  readonly storedAs: NumberType;
  /** Operators that are in the file, and whose cost is not in the figures. */
  readonly unknown: readonly { readonly operator: string; readonly count: number }[];
}

/** A network on one core of a chip, its floats stored with so many bits. Errors: as of `layersOfGraph`. */
export function planGraph(graph: OnnxGraph, bits: number, { profile, mode }: Chip): FilePlan {
  const { layers, unknown } = costsOfGraph(graph, bits);
  return {
    ...planNetwork(layers, profile, mode),
    storedAs: typeOf(bits),
    unknown: unknown.map(({ operator, count }) => ({ operator, count })),
  };
}

/** Errors: MODEL_UNLOADABLE, CONFIG_INVALID (sizes left open). */
export const layersOfGraph = (graph: OnnxGraph, bits: number): readonly LayerCost[] => costsOfGraph(graph, bits).layers;

const costsOfGraph = (graph: OnnxGraph, bits: number): GraphCosts => layerCosts(graph, { storedAs: typeOf(bits), isFused: true });

/** Errors: FILE_UNREADABLE, MODEL_UNLOADABLE. */
export const graphOfFile = (file: string): OnnxGraph =>
  readOnnxGraph(createConfigFiles().read(file, FILE_BYTES_MAX), { name: basename(file) });
