import { InferenceSession } from 'onnxruntime-node';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { contractViolations } from './contract.ts';
import { readRegularFile, readVerifiedModel, sha256Of } from './model-file.ts';
import { createNetworkSession, type NetworkSession } from './network-session.ts';
import type { CopyFile, LoadableModel, OptimizedCopy } from './protocol.ts';

export interface OpenOptions {
  readonly threads: number;
  readonly copy: OptimizedCopy | undefined;
  readonly saveCopyAs: string | undefined;
}

export interface OpenedModel {
  readonly session: NetworkSession;
  readonly hasUsedCopy: boolean;
  readonly savedCopy: OptimizedCopy | undefined;
  /** Why the model is run whole though it was to be cut. */
  readonly uncut: string | undefined;
}

/**
 * Opens a model from `copy` if that is given and holds what it should, else from its file, where it is cut as its entry says. Apart from cutting it is never run here: a core that
 * comes back must be ready soon.
 * Errors: MODEL_MISSING, MODEL_HASH_MISMATCH, MODEL_UNLOADABLE, MODEL_CONTRACT.
 */
export async function openModelSession(model: LoadableModel, options: OpenOptions, arena: ArrayBuffer): Promise<OpenedModel> {
  if (options.copy !== undefined) {
    const blocks = await openCopy(model, options.copy, options.threads);
    if (blocks !== undefined) {
      return { session: createNetworkSession(blocks, model, arena), hasUsedCopy: true, savedCopy: undefined, uncut: undefined };
    }
  }
  const bytes = readVerifiedModel(model.file, model.sha256);
  const opened = (model.blocks ?? 1) > 1 ? await openCut(model, bytes, options) : await openWhole(model, bytes, options);
  return { ...opened, session: createNetworkSession(opened.blocks, model, arena), hasUsedCopy: false };
}

type Opened = Pick<OpenedModel, 'savedCopy' | 'uncut'> & { readonly blocks: readonly InferenceSession[] };

async function openWhole(model: LoadableModel, bytes: Uint8Array, { threads, saveCopyAs }: OpenOptions): Promise<Opened> {
  const session = await create(model, bytes, { ...sessionOptions(threads), ...savingOptions(saveCopyAs) });
  await releasing(session, () => checkContract(model, [session]));
  return { blocks: [session], savedCopy: copyOf(saveCopyAs), uncut: undefined };
}

/** What it takes is loaded when it is first needed: cores without a cut network start without it. */
async function openCut(model: LoadableModel, bytes: Uint8Array, options: OpenOptions): Promise<Opened> {
  const { saveCopyAs, threads } = options;
  if (saveCopyAs === undefined) return { ...(await openWhole(model, bytes, options)), uncut: 'there is no folder for the optimised graph' };
  const { cutNetwork } = await import('./cut-network.ts');
  const open = (graph: Uint8Array, more: InferenceSession.SessionOptions): Promise<InferenceSession> =>
    create(model, graph, { ...sessionOptions(threads), ...more });
  const cut = await cutNetwork(model, bytes, {
    saveAs: saveCopyAs,
    open,
    check: (session) => releasing(session, () => checkContract(model, [session])),
  });
  if (cut.kind === 'cut') return { blocks: cut.blocks, savedCopy: cut.files, uncut: undefined };
  return { blocks: [cut.session], savedCopy: copyOf(saveCopyAs), uncut: cut.reason };
}

/** A copy is a shortcut: whatever is wrong with it, the original decides. */
async function openCopy(model: LoadableModel, copy: OptimizedCopy, threads: number): Promise<readonly InferenceSession[] | undefined> {
  const blocks: InferenceSession[] = [];
  try {
    for (const { file, sha256 } of copy) blocks.push(await create(model, readVerifiedModel(file, sha256), asSaved(threads)));
    checkContract(model, blocks);
    return blocks;
  } catch (thrown) {
    for (const block of blocks) await block.release();
    if (thrown instanceof CoxswainError) return undefined;
    throw thrown;
  }
}

const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // Errors only: converted models print a warning for every unused initialiser.
  logSeverityLevel: 3,
  extra: {
    session: {
      // Without it, signed int8 weights are silently wrong on CPUs without VNNI (17.6 % RMS error measured).
      x64quantprecision: '1',
      // Spinning helper threads would take time from the other cores.
      intra_op: { allow_spinning: '0' },
    },
  },
});

/** Of a graph that is optimised already. */
const asSaved = (threads: number): InferenceSession.SessionOptions => ({ ...sessionOptions(threads), graphOptimizationLevel: 'disabled' });

const savingOptions = (file: string | undefined): InferenceSession.SessionOptions =>
  file === undefined ? {} : { optimizedModelFilePath: file };

function copyOf(file: string | undefined): readonly CopyFile[] | undefined {
  if (file === undefined) return undefined;
  try {
    return [{ file, sha256: sha256Of(readRegularFile(file)) }];
  } catch {
    // A full disk, say: the model is open all the same, the next core will optimise it again.
    return undefined;
  }
}

async function create(model: LoadableModel, bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, options);
  } catch (thrown) {
    throw new CoxswainError('MODEL_UNLOADABLE', `The ONNX Runtime could not open ${model.file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Should the check throw. */
async function releasing(session: InferenceSession, check: () => void): Promise<void> {
  try {
    check();
  } catch (thrown) {
    await session.release();
    throw thrown;
  }
}

/** What blocks of a network read of each other is their own business. */
function checkContract(model: LoadableModel, blocks: readonly InferenceSession[]): void {
  const made = new Set(blocks.flatMap(({ outputNames }) => outputNames));
  const inputs = new Map(blocks.flatMap(({ inputMetadata }) => inputMetadata.map((value) => [value.name, value] as const)));
  const outer = [...inputs.values()].filter(({ name }) => !made.has(name));
  const violations = contractViolations(
    model,
    outer,
    blocks.flatMap(({ outputMetadata }) => outputMetadata),
  );
  if (violations.length === 0) return;
  throw new CoxswainError(
    'MODEL_CONTRACT',
    `${model.file} is not what its manifest entry ${JSON.stringify(model.id)} says: ${violations.join('; ')}.`,
  );
}
