import { writeSync } from 'node:fs';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { JobId } from '../../core/job.ts';
import type { LanguageSpec, ModelId } from '../../core/model.ts';
import { createSystemClock } from '../../core/system-clock.ts';
import { durationUs } from '../../core/units.ts';
import { type OnnxRuntime, openOnnxRuntime } from '../../native/onnx-runtime.ts';
import type { Permission } from '../../native/permission.ts';
import { createProcessControl } from '../../native/process-control.ts';
import { mapSharedMemory } from '../../native/shared-memory.ts';
import type { LanguageSession } from './language-session.ts';
import { createMailbox, MAILBOX_BYTES, type Mailbox } from './mailbox.ts';
import { openModelSession } from './model-session.ts';
import { nativeLibraryPath } from './native-library.ts';
import type { NetworkSession } from './network-session.ts';
import {
  ARENA_FD,
  type Command,
  type CoreProcessSettings,
  type LoadableModel,
  MAILBOX_FD,
  MESSAGE_LENGTH_MAX,
  REPLY_FD,
  type Reply,
} from './protocol.ts';
import { createTokenBuffer } from './token-buffer.ts';

/**
 * Entry file of a core process: takes one command after another from its mailbox, blocks while there is none, and answers each with one line. It is killed, not
 * asked, when it takes too long, so it keeps nothing that has to be saved.
 */

/** How often an idle core looks whether its parent still lives, should the kernel not have told it. */
const PARENT_CHECK_US = durationUs(1_000_000);

const clock = createSystemClock();
const settings = JSON.parse(process.argv[2] ?? '{}') as CoreProcessSettings;

const reply = (answer: Reply): void => send(Buffer.from(`${JSON.stringify(answer)}\n`));

const DONE = Buffer.from('\n');

function replyRun(mailbox: Mailbox, answer: Reply): void {
  if (answer.kind !== 'done') {
    reply(answer);
    return;
  }
  mailbox.stamp(answer.startedAt, answer.endedAt);
  send(DONE);
}

function send(line: Buffer): void {
  try {
    writeSync(REPLY_FD, line);
  } catch {
    // Nobody reads any more: the parent is gone.
    process.exit(1);
  }
}

const isOrphan = (): boolean => process.ppid !== settings.parentPid;

const cut = (message: string): string => message.slice(0, MESSAGE_LENGTH_MAX);

class Core {
  readonly #arena = mapSharedMemory(ARENA_FD, settings.arenaBytes).buffer;
  readonly #sessions = new Map<ModelId, NetworkSession>();
  readonly #languages = new Map<ModelId, LanguageSession>();
  #runtime: OnnxRuntime | undefined;
  readonly #control = createProcessControl();
  #hasRun = false;

  /** Sentences about wishes that the kernel refused. */
  prepare(): readonly string[] {
    const refusals = [this.#control.dieWithParent()];
    if (settings.cpu !== undefined) refusals.push(this.#control.setAffinity([settings.cpu]));
    if (settings.realtime !== undefined) {
      // Tried now, so that a refusal is told; taken for good with the first run.
      refusals.push(this.#control.setRealtimePriority(settings.realtime));
      this.#control.setRealtimePriority(0);
    }
    return refusals.flatMap((permission) => warningsOf(permission));
  }

  async load(command: Extract<Command, { kind: 'load' }>): Promise<Reply> {
    const { model, copy, saveCopyAs } = command;
    try {
      if (model.language !== undefined) return await this.#loadLanguage(model, model.language);
      const opened = await openModelSession(model, { threads: settings.threads, copy, saveCopyAs }, this.#arena);
      await this.#sessions.get(model.id)?.release();
      this.#sessions.set(model.id, opened.session);
      const { hasUsedCopy, savedCopy, uncut } = opened;
      this.#tidy();
      return { kind: 'loaded', hasUsedCopy, savedCopy, uncut: uncut && cut(uncut) };
    } catch (thrown) {
      const code = thrown instanceof CoxswainError ? thrown.code : 'MODEL_UNLOADABLE';
      return { kind: 'load-failed', code, message: cut(messageOf(thrown)) };
    }
  }

  /** Whether to leave off is asked of the mailbox after each block. */
  async run(command: Extract<Command, { kind: 'run' }>, isYieldAsked: () => boolean): Promise<Reply> {
    const startedAt = clock.now();
    this.#beNice();
    this.#forget(command.over);
    const language = this.#languages.get(command.model);
    if (language !== undefined) return language.warmUp() ?? { kind: 'done', startedAt, endedAt: clock.now() };
    const session = this.#sessions.get(command.model);
    if (session === undefined)
      return { kind: 'failed', reason: 'model-unavailable', message: `${command.model} is not loaded on core ${settings.core}` };
    const end = await session.run(command, isYieldAsked);
    if (end.kind === 'failed') return { ...end, message: cut(end.message) };
    const endedAt = clock.now();
    return end.isLast ? { kind: 'done', startedAt, endedAt } : { kind: 'left', startedAt, endedAt, steps: end.steps };
  }

  /** Tokens are told while it runs; whether to leave off is asked of the mailbox after each step. */
  turn(command: Extract<Command, { kind: 'turn' }>, isYieldAsked: () => boolean): Reply {
    const startedAt = clock.now();
    this.#beNice();
    this.#forget(command.over);
    const session = this.#languages.get(command.model);
    if (session === undefined)
      return { kind: 'failed', reason: 'model-unavailable', message: `${command.model} is not loaded on core ${settings.core}` };
    const tokens = createTokenBuffer(
      () => clock.now(),
      (made) => reply({ kind: 'tokens', job: command.job, tokens: made }),
    );
    const end = session.run(command, { isYieldWanted: isYieldAsked, onToken: (token) => tokens.add(token) });
    tokens.flush();
    if (end.kind === 'failed') return { ...end, message: cut(end.message) };
    return { kind: 'turn-done', startedAt, endedAt: clock.now(), steps: end.steps, summary: end.summary };
  }

  /** Whatever they had come to. */
  #forget(over: readonly JobId[]): void {
    for (const job of over) {
      for (const session of this.#sessions.values()) session.forget(job);
      for (const session of this.#languages.values()) session.forget(job);
    }
  }

  /** What it takes is loaded when it is first needed: cores without a language model start without it. */
  async #loadLanguage(model: LoadableModel, language: LanguageSpec): Promise<Reply> {
    const { openLanguageSession } = await import('./language-session.ts');
    this.#runtime ??= openOnnxRuntime(nativeLibraryPath());
    const options = { threads: settings.threads, arena: this.#arena, runtime: this.#runtime };
    const session = openLanguageSession(model, language, options);
    this.#languages.get(model.id)?.release();
    this.#languages.set(model.id, session);
    this.#tidy();
    return { kind: 'loaded', hasUsedCopy: false, savedCopy: undefined };
  }

  /** A process that blocks between commands never has the idle time in which the file's bytes, of a language model hundreds of megabytes, would go by themselves. */
  #tidy(): void {
    globalThis.gc?.();
  }

  /** Only from the first run on: starting and loading at full priority is what brings a lost core back in time beside busy ones. */
  #beNice(): void {
    if (this.#hasRun) return;
    this.#hasRun = true;
    const { niceness, realtime, isIdle } = settings;
    if (niceness !== undefined) this.#control.setNiceness(niceness);
    if (isIdle === true) this.#control.setIdle();
    if (realtime !== undefined) this.#control.setRealtimePriority(realtime);
  }
}

const warningsOf = (permission: Permission): string[] => (permission.isGranted ? [] : [`${permission.detail}; ${permission.remedy}`]);

async function serve(core: Core): Promise<never> {
  const mailbox = createMailbox(mapSharedMemory(MAILBOX_FD, MAILBOX_BYTES));
  reply({ kind: 'ready', warnings: core.prepare() });
  for (;;) {
    if (isOrphan()) process.exit(1);
    const text = mailbox.take(PARENT_CHECK_US);
    if (text === undefined) continue;
    const command = JSON.parse(text) as Command;
    switch (command.kind) {
      case 'load':
        reply(await core.load(command));
        break;
      case 'run':
        replyRun(mailbox, await core.run(command, () => mailbox.isYieldAsked()));
        break;
      case 'turn':
        reply(core.turn(command, () => mailbox.isYieldAsked()));
        break;
      case 'stop':
        process.exit(0);
    }
  }
}

// Control-C and a stopping service reach every process of the group; it is the runtime that drains, and cores end when it says so or dies.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

await serve(new Core());
