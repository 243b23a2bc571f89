import { writeSync } from 'node:fs';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { ModelId } from '../../core/model.ts';
import { createSystemClock } from '../../core/system-clock.ts';
import { durationUs } from '../../core/units.ts';
import type { Permission } from '../../native/permission.ts';
import { createProcessControl } from '../../native/process-control.ts';
import { mapSharedMemory } from '../../native/shared-memory.ts';
import { createMailbox, MAILBOX_BYTES, type Mailbox } from './mailbox.ts';
import { type ModelSession, openModelSession } from './model-session.ts';
import { ARENA_FD, type Command, type CoreProcessSettings, MAILBOX_FD, MESSAGE_LENGTH_MAX, REPLY_FD, type Reply } from './protocol.ts';

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
  readonly #sessions = new Map<ModelId, ModelSession>();
  readonly #control = createProcessControl();
  #hasRun = false;

  /** Sentences about wishes that the kernel refused. */
  prepare(): readonly string[] {
    const refusals = [this.#control.dieWithParent()];
    if (settings.cpu !== undefined) refusals.push(this.#control.setAffinity([settings.cpu]));
    return refusals.flatMap((permission) => warningsOf(permission));
  }

  async load(command: Extract<Command, { kind: 'load' }>): Promise<Reply> {
    const { model, copy, saveCopyAs } = command;
    try {
      const opened = await openModelSession(model, { threads: settings.threads, copy, saveCopyAs }, this.#arena);
      await this.#sessions.get(model.id)?.release();
      this.#sessions.set(model.id, opened.session);
      return { kind: 'loaded', hasUsedCopy: opened.hasUsedCopy, savedCopy: opened.savedCopy };
    } catch (thrown) {
      const code = thrown instanceof CoxswainError ? thrown.code : 'MODEL_UNLOADABLE';
      return { kind: 'load-failed', code, message: cut(messageOf(thrown)) };
    }
  }

  async run(command: Extract<Command, { kind: 'run' }>): Promise<Reply> {
    const startedAt = clock.now();
    this.#beNice();
    const session = this.#sessions.get(command.model);
    if (session === undefined)
      return { kind: 'failed', reason: 'model-unavailable', message: `${command.model} is not loaded on core ${settings.core}` };
    const failure = await session.run(command.inputs, command.outputs);
    if (failure !== undefined) return { kind: 'failed', reason: failure.reason, message: cut(failure.message) };
    return { kind: 'done', startedAt, endedAt: clock.now() };
  }

  /** Only from the first run on: starting and loading at full priority is what brings a lost core back in time beside busy ones. */
  #beNice(): void {
    if (this.#hasRun || settings.niceness === undefined) return;
    this.#hasRun = true;
    this.#control.setNiceness(settings.niceness);
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
        replyRun(mailbox, await core.run(command));
        break;
      case 'stop':
        process.exit(0);
    }
  }
}

// Control-C and a stopping service reach every process of the group; it is the runtime that drains, and cores end when it says so or dies.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

await serve(new Core());
