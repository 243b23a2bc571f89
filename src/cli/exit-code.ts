import { CoxswainError, type ErrorCode } from '../core/errors.ts';

/** What a command's exit status means; 70 and 78 are those of sysexits.h, and systemd's RestartPreventExitStatus=78 keeps a bad configuration from looping. */
export const EXIT = {
  fine: 0,
  /** The command did its work and found something wrong with what it looked at. */
  findings: 1,
  usage: 2,
  internal: 70,
  config: 78,
} as const;

/** What the user must change in the configuration, the manifest or the files that they name. */
const CONFIG_CODES: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'FILE_UNREADABLE',
  'IMAGE_CORRUPT',
  'IMAGE_TOO_LARGE',
  'MODEL_CONTRACT',
  'MODEL_HASH_MISMATCH',
  'MODEL_MISSING',
  'MODEL_UNKNOWN',
  'MODEL_UNLOADABLE',
  'MODEL_UNSUPPORTED',
  'PROGRAM_MISSING',
  'WAV_INVALID',
]);

/** A wrong option or argument that only the command itself can notice. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return EXIT.usage;
  if (thrown instanceof CoxswainError && CONFIG_CODES.has(thrown.code)) return EXIT.config;
  return EXIT.internal;
}

/** For stderr: errors of the user's making without a stack, anything else with it, since it is ours. */
export function explain(thrown: unknown): string {
  if (thrown instanceof UsageError) return thrown.message;
  if (thrown instanceof CoxswainError) return `${thrown.code}: ${thrown.message}`;
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `internal error, please report it: ${trace}`;
}
