import type { ConfigFiles } from '../../src/config/config-files.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { CodecDirectory } from '../../src/config/load-scope.ts';
import type { RuntimeConfig } from '../../src/config/runtime-config.ts';
import { CoxswainError } from '../../src/core/errors.ts';

const sha = (digit: string): string => digit.repeat(64);

/** A manifest with a model of each kind: pictures, a state, side files. */
export const MANIFEST = `manifest: 1
root: ../weights
models:
  finder: { file: finder.onnx, sha256: ${sha('a')}, bytes: 100, licence: MIT, codec: boxes, costMs: 20, memoryMb: 100,
    inputs: [{ name: x, shape: [1, 3, 64, 64] }], outputs: [{ name: y, shape: [1, 10] }] }
  reader: { file: sub/reader.onnx, sha256: ${sha('b')}, bytes: 200, licence: MIT, codec: letters, costMs: 10.5, memoryMb: 50,
    inputs: [{ name: x, shape: [1, 3, 48, 320] }], outputs: [{ name: y, shape: [1, 40, 100] }],
    files: { dictionary: { file: keys.txt, sha256: ${sha('c')}, bytes: 300 } } }
  listener: { file: listener.onnx, sha256: ${sha('d')}, bytes: 400, licence: MIT, codec: speech, costMs: 0.5, memoryMb: 40, windowSamples: 512,
    inputs: [{ name: x, shape: [1, 576] }], outputs: [{ name: y, shape: [1, 1] }],
    states: [{ input: { name: s, shape: [2, 8] }, output: { name: t, shape: [2, 8] } }],
    constants: [{ name: sr, type: int64, shape: [], values: [16000] }] }
`;

/** A configuration in which most keys are left to their defaults. */
export const CONFIG = `version: 1
node: bench
models: ./models.yaml
device:
  kind: ort
  cores:
    - { niceness: 5 }
    - { cpu: 1 }
sources:
  front: { kind: images, files: ../photos/*.jpg, fps: 8, width: 640, height: 480 }
  sound: { kind: wav, file: speech.wav }
pipelines:
  boxes: { source: front, model: finder, criticality: safety, deadlineMs: 125 }
  speech: { source: sound, model: listener, criticality: interactive, deadlineMs: 100 }
  texts: { source: { pipeline: boxes, itemsMax: 4 }, model: reader, criticality: background, deadlineMs: 900 }
`;

export const CONFIG_PATH = '/vehicle/configs/bench.yaml';
const MANIFEST_PATH = '/vehicle/configs/models.yaml';

/** A file system of a few files; `links` are symbolic links to somewhere else. */
export function memoryFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  links: Readonly<Record<string, string>> = {},
): ConfigFiles {
  return {
    read(file, bytesMax) {
      const content = files[file];
      if (content === undefined) throw new CoxswainError('FILE_UNREADABLE', `cannot open "${file}"`);
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      if (bytes.length > bytesMax) throw new CoxswainError('FILE_UNREADABLE', `"${file}" is longer than the ${bytesMax} bytes allowed`);
      return bytes;
    },
    realPath: (path) => links[path],
  };
}

export interface Written {
  readonly config?: string | Uint8Array;
  readonly manifest?: string | Uint8Array;
  readonly others?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly codecs?: CodecDirectory;
}

/** Loads CONFIG and MANIFEST, or what stands in for them. */
export function load({ config = CONFIG, manifest = MANIFEST, others = {}, links = {}, env = {}, codecs }: Written = {}): RuntimeConfig {
  const files = memoryFiles({ ...others, [CONFIG_PATH]: config, [MANIFEST_PATH]: manifest }, links);
  return loadConfig(CONFIG_PATH, { env, files, ...(codecs === undefined ? {} : { codecs }) });
}

/** The lines of CONFIG_INVALID, without the folder; fails when the configuration loads or another error comes. */
export function refusals(written: Written): readonly string[] {
  try {
    load(written);
  } catch (thrown) {
    if (thrown instanceof CoxswainError && thrown.code === 'CONFIG_INVALID')
      return thrown.message.replaceAll('/vehicle/configs/', '').split('\n');
    throw thrown;
  }
  throw new Error('the configuration was accepted');
}

/** CONFIG with one piece replaced; the piece must be there. */
export function edited(from: string, to: string, text: string = CONFIG): string {
  if (!text.includes(from)) throw new Error(`no ${JSON.stringify(from)} to replace`);
  return text.replace(from, () => to);
}
