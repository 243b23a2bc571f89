import { WireType } from '@bufbuild/protobuf/wire';
import { chooseBorders } from './choose-borders.ts';
import { type ElementType, elementCodeOf } from './element-type.ts';
import { MessagePieces } from './message-pieces.ts';
import {
  type Field,
  fieldsOf,
  GRAPH,
  GRAPH_INPUT,
  GRAPH_OUTPUT,
  INITIALIZER,
  messageBytes,
  NODE,
  NODE_ATTRIBUTE,
  NODE_INPUT,
  NODE_OPERATOR,
  NODE_OUTPUT,
  SPARSE_INITIALIZER,
  TENSOR_NAME,
  textsOf,
  VALUE_INFO,
  VALUE_NAME,
} from './proto-fields.ts';

/** What a node gave in a run. */
export interface GivenTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A run of one node. */
export interface NodeRun {
  readonly operator: string;
  readonly us: number;
  /** In the order of the node's outputs. */
  readonly outputs: readonly GivenTensor[];
}

export interface SplitGraph {
  readonly kind: 'split';
  /** Model files: each reads, by name, inputs of the whole and outputs of those before it. Together they give all outputs of the whole. At least two. */
  readonly parts: readonly Uint8Array[];
  /** Part of the time of all nodes that each takes; together 1. */
  readonly shares: readonly number[];
  /** What crosses from one part to later ones, counted once. */
  readonly crossingBytes: number;
}

/** Why a graph stays whole, for people. */
export interface NotSplit {
  readonly kind: 'whole';
  readonly reason: string;
}

/** What may cross: types that a tensor of JavaScript has a plain array for. */
const CROSSING_TYPES: Partial<Record<ElementType, number>> = { float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1 };

interface Node {
  readonly whole: Uint8Array;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly hasGraph: boolean;
}

/** A model taken apart; views of its bytes. */
interface Pieces {
  /** Fields of the model besides its graph, and of the graph besides what is sorted out here. */
  readonly modelRest: readonly Uint8Array[];
  readonly graphRest: readonly Uint8Array[];
  readonly nodes: readonly Node[];
  /** By name, with their tags. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  readonly outputs: ReadonlyMap<string, Uint8Array>;
  readonly hasSparse: boolean;
}

/**
 * Cuts a model into at most `blocks` parts of about the same time, between nodes, where few bytes cross. `runs` are runs of its nodes in the order of the file, as ONNX
 * Runtime makes them: of a graph that it has optimised, since cutting any other keeps it from fusing and changes the last bits (docs/decisions/0018). Throws what
 * the reader of messages throws for bytes that are no model.
 */
export function splitGraph(model: Uint8Array, runs: readonly NodeRun[], blocks: number): SplitGraph | NotSplit {
  const pieces = takeApart(model);
  const { nodes } = pieces;
  const obstacle = obstacleIn(pieces, runs);
  if (obstacle !== undefined) return { kind: 'whole', reason: obstacle };
  const given = tensorsGiven(nodes, runs);
  const crossings = crossingBytes(nodes, given);
  const times = runs.map(({ us }) => us);
  const sum = times.reduce((total, us) => total + us, 0);
  if (sum <= 0) return { kind: 'whole', reason: 'it takes no time' };
  const borders = chooseBorders(times, crossings, blocks);
  if (borders.length === 0) return { kind: 'whole', reason: 'there is no border between two of its nodes that can be crossed' };
  const ends = [...borders, nodes.length];
  const spans = ends.map((end, index): readonly [number, number] => [ends[index - 1] ?? 0, end]);
  return {
    kind: 'split',
    parts: spans.map((span) => partOf(pieces, span, given)),
    shares: spans.map(([from, to]) => times.slice(from, to).reduce((total, us) => total + us, 0) / sum),
    crossingBytes: borders.reduce((total, border) => total + (crossings[border] ?? 0), 0),
  };
}

function takeApart(model: Uint8Array): Pieces {
  const modelRest: Uint8Array[] = [];
  const graphRest: Uint8Array[] = [];
  const nodes: Node[] = [];
  const [constants, inputs, outputs] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
  let hasSparse = false;
  for (const field of fieldsOf(model)) {
    if (field.number !== GRAPH) modelRest.push(field.whole);
    // A graph may be written in several parts.
    else
      for (const inner of fieldsOf(field.body)) {
        if (inner.number === NODE) nodes.push(nodeOf(inner));
        else if (inner.number === INITIALIZER) constants.set(nameIn(inner.body, TENSOR_NAME), inner.whole);
        else if (inner.number === GRAPH_INPUT) inputs.set(nameIn(inner.body, VALUE_NAME), inner.whole);
        else if (inner.number === GRAPH_OUTPUT) outputs.set(nameIn(inner.body, VALUE_NAME), inner.whole);
        else if (inner.number === SPARSE_INITIALIZER) hasSparse = true;
        // Shapes of values in between are inferred again.
        else if (inner.number !== VALUE_INFO) graphRest.push(inner.whole);
      }
  }
  return { modelRest, graphRest, nodes, constants, inputs, outputs, hasSparse };
}

/** Fields of `AttributeProto` that hold graphs. */
const ATTRIBUTE_GRAPHS = new Set([6, 11]);

function nodeOf({ whole, body }: Field): Node {
  const fields = [...fieldsOf(body)];
  const texts = (number: number): string[] => fields.filter((field) => field.number === number).map((field) => textOf(field.body));
  const hasGraph = fields.some((field) => field.number === NODE_ATTRIBUTE && holdsGraph(field.body));
  return { whole, operator: texts(NODE_OPERATOR)[0] ?? '', inputs: texts(NODE_INPUT), outputs: texts(NODE_OUTPUT), hasGraph };
}

function holdsGraph(attribute: Uint8Array): boolean {
  for (const { number } of fieldsOf(attribute)) if (ATTRIBUTE_GRAPHS.has(number)) return true;
  return false;
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const nameIn = (message: Uint8Array, field: number): string => textsOf(message, field)[0] ?? '';

/** Why nothing of it can be cut; undefined when it can. */
function obstacleIn({ nodes, constants, inputs, outputs, hasSparse }: Pieces, runs: readonly NodeRun[]): string | undefined {
  if (hasSparse) return 'it has sparse weights';
  const known = new Set([...constants.keys(), ...inputs.keys()]);
  const made = new Set<string>();
  for (const node of nodes) {
    if (node.hasGraph) return `its node ${node.operator} holds a graph of its own`;
    if (node.inputs.some((name) => name !== '' && !known.has(name))) return 'its nodes are not in the order of their runs';
    for (const name of node.outputs) {
      if (name !== '' && known.has(name)) return `its value ${JSON.stringify(name)} is made twice`;
      known.add(name);
      made.add(name);
    }
  }
  if ([...outputs.keys()].some((name) => !made.has(name))) return 'one of its outputs is made by no node';
  const isSame = runs.length === nodes.length && runs.every(({ operator }, index) => operator === nodes[index]?.operator);
  return isSame ? undefined : `${runs.length} runs of nodes are told of its ${nodes.length} nodes, or in another order`;
}

function tensorsGiven(nodes: readonly Node[], runs: readonly NodeRun[]): ReadonlyMap<string, GivenTensor> {
  const given = new Map<string, GivenTensor>();
  nodes.forEach(({ outputs }, index) => {
    const names = outputs.filter((name) => name !== '');
    const tensors = runs[index]?.outputs ?? [];
    if (names.length === tensors.length) for (const [place, name] of names.entries()) given.set(name, tensors[place] as GivenTensor);
  });
  return given;
}

/** For each node what has to cross when a part begins with it; infinite where that cannot be. */
function crossingBytes(nodes: readonly Node[], given: ReadonlyMap<string, GivenTensor>): Float64Array {
  const madeAt = new Map<string, number>();
  const lastRead = new Map<string, number>();
  for (const [index, { inputs, outputs }] of nodes.entries()) {
    for (const name of inputs) if (madeAt.has(name)) lastRead.set(name, index);
    for (const name of outputs) if (name !== '') madeAt.set(name, index);
  }
  const bytes = new Float64Array(nodes.length);
  for (const [name, last] of lastRead) {
    const tensor = given.get(name);
    const each = tensor === undefined ? undefined : CROSSING_TYPES[tensor.type];
    const size = tensor === undefined || each === undefined ? Number.POSITIVE_INFINITY : each * tensor.shape.reduce((a, b) => a * b, 1);
    for (let border = (madeAt.get(name) as number) + 1; border <= last; border += 1) bytes[border] = (bytes[border] as number) + size;
  }
  return bytes;
}

/** Nodes [from, to) with what they read and what others read of them. */
function partOf(pieces: Pieces, [from, to]: readonly [number, number], given: ReadonlyMap<string, GivenTensor>): Uint8Array {
  const { modelRest, graphRest, nodes, constants, inputs, outputs } = pieces;
  const inside = nodes.slice(from, to);
  const read = new Set(inside.flatMap((node) => node.inputs.filter((name) => name !== '')));
  const made = new Set(inside.flatMap((node) => node.outputs));
  const readLater = new Set(nodes.slice(to).flatMap((node) => node.inputs));
  const values = (number: number, names: Iterable<string>, whole: ReadonlyMap<string, Uint8Array>): Uint8Array[] =>
    [...names].map((name) => whole.get(name) ?? valueBytes(number, name, given.get(name)));
  const isOutside = (name: string): boolean => !made.has(name) && !constants.has(name);
  const graph = new MessagePieces();
  for (const piece of [
    ...inside.map(({ whole }) => whole),
    ...graphRest,
    ...[...read].flatMap((name) => constants.get(name) ?? []),
    // Old files list constants among the inputs too.
    ...[...read].flatMap((name) => (constants.has(name) ? (inputs.get(name) ?? []) : [])),
    ...values(GRAPH_INPUT, [...read].filter(isOutside), inputs),
    ...values(
      GRAPH_OUTPUT,
      [...made].filter((name) => readLater.has(name) || outputs.has(name)),
      outputs,
    ),
  ])
    graph.add(piece);
  const model = new MessagePieces();
  for (const piece of modelRest) model.add(piece);
  model.addMessage(GRAPH, graph);
  return model.joinedIn(new Uint8Array(model.byteLength));
}

/** `ValueInfoProto` of a tensor; without a type where that is not known, which is allowed of outputs. */
function valueBytes(number: number, name: string, tensor: GivenTensor | undefined): Uint8Array {
  return messageBytes(number, (value) => {
    value.tag(VALUE_NAME, WireType.LengthDelimited).string(name);
    if (tensor === undefined) return;
    const type = value.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork();
    type.tag(1, WireType.Varint).int32(elementCodeOf(tensor.type));
    type.tag(2, WireType.LengthDelimited).fork();
    for (const size of tensor.shape) type.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(size).join();
    type.join().join().join();
  });
}
