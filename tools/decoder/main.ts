import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CoxswainError, messageOf } from '../../src/core/errors.ts';
import { DecoderError } from './decoder-error.ts';
import { DECODER_SHAPES, type DecoderShapeName } from './decoder-shapes.ts';
import type { DecoderType } from './graph-builder.ts';
import { type WriteOptions, writeDecoder } from './write-decoder.ts';

const USAGE = `Usage: npx tsx tools/decoder/main.ts --config DIR (--weights FILE|DIR | --random SEED) [options] --out DIR
       npx tsx tools/decoder/main.ts --shape ${Object.keys(DECODER_SHAPES).join('|')} [--random SEED] [options] [--out DIR]

Writes a Llama-style decoder as ONNX, in the layout that Hugging Face Optimum and transformers.js use: input_ids, attention_mask,
past_key_values.N.key|value -> logits, present.N.key|value.

  --config DIR       where config.json lies, and generation_config.json and the tokenizer's files, which are copied
  --weights PATH     a .safetensors file, or a folder of them
  --random SEED      random weights instead, marked as such in config.json and in the file's metadata
  --shape NAME       the shape of a published model with random weights, into .cache/models/NAME-random unless --out says otherwise
  --type TYPES       fp32, fp16, int4, or several with commas (default fp32)
  --layout LAYOUT    fused: GroupQueryAttention of com.microsoft (default); plain: operators of ONNX alone, with position_ids
  --keep-logits      take num_logits_to_keep, so that reading a prompt makes logits of its last token only
  --compact          no second copy of a tied embedding, and half precision for that of int4: for files that are kept in a repository
  --external         weights in a file beside; --single-file: in the model's own. Default: beside when one file would pass 1.9 GB
`;

const SIDE_FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja', 'README.md'];
const TYPES: readonly string[] = ['fp32', 'fp16', 'int4'];

class UsageError extends Error {}

function readArguments(): WriteOptions | undefined {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      weights: { type: 'string' },
      random: { type: 'string' },
      shape: { type: 'string' },
      type: { type: 'string', default: 'fp32' },
      layout: { type: 'string', default: 'fused' },
      'keep-logits': { type: 'boolean', default: false },
      compact: { type: 'boolean', default: false },
      external: { type: 'boolean', default: false },
      'single-file': { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { shape, config: folder, layout } = values;
  if ((shape === undefined) === (folder === undefined)) throw new UsageError('give one of --config and --shape');
  if (shape !== undefined && !(shape in DECODER_SHAPES))
    throw new UsageError(`--shape ${shape}: one of ${Object.keys(DECODER_SHAPES).join(', ')}`);
  if (shape !== undefined && values.weights !== undefined) throw new UsageError('--shape has random weights; for real ones give --config');
  if (shape === undefined && (values.weights === undefined) === (values.random === undefined))
    throw new UsageError('give one of --weights and --random');
  const types = values.type.split(',');
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) throw new UsageError(`--type ${unknown}: ${TYPES.join(', ')}`);
  if (layout !== 'fused' && layout !== 'plain') throw new UsageError(`--layout ${layout}: fused, plain`);
  const out = values.out ?? (shape === undefined ? undefined : join('.cache', 'models', `${shape}-random`));
  if (out === undefined) throw new UsageError('give --out');
  const generation = folder === undefined ? undefined : join(folder, 'generation_config.json');
  return {
    config:
      folder === undefined ? JSON.stringify(DECODER_SHAPES[shape as DecoderShapeName]) : readFileSync(join(folder, 'config.json'), 'utf8'),
    ...(generation !== undefined && existsSync(generation) ? { generationConfig: readFileSync(generation, 'utf8') } : {}),
    weights: values.weights ?? seedOf(values.random ?? '1'),
    types: types as DecoderType[],
    layout,
    keepsLogits: values['keep-logits'],
    isCompact: values.compact,
    ...(values.external ? { isExternal: true } : values['single-file'] ? { isExternal: false } : {}),
    out,
    sideFiles: folder === undefined ? [] : SIDE_FILES.map((name) => join(folder, name)),
  };
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--random ${text}: a whole number`);
  return seed;
}

/** One line that is rewritten on a terminal; nothing elsewhere, where the files are named at the end. */
const showProgress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
};

/** Exit status: 0 written, 1 the model cannot be written, 2 wrong usage. */
function main(): number {
  try {
    const options = readArguments();
    if (options === undefined) {
      process.stdout.write(USAGE);
      return 0;
    }
    const files = writeDecoder({ ...options, onProgress: showProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    const origin =
      typeof options.weights === 'number'
        ? `random weights, seed ${options.weights}: for measuring, it has learnt nothing`
        : options.weights;
    for (const file of files) process.stdout.write(`${file} (${origin})\n`);
    return 0;
  } catch (error) {
    const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
    if (isUsage) process.stderr.write(`${messageOf(error)}\n\n${USAGE}`);
    else if (error instanceof DecoderError || error instanceof CoxswainError || (error as { syscall?: string }).syscall !== undefined)
      process.stderr.write(`${messageOf(error)}\n`);
    else throw error;
    return isUsage ? 2 : 1;
  }
}

process.exitCode = main();
