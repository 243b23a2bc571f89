/** How a child process went: `startError` when it never ran, with the operating system's code such as ENOENT. */
export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startError?: { readonly code: string; readonly message: string };
}

export interface ChildListener {
  /** The bytes are valid only during the call. */
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** Once, after the last byte of both outputs; also when the program could not be started; never inside the call that spawned it. */
  end(end: ChildEnd): void;
}

export interface Child {
  /** Undefined when the program could not be started. */
  readonly pid: number | undefined;
  /** Reaches the child and whatever it started. Does nothing once it has ended. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts a program from an argument vector, never through a shell. Both outputs are always read, so that a full pipe never stops the child. */
export type SpawnChild = (program: string, args: readonly string[], listener: ChildListener) => Child;
