import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { type ModelSpec, type TensorSpec, tensorElements } from '../../../src/core/model.ts';
import { durationUs } from '../../../src/core/units.ts';
import type { DecodeOptions, ImageCodec, Pixels } from '../../../src/models/codec.ts';
import { codecs } from '../../../src/models/registry.ts';

/** The sample models and media that `npm test` obtains before any test runs. */
const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));

export function samplePath(relative: string): string {
  const path = CACHE + relative;
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm test", which obtains the samples, or the samples tool by hand`);
  return path;
}

const float32 = (name: string, ...shape: number[]): TensorSpec => ({ name, type: 'float32', shape });

function spec(
  file: string,
  codec: string,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  more: Partial<ModelSpec> = {},
): ModelSpec {
  const fixed = {
    sha256: '0'.repeat(64),
    costUs: durationUs(0),
    memoryBytes: 0,
    licence: 'see docs',
    states: [],
    constants: [],
    files: {},
  };
  return { id: file, file: samplePath(`models/${file}`), codec, inputs, outputs, ...fixed, ...more };
}

const STRIDE_CELLS = [
  [8, 2704],
  [16, 676],
  [32, 169],
] as const;

/** As in configs/models.yaml; these tests hold the codecs to the real files, not the manifest to them. */
export const sampleModels = {
  nanodet: () =>
    spec(
      'nanodet.onnx',
      'nanodet',
      [float32('image', 1, 3, 416, 416)],
      [
        ...STRIDE_CELLS.map(([stride, cells]) => float32(`scores_${stride}`, 1, cells, 80)),
        ...STRIDE_CELLS.map(([stride, cells]) => float32(`boxes_${stride}`, 1, cells, 44)),
      ],
    ),
  blazeface: () =>
    spec(
      'blazeface-back-256.onnx',
      'blazeface',
      [float32('input:0', 1, 256, 256, 3)],
      [
        float32('Identity:0', 1, 512, 1),
        float32('Identity_1:0', 1, 384, 1),
        float32('Identity_2:0', 1, 512, 16),
        float32('Identity_3:0', 1, 384, 16),
      ],
    ),
  textDetector: () => spec('ppocrv4-det.onnx', 'ppocr-det', [float32('x', 1, 3, 640, 640)], [float32('sigmoid_0.tmp_0', 1, 1, 640, 640)]),
  textReader: () =>
    spec('ppocrv4-rec.onnx', 'ppocr-rec', [float32('x', 1, 3, 48, 320)], [float32('softmax_11.tmp_0', 1, 40, 6625)], {
      files: { dictionary: samplePath('models/ppocrv4-keys.txt') },
    }),
  lines: () =>
    spec(
      'mlsd-512-tiny.onnx',
      'mlsd',
      [float32('input_image_with_alpha:0', 1, 512, 512, 4)],
      [float32('offsets', 1, 256, 256, 4), float32('scores', 1, 256, 256, 1)],
    ),
  voice: () =>
    spec('silero-vad-v5.onnx', 'silero-vad', [float32('input', 1, 576)], [float32('output', 1, 1)], {
      states: [{ input: float32('state', 2, 1, 128), output: float32('stateN', 2, 1, 128) }],
      constants: [{ name: 'sr', type: 'int64', shape: [], values: [16000] }],
    }),
} as const;

export const openSession = (model: ModelSpec): Promise<InferenceSession> =>
  InferenceSession.create(model.file, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });

export function createImageCodec(model: ModelSpec): ImageCodec {
  const factory = codecs[model.codec];
  if (factory?.kind !== 'image') throw new Error(`${model.codec} is no image codec`);
  return factory.create(model, Object.fromEntries(Object.entries(model.files).map(([key, path]) => [key, readFileSync(path, 'utf8')])));
}

/** A photo as a camera of `width` pixels across would give it. */
export async function readPhoto(path: string, width: number): Promise<Pixels> {
  const { data, info } = await sharp(path)
    .resize({ width })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Encode, run, decode, all in this process. */
export async function createImageRunner(model: ModelSpec) {
  const codec = createImageCodec(model);
  const session = await openSession(model);
  const [input] = model.inputs;
  if (input === undefined) throw new Error(`${model.id} has no input`);
  const tensor = new Float32Array(tensorElements(input));
  return {
    codec,
    async run(pixels: Pixels, options: DecodeOptions = {}) {
      const transform = await codec.encode(pixels, tensor);
      const results = await session.run({ [input.name]: new Tensor('float32', tensor, input.shape) });
      const outputs = model.outputs.map(({ name }) => results[name]?.data as Float32Array);
      return { items: codec.decode(outputs, transform, options), outputs, transform, tensor };
    },
  };
}
