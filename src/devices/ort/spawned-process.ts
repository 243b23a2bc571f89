import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { durationUs } from '../../core/units.ts';
import { createSharedMemory } from '../../native/shared-memory.ts';
import { createMailbox, MAILBOX_BYTES, type Mailbox } from './mailbox.ts';
import { type Command, type CoreProcessSettings, REPLY_BYTES_MAX, type Reply } from './protocol.ts';

/** Characters of its last output that are kept for the message of a loss. */
const LAST_WORDS_LENGTH_MAX = 2000;

/** After the process has ended, its pipes give what is left in them; they are waited for this long at most. */
const PIPES_GRACE_US = durationUs(100_000);

/** SIGKILL to exit took 7 to 10 ms. A process that the kernel cannot end (stuck in a driver) must not keep its job without an end. */
const EXIT_GRACE_US = durationUs(2_000_000);

export interface SpawnedProcessOptions {
  readonly settings: CoreProcessSettings;
  readonly arenaFd: number;
  /** The Node binary. */
  readonly execPath: string;
}

export interface SpawnedProcessListener {
  onReply(reply: Reply): void;
  /** Called once, when the process can write to the arena no more. `message` says how it ended and its last words. */
  onExit(message: string): void;
}

/** One life of one core process, seen from the runtime. */
export interface SpawnedProcess {
  readonly pid: number | undefined;
  /** False when the command is too long. The caller waits for the answer before it posts again. */
  post(command: Command): boolean;
  /** Asks it to leave off with the command last posted when it can. */
  askToYield(): void;
  /** SIGKILL; replies that are under way are ignored from now on. */
  kill(): void;
}

/** Starts a core process. Failing to start is told through `onExit`. Error: NATIVE_UNAVAILABLE, ARENA_FULL (no memory for the mailbox). */
export function spawnCoreProcess(options: SpawnedProcessOptions, listener: SpawnedProcessListener, clock: Clock): SpawnedProcess {
  const memory = createSharedMemory(MAILBOX_BYTES);
  const mailbox = createMailbox(memory);
  const child = spawn(options.execPath, ['--expose-gc', ...loaderArguments(), entryFile(), JSON.stringify(options.settings)], {
    // Nothing of our environment is a core's business. The ONNX Runtime reports home unless told not to.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // A model whose weights are to be read from a relative path finds nothing to read.
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', options.arenaFd, memory.fd],
  });
  const lastWords = keepLastWords([child.stdout, child.stderr]);
  let isKilled = false;
  let timer: Timer | undefined;

  const end = once((message: string) => {
    timer?.cancel();
    memory.close();
    const words = lastWords().trim();
    listener.onExit(words === '' ? message : `${message}; its last words: ${words}`);
  });
  const kill = (): void => {
    if (isKilled) return;
    isKilled = true;
    child.kill('SIGKILL');
    timer ??= after(clock, EXIT_GRACE_US, () => end(`process ${child.pid} did not end within 2 s of SIGKILL`));
  };

  child.once('error', (error) => end(`${options.execPath} could not be started: ${messageOf(error)}`));
  child.once('exit', (code, signal) => {
    const message = `process ${child.pid} ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`;
    timer?.cancel();
    timer = after(clock, PIPES_GRACE_US, () => end(message));
    child.once('close', () => end(message));
  });
  readReplies(child, mailbox, (reply) => {
    if (isKilled) return;
    if (reply === undefined) kill();
    else listener.onReply(reply);
  });
  return { pid: child.pid, post: (command) => mailbox.post(JSON.stringify(command)), askToYield: () => mailbox.askToYield(), kill };
}

/** From TypeScript sources (tests, tsx) the child needs the loader that we run under; from a build it needs nothing. */
const isSource = (): boolean => import.meta.url.endsWith('.ts');

function loaderArguments(): string[] {
  return isSource() ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
}

const entryFile = (): string => fileURLToPath(new URL(isSource() ? './core-process.ts' : './core-process.js', import.meta.url));

/** Calls `take` per line; with undefined once a line is not a reply or has no end, which only a process gone mad sends. */
function readReplies(child: ChildProcess, mailbox: Mailbox, take: (reply: Reply | undefined) => void): void {
  const socket = child.stdio[3] as Socket | undefined;
  let rest = '';
  socket?.setEncoding('utf8');
  socket?.on('error', () => undefined);
  socket?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line === '' ? { kind: 'done', ...mailbox.stamps() } : parseReply(line));
    if (rest.length > REPLY_BYTES_MAX) take(undefined);
  });
}

function parseReply(line: string): Reply | undefined {
  try {
    return JSON.parse(line) as Reply;
  } catch {
    return undefined;
  }
}

/** Reads all that comes, so that the writer never blocks, and keeps the end of it. */
function keepLastWords(streams: readonly (Readable | null)[]): () => string {
  let words = '';
  for (const stream of streams) {
    stream?.setEncoding('utf8');
    stream?.on('error', () => undefined);
    stream?.on('data', (chunk: string) => {
      words = (words + chunk).slice(-LAST_WORDS_LENGTH_MAX);
    });
  }
  return () => words;
}

function once<T>(task: (value: T) => void): (value: T) => void {
  let isDone = false;
  return (value) => {
    if (isDone) return;
    isDone = true;
    task(value);
  };
}
