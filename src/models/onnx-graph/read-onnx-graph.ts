import type { OnnxGraph } from './graph.ts';
import { ProtoMessage } from './proto-message.ts';
import { readBlock } from './read-block.ts';
import type { ReadBudget } from './read-constant.ts';

export interface ReadOptions {
  /** What the messages call the model. */
  readonly name?: string;
  /**
   * Size in bytes of the file at `location` (relative to the model's folder), undefined if there is no such file. Nothing is opened here; when absent, parts of
   * other files are taken at their word.
   */
  readonly externalSize?: (location: string) => number | undefined;
}

/**
 * Reads an ONNX `ModelProto` (field numbers of onnx.proto, frozen by its compatibility rules). The result holds views of `bytes`, not copies: weights stay
 * where they are. MODEL_UNLOADABLE, naming the place, for anything truncated, damaged, cyclic, named twice, beyond `GRAPH_LIMITS`, or with weights
 * outside the model's folder.
 */
export function readOnnxGraph(bytes: Uint8Array, options: ReadOptions = {}): OnnxGraph {
  const place = options.name ?? 'model';
  const message = new ProtoMessage(bytes, place);
  const budget: ReadBudget = { nodes: 0, constants: 0, externalData: [], externalSize: options.externalSize };
  const opsets = new Map<string, number>();
  const graphs: Uint8Array[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 7) graphs.push(message.bytes());
    else if (field === 8) readOpset(message, opsets);
  }
  if (graphs.length === 0) message.fail(`no graph in ${bytes.length} bytes; this is not an ONNX model`);
  if (!opsets.has('')) message.fail('no operator set is named; this is not a complete ONNX model');
  // Protobuf merges a message that is written in several parts, and joining the parts is how that merge is defined.
  const [first] = graphs;
  const joined = graphs.length === 1 && first !== undefined ? first : Buffer.concat(graphs);
  const block = readBlock(joined, `${place}: graph`, budget, new Set(), 0);
  return { ...block, opsets, externalData: budget.externalData };
}

function readOpset(outer: ProtoMessage, opsets: Map<string, number>): void {
  const message = new ProtoMessage(outer.bytes(), outer.place);
  let domain = '';
  let version = 0;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) domain = message.text();
    else if (field === 2) version = message.integer();
  }
  opsets.set(domain === 'ai.onnx' ? '' : domain, version);
}
