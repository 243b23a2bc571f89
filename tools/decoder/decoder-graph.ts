import type { DecoderConfig } from '../../src/models/language/decoder-config.ts';
import { type AttentionPlace, addFusedAttention, addFusedMask, addRotaryTables } from './attention-fused.ts';
import { addPlainAttention, addPlainMask } from './attention-plain.ts';
import { type DecoderWeights, weightNames } from './decoder-weights.ts';
import { type DecoderType, GraphBuilder, MICROSOFT } from './graph-builder.ts';
import type { OnnxFile, Port } from './onnx-file.ts';

/**
 * How the graph is written. `fused`: operators of com.microsoft with one `GroupQueryAttention` per layer and rotation inside, as the newer exports of the hub;
 * `plain`: operators of ONNX itself and `position_ids`, as Optimum writes it. int4 is `fused` alone.
 */
export type DecoderLayout = 'fused' | 'plain';

export interface DecoderGraphOptions {
  readonly type: DecoderType;
  readonly layout: DecoderLayout;
  /** Takes `num_logits_to_keep`: logits of so many last tokens, of all when 0. Without it logits are always made for every token. */
  readonly keepsLogits: boolean;
  /**
   * For a small file: a tied head multiplies by the embedding itself, turned when the session is made, instead of by a copy of it; an int4 model keeps its
   * embedding in half precision.
   */
  readonly isCompact?: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A Llama-style decoder (RMSNorm, rotary positions by halves, grouped-query attention, SwiGLU) from its configuration and weights. */
export function decoderGraph(config: DecoderConfig, weights: DecoderWeights, options: DecoderGraphOptions): OnnxFile {
  const graph = new GraphBuilder(options.type);
  const isFused = options.layout === 'fused';
  addRotaryTables(graph, config);
  const attend = isFused ? fusedAttention(graph) : plainAttention(graph);
  let stream: Stream = { sum: addEmbedding(graph, config, weights, options.isCompact === true), addition: undefined };
  for (let layer = 0; layer < config.layers; layer += 1) {
    const names = weightNames.ofLayer(layer);
    const place = `/model/layers.${layer}`;
    const attended = addNorm(graph, config, weights, `${place}/input_layernorm`, names.attentionNorm, stream, isFused);
    stream = { sum: attended.sum, addition: attend({ graph, config, weights, layer, input: attended.output }) };
    const fed = addNorm(graph, config, weights, `${place}/post_attention_layernorm`, names.feedForwardNorm, stream, isFused);
    stream = { sum: fed.sum, addition: addFeedForward(graph, config, weights, layer, fed.output) };
  }
  const last = addNorm(graph, config, weights, '/model/norm', weightNames.norm, stream, isFused).output;
  const kept = options.keepsLogits ? addKeptRows(graph, last) : last;
  if (options.isCompact && config.tiedEmbedding && options.type !== 'int4') addTiedHead(graph, kept);
  else addHead(graph, config, weights, kept);
  return {
    producer: 'coxswain tools/decoder',
    name: 'decoder',
    ...ports(config, graph, options),
    weights: graph.weights,
    nodes: graph.nodes,
    metadata: { ...options.metadata, weights: weights.origin, type: options.type, layout: options.layout },
  };
}

const TABLE = 'model.embed_tokens.weight';

function addEmbedding(graph: GraphBuilder, config: DecoderConfig, weights: DecoderWeights, isCompact: boolean): string {
  const shape = [config.vocabulary, config.hidden];
  const read = () => weights.read(weightNames.embedding, shape);
  const place = '/model/embed_tokens';
  if (!isCompact || graph.type !== 'int4')
    return graph.add('Gather', `${place}/Gather`, [graph.reals(TABLE, shape, read), 'input_ids'], { axis: 0 });
  const rows = graph.add('Gather', `${place}/Gather`, [graph.halves(TABLE, shape, read), 'input_ids'], { axis: 0 });
  return graph.add('Cast', `${place}/Cast`, [rows], { to: 1 });
}

type Attend = (place: AttentionPlace) => string;

function fusedAttention(graph: GraphBuilder): Attend {
  const mask = addFusedMask(graph);
  return (place) => addFusedAttention(place, mask);
}

function plainAttention(graph: GraphBuilder): Attend {
  const mask = addPlainMask(graph);
  return (place) => addPlainAttention(place, mask);
}

/** The residual stream: what was summed so far, and what is to be added to it still, which the fused norm does by itself. */
interface Stream {
  readonly sum: string;
  readonly addition: string | undefined;
}

/** Root mean square norm of the stream, and the stream itself with everything added. */
function addNorm(
  graph: GraphBuilder,
  config: DecoderConfig,
  weights: DecoderWeights,
  place: string,
  weightName: string,
  { sum, addition }: Stream,
  isFused: boolean,
): { readonly output: string; readonly sum: string } {
  const scale = graph.reals(`${place.slice(1).replaceAll('/', '.')}.weight`, [config.hidden], () =>
    weights.read(weightName, [config.hidden]),
  );
  const epsilon = { float: config.normEpsilon };
  if (isFused && addition !== undefined) {
    const outputs = [`${place}/output_0`, '', '', `${place}/output_3`];
    const output = graph.add(
      'SkipSimplifiedLayerNormalization',
      `${place}/SkipLayerNorm`,
      [sum, addition, scale],
      { epsilon },
      { domain: MICROSOFT, outputs },
    );
    return { output, sum: `${place}/output_3` };
  }
  const whole = addition === undefined ? sum : graph.add('Add', `${place}/Add`, [sum, addition]);
  if (isFused) {
    const output = graph.add('SimplifiedLayerNormalization', `${place}/LayerNorm`, [whole, scale], { epsilon, axis: -1, stash_type: 1 });
    return { output, sum: whole };
  }
  const square = graph.add('Mul', `${place}/Square`, [whole, whole]);
  const mean = graph.add('ReduceMean', `${place}/ReduceMean`, [square], { axes: [-1], keepdims: 1 });
  const small = graph.reals(`${place}/epsilon`, [1], () => Float32Array.of(config.normEpsilon));
  const root = graph.add('Sqrt', `${place}/Sqrt`, [graph.add('Add', `${place}/AddEpsilon`, [mean, small])]);
  const even = graph.add('Div', `${place}/Div`, [whole, root]);
  return { output: graph.add('Mul', `${place}/Mul`, [even, scale]), sum: whole };
}

function addFeedForward(graph: GraphBuilder, config: DecoderConfig, weights: DecoderWeights, layer: number, input: string): string {
  const names = weightNames.ofLayer(layer);
  const place = `/model/layers.${layer}/mlp`;
  const { hidden, intermediate } = config;
  const linear = (part: string, name: string, from: string, inputs: number, outputs: number): string =>
    graph.linear(`${place}/${part}`, from, { inputs, outputs, read: () => weights.read(name, [outputs, inputs]) });
  const gate = linear('gate_proj', names.gate, input, hidden, intermediate);
  const up = linear('up_proj', names.up, input, hidden, intermediate);
  const silu = graph.add('Mul', `${place}/act_fn/Mul`, [gate, graph.add('Sigmoid', `${place}/act_fn/Sigmoid`, [gate])]);
  return linear('down_proj', names.down, graph.add('Mul', `${place}/Mul`, [silu, up]), intermediate, hidden);
}

/** The last `num_logits_to_keep` rows of `hidden` `[batch, tokens, hidden]`: a slice from -n on, which is from 0 on for all of them. */
function addKeptRows(graph: GraphBuilder, hidden: string): string {
  const one = graph.integers('/lm_head/one', [1], [1]);
  const end = graph.integers('/lm_head/end', [1], [Number.MAX_SAFE_INTEGER]);
  const kept = graph.add('Reshape', '/lm_head/Kept', ['num_logits_to_keep', one]);
  return graph.add('Slice', '/lm_head/Slice', [hidden, graph.add('Neg', '/lm_head/Neg', [kept]), end, one]);
}

function addHead(graph: GraphBuilder, config: DecoderConfig, weights: DecoderWeights, input: string): void {
  const { hidden, vocabulary } = config;
  const name = config.tiedEmbedding ? weightNames.embedding : weightNames.head;
  const logits = graph.linear('/lm_head', input, {
    inputs: hidden,
    outputs: vocabulary,
    read: () => weights.read(name, [vocabulary, hidden]),
  });
  addLogits(graph, logits);
}

/** The embedding turned: a constant, which the runtime folds once. */
function addTiedHead(graph: GraphBuilder, input: string): void {
  const turned = graph.add('Transpose', '/lm_head/Transpose', [TABLE], { perm: [1, 0] });
  addLogits(graph, graph.add('MatMul', '/lm_head/MatMul', [input, turned]));
}

function addLogits(graph: GraphBuilder, logits: string): void {
  // Samplers read float32, whatever the model computes in.
  if (graph.activation === 'float16') graph.add('Cast', '/lm_head/Cast', [logits], { to: 1 }, { outputs: ['logits'] });
  else graph.add('Identity', '/lm_head/Identity', [logits], {}, { outputs: ['logits'] });
}

function ports(
  config: DecoderConfig,
  graph: GraphBuilder,
  { layout, keepsLogits }: DecoderGraphOptions,
): { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] } {
  const cache = (prefix: string, length: string): Port[] =>
    Array.from({ length: config.layers }, (_, layer) =>
      ['key', 'value'].map((part) => ({
        name: `${prefix}.${layer}.${part}`,
        type: graph.activation,
        shape: ['batch_size', config.kvHeads, length, config.headSize],
      })),
    ).flat();
  return {
    inputs: [
      { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
      { name: 'attention_mask', type: 'int64', shape: ['batch_size', 'total_sequence_length'] },
      ...(layout === 'plain' ? [{ name: 'position_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] } as const] : []),
      ...(keepsLogits ? [{ name: 'num_logits_to_keep', type: 'int64', shape: [] } as const] : []),
      ...cache('past_key_values', 'past_sequence_length'),
    ],
    outputs: [
      { name: 'logits', type: 'float32', shape: ['batch_size', keepsLogits ? 'logits_length' : 'sequence_length', config.vocabulary] },
      ...cache('present', layout === 'fused' ? 'present_sequence_length' : 'total_sequence_length'),
    ],
  };
}
