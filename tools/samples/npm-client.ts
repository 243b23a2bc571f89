import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SampleError } from './sample-error.ts';
import type { SamplePackage } from './sample-list.ts';

export interface NpmClient {
  /** Program and leading arguments, such as `['npm']`. Never a shell. */
  readonly command: readonly string[];
  /** Where npm runs, so that a project's .npmrc counts beside the user's. */
  readonly workingDirectory: string;
  /** Let npm use its own cache only. */
  readonly isOffline: boolean;
}

/** npm gives up on a dead connection by itself; this bounds one that trickles. */
const PACKAGE_TIMEOUT_MS = 30 * 60_000;
const KILL_AFTER_MS = 2_000;
/** npm's own pauses between its tries (10 s, then 60 s) make somebody who is offline wait 71 s for the message; these make it 8 to 10 s (measured). */
const RETRY_PAUSES = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000'];
/** Enough for every message npm has, and a bound on one that floods. */
const OUTPUT_CHARS_MAX = 65_536;

/**
 * Has the npm client put one package's archive into `folder` (which must be empty) and returns its path. npm brings the user's own settings:
 * registry, proxy, certificates, tokens; this project names no host. Its install scripts are off, and `npm pack` of a published package runs none.
 * Throws `npm` if npm fails or delivers no archive, `aborted` when interrupted. The archive is not verified yet.
 */
export async function packWithNpm(entry: SamplePackage, folder: string, client: NpmClient, signal: AbortSignal): Promise<string> {
  const what = `${entry.name}@${entry.version}`;
  const options = [
    '--ignore-scripts',
    '--json',
    '--loglevel=error',
    ...RETRY_PAUSES,
    ...(client.isOffline ? ['--offline'] : []),
    `--pack-destination=${folder}`,
  ];
  const result = await runNpm([...client.command, 'pack', what, ...options], client.workingDirectory, signal);
  if (signal.aborted) throw new SampleError('aborted', `interrupted while npm was fetching ${what}`);
  if (result.status !== 0) throw new SampleError('npm', explain(what, result, client));
  const archives = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  const [archive] = archives;
  if (archive === undefined || archives.length > 1) {
    throw new SampleError(
      'npm',
      `npm reported success for ${what} but left ${archives.length} archives. Try \`npm pack ${what}\` by hand.`,
    );
  }
  return join(folder, archive);
}

interface NpmResult {
  readonly status: number | undefined;
  readonly output: string;
  readonly failure: string;
}

function runNpm(command: readonly string[], workingDirectory: string, signal: AbortSignal): Promise<NpmResult> {
  const [program = 'npm', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: workingDirectory, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let failure = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const stop = () => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
    };
    const timer = setTimeout(() => {
      failure = `npm took longer than ${PACKAGE_TIMEOUT_MS / 60_000} minutes`;
      stop();
    }, PACKAGE_TIMEOUT_MS);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const finish = (status: number | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve({ status, output, failure });
    };
    child.on('error', (error) => {
      failure = `${program} could not be started: ${error.message}`;
      finish(undefined);
    });
    child.on('close', (status) => finish(status ?? undefined));
  });
}

const NETWORK_CODES = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b/;

function explain(what: string, result: NpmResult, client: NpmClient): string {
  const head = `could not obtain ${what}`;
  const kept = 'What is already there is kept; running again continues from here.';
  if (result.failure !== '') return `${head}: ${result.failure}. Is npm on the PATH? ${kept}`;
  const network = NETWORK_CODES.exec(result.output)?.[1];
  if (network !== undefined) {
    return `${head}: npm cannot reach its registry (${network}). Connect to the network, or point npm at a reachable registry (\`npm config get registry\` shows the present one). ${kept}`;
  }
  if (client.isOffline && result.output.includes('ENOTCACHED')) {
    return `${head}: it is not in npm's own cache, and --offline forbids the network. Run once without --offline. ${kept}`;
  }
  if (/\b(E404|ETARGET)\b/.test(result.output)) {
    return `${head}: the registry npm uses does not have it (\`npm config get registry\` shows which). A mirror may lack packages; ${kept.toLowerCase()}`;
  }
  const lines = result.output.trim().split('\n').slice(-6).join('\n  ');
  return `${head}: npm exited with status ${result.status ?? 'none'}:\n  ${lines}\n${kept}`;
}
