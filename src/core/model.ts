import type { DurationUs } from './units.ts';

export type ModelId = string;

export const TENSOR_TYPES = ['float32', 'int64', 'uint8'] as const;
export type TensorType = (typeof TENSOR_TYPES)[number];

export const TENSOR_TYPE_BYTES: Readonly<Record<TensorType, number>> = { float32: 4, int64: 8, uint8: 1 };

/** A tensor with every dimension fixed. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
  /** Positive whole numbers; `[]` is a scalar. */
  readonly shape: readonly number[];
}

export const tensorElements = (spec: Pick<TensorSpec, 'shape'>): number => spec.shape.reduce((product, size) => product * size, 1);
export const tensorBytes = (spec: TensorSpec): number => tensorElements(spec) * TENSOR_TYPE_BYTES[spec.type];

/** A recurrent tensor that stays on the core which owns the model: each run's `output` is the next run's `input`; zeros at first. */
export interface StateSpec {
  readonly input: TensorSpec;
  readonly output: TensorSpec;
}

/** A constant input, the same in every run, such as Silero's sample rate. */
export interface ConstantSpec extends TensorSpec {
  readonly values: readonly number[];
}

/** A file and what its bytes must hash to. */
export interface VerifiedFile {
  /** Absolute path. */
  readonly file: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly byteLength: number;
}

/** What a core has to know of a decoder-only language model besides its graph. */
export interface LanguageSpec {
  /** `config.json`, and `generation_config.json` where there is one. */
  readonly config: VerifiedFile;
  readonly generation?: VerifiedFile;
  /** `tokenizer.json` and `tokenizer_config.json`; without them answers are greedy and end by the model's own tokens alone. */
  readonly tokenizer?: {
    readonly tokenizer: VerifiedFile;
    readonly config: VerifiedFile;
    /** `chat_template.jinja`, where there is one. */
    readonly chatTemplate?: VerifiedFile;
  };
  /** Weights beside the graph. */
  readonly data: readonly VerifiedFile[];
  /** Tokens of a prompt that are one step. */
  readonly chunkTokens: number;
  /** Of the caches of all conversations together. */
  readonly cacheBytesMax: number;
  /** Conversations, and beginnings that they share, that may be cached at once. */
  readonly textsMax: number;
  /**
   * Weights beside stay as they are in the file, so that all sessions of the machine share them: fp32 tokens are as fast, fp32 prompts 1.3 to 2.2 times slower, int4 tokens 85
   * times slower.
   */
  readonly sharesWeights: boolean;
}

/** The codec of language models: text is their own business, and no media worker's. */
export const LANGUAGE_CODEC = 'language';

/** One entry of the manifest: what a model is, and what its bytes must hash to. */
export interface ModelSpec {
  readonly id: ModelId;
  /** Absolute path, resolved from the manifest; a core opens nothing else. */
  readonly file: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Inputs that each job supplies, in the order a segment's regions are given. */
  readonly inputs: readonly TensorSpec[];
  /** Outputs that each job reads, in the order a segment's regions are given. */
  readonly outputs: readonly TensorSpec[];
  readonly states: readonly StateSpec[];
  readonly constants: readonly ConstantSpec[];
  /** How frames become its inputs and outputs become results: a key of the codec registry in models/. */
  readonly codec: string;
  /** Expected run time of one job on one core, until measured. */
  readonly costUs: DurationUs;
  /** Expected memory of one loaded and warmed session. */
  readonly memoryBytes: number;
  readonly licence: string;
  /** Side files that its codec reads, such as a character dictionary: key -> absolute path. */
  readonly files: Readonly<Record<string, string>>;
  /** Only of a language model, whose jobs are turns of conversations: it has neither inputs nor outputs of its own. */
  readonly language?: LanguageSpec;
  /** Into how many blocks of about the same time a core cuts it, so that it can be left between two of them; absent: it is run whole. */
  readonly blocks?: number;
}
