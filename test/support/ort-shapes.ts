import ort from 'onnxruntime-node';
import type { TestType } from './onnx-model.ts';

export interface ShapedFeed {
  readonly type?: TestType;
  readonly shape: readonly number[];
  /** Zeros if absent. */
  readonly values?: readonly number[];
}

/** Runs a model once, unoptimised, and says of every output `type[sizes]`: what each operator of ONNX Runtime itself made. */
export async function ortShapes(model: Uint8Array, feeds: Readonly<Record<string, ShapedFeed>>): Promise<Record<string, string>> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  try {
    const tensors = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, tensorOf(feed)]));
    const results = await session.run(tensors);
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, `${value.type}[${value.dims.join(',')}]`]));
  } finally {
    await session.release();
  }
}

function tensorOf({ type = 'float32', shape, values }: ShapedFeed): ort.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = values ?? new Array<number>(count).fill(0);
  if (type === 'int64') return new ort.Tensor('int64', BigInt64Array.from(numbers.map(BigInt)), shape);
  if (type === 'int32') return new ort.Tensor('int32', Int32Array.from(numbers), shape);
  if (type === 'uint8') return new ort.Tensor('uint8', Uint8Array.from(numbers), shape);
  if (type === 'int8') return new ort.Tensor('int8', Int8Array.from(numbers), shape);
  if (type === 'bool') return new ort.Tensor('bool', Uint8Array.from(numbers), shape);
  return new ort.Tensor('float32', Float32Array.from(numbers), shape);
}
