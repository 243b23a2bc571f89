import { dirname, resolve } from 'node:path';
import type { ConfigFiles } from './config-files.ts';
import { type Environment, interpolate } from './interpolate.ts';
import type { KeyPath, Problem } from './problem.ts';
import type { DecodeValues, ManifestModel } from './runtime-config.ts';
import type { YamlDocument } from './yaml-document.ts';

/** What config cannot know itself about codecs; the runtime answers from the registry of models/. */
export interface CodecDirectory {
  readonly keys: readonly string[];
  /** Options that the codec does not take, each with a path inside `decode` and what is allowed there. Empty when all is well. */
  validate(codec: string, decode: DecodeValues): readonly { readonly path: KeyPath; readonly message: string }[];
}

/** A language model as the manifest names it; paths are absolute. */
export interface LanguageFolder {
  readonly id: string;
  readonly folder: string;
  readonly variant: string | undefined;
  readonly sha256: string | undefined;
  readonly chunkTokens: number | undefined;
  readonly cacheBytesMax: number;
  readonly textsMax: number;
  readonly sharesWeights: boolean;
}

/** What config cannot know itself about folders of language models; the runtime answers from models/language. */
export interface LanguageDirectory {
  /** All of the model but its licence and origin. Errors: as of `readDecoderDirectory` and `readDecoderVariant`, and MODEL_HASH_MISMATCH. */
  describe(folder: LanguageFolder): Omit<ManifestModel, 'licence' | 'origin'>;
}

export interface LoadDeps {
  /** For `${NAME}`. */
  readonly env: Environment;
  readonly files: ConfigFiles;
  /** Without it, codecs and their options are not checked. */
  readonly codecs?: CodecDirectory;
  /** Without it, language models are not looked at, and have neither files nor sizes. */
  readonly languages?: LanguageDirectory;
}

/** One file while it is turned into configuration: where relative paths begin, and where complaints go. */
export class LoadScope {
  readonly document: YamlDocument;
  readonly deps: LoadDeps;
  readonly problems: Problem[];
  readonly #folder: string;

  constructor(document: YamlDocument, deps: LoadDeps, problems: Problem[]) {
    this.document = document;
    this.deps = deps;
    this.problems = problems;
    this.#folder = dirname(resolve(document.file));
  }

  refuse(path: KeyPath, text: string): void {
    this.problems.push(this.document.problem(path, text));
  }

  absolute(path: string): string {
    return resolve(this.#folder, path);
  }

  /** A problem gives an empty text, so that checking can go on. */
  interpolated(path: KeyPath, text: string): string {
    const result = interpolate(text, this.deps.env);
    if (result.kind === 'text') return result.text;
    this.refuse(path, result.text);
    return '';
  }
}
