import type { ManifestModel } from '../../config/runtime-config.ts';
import { messageOf } from '../../core/errors.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { bar, formatBytes, formatPercent } from '../figures-text.ts';
import { hashFile } from '../file-hash.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Tone } from '../paint.ts';
import { escapeText } from '../terminal-text.ts';

export interface ModelsOptions {
  readonly isJson: boolean;
}

export interface ModelsDeps extends Pick<CliDeps, 'out' | 'err' | 'env'> {
  readonly models: readonly ManifestModel[];
}

/** Files above this size get a progress bar on a terminal; smaller ones are done before anybody could read it. */
const BAR_BYTES_MIN = 32 * 1024 * 1024;
const BAR_CELLS = 30;

interface ManifestFileRow {
  readonly model: string;
  /** The model itself, or the key of a side file. */
  readonly part: string;
  readonly file: string;
  readonly fileBytes: number;
  readonly sha256: string;
  readonly licence: string;
}

/** `same`: size and hash are those of the manifest. */
export interface VerifiedFile extends ManifestFileRow {
  readonly verdict: 'same' | 'different' | 'missing' | 'unreadable';
  readonly detail: string;
}

/** Models that are only described have no file to list. */
const rowsOf = (models: readonly ManifestModel[]): ManifestFileRow[] =>
  models
    .filter(({ file }) => file !== '')
    .flatMap(({ id, file, fileBytes, sha256, licence, sideFiles }) => [
      { model: id, part: 'model', file, fileBytes, sha256, licence },
      ...Object.entries(sideFiles).map(([part, side]) => ({ model: id, part, ...side, licence })),
    ]);

const LIST_COLUMNS: readonly Column[] = [
  { title: 'model', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'part', align: 'left', rank: 4 },
  { title: 'size', align: 'right', rank: 2 },
  { title: 'licence', align: 'left', rank: 1 },
  { title: 'sha256', align: 'left', rank: 3, shrinksTo: 13 },
  { title: 'file', align: 'left', rank: 5, shrinksTo: 12 },
];

export function modelsList(options: ModelsOptions, deps: ModelsDeps): number {
  const rows = rowsOf(deps.models);
  if (options.isJson) {
    deps.out.write(`${JSON.stringify(rows)}\n`);
    return EXIT.fine;
  }
  const cells = rows.map((row): Cell[] => [
    { text: escapeText(row.model), tone: 'bold' },
    { text: escapeText(row.part) },
    { text: formatBytes(row.fileBytes) },
    { text: escapeText(row.licence) },
    { text: row.sha256, tone: 'dim' },
    { text: escapeText(row.file), tone: 'dim' },
  ]);
  const { out } = deps;
  out.write(`${renderGrid(LIST_COLUMNS, cells, out.columns(), choosePaint(out.isTty, deps.env)).join('\n')}\n`);
  return EXIT.fine;
}

/** Hashes every file of the manifest; 1 when one is missing or differs. */
export async function modelsVerify(options: ModelsOptions, deps: ModelsDeps): Promise<number> {
  const { out } = deps;
  const paint = choosePaint(out.isTty, deps.env);
  const verified: VerifiedFile[] = [];
  for (const row of rowsOf(deps.models)) {
    const result = await verify(row, deps);
    verified.push(result);
    if (options.isJson) continue;
    const tone: Tone = result.verdict === 'same' ? 'green' : 'red';
    out.write(
      `${paint(result.verdict.padEnd(10), tone)} ${escapeText(`${row.model} ${row.part}, ${formatBytes(row.fileBytes)}, ${row.licence}`)}\n`,
    );
    if (result.verdict !== 'same') out.write(`           ${escapeText(result.detail)}\n`);
  }
  const bad = verified.filter(({ verdict }) => verdict !== 'same').length;
  if (options.isJson) out.write(`${JSON.stringify(verified)}\n`);
  else out.write(`${verified.length - bad} of ${verified.length} files are what the manifest says\n`);
  return bad > 0 ? EXIT.findings : EXIT.fine;
}

async function verify(row: ManifestFileRow, { err }: ModelsDeps): Promise<VerifiedFile> {
  const isShown = err.isTty && row.fileBytes >= BAR_BYTES_MIN;
  let seenBytes = 0;
  let shown = '';
  try {
    const { sha256, bytes } = await hashFile(row.file, (count) => {
      seenBytes += count;
      const ratio = seenBytes / row.fileBytes;
      const line = `${bar(ratio, BAR_CELLS)} ${formatPercent(ratio)}`;
      if (isShown && line !== shown && !err.isBehind()) err.write(`\r${line}`);
      shown = line;
    });
    if (sha256 === row.sha256) return { ...row, verdict: 'same', detail: '' };
    const what = bytes === row.fileBytes ? '' : ` and has ${bytes} bytes instead of ${row.fileBytes}`;
    const remedy = 'get it again from its origin, or correct the manifest if you trust these bytes';
    return { ...row, verdict: 'different', detail: `${row.file} hashes to ${sha256}, the manifest says ${row.sha256}${what}; ${remedy}` };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { ...row, verdict: isMissing ? 'missing' : 'unreadable', detail: `${row.file}: ${messageOf(error)}` };
  } finally {
    if (isShown) err.write('\r\u001b[K');
  }
}
