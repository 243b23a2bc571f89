import { CoxswainError } from '../../core/errors.ts';
import { cutRows } from '../onnx-graph/cut-rows.ts';
import type { OnnxGraph } from '../onnx-graph/graph.ts';
import { inferGraph } from '../onnx-graph/infer-graph.ts';
import { lastRow } from '../onnx-graph/last-row.ts';
import { readOnnxGraph } from '../onnx-graph/read-onnx-graph.ts';
import type { Tensor } from '../onnx-graph/tensor.ts';
import type { DecoderFacts } from './decoder-facts.ts';

/** Decoder and the file that it is opened from. */
export interface OpenableDecoder {
  readonly facts: DecoderFacts;
  readonly bytes: Uint8Array;
}

/** Numbers of tokens with which shapes are inferred: primes that no width or number of heads is. */
const ROWS = 1009;
const PAST = 13;

/** `Gather` takes -1 for the last from this operator set on. */
const OPSET_MIN = 11;

/**
 * The decoder made to give the logits of the last token alone, the only ones that are looked at: the head and what follows the attention of the last layer are then computed for
 * one token of a prompt, not for all (of the shape of SmolLM2-135M 23 % of the multiplications, of the small model that ships 36 %). As given where the graph does so by itself
 * when asked (`num_logits_to_keep`), or has parts there that are not understood. Where `roomBytes` of the memory behind `bytes` are free, it is written over them.
 */
export function keepLastLogits({ facts, bytes }: OpenableDecoder, roomBytes = 0): OpenableDecoder {
  const graph = readOnnxGraph(bytes);
  if (facts.graph.keepsLogits || (graph.opsets.get('') ?? 0) < OPSET_MIN) return { facts, bytes };
  const tensors = tensorsOf(graph, facts);
  const last = tensors && lastRow(graph, { output: 'logits', rows: ROWS, tensors });
  if (last === undefined) return { facts, bytes };
  return { facts: { ...facts, graph: { ...facts.graph, givesLastLogits: true } }, bytes: cutRows(bytes, last, roomBytes) };
}

function tensorsOf(graph: OnnxGraph, { config: { kvHeads, headSize } }: DecoderFacts): ReadonlyMap<string, Tensor> | undefined {
  const shapes = Object.fromEntries(
    graph.inputs.map(({ name }) => {
      if (name.startsWith('past_key_values.')) return [name, [1, kvHeads, PAST, headSize]];
      return [name, [1, name === 'attention_mask' ? PAST + ROWS : ROWS]];
    }),
  );
  try {
    return inferGraph(graph, { shapes }).tensors;
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return undefined;
    throw thrown;
  }
}
