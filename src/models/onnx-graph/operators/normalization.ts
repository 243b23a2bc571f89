import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import type { TensorSketch } from '../tensor.ts';

/** Vector operations per element, counted from the formulas: two for an affine step, more where a mean and a variance come first. */
const OPS = { affine: 2, meanAndVariance: 7, rootMeanSquare: 4, softmax: 7 } as const;

const normalized = (opsPerElement: number): OperatorRule => {
  return (call) => {
    const { type, shape, elements } = call.input(0);
    return { outputs: [{ type, shape }], work: { elementOps: elements * opsPerElement } };
  };
};

/** Mean and inverse deviation have size 1 on the axes they were taken over. */
function statistics(call: OperatorCall, type: TensorSketch['type']): TensorSketch {
  const shape = call.shape(0);
  const axis = call.axis(call.number('axis', -1), shape.length);
  return { type, shape: shape.map((size, at) => (at < axis ? size : 1)) };
}

const layerNormalization = (opsPerElement: number, statisticsCount: number): OperatorRule => {
  return (call) => {
    const { type, shape, elements } = call.input(0);
    const extra = Array.from({ length: statisticsCount }, () => statistics(call, 'float32'));
    return { outputs: [{ type, shape }, ...extra], work: { elementOps: elements * opsPerElement } };
  };
};

/** The sum of both inputs is normalised, and comes out as the fourth output too. */
const skipNormalization = (opsPerElement: number): OperatorRule => {
  return (call) => {
    const { type, shape, elements } = call.input(0);
    const one = statistics(call, 'float32');
    return { outputs: [{ type, shape }, one, one, { type, shape }], work: { elementOps: elements * (opsPerElement + 1) } };
  };
};

/** Further outputs exist in training only. */
const batchNormalization = normalized(OPS.affine);

export const normalizationRules: Readonly<Record<string, OperatorRule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: normalized(OPS.meanAndVariance),
  GroupNormalization: normalized(OPS.meanAndVariance),
  MeanVarianceNormalization: normalized(OPS.meanAndVariance),
  LpNormalization: normalized(OPS.rootMeanSquare),
  LRN: normalized(OPS.meanAndVariance),
  LayerNormalization: layerNormalization(OPS.meanAndVariance, 2),
  RMSNormalization: layerNormalization(OPS.rootMeanSquare, 0),
  // ONNX Runtime keeps this one in the domain of ONNX itself.
  SimplifiedLayerNormalization: layerNormalization(OPS.rootMeanSquare, 1),
  'com.microsoft.SimplifiedLayerNormalization': layerNormalization(OPS.rootMeanSquare, 1),
  'com.microsoft.SkipLayerNormalization': skipNormalization(OPS.meanAndVariance),
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNormalization(OPS.rootMeanSquare),
  Softmax: normalized(OPS.softmax),
  LogSoftmax: normalized(OPS.softmax),
  Hardmax: normalized(2),
};
