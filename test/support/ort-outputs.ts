import ort from 'onnxruntime-node';

/** Runs an ONNX model (bytes) once on float32 inputs, one thread, and returns its outputs by name. */
export async function ortOutputs(
  model: Uint8Array,
  inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
): Promise<Record<string, { shape: readonly number[]; data: Float32Array }>> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, new ort.Tensor('float32', value.data, value.shape)]),
    );
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => {
        if (!(value.data instanceof Float32Array)) throw new Error(`output ${name} is ${value.type}`);
        return [name, { shape: value.dims, data: Float32Array.from(value.data) }];
      }),
    );
  } finally {
    await session.release();
  }
}
