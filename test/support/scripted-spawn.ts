import type { ChildEnd, ChildListener, SpawnChild } from '../../src/sources/child.ts';

/** A child that does what the test says, when it says it. */
export interface ScriptedChild {
  readonly program: string;
  readonly args: readonly string[];
  readonly signals: readonly string[];
  isAlive: boolean;
  write(bytes: Uint8Array): void;
  complain(text: string): void;
  end(end?: Partial<ChildEnd>): void;
}

export interface ScriptedSpawn {
  readonly spawn: SpawnChild;
  readonly children: readonly ScriptedChild[];
  /** The newest child. */
  readonly child: ScriptedChild;
}

/** `obeys`: which signals end a child at once. */
export function createScriptedSpawn(obeys: readonly string[] = ['SIGTERM', 'SIGKILL']): ScriptedSpawn {
  const children: ScriptedChild[] = [];
  const spawn: SpawnChild = (program, args, listener: ChildListener) => {
    const signals: string[] = [];
    const child: ScriptedChild = {
      program,
      args,
      signals,
      isAlive: true,
      write: (bytes) => listener.stdout(bytes),
      complain: (text) => listener.stderr(new TextEncoder().encode(text)),
      end(end = {}) {
        if (!child.isAlive) return;
        child.isAlive = false;
        listener.end({ exitCode: end.signal === undefined && end.startError === undefined ? 0 : null, signal: null, ...end });
      },
    };
    children.push(child);
    return {
      pid: children.length,
      kill(signal) {
        if (!child.isAlive) return;
        signals.push(signal);
        if (obeys.includes(signal)) child.end({ exitCode: null, signal });
      },
    };
  };
  return {
    spawn,
    children,
    get child() {
      const newest = children.at(-1);
      if (newest === undefined) throw new Error('no child was started');
      return newest;
    },
  };
}
