import { copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extractMember, verifyArchive } from './archive.ts';
import { createScratch, hashFile, publishFile, sweepScratch } from './atomic-file.ts';
import { type Inventory, type InventoryFile, inventoryFiles, isUntouched, listDigest, readInventory, takeInventory } from './inventory.ts';
import { type NpmClient, packWithNpm } from './npm-client.ts';
import type { Progress } from './progress.ts';
import { acquireRunLock } from './run-lock.ts';
import { explainFileError, SampleError } from './sample-error.ts';
import {
  archiveName,
  type ConvertedFile,
  checkSampleList,
  type PinnedFile,
  pinnedFiles,
  type SampleList,
  type SamplePackage,
} from './sample-list.ts';

export interface ObtainOptions {
  /** The cache folder; created if missing. */
  readonly directory: string;
  /** Where own files lie. */
  readonly assetDirectory: string;
  readonly npm: NpmClient;
  readonly signal: AbortSignal;
}

export interface ObtainDeps {
  readonly progress: Progress;
  /** Makes the bytes of a converted file; `inputs` are paths of the files it is made from. */
  readonly convert: (file: ConvertedFile, inputs: readonly string[]) => Promise<Uint8Array>;
}

/**
 * Makes the cache folder hold every listed file, fetching only what is missing or damaged, and returns what there is (also written to
 * `samples.json`). When nothing changed since the last run it only looks at sizes and times: a few milliseconds.
 *
 * ```
 *   all untouched? ──yes──▶ done
 *        │ no
 *   lock ▶ per package: archive (kept, or npm pack ▶ verify) ▶ members (tar ▶ verify ▶ rename) ▶ own files ▶ conversions ▶ samples.json
 * ```
 *
 * Throws {@link SampleError}. After any failure or interruption the folder holds only whole, verified files, and the next run goes on.
 */
export async function obtainSamples(list: SampleList, options: ObtainOptions, deps: ObtainDeps): Promise<Inventory> {
  checkSampleList(list);
  const present = presentInventory(list, options);
  if (present !== undefined) return present;
  try {
    const release = await acquireRunLock(join(options.directory, 'samples.lock'), {
      signal: options.signal,
      onWait: (pid) => deps.progress.note(`process ${pid} is obtaining the samples already; waiting for it`),
    });
    try {
      return presentInventory(list, options) ?? (await obtainLocked(list, options, deps));
    } finally {
      release();
    }
  } catch (error) {
    if (options.signal.aborted && !(error instanceof SampleError && error.code === 'aborted')) {
      throw new SampleError('aborted', 'interrupted', { cause: error });
    }
    throw explainFileError(error, options.directory);
  } finally {
    deps.progress.end();
  }
}

/** The inventory of an earlier run if every file is as that run left it. */
function presentInventory(list: SampleList, options: ObtainOptions): Inventory | undefined {
  const inventory = readInventory(options.directory);
  if (inventory === undefined || inventory.listSha256 !== listDigest(list)) return undefined;
  const known = new Map(inventoryFiles(inventory).map((file) => [file.path, file]));
  const isWhole = pinnedFiles(list).every((file) => isUntouched(file, known.get(file.target), options.directory));
  return isWhole ? inventory : undefined;
}

async function obtainLocked(list: SampleList, options: ObtainOptions, deps: ObtainDeps): Promise<Inventory> {
  await sweepScratch(options.directory);
  const scratch = await createScratch(options.directory);
  try {
    const run = new ObtainRun(options, deps, scratch);
    await run.packages(list);
    for (const file of list.own) await run.own(file, join(options.assetDirectory, file.asset));
    for (const file of list.conversions) await run.conversion(file);
    const inventory = takeInventory(list, options.directory);
    await run.write('samples.json', `${JSON.stringify(inventory, undefined, 2)}\n`);
    return inventory;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The steps of one run, which share the scratch folder and what is known of earlier runs. */
class ObtainRun {
  private readonly options: ObtainOptions;
  private readonly deps: ObtainDeps;
  private readonly scratch: string;
  private readonly known: ReadonlyMap<string, InventoryFile>;
  private scratchCount = 0;

  constructor(options: ObtainOptions, deps: ObtainDeps, scratch: string) {
    this.options = options;
    this.deps = deps;
    this.scratch = scratch;
    const inventory = readInventory(options.directory);
    this.known = new Map((inventory === undefined ? [] : inventoryFiles(inventory)).map((file) => [file.path, file]));
  }

  async packages(list: SampleList): Promise<void> {
    const wanted: { entry: SamplePackage; missing: SamplePackage['files'] }[] = [];
    for (const entry of list.packages) {
      const missing = await this.missing(entry.files);
      if (missing.length > 0) wanted.push({ entry, missing });
    }
    this.deps.progress.plan(wanted.map(({ entry }) => entry));
    for (const { entry, missing } of wanted) {
      this.deps.progress.begin(entry);
      const archive = await this.archive(entry);
      for (const file of missing) {
        const draft = this.draft();
        await extractMember(archive, file, draft, this.options.signal);
        await publishFile(draft, this.path(file.target));
      }
      this.deps.progress.finish(entry);
    }
  }

  async own(file: PinnedFile, asset: string): Promise<void> {
    if ((await this.missing([file])).length === 0) return;
    const draft = this.draft();
    await copyFile(asset, draft);
    await this.verify(draft, file, `${asset} was changed or is damaged; restore it from the repository`);
    await publishFile(draft, this.path(file.target));
  }

  async conversion(file: ConvertedFile): Promise<void> {
    if ((await this.missing([file])).length === 0) return;
    this.deps.progress.note(`converting ${file.target}`);
    const draft = this.draft();
    await writeFile(
      draft,
      await this.deps.convert(
        file,
        file.from.map((target) => this.path(target)),
      ),
    );
    await this.verify(draft, file, 'the converter no longer gives the pinned bytes, which is a defect');
    await publishFile(draft, this.path(file.target));
  }

  async write(target: string, text: string): Promise<void> {
    const draft = this.draft();
    await writeFile(draft, text);
    await publishFile(draft, this.path(target));
  }

  /** Those files that are not there with the right bytes. Only what an earlier run did not vouch for is hashed. */
  private async missing<File extends PinnedFile>(files: readonly File[]): Promise<readonly File[]> {
    const missing: File[] = [];
    for (const file of files) {
      if (isUntouched(file, this.known.get(file.target), this.options.directory)) continue;
      if (!(await this.isIntact(file))) missing.push(file);
    }
    return missing;
  }

  private async isIntact(file: PinnedFile): Promise<boolean> {
    const size = await this.sizeOf(this.path(file.target));
    return size === file.bytes && (await hashFile(this.path(file.target), 'sha256', 'hex', this.options.signal)) === file.sha256;
  }

  /** A verified archive: the one kept from an earlier run if it is still whole, else a fresh one. */
  private async archive(entry: SamplePackage): Promise<string> {
    const kept = this.path(`packages/${archiveName(entry)}`);
    if ((await this.sizeOf(kept)) === entry.bytes) {
      const isWhole = await verifyArchive(kept, entry, this.options.signal).then(
        () => true,
        (error) => {
          if (error instanceof SampleError && error.code === 'integrity') return false;
          throw error;
        },
      );
      if (isWhole) return kept;
    }
    const folder = this.draft();
    await mkdir(folder);
    const fresh = await packWithNpm(entry, folder, this.options.npm, this.options.signal);
    await verifyArchive(fresh, entry, this.options.signal);
    await publishFile(fresh, kept);
    return kept;
  }

  private async verify(draft: string, file: PinnedFile, hint: string): Promise<void> {
    const got = await hashFile(draft, 'sha256', 'hex', this.options.signal);
    if (got !== file.sha256) throw new SampleError('integrity', `${file.target} has SHA-256 ${got}, expected ${file.sha256}: ${hint}.`);
  }

  private path(target: string): string {
    return join(this.options.directory, target);
  }

  private draft(): string {
    return join(this.scratch, String(this.scratchCount++));
  }

  private async sizeOf(path: string): Promise<number | undefined> {
    return await stat(path).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
  }
}
