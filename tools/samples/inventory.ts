import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type PinnedFile, pinnedFiles, type SampleList } from './sample-list.ts';

export interface InventoryFile {
  /** Below the folder of samples.json. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly licence: string;
  /** When the file was last changed, in milliseconds since 1970: with the size, how a later run knows it untouched without hashing it again. */
  readonly modifiedMs: number;
}

/** The content of `.cache/samples.json`: what samples there are. Every path is relative to its folder. */
export interface Inventory {
  readonly version: 1;
  /** Which list these files answer to. */
  readonly listSha256: string;
  readonly models: readonly InventoryFile[];
  readonly dictionaries: readonly InventoryFile[];
  readonly media: {
    readonly front: readonly InventoryFile[];
    readonly cabin: readonly InventoryFile[];
    readonly speech: readonly InventoryFile[];
  };
  readonly sources: readonly InventoryFile[];
}

export function listDigest(list: SampleList): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('hex');
}

/** The inventory of files that have just been verified. */
export function takeInventory(list: SampleList, directory: string): Inventory {
  const files = pinnedFiles(list);
  const ofUse = (use: PinnedFile['use']) => files.filter((file) => file.use === use).map((file) => describe(file, directory));
  return {
    version: 1,
    listSha256: listDigest(list),
    models: ofUse('model'),
    dictionaries: ofUse('dictionary'),
    media: { front: ofUse('front'), cabin: ofUse('cabin'), speech: ofUse('speech') },
    sources: ofUse('source'),
  };
}

function describe(file: PinnedFile, directory: string): InventoryFile {
  const { mtimeMs } = statSync(join(directory, file.target));
  return { path: file.target, sha256: file.sha256, bytes: file.bytes, licence: file.licence, modifiedMs: mtimeMs };
}

/** The last run's inventory, or undefined if there is none that can be read. */
export function readInventory(directory: string): Inventory | undefined {
  try {
    const inventory = JSON.parse(readFileSync(join(directory, 'samples.json'), 'utf8')) as Inventory;
    const isWhole =
      inventory.version === 1 && [inventory.models, inventory.dictionaries, inventory.sources, inventory.media?.front].every(Array.isArray);
    return isWhole ? inventory : undefined;
  } catch {
    return undefined;
  }
}

export function inventoryFiles(inventory: Inventory): readonly InventoryFile[] {
  const { models, dictionaries, media, sources } = inventory;
  return [...models, ...dictionaries, ...media.front, ...media.cabin, ...media.speech, ...sources];
}

/** Whether a file is as an earlier run left it, judged by size and time of change alone. */
export function isUntouched(file: PinnedFile, known: InventoryFile | undefined, directory: string): boolean {
  if (known === undefined || known.sha256 !== file.sha256) return false;
  const stat = statSync(join(directory, file.target), { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === file.bytes && stat.mtimeMs === known.modifiedMs;
}
