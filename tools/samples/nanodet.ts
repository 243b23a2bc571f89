import { readFile } from 'node:fs/promises';
import { convertGraphModel } from '../tfjs-to-onnx/convert.ts';
import { parseGraphModel } from '../tfjs-to-onnx/graph-model.ts';

/** NanoDet's outputs in the TF.js file, by stride: class scores after the sigmoid, then box sides as distributions over 0..10 strides. */
const OUTPUT_NAMES = {
  'Identity:0': 'scores_8',
  'Identity_1:0': 'scores_16',
  'Identity_2:0': 'scores_32',
  'Identity_3:0': 'boxes_8',
  'Identity_4:0': 'boxes_16',
  'Identity_5:0': 'boxes_32',
};

/** NanoDet as ONNX, from the paths of its TF.js `model.json` and weights. */
export async function convertNanodet(json: string, weights: string): Promise<Uint8Array> {
  const graph = parseGraphModel(await readFile(json, 'utf8'), await readFile(weights));
  return convertGraphModel(graph, { graphName: 'nanodet', inputNames: { input_1: 'image' }, outputNames: OUTPUT_NAMES });
}
