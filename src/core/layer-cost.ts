/** What a weight or an activation is stored and multiplied as. */
export const NUMBER_TYPES = ['int4', 'int8', 'int16', 'fp16', 'fp32'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** Element operations that a curve takes on a vector unit without a table: what exp takes without its own instruction. */
export const CURVE_OPS = 4;

/** int4 counts half a byte. */
export const NUMBER_TYPE_BYTES: Readonly<Record<NumberType, number>> = { int4: 0.5, int8: 1, int16: 2, fp16: 2, fp32: 4 };

/**
 * What one layer of a model asks of a core, for the roofline of a simulated one. Counts are for one run at batch 1.
 *
 * `m`, `n`, `k` describe the layer as a matrix product of `[m, k] x [k, n]`: for a convolution m = output pixels, n = output channels per group,
 * k = input channels per group times kernel area, repeated `groups` times; for a layer without multiplications all are 0. Utilisation of a core's
 * multiplier array depends on them.
 */
export interface LayerCost {
  readonly name: string;
  /** The operator of the graph, such as `Conv`; of a language model made from its shape `prefill` in every layer of a prompt, `decode` in every one of a token. */
  readonly operator: string;
  readonly macs: number;
  /** Operations that are not multiply-accumulates: activations, additions, comparisons. */
  readonly elementOps: number;
  readonly weightBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly type: NumberType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  /**
   * Of `inputBytes` and `outputBytes`, what is state that lives in DRAM between runs, such as a KV cache: unlike other activations it can never stay in a
   * core's local memory. Absent: 0.
   */
  readonly stateBytes?: number;
  /**
   * Elements that go through a curve (sigmoid, exp, tanh and their like), each of which counts `CURVE_OPS` among `elementOps`: cores with tables do them in
   * less. Absent: none.
   */
  readonly curves?: number;
  /**
   * `m`, `n` and `k` are means over layers whose real sizes are not known, and scatter around them: how well they fill an array is not judged. Absent: they
   * are those of the layer.
   */
  readonly isMean?: true;
  /** The operator is not understood: its bytes are those of the tensors known around it, its operations are not counted. Absent: it is understood. */
  readonly isUnknown?: true;
}
