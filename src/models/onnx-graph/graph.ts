import type { ElementType } from './element-type.ts';

/**
 * Bounds of what is read. The largest graphs in use (unrolled decoders, detectors with their decoding) stay an order of magnitude below; a file beyond
 * them is damaged or made to exhaust memory.
 */
export const GRAPH_LIMITS = {
  /** Nodes of a model, those in subgraphs included. */
  nodes: 200_000,
  /** Stored tensors of a model, those in attributes and subgraphs included. */
  constants: 400_000,
  /** Subgraphs in subgraphs. */
  nesting: 16,
  /** Axes of a tensor. */
  rank: 32,
  /** Elements of one tensor, stored or computed: a KV cache of a million tokens has fewer. */
  elements: 2 ** 40,
  /** Numbers in one attribute. */
  attributeItems: 100_000,
  /** Nodes walked by shape inference, branches of `If` included. */
  steps: 400_000,
  /** Characters of a name. */
  nameLength: 4_096,
  /** Elements up to which values are followed through the graph, for shapes that the graph computes itself. */
  knownValues: 4_096,
  /** All values followed in one walk, so that a graph of nothing but long lists ends in seconds. */
  knownValuesTotal: 4_000_000,
  /** As `knownValues`, for stored types that sizes are not written in: scales and bounds have a few elements, weights more. */
  knownReals: 64,
} as const;

/** Where the bytes of a stored tensor are: in the model file, as a view of it, or in another file that is not opened here. */
export type ConstantBytes =
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }
  /** `float_data`, `int32_data` and their like, decoded only for small tensors; what is undefined is too long to be needed for shapes. */
  | { readonly kind: 'listed'; readonly values: readonly number[] | undefined }
  | { readonly kind: 'external'; readonly location: string; readonly offset: number; readonly length: number };

/** A tensor stored in the model: an initialiser, or the value of a `Constant` node. */
export interface OnnxConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly stored: ConstantBytes;
}

/** An axis of an input: a size, a name to be bound, or null when it is neither. */
export type OnnxDimension = number | string | null;

/** An input, an output or a declared value; a type or shape that is not a tensor's, or is left out, is undefined. */
export interface OnnxPort {
  readonly name: string;
  readonly type: ElementType | undefined;
  readonly shape: readonly OnnxDimension[] | undefined;
}

export type OnnxAttribute =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'numbers'; readonly values: readonly number[] }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'texts'; readonly values: readonly string[] }
  | { readonly kind: 'constant'; readonly constant: OnnxConstant }
  | { readonly kind: 'block'; readonly block: OnnxBlock }
  | { readonly kind: 'other' };

export interface OnnxNode {
  /** As in the file; `operator #position` where the file gives none. */
  readonly name: string;
  readonly operator: string;
  /** Empty for the operators of ONNX itself. */
  readonly domain: string;
  /** An empty name is an input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A graph, or a branch or body inside one. Nodes stand in an order in which each one's inputs come before it. */
export interface OnnxBlock {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxConstant>;
  /** Without those that are constants, which old files list among the inputs too. */
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Shapes the file declares for values in between. */
  readonly declared: ReadonlyMap<string, OnnxPort>;
}

/** A part of another file that holds weights. `byteLength` of the constant is what it should measure. */
export interface ExternalData {
  readonly tensor: string;
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface OnnxGraph extends OnnxBlock {
  /** Operator set by domain; the domain of ONNX itself is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly externalData: readonly ExternalData[];
}
