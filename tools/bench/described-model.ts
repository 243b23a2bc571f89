import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ModelSpec, TensorSpec } from '../../src/core/model.ts';
import { durationUs } from '../../src/core/units.ts';

/** The manifest entry of a model without states, read from the model itself; open dimensions are taken as 1. */
export async function describeModel(file: string): Promise<ModelSpec> {
  const { InferenceSession } = await import('onnxruntime-node');
  const bytes = readFileSync(file);
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 });
  const specs = (list: typeof session.inputMetadata): TensorSpec[] =>
    list.map((one) => {
      if (!one.isTensor) throw new Error(`${one.name} is not a tensor`);
      return {
        name: one.name,
        type: one.type as TensorSpec['type'],
        shape: one.shape.map((size) => (typeof size === 'number' ? size : 1)),
      };
    });
  const spec = {
    id: file,
    file: resolve(file),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    inputs: specs(session.inputMetadata),
  };
  const rest = { outputs: specs(session.outputMetadata), states: [], constants: [], codec: 'none', licence: '', files: {} };
  return { ...spec, ...rest, costUs: durationUs(0), memoryBytes: 0 };
}
