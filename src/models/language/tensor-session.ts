/** What a decoder's caches and logits may be. */
export type RealType = 'float32' | 'float16';

export type TensorData = Float32Array | Uint16Array | BigInt64Array;

/** A tensor as the session knows it, over memory of the one who made it. */
export interface TensorHandle {
  /** The memory is not looked at any more. */
  release(): void;
}

/**
 * What runs a decoder's graph: one run at a time, to its end, on the thread that calls. Everything is memory of the caller's; an output may be the same
 * memory as an input where the graph can work in place.
 */
export interface TensorSession {
  /** `data` stays where it is until `release`, and has as many elements as `dims` say; float16 is given as its bits. */
  wrap(data: TensorData, dims: readonly number[]): TensorHandle;
  /** By the names and in the order that the session was opened with. Throws what went wrong, with the outputs half written. */
  run(inputs: readonly TensorHandle[], outputs: readonly TensorHandle[]): void;
}
