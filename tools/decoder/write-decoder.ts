import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DecoderConfig, readDecoderConfig } from '../../src/models/language/decoder-config.ts';
import { DecoderError } from './decoder-error.ts';
import { type DecoderLayout, decoderGraph } from './decoder-graph.ts';
import { type DecoderWeights, randomWeights } from './decoder-weights.ts';
import type { DecoderType } from './graph-builder.ts';
import { byteLengthOf, SINGLE_FILE_BYTES_MAX, type Weight, writeOnnxFile } from './onnx-file.ts';
import { safetensorsWeights } from './safetensors.ts';

export interface WriteOptions {
  /** The text of `config.json`, and of `generation_config.json` if there is one. */
  readonly config: string;
  readonly generationConfig?: string;
  /** A `.safetensors` file, a folder of them, or a seed for random numbers. */
  readonly weights: string | number;
  readonly types: readonly DecoderType[];
  readonly layout: DecoderLayout;
  readonly keepsLogits: boolean;
  /** For a small file; see `DecoderGraphOptions`. */
  readonly isCompact?: boolean;
  /** Weights in a file of their own; undefined: where one file would be too long. */
  readonly isExternal?: boolean;
  readonly out: string;
  /** Side files to be copied to the model when they exist, such as a tokenizer's. */
  readonly sideFiles?: readonly string[];
  readonly onProgress?: (text: string) => void;
}

/** As onnx-community names them. */
const FILES: Readonly<Record<DecoderType, string>> = { fp32: 'model.onnx', fp16: 'model_fp16.onnx', int4: 'model_q4.onnx' };

/** Writes a model directory as the hub has them: `config.json`, `onnx/model*.onnx`, weights beside. Errors: DecoderError, CoxswainError of the configuration. */
export function writeDecoder(options: WriteOptions): readonly string[] {
  const { weights: from, out, types, layout, onProgress = () => undefined } = options;
  const config = readDecoderConfig('the given folder', options.config, options.generationConfig);
  requireWritable(config, options);
  mkdirSync(join(out, 'onnx'), { recursive: true });
  const weights = typeof from === 'number' ? randomWeights(from, config) : safetensorsWeights(from);
  const mark = typeof from === 'number' ? { coxswain_random_seed: from } : {};
  writeFileSync(join(out, 'config.json'), `${JSON.stringify({ ...JSON.parse(options.config), ...mark }, null, 2)}\n`);
  if (options.generationConfig !== undefined) writeFileSync(join(out, 'generation_config.json'), options.generationConfig);
  for (const file of options.sideFiles ?? [])
    if (existsSync(file) && dirname(file) !== out) copyFileSync(file, join(out, file.slice(file.lastIndexOf('/') + 1)));
  return types.map((type) => {
    const file = join(out, 'onnx', FILES[type]);
    const metadata: Record<string, string> = typeof from === 'number' ? { random: 'true', seed: String(from) } : {};
    const graph = decoderGraph(config, readTwice(weights), {
      ...{ type, layout, keepsLogits: options.keepsLogits, metadata },
      isCompact: options.isCompact === true,
    });
    const total = graph.weights.reduce((bytes, weight) => bytes + byteLengthOf(weight), 0);
    const isExternal = options.isExternal ?? total > SINGLE_FILE_BYTES_MAX;
    if (!isExternal && total > SINGLE_FILE_BYTES_MAX)
      throw new DecoderError(
        `${total} bytes of weights do not fit into one ONNX file of ${SINGLE_FILE_BYTES_MAX}; leave out --single-file`,
      );
    let written = 0;
    const told = graph.weights.map((weight) =>
      countBytes(weight, (bytes) => {
        written += bytes;
        onProgress(`${FILES[type]}: ${(written / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
      }),
    );
    writeOnnxFile(file, { ...graph, weights: told }, isExternal);
    return file;
  });
}

function requireWritable(config: DecoderConfig, { layout, types }: WriteOptions): void {
  if (config.modelType !== 'llama') throw new DecoderError(`model_type is ${config.modelType}; only "llama" can be written`);
  if (layout === 'plain' && types.includes('int4')) throw new DecoderError('int4 is written in the fused layout only');
  if (layout === 'fused' && config.headSize % 16 !== 0)
    throw new DecoderError(
      `a head of ${config.headSize} numbers is no multiple of 16, which GroupQueryAttention needs; use --layout plain`,
    );
  if (config.headSize % 2 !== 0) throw new DecoderError(`a head of ${config.headSize} numbers cannot be rotated in halves`);
}

/** Keeps the matrix read last: the int4 writer wants nibbles and scales of the same one, and a tied table comes twice. */
function readTwice(weights: DecoderWeights): DecoderWeights {
  let last: { readonly name: string; readonly values: Float32Array } | undefined;
  return {
    origin: weights.origin,
    read(name, shape) {
      if (last?.name !== name) last = { name, values: weights.read(name, shape) };
      return last.values;
    },
  };
}

const countBytes = (weight: Weight, tell: (bytes: number) => void): Weight => ({
  ...weight,
  bytes() {
    const bytes = weight.bytes();
    tell(bytes.length);
    return bytes;
  },
});
