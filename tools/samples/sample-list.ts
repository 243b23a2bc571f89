import { SampleError } from './sample-error.ts';

/** What a file is for; the inventory groups by it. `source` is only an ingredient of a conversion. */
export type SampleUse = 'model' | 'dictionary' | 'front' | 'cabin' | 'speech' | 'source';

/** A file of the cache with the bytes it must have. */
export interface PinnedFile {
  /** Below the cache folder, with forward slashes, such as `models/nanodet.onnx`. */
  readonly target: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  readonly use: SampleUse;
  /** SPDX expression. */
  readonly licence: string;
  /** Where that licence was read. docs/samples.md says what remains uncertain. */
  readonly licenceReadIn: string;
}

export interface PackagedFile extends PinnedFile {
  /** Name inside the package's archive, which npm always starts with `package/`. */
  readonly member: string;
}

export interface SamplePackage {
  readonly name: string;
  readonly version: string;
  /** npm's own notation: `sha512-` and base64 of the archive's digest. */
  readonly integrity: string;
  /** Size of the archive, for the progress display. */
  readonly bytes: number;
  readonly files: readonly PackagedFile[];
}

/** A file made here from others; deterministic, so it is pinned like any other. */
export interface ConvertedFile extends PinnedFile {
  readonly from: readonly string[];
  readonly converter: 'nanodet';
}

/** A file that lies in this repository, below tools/samples/assets. */
export interface OwnFile extends PinnedFile {
  readonly asset: string;
}

export interface SampleList {
  readonly packages: readonly SamplePackage[];
  readonly own: readonly OwnFile[];
  readonly conversions: readonly ConvertedFile[];
}

export function pinnedFiles(list: SampleList): readonly PinnedFile[] {
  return [...list.packages.flatMap((entry) => entry.files), ...list.own, ...list.conversions];
}

export function archiveName(entry: SamplePackage): string {
  return `${entry.name.replace(/^@/, '').replace('/', '-')}-${entry.version}.tgz`;
}

const PLAIN_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
/** Members may hold `@` too; neither they nor targets may start a segment with a dot or a dash, so no `..`, no option, no hidden file. */
const MEMBER_SEGMENT = /^[A-Za-z0-9_@][A-Za-z0-9._@-]*$/;

/** Throws `list` for a list that could write outside the cache folder, leave the registry, or pin nothing. */
export function checkSampleList(list: SampleList): void {
  const targets = new Set<string>();
  for (const file of pinnedFiles(list)) {
    const isPlain = file.target.split('/').every((segment) => PLAIN_SEGMENT.test(segment));
    if (!isPlain) throw bad(`target ${JSON.stringify(file.target)} is not a plain path below the cache folder`);
    if (targets.has(file.target)) throw bad(`target ${file.target} is listed twice`);
    if (!/^[0-9a-f]{64}$/.test(file.sha256)) throw bad(`${file.target} has no SHA-256`);
    if (!Number.isSafeInteger(file.bytes) || file.bytes < 1) throw bad(`${file.target} has size ${file.bytes}`);
    targets.add(file.target);
  }
  for (const entry of list.packages) checkPackage(entry);
  for (const file of list.own)
    if (!PLAIN_SEGMENT.test(file.asset)) throw bad(`asset ${JSON.stringify(file.asset)} is not a plain file name`);
  for (const file of list.conversions) {
    const unknown = file.from.find((target) => !targets.has(target));
    if (unknown !== undefined) throw bad(`${file.target} is made from ${unknown}, which is not listed`);
  }
}

function checkPackage(entry: SamplePackage): void {
  if (!/^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/.test(entry.name)) throw bad(`package name ${JSON.stringify(entry.name)}`);
  if (!/^\d+\.\d+\.\d+$/.test(entry.version))
    throw bad(`${entry.name} has version ${JSON.stringify(entry.version)}; an exact one is needed`);
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity)) throw bad(`${entry.name} has no sha512 integrity`);
  for (const { member } of entry.files) {
    const segments = member.split('/');
    const isPlain = segments[0] === 'package' && segments.length > 1 && segments.every((segment) => MEMBER_SEGMENT.test(segment));
    if (!isPlain) throw bad(`${entry.name} lists the member ${JSON.stringify(member)}, which is not a plain path below package/`);
  }
}

function bad(what: string): SampleError {
  return new SampleError('list', `the list of samples is wrong: ${what}`);
}
