import type { LanguageDirectory, LanguageFolder } from '../config/load-scope.ts';
import type { LanguageShape, SideFile } from '../config/runtime-config.ts';
import type { LanguageSpec, ModelSpec, VerifiedFile } from '../core/model.ts';
import type { TokenSteps } from '../core/step-plan.ts';
import { durationUs } from '../core/units.ts';
import { type DecoderDirectory, type DecoderVariant, readDecoderDirectory, variantOf } from '../models/language/decoder-directory.ts';
import { type DecoderFacts, languageModelShape } from '../models/language/decoder-facts.ts';
import { decoderSpec } from '../models/language/decoder-spec.ts';
import { requireManifestHash } from './manifest-hash.ts';

/** Beginnings of conversations that are kept for others to begin with, beside the conversations themselves. */
const SHARED_TEXTS = 4;

/** Reads what lies in the folders of language models, so that a manifest's mistakes have its lines and columns. */
export function createLanguageDirectory(): LanguageDirectory {
  return {
    describe(request) {
      const { id, folder, sha256, cacheBytesMax, textsMax, sharesWeights } = request;
      const directory = readDecoderDirectory(folder);
      const variant = request.variant === undefined ? preferredOf(directory) : variantOf(directory, request.variant);
      const options = { id, folder, variant: variant.name, cacheBytesMax, textsMax: textsMax + SHARED_TEXTS, sharesWeights };
      const { spec, facts, graphBytes } = decoderSpec({ ...options, chunkTokens: request.chunkTokens ?? 1 });
      if (sha256 !== undefined) requireManifestHash(spec, spec.sha256, sha256);
      const steps = stepsOf(spec, request);
      const language: LanguageSpec | undefined = spec.language && { ...spec.language, chunkTokens: steps.chunkTokens };
      return {
        ...spec,
        ...(language === undefined ? {} : { language }),
        ...{ steps, shape: shapeOf(facts), build: buildText(variant.name, facts, spec), fileBytes: graphBytes, windowSamples: undefined },
        sideFiles: language === undefined ? {} : sideFilesOf(language),
      };
    },
  };
}

/** int4 reads the fewest bytes for a token, which is what decides how fast one comes; of the rest the plainest is the surest to run. */
export function preferredOf({ variants }: DecoderDirectory): DecoderVariant {
  const [first] = ['q4', 'fp32'].flatMap((name) => variants.find((variant) => variant.name === name) ?? []).concat(variants);
  if (first === undefined) throw new RangeError('a folder without a variant is refused when it is read');
  return first;
}

/** Somebody more urgent waits for a piece of a prompt that long. */
const CHUNK_MAX_US = 10_000;
const CHUNKS = [512, 256, 128, 64, 32, 16] as const;
/** A token of a prompt takes this part of a token of an answer, since the weights are read once for all of a piece. */
const PROMPT_SHARE = 1 / 4;

/** A burst keeps others waiting no longer than a piece of a prompt. */
const BURST_TOKENS_MAX = 16;

/** Before anything was measured; the guess is low, so that the model is tried and its true costs are learnt. */
function stepsOf({ costUs }: Pick<ModelSpec, 'costUs'>, request: Pick<LanguageFolder, 'chunkTokens' | 'textsMax'>): TokenSteps {
  const chunkUs = (tokens: number): number => tokens * costUs * PROMPT_SHARE;
  const chunkTokens = request.chunkTokens ?? CHUNKS.find((tokens) => chunkUs(tokens) <= CHUNK_MAX_US) ?? CHUNKS[CHUNKS.length - 1] ?? 1;
  return {
    ...{ kind: 'tokens', chunkTokens, chunkUs: durationUs(Math.ceil(chunkUs(chunkTokens))), switchUs: durationUs(0) },
    burstTokens: Math.max(1, Math.min(BURST_TOKENS_MAX, Math.floor(CHUNK_MAX_US / costUs))),
    turnsMax: request.textsMax,
  };
}

/** The cores' side of it: a model with conversations has one owner core, where their caches are. */
function buildText(variant: string, { graph: { weightBits } }: DecoderFacts, { language, memoryBytes }: ModelSpec): string {
  const size = `${variant}, ${Number(weightBits.toFixed(1))} bits a weight, ${Math.ceil(memoryBytes / 2 ** 20)} MiB with its caches`;
  if (language?.sharesWeights === true) return `${size}; one owner core, weights shared from their file`;
  const why =
    weightBits < 8 ? 'shared int4 weights would make tokens 85 times slower' : 'shared weights would make prompts 1.3 to 2.2 times slower';
  return `${size}; one owner core, weights of its own, since ${why}`;
}

export function shapeOf(facts: DecoderFacts): LanguageShape {
  const { layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, tiedEmbedding, bits, kvBits } = languageModelShape(facts);
  return {
    ...{ kind: 'language', layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, bits },
    ...{ tiedEmbedding: tiedEmbedding ?? false, kvBits: kvBits ?? 16, context: facts.config.contextTokens },
  };
}

function sideFilesOf({ config, generation, tokenizer, data }: LanguageSpec): Readonly<Record<string, SideFile>> {
  const files: readonly (readonly [string, VerifiedFile | undefined])[] = [
    ...[['config', config] as const, ['generation', generation] as const],
    ...[['tokenizer', tokenizer?.tokenizer] as const, ['tokenizer-config', tokenizer?.config] as const],
    ['chat-template', tokenizer?.chatTemplate],
    ...data.map((file, index) => [`weights-${index}`, file] as const),
  ];
  return Object.fromEntries(
    files.flatMap(([key, file]) =>
      file === undefined ? [] : [[key, { file: file.file, sha256: file.sha256, fileBytes: file.byteLength }]],
    ),
  );
}
