import { z } from 'zod';
import { TENSOR_TYPES } from '../core/model.ts';
import {
  choiceField,
  entriesOf,
  flagField,
  idField,
  integerField,
  listOf,
  numberField,
  pathField,
  patternField,
  textField,
} from './fields.ts';

const sha256 = patternField(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case', 'SHA-256 of the bytes of the file.');
const bytes = integerField({ min: 1, max: 68_719_476_736 }, 'bytes', 'Length of the file.');

const tensorFields = {
  name: textField('Name of the tensor in the model.'),
  type: choiceField(TENSOR_TYPES, 'Element type.').default('float32'),
  shape: listOf(
    integerField({ min: 1, max: 1_073_741_824 }, 'elements', 'Size of one dimension.'),
    { min: 0, max: 8 },
    'Every dimension, fixed; [] is a scalar. Dimensions that the model leaves open are fixed here.',
  ),
};
const tensorSchema = z.strictObject(tensorFields);

const modelSchema = z
  .strictObject({
    file: pathField('The model, relative to root and inside it.'),
    sha256,
    bytes,
    licence: textField('Licence under which the file may be used, as an SPDX expression where there is one.'),
    origin: textField('Where the file came from, for people.', 512).optional(),
    codec: idField('How frames become its inputs and its outputs become results.'),
    windowSamples: integerField(
      { min: 1, max: 1_048_576 },
      'samples',
      'For a model that takes sound: samples at 16 kHz in one window. Default: the model takes images.',
    ).optional(),
    inputs: listOf(tensorSchema, { min: 1, max: 16 }, 'Inputs that each job supplies, in this order.'),
    outputs: listOf(tensorSchema, { min: 1, max: 64 }, 'Outputs that each job reads, in this order.'),
    states: listOf(
      z.strictObject({
        input: tensorSchema.describe('Where the run reads it.'),
        output: tensorSchema.describe('Where the run leaves it.'),
      }),
      { min: 0, max: 64 },
      'Recurrent tensors, which stay on the core: the output of one run is the input of the next, zeros at first.',
    ).default([]),
    constants: listOf(
      z.strictObject({ ...tensorFields, values: z.array(z.number()).min(1).max(65_536).describe('The elements, row by row.') }),
      { min: 0, max: 16 },
      'Inputs that are the same in every run.',
    ).default([]),
    files: entriesOf(
      z.strictObject({ file: pathField('Relative to root and inside it.'), sha256, bytes }),
      'Side files that the codec reads, by the key that the codec asks for, such as a character dictionary.',
    ).default({}),
    costMs: numberField(
      { min: 0.001, max: 3_600_000 },
      'ms',
      'Expected run time of one job on one core; the scheduler starts from it and then measures.',
    ),
    memoryMb: numberField({ min: 0.1, max: 1_048_576 }, 'MiB', 'Expected memory of one loaded and warmed session.'),
  })
  .describe('One model.');

const parameters = (about: string) => integerField({ min: 1, max: 10_000_000 }, '', about);
const weightBits = (about: string) => numberField({ min: 1, max: 32 }, 'bits', about);

const shapeFields = {
  source: textField('Where the figures come from: a paper, a table, a page.', 512),
  costMs: numberField({ min: 0.001, max: 3_600_000 }, 'ms', 'Expected run time of one job on one core; the simulator works it out itself.'),
  memoryMb: numberField({ min: 0.1, max: 1_048_576 }, 'MiB', 'Expected memory of the loaded model.'),
};

const networkShapeSchema = z
  .strictObject({
    kind: z.literal('network').describe('A network by its published size; it is simulated as a pyramid of layers with that size.'),
    gmac: numberField({ min: 0.000_001, max: 1_000_000 }, 'billion', 'Multiply-accumulates of one run.'),
    paramsM: numberField({ min: 0.000_001, max: 1_000_000 }, 'million', 'Parameters that a run reads, no more than it multiplies.'),
    input: listOf(integerField({ min: 1, max: 65_536 }, '', 'Height, width or channels.'), { min: 3, max: 3 }, 'Height, width, channels.'),
    style: choiceField(
      ['dense', 'depthwise', 'attention'],
      'What it is made of: ordinary convolutions, depthwise ones between 1 x 1, or attention.',
    ).default('dense'),
    curves: flagField('Its activations are SiLU, GELU or the like, not ReLU.').default(false),
    ...shapeFields,
  })
  .meta({ title: 'network' });

/** Of a decoder-only language model, as its `config.json` has it. */
export const languageSizeFields = {
  layers: parameters('Transformer layers.'),
  hidden: parameters('Width of the residual stream.'),
  heads: parameters('Query heads.'),
  kvHeads: parameters('Key and value heads.'),
  headSize: parameters('Width of one head. Default: hidden / heads.').optional(),
  intermediate: parameters('Width of the feed-forward network.'),
  vocabulary: parameters('Tokens that there are.'),
  tiedEmbedding: flagField('The output head is the embedding.').default(false),
  bits: weightBits('Of a weight, its share of the scales included.'),
  kvBits: weightBits('Of a number in the KV cache.').default(16),
};

const languageShapeSchema = z
  .strictObject({
    kind: z.literal('language').describe('A decoder-only language model; one job is one token for one sequence.'),
    ...languageSizeFields,
    context: integerField({ min: 1, max: 10_000_000 }, 'tokens', 'Length of the sequence at each job.'),
    contextMax: integerField({ min: 1, max: 10_000_000 }, 'tokens', 'Longest sequence that the model knows. Default: any.').optional(),
    ...shapeFields,
  })
  .meta({ title: 'language' });

const shapeSchema = z
  .discriminatedUnion('kind', [networkShapeSchema, languageShapeSchema])
  .describe('A model without a file: the simulator can run it, cores cannot.');

const languageModelSchema = z
  .strictObject({
    folder: pathField(
      'Folder as downloaded from the hub: config.json, tokenizer.json, onnx/model*.onnx; relative to this file, or absolute.',
    ),
    variant: patternField(
      /^[a-z0-9]{1,32}$/,
      'a name such as fp32, fp16 or q4',
      'Build of the model: fp32 is model.onnx, any other is model_<variant>.onnx. Default: q4 where there is one, else fp32, else the first.',
    ).optional(),
    sha256: sha256.describe('SHA-256 of the graph file of that build. Default: not checked.').optional(),
    licence: textField('Licence under which the weights may be used, as an SPDX expression where there is one.'),
    origin: textField('Where the folder came from, for people.', 512).optional(),
    chunkTokens: integerField(
      { min: 1, max: 4096 },
      'tokens',
      'A prompt is read in pieces of this many, between which the core can be given to others. Default: as many as are guessed to take 10 ms.',
    ).optional(),
    cacheMb: integerField({ min: 1, max: 1_048_576 }, 'MiB', 'Of the KV caches of all conversations together.').default(64),
    conversations: integerField({ min: 1, max: 4096 }, '', 'Conversations that may be cached at once.').default(16),
    sharesWeights: flagField(
      'Weights that lie beside the graph stay in their file, for several models or processes: fp32 prompts get 1.3 to 2.2 times slower, int4 tokens 85 times.',
    ).default(false),
  })
  .describe('A decoder-only language model.');

/** Models come from here and from nowhere else. */
export const manifestSchema = z
  .strictObject({
    manifest: z.literal(1, { error: '1' }).describe('Marks this file as a manifest, and its version.'),
    root: pathField('The one folder that all files lie in, relative to this file or absolute.'),
    models: entriesOf(modelSchema, 'The models, by name.'),
    languageModels: entriesOf(languageModelSchema, 'Language models, each a folder, by name.').default({}),
    shapes: entriesOf(shapeSchema, 'Models that are only described, by name, for simulation.').default({}),
  })
  .describe('Manifest of the models that may be run.');

type ManifestSection = z.output<typeof manifestSchema>;
export type ModelSection = ManifestSection['models'][string];
export type LanguageModelSection = ManifestSection['languageModels'][string];
export type ShapeSection = ManifestSection['shapes'][string];
