import { CoxswainError } from '../core/errors.ts';
import type { Position } from './runtime-config.ts';

/** Steps from the root of a file to a value. */
export type KeyPath = readonly (string | number)[];

/** One thing that is wrong with a configuration file. All texts are printable. */
export interface Problem {
  readonly file: string;
  readonly position: Position;
  readonly key: string;
  /** What was got, what is allowed, and what to do where that is not the same. */
  readonly text: string;
}

/** A reader is helped by the first few dozen; a file of garbage has thousands. */
const PROBLEMS_SHOWN_MAX = 50;

/** Values are quoted up to this length. */
const QUOTED_LENGTH_MAX = 60;

export function formatProblem({ file, position, key, text }: Problem): string {
  const where = `${printable(file)}:${position.line}:${position.column}`;
  return key === '' ? `${where}: ${text}` : `${where}: ${key}: ${text}`;
}

/** The one error for all problems of a load, in the order of the files and lines. */
export function configInvalid(problems: readonly Problem[]): CoxswainError {
  const files = [...new Set(problems.map(({ file }) => file))];
  const inOrder = [...problems].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.position.line - b.position.line || a.position.column - b.position.column,
  );
  const lines = inOrder.slice(0, PROBLEMS_SHOWN_MAX).map(formatProblem);
  if (problems.length > PROBLEMS_SHOWN_MAX) lines.push(`... and ${problems.length - PROBLEMS_SHOWN_MAX} more`);
  return new CoxswainError('CONFIG_INVALID', lines.join('\n'));
}

/** `device.cores[0].niceness` */
export function keyText(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${printable(step.length > QUOTED_LENGTH_MAX ? `${step.slice(0, QUOTED_LENGTH_MAX)}...` : step)}`;
  }
  return text;
}

/** A value as a message shows it: short, on one line, and without anything that a terminal would act on. */
export function quoted(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const short = value.length > QUOTED_LENGTH_MAX ? `${value.slice(0, QUOTED_LENGTH_MAX)}...` : value;
  return `"${printable(short)}"`;
}

/** Control characters, line separators and direction marks, which could forge a line or drive a terminal, as \u escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
