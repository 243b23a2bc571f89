import { isAbsolute, relative, resolve, sep } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { TensorSpec } from '../core/model.ts';
import { LANGUAGE_CODEC, tensorElements } from '../core/model.ts';
import { durationFromMs, durationUs } from '../core/units.ts';
import { checkSchema } from './check-schema.ts';
import { type LoadDeps, LoadScope } from './load-scope.ts';
import { type LanguageModelSection, type ModelSection, manifestSchema, type ShapeSection } from './manifest-schema.ts';
import { nearest } from './nearest.ts';
import { networkSizeProblem } from './network-size.ts';
import { type KeyPath, type Problem, printable, quoted } from './problem.ts';
import type { ManifestFile, ManifestModel, ModelShape } from './runtime-config.ts';
import { parseYaml, YamlDocument } from './yaml-document.ts';

export interface Manifest {
  readonly file: ManifestFile;
  readonly models: readonly ManifestModel[];
}

/** The manifest's own complaints go to `problems`; undefined when it could not be read as one. Errors: FILE_UNREADABLE. */
export function loadManifest(file: string, bytesMax: number, deps: LoadDeps, problems: Problem[]): Manifest | undefined {
  const document = parseYaml(file, deps.files.read(file, bytesMax));
  if (!(document instanceof YamlDocument)) {
    problems.push(...document);
    return undefined;
  }
  const section = checkSchema(manifestSchema, document, problems);
  if (section === undefined) return undefined;
  const scope = new LoadScope(document, deps, problems);
  const root = scope.absolute(section.root);
  const models = Object.entries(section.models).map(([id, model]) => convertModel(id, model, root, scope));
  const languages = Object.entries(section.languageModels).map(([id, model]) => {
    if (Object.hasOwn(section.models, id)) scope.refuse(['languageModels', id], 'this name is given among models too; rename one');
    return convertLanguage(id, model, scope);
  });
  const shapes = Object.entries(section.shapes).map(([id, shape]) => {
    const other = ['models', 'languageModels'].find((key) => Object.hasOwn(section[key as 'models' | 'languageModels'], id));
    if (other !== undefined) scope.refuse(['shapes', id], `this name is given among ${other} too; rename one`);
    checkShape(shape, ['shapes', id], scope);
    return convertShape(id, shape);
  });
  return { file: { file: resolve(file), root }, models: [...models, ...languages, ...shapes] };
}

function convertLanguage(id: string, section: LanguageModelSection, scope: LoadScope): ManifestModel {
  const { folder, variant, sha256, licence, origin = '', chunkTokens, cacheMb, conversations: textsMax, sharesWeights } = section;
  const path = scope.absolute(folder);
  const told = { licence, origin };
  try {
    const found = scope.deps.languages?.describe({
      ...{ id, folder: path, variant, sha256, chunkTokens, cacheBytesMax: cacheMb * 2 ** 20, textsMax, sharesWeights },
    });
    return found === undefined ? { ...UNSEEN, id, ...told } : { ...found, ...told };
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    scope.refuse(['languageModels', id, 'folder'], printable(messageOf(thrown)));
    return { ...UNSEEN, id, ...told };
  }
}

/** A language model that nobody has looked at. */
const UNSEEN: Omit<ManifestModel, 'id' | 'licence' | 'origin'> = {
  ...{ file: '', sha256: '', inputs: [], outputs: [], states: [], constants: [], codec: LANGUAGE_CODEC },
  ...{ costUs: durationUs(1), memoryBytes: 0, files: {}, fileBytes: 0, windowSamples: undefined, sideFiles: {} },
};

function checkShape(shape: ShapeSection, path: KeyPath, scope: LoadScope): void {
  if (shape.kind === 'network') {
    const problem = networkSizeProblem(shape);
    if (problem !== undefined) scope.refuse([...path, 'paramsM'], problem);
    return;
  }
  const { context, contextMax = context } = shape;
  if (context > contextMax) scope.refuse([...path, 'context'], `got ${context}; allowed is contextMax (${contextMax}) at most`);
}

/** No core is ever handed such a model, so its tensors matter only as something that frames are put into. */
function convertShape(id: string, section: ShapeSection): ManifestModel {
  const [height = 1, width = 1, channels = 1] = section.kind === 'network' ? section.input : [1, 1, 1];
  return {
    id,
    file: '',
    sha256: '',
    inputs: [{ name: 'input', type: 'uint8', shape: [1, height, width, channels] }],
    outputs: [{ name: 'output', type: 'float32', shape: [1, 1024] }],
    states: [],
    constants: [],
    codec: '',
    costUs: durationFromMs(section.costMs),
    memoryBytes: Math.round(section.memoryMb * 2 ** 20),
    licence: '',
    files: {},
    fileBytes: 0,
    windowSamples: undefined,
    sideFiles: {},
    origin: section.source,
    shape: shapeOf(section),
  };
}

function shapeOf(section: ShapeSection): ModelShape {
  if (section.kind === 'network') {
    const [height = 1, width = 1, channels = 1] = section.input;
    const { gmac, paramsM, style, curves } = section;
    return { kind: 'network', macs: gmac * 1e9, parameters: paramsM * 1e6, height, width, channels, style, hasCurves: curves };
  }
  const { source: _source, costMs: _costMs, memoryMb: _memoryMb, headSize, contextMax, ...shape } = section;
  return { ...shape, headSize, ...(contextMax === undefined ? {} : { contextMax }) };
}

function convertModel(id: string, section: ModelSection, root: string, scope: LoadScope): ManifestModel {
  const path: KeyPath = ['models', id];
  const { sha256, inputs, outputs, states, constants, codec, licence } = section;
  checkCodec(codec, [...path, 'codec'], scope);
  checkTensors(section, path, scope);
  const sideFiles = Object.entries(section.files).map(
    ([key, { file, sha256, bytes }]) =>
      [key, { file: insideRoot(file, root, [...path, 'files', key, 'file'], scope), sha256, fileBytes: bytes }] as const,
  );
  return {
    id,
    file: insideRoot(section.file, root, [...path, 'file'], scope),
    sha256,
    inputs,
    outputs,
    states,
    constants,
    codec,
    costUs: durationFromMs(section.costMs),
    memoryBytes: Math.round(section.memoryMb * 2 ** 20),
    licence,
    files: Object.fromEntries(sideFiles.map(([key, { file }]) => [key, file])),
    fileBytes: section.bytes,
    windowSamples: section.windowSamples,
    sideFiles: Object.fromEntries(sideFiles),
    origin: section.origin ?? '',
  };
}

/**
 * A path of the manifest never leaves its root, neither by its text nor through a symbolic link. Files that are not there yet are checked by their
 * text alone; what is loaded in the end is held to its SHA-256 besides.
 */
function insideRoot(file: string, root: string, path: KeyPath, scope: LoadScope): string {
  const absolute = resolve(root, file);
  if (isAbsolute(file) || file.split('/').includes('..') || absolute === root) {
    scope.refuse(path, `got ${quoted(file)}; allowed is a path inside root, not absolute and without ".."`);
    return absolute;
  }
  const realRoot = scope.deps.files.realPath(root);
  const realFile = scope.deps.files.realPath(absolute);
  if (realRoot !== undefined && realFile !== undefined) {
    const way = relative(realRoot, realFile);
    if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
      scope.refuse(path, `got ${quoted(file)}, a link that leads out of root; put the file itself into root`);
    }
  }
  return absolute;
}

function checkCodec(codec: string, path: KeyPath, scope: LoadScope): void {
  const known = scope.deps.codecs?.keys;
  if (known === undefined || known.includes(codec)) return;
  const meant = nearest(codec, known);
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  scope.refuse(path, `got ${quoted(codec)}; allowed are ${known.join(', ')}${hint}`);
}

function checkTensors(section: ModelSection, path: KeyPath, scope: LoadScope): void {
  const { inputs, outputs, states, constants } = section;
  checkNames([...inputs, ...states.map((state) => state.input), ...constants], 'inputs', path, scope);
  checkNames([...outputs, ...states.map((state) => state.output)], 'outputs', path, scope);
  for (const [index, { input, output }] of states.entries()) {
    if (input.type !== output.type || input.shape.join() !== output.shape.join()) {
      scope.refuse(
        [...path, 'states', index],
        'input and output differ in type or shape; allowed is the same, since one becomes the other',
      );
    }
  }
  for (const [index, constant] of constants.entries()) {
    const count = tensorElements(constant);
    const at = [...path, 'constants', index, 'values'];
    if (constant.values.length !== count) scope.refuse(at, `got ${constant.values.length} values; allowed are ${count}, as the shape says`);
    const isWhole = constant.type === 'float32' || constant.values.every((value) => Number.isSafeInteger(value));
    const isByte = constant.type !== 'uint8' || constant.values.every((value) => value >= 0 && value <= 255);
    if (!isWhole || !isByte) scope.refuse(at, `a value does not fit into ${constant.type}`);
  }
  for (const [key, tensors] of Object.entries({ inputs, outputs })) {
    for (const [index, tensor] of tensors.entries()) {
      // Beyond 2 GiB neither the arena nor a typed array follows.
      if (tensorElements(tensor) * 8 > 2 ** 31) scope.refuse([...path, key, index, 'shape'], 'too large; allowed are 2^28 elements in all');
    }
  }
}

function checkNames(tensors: readonly TensorSpec[], side: string, path: KeyPath, scope: LoadScope): void {
  const names = tensors.map((tensor) => tensor.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) scope.refuse([...path, side], `the tensor ${quoted(twice)} is named twice among ${side}, states and constants`);
}
