import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LANGUAGE_CODEC, type LanguageSpec, type ModelSpec, type VerifiedFile } from '../../core/model.ts';
import { durationUs } from '../../core/units.ts';
import { externalFilesOf, readDecoderDirectory, readDecoderVariant, variantOf } from './decoder-directory.ts';
import { cacheBytesPerToken, type DecoderFacts } from './decoder-facts.ts';
import { digestOf } from './file-digest.ts';

export interface DecoderSpecOptions extends Pick<LanguageSpec, 'chunkTokens' | 'cacheBytesMax' | 'textsMax'> {
  readonly id: string;
  /** As `readDecoderDirectory` takes it. */
  readonly folder: string;
  /** As the hub names variants: `fp32`, `fp16`, `q4`. */
  readonly variant: string;
  /** Weights stay in their file and are shared by all cores; only where they lie beside the graph. Default: false. */
  readonly sharesWeights?: boolean;
}

export interface DescribedDecoder {
  readonly spec: ModelSpec;
  readonly facts: DecoderFacts;
  /** Length of the graph's file. */
  readonly graphBytes: number;
}

/**
 * A folder from the hub as a model that cores can open, hashed as it lies there now. `costUs` is a guess from its size, until measured: ten billion multiplications a second.
 * Errors: as of `readDecoderDirectory` and `readDecoderVariant`.
 */
export function decoderSpec(options: DecoderSpecOptions): DescribedDecoder {
  const { id, folder, chunkTokens, cacheBytesMax, textsMax, sharesWeights = false } = options;
  const directory = readDecoderDirectory(resolve(folder));
  const { file } = variantOf(directory, options.variant);
  const facts = readDecoderVariant(directory, { name: options.variant, file });
  const generation = join(directory.path, 'generation_config.json');
  const tokenizer = join(directory.path, 'tokenizer.json');
  const tokenizerConfig = join(directory.path, 'tokenizer_config.json');
  const chatTemplate = join(directory.path, 'chat_template.jinja');
  const data = externalFilesOf(file).map((location) => verified(resolve(dirname(file), location)));
  const graph = digestOf(file);
  const weightBytes = data.reduce((sum, { byteLength }) => sum + byteLength, graph.byteLength);
  const language: LanguageSpec = {
    config: verified(join(directory.path, 'config.json')),
    ...(existsSync(generation) ? { generation: verified(generation) } : {}),
    ...(existsSync(tokenizer) && existsSync(tokenizerConfig)
      ? {
          tokenizer: {
            tokenizer: verified(tokenizer),
            config: verified(tokenizerConfig),
            ...(existsSync(chatTemplate) ? { chatTemplate: verified(chatTemplate) } : {}),
          },
        }
      : {}),
    data,
    ...{ chunkTokens, cacheBytesMax, textsMax },
    sharesWeights: sharesWeights && data.length > 0,
  };
  const spec: ModelSpec = {
    ...{ id, file, sha256: graph.sha256, inputs: [], outputs: [], states: [], constants: [], codec: LANGUAGE_CODEC },
    costUs: durationUs(Math.ceil((8 * weightBytes) / facts.graph.weightBits / MULTIPLICATIONS_PER_US)),
    memoryBytes: weightBytes + Math.min(cacheBytesMax, textsMax * facts.config.contextTokens * cacheBytesPerToken(facts)),
    licence: '',
    files: {},
    language,
  };
  return { spec, facts, graphBytes: graph.byteLength };
}

const MULTIPLICATIONS_PER_US = 10_000;

const verified = (file: string): VerifiedFile => ({ file, ...digestOf(file) });
