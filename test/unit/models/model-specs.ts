import type { ModelSpec, TensorSpec } from '../../../src/core/model.ts';
import { durationUs } from '../../../src/core/units.ts';

export const float32 = (name: string, ...shape: number[]): TensorSpec => ({ name, type: 'float32', shape });

/** A manifest entry of which a codec reads the tensors only. */
export function modelSpec(
  codec: string,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  more: Partial<ModelSpec> = {},
): ModelSpec {
  return {
    ...{ id: `test-${codec}`, file: '/nowhere.onnx', sha256: '0'.repeat(64), codec, inputs, outputs, states: [], constants: [] },
    ...{ costUs: durationUs(1000), memoryBytes: 1, licence: 'none', files: {}, ...more },
  };
}

/** NanoDet over a square of 64 pixels: 64, 16 and 4 cells, 3 bins a side. */
export const nanodetSpec = modelSpec(
  'nanodet',
  [float32('image', 1, 3, 64, 64)],
  [
    ...[64, 16, 4].map((cells) => float32(`scores_${cells}`, 1, cells, 80)),
    ...[64, 16, 4].map((cells) => float32(`boxes_${cells}`, 1, cells, 12)),
  ],
);

export const blazefaceSpec = modelSpec(
  'blazeface',
  [float32('input', 1, 256, 256, 3)],
  [float32('s16', 1, 512, 1), float32('s8', 1, 384, 1), float32('b16', 1, 512, 16), float32('b8', 1, 384, 16)],
);

export const ppocrDetSpec = modelSpec('ppocr-det', [float32('x', 1, 3, 96, 128)], [float32('map', 1, 1, 96, 128)]);

export const ppocrRecSpec = modelSpec('ppocr-rec', [float32('x', 1, 3, 48, 320)], [float32('p', 1, 40, 5)], {
  files: { dictionary: '/keys.txt' },
});

export const mlsdSpec = modelSpec(
  'mlsd',
  [float32('x', 1, 64, 64, 4)],
  [float32('offsets', 1, 32, 32, 4), float32('scores', 1, 32, 32, 1)],
);

export const sileroSpec = modelSpec('silero-vad', [float32('input', 1, 576)], [float32('output', 1, 1)], {
  states: [{ input: float32('state', 2, 1, 128), output: float32('stateN', 2, 1, 128) }],
  constants: [{ name: 'sr', type: 'int64', shape: [], values: [16000] }],
});

export const zeros = (spec: ModelSpec): Float32Array[] =>
  spec.outputs.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)));

/** Tensor pixels are frame pixels. */
export const identityTransform = (frameWidth: number, frameHeight: number) => ({
  scaleX: 1,
  scaleY: 1,
  offsetX: 0,
  offsetY: 0,
  frameWidth,
  frameHeight,
});
