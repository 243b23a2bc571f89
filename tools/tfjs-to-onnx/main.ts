import { readFileSync, writeFileSync } from 'node:fs';
import { ConversionError } from './conversion-error.ts';
import { convertGraphModel } from './convert.ts';
import { parseGraphModel } from './graph-model.ts';

const USAGE = `Usage: npx tsx tools/tfjs-to-onnx/main.ts MODEL.json WEIGHTS.bin OUT.onnx

Converts a TF.js graph model (float16 or float32 weights in one file) to ONNX with float32 weights.
`;

/** Exit status: 0 converted, 1 the model cannot be converted, 2 wrong usage. */
function main(args: readonly string[]): number {
  const [json, weights, out, ...rest] = args;
  if (json === undefined || weights === undefined || out === undefined || rest.length > 0) {
    process.stderr.write(USAGE);
    return json === '--help' ? 0 : 2;
  }
  try {
    const graph = parseGraphModel(readFileSync(json, 'utf8'), readFileSync(weights));
    writeFileSync(out, convertGraphModel(graph, { graphName: 'converted' }));
    return 0;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    process.stderr.write(`${json}: ${error.message}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
