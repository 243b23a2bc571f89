import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { externalSizeBeside } from '../external-size.ts';
import { readOnnxGraph } from '../onnx-graph/read-onnx-graph.ts';
import { type DecoderConfig, readDecoderConfig } from './decoder-config.ts';
import type { DecoderFacts } from './decoder-facts.ts';
import { readDecoderGraph } from './decoder-graph.ts';

/** A decoder as it lies in a folder that was downloaded from the hub. */
export interface DecoderDirectory {
  readonly path: string;
  readonly config: DecoderConfig;
  /** At least one; the widest type first. */
  readonly variants: readonly DecoderVariant[];
}

/** One build of the model. */
export interface DecoderVariant {
  /** As the hub names them: `fp32` for model.onnx, otherwise what follows `model_`: `fp16`, `q4`, `q4f16`, `quantized`.. */
  readonly name: string;
  readonly file: string;
}

/** Longer texts are not configurations. */
const CONFIG_BYTES_MAX = 16 * 1024 * 1024;

const ORDER = ['fp32', 'fp16', 'int8', 'uint8', 'quantized', 'q4', 'q4f16', 'bnb4'];

/**
 * Finds out what a folder holds: config.json, generation_config.json where there is one, and `onnx/model*.onnx` or `model*.onnx`. Errors: MODEL_MISSING,
 * MODEL_UNLOADABLE, MODEL_UNSUPPORTED.
 */
export function readDecoderDirectory(path: string): DecoderDirectory {
  const generation = join(path, 'generation_config.json');
  const config = readDecoderConfig(path, readText(join(path, 'config.json')), existsSync(generation) ? readText(generation) : undefined);
  const variants = ['onnx', ''].flatMap((folder) => variantsIn(join(path, folder)));
  if (variants.length === 0)
    throw new CoxswainError(
      'MODEL_MISSING',
      `${path} holds neither onnx/model*.onnx nor model*.onnx. Obtain the model's ONNX export, or name the folder that has it.`,
    );
  const rank = ({ name }: DecoderVariant): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return { path, config, variants: variants.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)) };
}

/** The variant of that name. Error: MODEL_MISSING names those there are. */
export function variantOf(directory: DecoderDirectory, name: string): DecoderVariant {
  const variant = directory.variants.find((candidate) => candidate.name === name);
  if (variant !== undefined) return variant;
  const names = directory.variants.map((candidate) => candidate.name).join(', ');
  throw new CoxswainError('MODEL_MISSING', `${directory.path} has no variant ${JSON.stringify(name)}; it has ${names}.`);
}

/**
 * Reads a variant's graph, not its weights beside, and holds it to the configuration. Errors: MODEL_MISSING, MODEL_UNLOADABLE (damaged, or weights beside that
 * are missing or too short), MODEL_UNSUPPORTED, MODEL_CONTRACT.
 */
export function readDecoderVariant({ config }: DecoderDirectory, { file }: DecoderVariant): DecoderFacts {
  return decoderFacts(file, config, readBytes(file), externalSizeBeside(file));
}

/** Files beside that a graph has weights in, relative to it. Errors: MODEL_MISSING, MODEL_UNLOADABLE. */
export function externalFilesOf(file: string): readonly string[] {
  return [...new Set(readOnnxGraph(readBytes(file), { name: file }).externalData.map(({ location }) => location))];
}

/** The same from bytes that were read already. `externalSize`: see `readOnnxGraph`. */
export function decoderFacts(
  file: string,
  config: DecoderConfig,
  bytes: Uint8Array,
  externalSize?: (location: string) => number | undefined,
): DecoderFacts {
  const graph = readOnnxGraph(bytes, { name: file, ...(externalSize === undefined ? {} : { externalSize }) });
  return { config, graph: readDecoderGraph(file, config, graph) };
}

function variantsIn(folder: string): DecoderVariant[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if (isNothingThere(cause)) return [];
    throw new CoxswainError('MODEL_UNLOADABLE', `${folder} could not be read: ${messageOf(cause)}.`, { cause });
  }
  return names.flatMap((name) => {
    const match = /^model(?:_([a-z0-9]+))?\.onnx$/.exec(name);
    return match === null ? [] : [{ name: match[1] ?? 'fp32', file: join(folder, name) }];
  });
}

const readText = (file: string): string => readBytes(file, CONFIG_BYTES_MAX).toString('utf8');

/** Of a regular file: a pipe would be waited for, and a device may never end. */
function readBytes(file: string, bytesMax = Number.POSITIVE_INFINITY): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(fd);
    if (!status.isFile()) throw new Error('it is not a regular file');
    if (status.size > bytesMax) throw new Error(`it has ${status.size} bytes, and at most ${bytesMax} are read`);
    return readFileSync(fd);
  } catch (cause) {
    const code = isNothingThere(cause) ? 'MODEL_MISSING' : 'MODEL_UNLOADABLE';
    throw new CoxswainError(code, `${file} could not be read: ${messageOf(cause)}.`, { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const isNothingThere = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '');
