import { CoxswainError } from '../../core/errors.ts';
import { ELEMENT_BITS } from '../onnx-graph/element-type.ts';
import type { OnnxConstant, OnnxGraph, OnnxNode, OnnxPort } from '../onnx-graph/graph.ts';
import { numberOf } from '../onnx-graph/node-attributes.ts';
import type { DecoderConfig } from './decoder-config.ts';
import type { RealType } from './tensor-session.ts';

/** What has to be known of a decoder's graph to run it. */
export interface DecoderGraph {
  /**
   * `in-place`: every layer's cache is made by one `GroupQueryAttention`, which appends to the memory that it reads; `appended`: the graph gives the old cache and
   * the new tokens as a new tensor.
   */
  readonly cacheKind: 'in-place' | 'appended';
  readonly cacheType: RealType;
  readonly logitsType: RealType;
  readonly takesPositions: boolean;
  /** Whether logits are made for the last token alone when asked so. */
  readonly keepsLogits: boolean;
  /** Whether they are always made for the last token alone: see `keepLastLogits`. */
  readonly givesLastLogits?: boolean;
  /** Bits of a weight of the layers and of the output head, scales included. */
  readonly weightBits: number;
  readonly headBits: number;
}

/** Names of a layer's tensors, in the order in which caches are listed: by layer, key before value. */
export function cacheNames(layers: number, prefix: 'past_key_values' | 'present'): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`${prefix}.${layer}.key`, `${prefix}.${layer}.value`]).flat();
}

const INPUTS = ['input_ids', 'attention_mask'] as const;

/** The names a session is to be opened with; caches follow those named. */
export function decoderTensors(
  config: DecoderConfig,
  graph: DecoderGraph,
): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
  const optional = [...(graph.takesPositions ? ['position_ids'] : []), ...(graph.keepsLogits ? ['num_logits_to_keep'] : [])];
  return {
    inputs: [...INPUTS, ...optional, ...cacheNames(config.layers, 'past_key_values')],
    outputs: ['logits', ...cacheNames(config.layers, 'present')],
  };
}

/**
 * Holds a graph to the layout of Optimum and transformers.js and to its configuration. `place` is what the messages call the file.
 * Errors: MODEL_UNSUPPORTED (another layout, a cache of another kind), MODEL_CONTRACT (not the model that the configuration describes).
 */
export function readDecoderGraph(place: string, config: DecoderConfig, graph: OnnxGraph): DecoderGraph {
  const inputs = new Map(graph.inputs.map((port) => [port.name, port]));
  const outputs = new Map(graph.outputs.map((port) => [port.name, port]));
  const refuse = (problem: string): CoxswainError =>
    new CoxswainError(
      'MODEL_UNSUPPORTED',
      `${place}: ${problem}. Take an export for text generation with its cache, such as onnx/model.onnx of onnx-community.`,
    );
  const mismatch = (problem: string): CoxswainError =>
    new CoxswainError('MODEL_CONTRACT', `${place}: ${problem}. Take the config.json and the ONNX files of one model.`);

  if (inputs.has('use_cache_branch')) throw refuse('it is a merged export with "use_cache_branch", which older tools made');
  const layers = countLayers(inputs, 'past_key_values');
  if (layers === 0) throw refuse('it has no input "past_key_values.0.key", so it keeps no cache');
  if (layers !== config.layers) throw mismatch(`config.json says ${config.layers} layers; the graph has ${layers}`);
  const known = new Set([...INPUTS, 'position_ids', 'num_logits_to_keep', ...cacheNames(layers, 'past_key_values')]);
  const unknown = [...inputs.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) throw refuse(`it has an input ${JSON.stringify(unknown)}, which is not known`);
  for (const name of INPUTS) requireIntegers(inputs.get(name), name, 2, refuse);
  for (const name of ['position_ids', 'num_logits_to_keep'])
    if (inputs.has(name)) requireIntegers(inputs.get(name), name, undefined, refuse);

  const cacheType = cacheTypeOf(config, layers, inputs, outputs, refuse, mismatch);
  const logits = outputs.get('logits');
  if (logits === undefined || (logits.type !== 'float32' && logits.type !== 'float16'))
    throw refuse(`its output "logits" is ${logits?.type ?? 'missing'}; float32 or float16 is needed`);
  const width = logits.shape?.at(-1);
  if (typeof width === 'number' && width !== config.vocabulary)
    throw mismatch(`config.json says a vocabulary of ${config.vocabulary}; the logits have ${width}`);
  refuseWindows(graph.nodes, refuse);
  return {
    cacheKind: isInPlace(layers, graph.nodes) ? 'in-place' : 'appended',
    cacheType,
    logitsType: logits.type,
    takesPositions: inputs.has('position_ids'),
    keepsLogits: inputs.has('num_logits_to_keep'),
    ...weightBitsOf(config, graph),
  };
}

type Refuse = (problem: string) => CoxswainError;

function countLayers(ports: ReadonlyMap<string, OnnxPort>, prefix: string): number {
  let layers = 0;
  while (ports.has(`${prefix}.${layers}.key`)) layers += 1;
  return layers;
}

function requireIntegers(port: OnnxPort | undefined, name: string, rank: number | undefined, refuse: Refuse): void {
  if (port === undefined) throw refuse(`it has no input ${JSON.stringify(name)}`);
  if (port.type !== 'int64') throw refuse(`its input ${JSON.stringify(name)} is ${port.type ?? 'no tensor'}; int64 is needed`);
  if (rank !== undefined && port.shape !== undefined && port.shape.length !== rank)
    throw refuse(`its input ${JSON.stringify(name)} has ${port.shape.length} axes; ${rank} are needed`);
}

/** Checks every cache tensor, in and out: `[batch, kvHeads, length, headSize]`, all of one type. */
function cacheTypeOf(
  config: DecoderConfig,
  layers: number,
  inputs: ReadonlyMap<string, OnnxPort>,
  outputs: ReadonlyMap<string, OnnxPort>,
  refuse: Refuse,
  mismatch: Refuse,
): RealType {
  const type = inputs.get('past_key_values.0.key')?.type;
  if (type !== 'float32' && type !== 'float16')
    throw refuse(`its cache is ${type ?? 'no tensor'}; float32 and float16 are run, quantised caches are not`);
  const wanted = [undefined, config.kvHeads, undefined, config.headSize];
  const axes = ['batch', 'key-value heads', 'tokens', 'numbers per head'];
  const check = (ports: ReadonlyMap<string, OnnxPort>, name: string): void => {
    const port = ports.get(name);
    if (port === undefined) throw refuse(`it has no ${JSON.stringify(name)}, so it does not keep all of its cache`);
    if (port.type !== undefined && port.type !== type) throw refuse(`${JSON.stringify(name)} is ${port.type} where others are ${type}`);
    if (port.shape === undefined) return;
    if (port.shape.length !== 4) throw refuse(`${JSON.stringify(name)} has ${port.shape.length} axes; a cache of 4 is needed`);
    for (const [axis, size] of port.shape.entries()) {
      const right = wanted[axis];
      if (typeof size === 'number' && right !== undefined && size !== right)
        throw mismatch(`config.json says ${right} ${axes[axis]}; ${JSON.stringify(name)} has ${size}`);
      if (typeof size === 'number' && axis === 2)
        throw refuse(`${JSON.stringify(name)} holds ${size} tokens always; a cache that grows is needed`);
    }
  };
  for (const name of cacheNames(layers, 'past_key_values')) check(inputs, name);
  for (const name of cacheNames(layers, 'present')) check(outputs, name);
  return type;
}

/** A window in an attention node forgets tokens, whatever config.json says. */
function refuseWindows(nodes: readonly OnnxNode[], refuse: Refuse): void {
  for (const node of nodes) {
    const window = node.attributes.get('local_window_size');
    if (window?.kind === 'number' && window.value > 0) throw refuse(`${node.name} attends to a sliding window of ${window.value} tokens`);
  }
}

function isInPlace(layers: number, nodes: readonly OnnxNode[]): boolean {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  return Array.from({ length: layers }, (_, layer) => layer).every((layer) => {
    const maker = makers.get(`present.${layer}.key`);
    return (
      maker?.operator === 'GroupQueryAttention' &&
      maker.inputs[3] === `past_key_values.${layer}.key` &&
      maker.inputs[4] === `past_key_values.${layer}.value` &&
      maker.outputs[1] === `present.${layer}.key` &&
      maker.outputs[2] === `present.${layer}.value`
    );
  });
}

/** Of the products by packed weights, else of the largest matrix that is stored. A scale has as many bits as the activations. */
function weightBitsOf(config: DecoderConfig, graph: OnnxGraph): { readonly weightBits: number; readonly headBits: number } {
  const stored = [...graph.constants.values()].reduce<OnnxConstant | undefined>(
    (largest, constant) => (constant.byteLength > (largest?.byteLength ?? 0) ? constant : largest),
    undefined,
  );
  const storedBits = stored === undefined ? 32 : ELEMENT_BITS[stored.type];
  const packed = graph.nodes.filter(({ operator }) => operator === 'MatMulNBits');
  const bitsOf = (node: OnnxNode | undefined, otherwise: number): number => {
    if (node === undefined) return otherwise;
    const scales = graph.constants.get(node.inputs[2] ?? '');
    return (
      (numberOf(node, 'bits') ?? 0) +
      (scales === undefined ? 0 : ELEMENT_BITS[scales.type]) / Math.max(1, numberOf(node, 'block_size') ?? 0)
    );
  };
  const head = packed.find((node) => numberOf(node, 'N') === config.vocabulary);
  const body = packed.find((node) => node !== head);
  return { weightBits: bitsOf(body, storedBits), headBits: bitsOf(head, storedBits) };
}
