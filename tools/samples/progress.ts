import type { SamplePackage } from './sample-list.ts';

/** Told what is going on; `end` is called once, on every way out. */
export interface Progress {
  /** What will be fetched or unpacked, before the first. Empty if nothing is needed from any package. */
  plan(packages: readonly SamplePackage[]): void;
  begin(entry: SamplePackage): void;
  finish(entry: SamplePackage): void;
  note(text: string): void;
  end(): void;
}

export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  readonly nowMs: () => number;
}

const BAR_CELLS = 20;
const REDRAW_MS = 250;

/**
 * On a terminal one line that is redrawn, elsewhere a line a package. npm says nothing while it fetches, so the bar counts the bytes of
 * finished packages only, and the seconds show that the present one is being worked on.
 */
export function createProgress(output: ProgressOutput): Progress {
  const finished = new Set<string>();
  let planned: readonly SamplePackage[] = [];
  let current: { entry: SamplePackage; sinceMs: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const sum = (packages: readonly SamplePackage[]) => packages.reduce((bytes, entry) => bytes + entry.bytes, 0);
  const line = () => {
    const done = sum(planned.filter((entry) => finished.has(entry.name)));
    const total = sum(planned);
    const cells = total === 0 ? BAR_CELLS : Math.floor((BAR_CELLS * done) / total);
    const bar = `[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}]`;
    const elapsed =
      current === undefined
        ? ''
        : ` ${current.entry.name} (${megabytes(current.entry.bytes)}), ${seconds(output.nowMs() - current.sinceMs)}`;
    const text = `samples ${bar} ${finished.size}/${planned.length}, ${megabytes(done)} of ${megabytes(total)}${elapsed}`;
    return text.slice(0, Math.max(1, output.width - 1));
  };
  const redraw = () => output.write(`\r\u001b[2K${line()}`);
  const say = (text: string) => output.write(output.isTerminal ? `\r\u001b[2K${text}\n` : `${text}\n`);
  return {
    plan: (packages) => {
      planned = packages;
      if (packages.length > 0)
        say(
          `samples: ${packages.length} ${packages.length === 1 ? 'package' : 'packages'}, ${megabytes(sum(packages))}; npm fetches what is not here yet`,
        );
      if (packages.length > 0 && output.isTerminal) timer = setInterval(redraw, REDRAW_MS);
    },
    begin: (entry) => {
      current = { entry, sinceMs: output.nowMs() };
      if (output.isTerminal) redraw();
      else say(`samples: ${planned.indexOf(entry) + 1}/${planned.length} ${entry.name}@${entry.version} (${megabytes(entry.bytes)})`);
    },
    finish: (entry) => {
      finished.add(entry.name);
      current = undefined;
      if (output.isTerminal) redraw();
    },
    note: (text) => say(`samples: ${text}`),
    end: () => {
      clearInterval(timer);
      if (timer !== undefined) output.write('\r\u001b[2K');
      timer = undefined;
    },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function seconds(durationMs: number): string {
  return `${Math.floor(durationMs / 1_000)} s`;
}
