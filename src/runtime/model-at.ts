import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { LanguageShape } from '../config/runtime-config.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../models/language/decoder-directory.ts';
import type { OnnxGraph } from '../models/onnx-graph/graph.ts';
import { preferredOf, shapeOf } from './language-directory.ts';
import { graphOfFile } from './plan-file.ts';

/** A language model by its shape, or a network by its graph. */
export type PlannedModel =
  | { readonly shape: LanguageShape; readonly graph?: undefined }
  | { readonly shape?: undefined; readonly graph: OnnxGraph };

/**
 * The language model that lies in a folder as downloaded from the hub, or whose decoder is in this ONNX file of such a folder, `context` being the longest conversation that
 * it knows; or the network in the file, read once. Errors: FILE_UNREADABLE, MODEL_UNLOADABLE, and as of `readDecoderDirectory` and `readDecoderVariant`.
 */
export function modelAt(path: string): PlannedModel {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder) return { shape: shapeAt(path, isFolder) };
  const graph = graphOfFile(path);
  const isDecoder = graph.inputs.some(({ name }) => name.startsWith('past_key_values.'));
  return isDecoder ? { shape: shapeAt(path, isFolder) } : { graph };
}

function shapeAt(path: string, isFolder: boolean): LanguageShape {
  const directory = readDecoderDirectory(isFolder ? path : folderOf(path));
  const named = directory.variants.find(({ file }) => resolve(file) === resolve(path));
  const variant = isFolder ? preferredOf(directory) : (named ?? variantOf(directory, basename(path)));
  return shapeOf(readDecoderVariant(directory, variant));
}

/** Its configuration is beside the file, or above its folder `onnx`. */
const folderOf = (file: string): string => (basename(dirname(resolve(file))) === 'onnx' ? join(dirname(file), '..') : dirname(file));
