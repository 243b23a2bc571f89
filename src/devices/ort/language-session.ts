import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { JobId } from '../../core/job.ts';
import type { LanguageSpec } from '../../core/model.ts';
import type { FailReason } from '../../core/outcome.ts';
import type { TurnSummary } from '../../core/turn-task.ts';
import { type AnswerChoosers, type ChooserOptions, createAnswerChoosers } from '../../models/language/answer-chooser.ts';
import { readDecoderConfig } from '../../models/language/decoder-config.ts';
import { decoderFacts } from '../../models/language/decoder-directory.ts';
import { DecoderEngine, type TurnRequest } from '../../models/language/decoder-engine.ts';
import type { DecoderFacts } from '../../models/language/decoder-facts.ts';
import { decoderTensors } from '../../models/language/decoder-graph.ts';
import type { DecoderTurn, StepWatch } from '../../models/language/decoder-turn.ts';
import { digestOf } from '../../models/language/file-digest.ts';
import { keepLastLogits, type OpenableDecoder } from '../../models/language/last-logits.ts';
import { greedyChooser, type TokenChooser } from '../../models/language/token-chooser.ts';
import { readTokenizerFiles } from '../../models/language/tokenizer-files.ts';
import { createVocabulary } from '../../models/language/vocabulary.ts';
import { CUT_BYTES_MAX } from '../../models/onnx-graph/cut-rows.ts';
import type { NativeSession, OnnxRuntime } from '../../native/onnx-runtime.ts';
import { readVerifiedModel } from './model-file.ts';
import type { Command, LoadableModel } from './protocol.ts';
import { readTokenizerTexts, verifiedText } from './tokenizer-texts.ts';

export type TurnCommand = Extract<Command, { kind: 'turn' }>;

export interface TurnRun {
  readonly kind: 'done';
  readonly steps: number;
  readonly summary: TurnSummary | undefined;
}

export interface TurnFailure {
  readonly kind: 'failed';
  readonly reason: FailReason;
  readonly message: string;
}

/** A language model that is open on this core, with its conversations. */
export interface LanguageSession {
  run(command: TurnCommand, watch: StepWatch): TurnRun | TurnFailure;
  /** The job has ended before its turn did. */
  forget(job: JobId): void;
  /** A first run on nothing; undefined when it went well. */
  warmUp(): TurnFailure | undefined;
  release(): void;
}

/** Opens a language model. Errors: MODEL_MISSING, MODEL_HASH_MISMATCH, MODEL_UNLOADABLE, MODEL_UNSUPPORTED, MODEL_CONTRACT. */
export function openLanguageSession(
  model: LoadableModel,
  language: LanguageSpec,
  options: { readonly threads: number; readonly arena: ArrayBuffer; readonly runtime: OnnxRuntime },
): LanguageSession {
  const { facts, bytes } = readDecoder(model, language);
  const session = openSession(model, language, facts, bytes, options);
  const { chunkTokens, cacheBytesMax, textsMax } = language;
  const engine = new DecoderEngine(session, facts, { chunkTokens, cacheBytesMax, textsMax });
  const speech = readSpeech(model, language, facts);
  return createLanguageSession({ engine, chunkTokens, arena: options.arena, speech, onRelease: () => session.release() });
}

function readDecoder(model: LoadableModel, language: LanguageSpec): OpenableDecoder {
  const bytes = readVerifiedModel(model.file, model.sha256, CUT_BYTES_MAX);
  return keepLastLogits({ facts: readFacts(model, language, bytes), bytes }, CUT_BYTES_MAX);
}

/** What is known of the model's tokens. */
interface Speech {
  readonly choosers: AnswerChoosers;
  readonly eosIds: readonly number[];
}

function readSpeech(model: LoadableModel, language: LanguageSpec, { config }: DecoderFacts): Speech | undefined {
  const texts = readTokenizerTexts(language);
  if (texts === undefined) return undefined;
  const place = dirname(model.file);
  const vocabulary = createVocabulary(place, readTokenizerFiles(place, texts));
  if (vocabulary.size > config.vocabulary)
    throw new CoxswainError(
      'MODEL_CONTRACT',
      `${place}: the tokenizer has ${vocabulary.size} tokens, the model ${config.vocabulary}. Take all files of one model.`,
    );
  return { choosers: createAnswerChoosers(vocabulary), eosIds: vocabulary.eosIds };
}

function readFacts(model: LoadableModel, language: LanguageSpec, bytes: Uint8Array): DecoderFacts {
  const { config, generation, data } = language;
  const read = readDecoderConfig(dirname(config.file), verifiedText(config), generation && verifiedText(generation));
  const sizes = new Map<string, number>();
  for (const { file, sha256 } of data) {
    const { sha256: digest, byteLength } = digestOf(file);
    if (digest !== sha256)
      throw new CoxswainError(
        'MODEL_HASH_MISMATCH',
        `${file} has SHA-256 ${digest}; its manifest allows ${sha256} only. Obtain the file again.`,
      );
    sizes.set(resolve(file), byteLength);
  }
  return decoderFacts(model.file, read, bytes, (location) => {
    const file = resolve(dirname(model.file), location);
    const size = sizes.get(file);
    if (size === undefined && existsSync(file))
      throw new CoxswainError(
        'MODEL_UNLOADABLE',
        `${model.file} has weights in ${location}, which its manifest entry does not name with a SHA-256.`,
      );
    return size;
  });
}

function openSession(
  model: LoadableModel,
  language: LanguageSpec,
  facts: DecoderFacts,
  bytes: Uint8Array,
  { threads, runtime }: { readonly threads: number; readonly runtime: OnnxRuntime },
): NativeSession {
  const settings: Record<string, string> = {
    // As for other models: see model-session.ts.
    'session.x64quantprecision': '1',
    'session.intra_op.allow_spinning': '0',
    // Where weights beside the graph lie, since it is opened from the bytes that were verified and not from its path.
    'session.model_external_initializers_file_folder_path': dirname(model.file),
    ...(language.sharesWeights ? { 'session.disable_prepacking': '1' } : {}),
  };
  try {
    return runtime.open(bytes, { ...decoderTensors(facts.config, facts.graph), threads, settings });
  } catch (cause) {
    throw new CoxswainError('MODEL_UNLOADABLE', `The ONNX Runtime could not open ${basename(model.file)}: ${messageOf(cause)}`, { cause });
  }
}

interface Spoken {
  readonly turn: DecoderTurn;
  /** Steps that the job may still take. */
  stepsLeft: number;
}

interface SessionParts {
  readonly engine: DecoderEngine;
  readonly chunkTokens: number;
  readonly arena: ArrayBuffer;
  readonly speech: Speech | undefined;
  readonly onRelease: () => void;
}

function createLanguageSession({ engine, chunkTokens, arena, speech, onRelease }: SessionParts): LanguageSession {
  const turns = new Map<JobId, Spoken>();

  const begin = ({ job, from, turn, words }: TurnCommand): Spoken => {
    if (from !== 0) throw new CoxswainError('TURN_FAILED', `the turn of job ${job} is to go on at step ${from}, and is not known here`);
    const { conversation, text, stopIds, sharedTokens, overflow, pinned, choosing } = words;
    // A turn of the same conversation that nobody goes on with is over, whether that was told or not.
    for (const [other, { turn: spoken }] of turns) if (spoken.conversation === conversation) drop(other);
    const stepsLeft = Math.ceil(turn.promptTokens / chunkTokens) + turn.tokensMax - 1;
    const tokens = readText(arena, text);
    const request: TurnRequest = {
      ...{ conversation, tokens, tokensMax: turn.tokensMax, stepsMax: stepsLeft, sharedTokens, overflow },
      chooser: (tokensMax) => chooserFor(choosing, tokensMax, tokens, speech),
      stopIds: [...stopIds, ...(speech?.eosIds ?? [])],
      pinned: new Set(pinned),
    };
    const spoken = { turn: engine.begin(request), stepsLeft };
    turns.set(job, spoken);
    return spoken;
  };

  const drop = (job: JobId): void => {
    turns.get(job)?.turn.cancel();
    turns.delete(job);
  };

  return {
    run(command, watch) {
      try {
        const spoken = turns.get(command.job) ?? begin(command);
        const { turn } = spoken;
        const { steps, finish } = turn.run(Math.min(command.steps, spoken.stepsLeft), watch);
        spoken.stepsLeft -= steps;
        if (finish === undefined) return { kind: 'done', steps, summary: undefined };
        turns.delete(command.job);
        const { cachedTokens, promptTokens, droppedTokens, writtenTokens } = turn;
        const summary = {
          finish: finish === 'stop' ? finish : 'length',
          cachedTokens,
          promptTokens,
          droppedTokens,
          writtenTokens,
          cache: engine.usage,
        } as const;
        return { kind: 'done', steps, summary };
      } catch (thrown) {
        drop(command.job);
        if (!(thrown instanceof CoxswainError)) throw thrown;
        return { kind: 'failed', reason: REASONS[thrown.code] ?? 'device-error', message: thrown.message };
      }
    },
    forget: drop,
    warmUp() {
      try {
        engine.warmUp();
        return undefined;
      } catch (thrown) {
        return { kind: 'failed', reason: 'device-error', message: messageOf(thrown) };
      }
    },
    release() {
      engine.release();
      onRelease();
    },
  };
}

function chooserFor(
  choosing: Readonly<Record<string, unknown>> | undefined,
  tokensMax: number,
  prompt: readonly number[],
  speech: Speech | undefined,
): TokenChooser {
  if (choosing === undefined) return greedyChooser;
  if (speech === undefined)
    throw new CoxswainError('MODEL_UNSUPPORTED', 'there is no tokenizer beside the model, so how its tokens are chosen cannot be said');
  return speech.choosers.begin({ ...choosing, tokensMax } as ChooserOptions, prompt);
}

const REASONS: Readonly<Record<string, FailReason>> = {
  LOGITS_NOT_FINITE: 'non-finite',
  CACHE_FULL: 'no-memory',
  PROMPT_REFUSED: 'prepare-error',
  SCHEMA_REFUSED: 'prepare-error',
};

function readText(
  arena: ArrayBuffer,
  { offsetBytes, byteLength }: { readonly offsetBytes: number; readonly byteLength: number },
): number[] {
  const isInside = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes + byteLength <= arena.byteLength;
  if (!isInside || offsetBytes % 4 !== 0 || byteLength % 4 !== 0)
    throw new CoxswainError('TOKENS_INVALID', `a text at byte ${offsetBytes}, ${byteLength} long, of an arena of ${arena.byteLength}`);
  return [...new Int32Array(arena, offsetBytes, byteLength / 4)];
}
