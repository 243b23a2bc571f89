/**
 * Does anything grow? Runs a configuration for a while and watches memory and file descriptors of the runtime and its core processes from outside.
 *
 *     npm run build && npx tsx tools/soak/main.ts [--for 10m] [--config configs/cockpit.yaml] [--json]
 *
 * The first fifth is warm-up and is not judged. Exit 1 when descriptors grew, or when the resident memory of the runtime, by a robust line through
 * its samples (Theil-Sen: the median of the slopes of all pairs), grows by more than 2 MB a minute.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const SAMPLE_MS = 5_000;
const GROWTH_MAX_BYTES_PER_MINUTE = 2 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '10m' },
    config: { type: 'string', default: 'configs/cockpit.yaml' },
    json: { type: 'boolean', default: false },
  },
});

interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly fds: number;
  /** Proportional share of the core processes together. */
  readonly corePssBytes: number;
  readonly coreFds: number;
}

const run = spawn(process.execPath, [`${PROJECT}dist/cli/main.js`, 'run', values.config, '--plain', '--for', values.for], {
  cwd: PROJECT,
  stdio: ['ignore', values.json ? 2 : 'inherit', 'inherit'],
});
const pid = run.pid;
if (pid === undefined) throw new Error('the runtime could not be started; run `npm run build` first');
process.on('SIGINT', () => run.kill('SIGINT'));

const samples: Sample[] = [];
const startedAt = performance.now();
const sampling = setInterval(() => {
  const sample = take(pid);
  if (sample !== undefined) samples.push(sample);
}, SAMPLE_MS);
const status = await new Promise<number | null>((resolve) => run.on('close', resolve));
clearInterval(sampling);

const judged = samples.slice(Math.ceil(samples.length / 5), -1);
const first = judged[0];
const last = judged.at(-1);
if (first === undefined || last === undefined) throw new Error(`too few samples (${samples.length}); run longer than a minute`);
const result = {
  status,
  samples: judged.length,
  minutes: (last.atMs - first.atMs) / 60_000,
  rssBytes: { first: first.rssBytes, last: last.rssBytes, perMinute: slope(judged.map(({ atMs, rssBytes }) => [atMs / 60_000, rssBytes])) },
  corePssBytes: {
    first: first.corePssBytes,
    last: last.corePssBytes,
    perMinute: slope(judged.map((one) => [one.atMs / 60_000, one.corePssBytes])),
  },
  fds: { first: first.fds, last: last.fds, max: Math.max(...judged.map(({ fds }) => fds)) },
  coreFds: { first: first.coreFds, last: last.coreFds },
};
const grew = [
  ...(result.rssBytes.perMinute > GROWTH_MAX_BYTES_PER_MINUTE ? ['resident memory of the runtime'] : []),
  ...(result.corePssBytes.perMinute > GROWTH_MAX_BYTES_PER_MINUTE ? ['memory of the core processes'] : []),
  ...(last.fds > first.fds ? ['file descriptors of the runtime'] : []),
  ...(last.coreFds > first.coreFds ? ['file descriptors of the core processes'] : []),
];
if (values.json) console.log(JSON.stringify({ ...result, grew }));
else {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`\n${result.samples} samples over ${result.minutes.toFixed(1)} minutes after warm-up`);
  console.log(
    `runtime  ${mb(first.rssBytes)} -> ${mb(last.rssBytes)} resident (${mb(result.rssBytes.perMinute)} a minute), ${first.fds} -> ${last.fds} descriptors`,
  );
  console.log(
    `cores    ${mb(first.corePssBytes)} -> ${mb(last.corePssBytes)} PSS (${mb(result.corePssBytes.perMinute)} a minute), ${first.coreFds} -> ${last.coreFds} descriptors`,
  );
  console.log(grew.length === 0 ? 'nothing grew' : `grew: ${grew.join(', ')}`);
}
process.exitCode = status !== 0 || grew.length > 0 ? 1 : 0;

/** Undefined once the process is gone. */
function take(parent: number): Sample | undefined {
  try {
    const cores = childrenOf(parent);
    return {
      atMs: performance.now() - startedAt,
      rssBytes: kilobytes(`/proc/${parent}/status`, 'VmRSS'),
      fds: descriptors(parent),
      corePssBytes: cores.reduce((sum, core) => sum + kilobytes(`/proc/${core}/smaps_rollup`, 'Pss'), 0),
      coreFds: cores.reduce((sum, core) => sum + descriptors(core), 0),
    };
  } catch (thrown) {
    if (run.exitCode !== null || samples.length > 0) return undefined;
    throw thrown;
  }
}

function childrenOf(parent: number): number[] {
  const listing = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(parent)], { encoding: 'utf8' });
  return listing.split('\n').flatMap((line) => (line.includes('core-process') ? [Number.parseInt(line, 10)] : []));
}

function descriptors(of: number): number {
  return readdirSync(`/proc/${of}/fd`).length;
}

function kilobytes(file: string, key: string): number {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
  return Number(found ?? Number.NaN) * 1024;
}

function slope(points: readonly (readonly [number, number])[]): number {
  const slopes: number[] = [];
  for (const [index, [x, y]] of points.entries()) {
    for (const [otherX, otherY] of points.slice(index + 1)) slopes.push((otherY - y) / (otherX - x));
  }
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.NaN;
}
