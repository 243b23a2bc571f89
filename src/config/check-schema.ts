import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { type KeyPath, keyText, type Problem, quoted } from './problem.ts';
import { withoutUserInfo } from './secret.ts';
import type { YamlDocument } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;
type AllowedKeys = WeakMap<readonly string[], readonly string[]>;

/** Values under these keys are never quoted, wherever they stand: a key put in the wrong place is still a secret. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['password', 'username']);

/** A parsed file that can say where something stands. */
export type CheckedDocument = Pick<YamlDocument, 'value' | 'valueAt' | 'problem' | 'positionOfKey'>;

/** Holds a document to a schema; every issue becomes a problem with its position. Undefined when there was one. */
export function checkSchema<T extends z.ZodType>(schema: T, document: CheckedDocument, problems: Problem[]): z.output<T> | undefined {
  // zod lists the unknown keys of an object but not the known ones; both meet here by the identity of the list.
  const allowedKeys: AllowedKeys = new WeakMap();
  const checked = schema.safeParse(document.value, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') allowedKeys.set(issue.keys, keysOf(issue.inst));
      return allowedText(issue);
    },
  });
  if (checked.success) return checked.data;
  const found: Problem[] = [];
  const meantKeys = new Set<string>();
  for (const issue of checked.error.issues) addProblems(issue, [], { document, allowedKeys, problems: found, meantKeys });
  // A key that is missing because it was misspelt is one mistake, and the misspelling says more.
  problems.push(...found.filter(({ key, text }) => !(text.startsWith(MISSING) && meantKeys.has(key))));
  return undefined;
}

/** What zod's own issues allow; those of fields.ts say it themselves. */
function allowedText(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_TEXTS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return Array.isArray(issue.options) ? `one of ${issue.options.map(String).join(', ')}` : undefined;
    case 'too_big':
      return `at most ${String(issue.maximum)}`;
    case 'too_small':
      return `at least ${String(issue.minimum)}`;
    default:
      return undefined;
  }
}

const TYPE_TEXTS: Readonly<Record<string, string>> = {
  object: 'a mapping of keys to values',
  record: 'a mapping of names to entries',
  array: 'a list',
  string: 'a text',
  number: 'a finite number',
  int: 'a whole number',
  boolean: 'true or false',
};

function keysOf(schema: unknown): readonly string[] {
  const shape = (schema as { readonly shape?: Readonly<Record<string, unknown>> } | undefined)?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

const MISSING = 'missing;';

interface Target {
  readonly document: CheckedDocument;
  readonly allowedKeys: AllowedKeys;
  readonly problems: Problem[];
  /** Keys that unknown ones were probably meant to be. */
  readonly meantKeys: Set<string>;
}

function addProblems(issue: Issue, base: KeyPath, target: Target): void {
  const path: KeyPath = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  const { document, problems } = target;
  if (issue.code === 'unrecognized_keys') {
    const allowed = target.allowedKeys.get(issue.keys) ?? [];
    for (const key of issue.keys) {
      const meant = nearest(key, allowed);
      if (meant !== undefined) target.meantKeys.add(keyText([...path, meant]));
      problems.push(unknownKey(document, [...path, key], { key, allowed, meant }));
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = likelyBranch(issue.errors);
    if (branch !== undefined) {
      for (const inner of branch) addProblems(inner, path, target);
      return;
    }
  }
  const name = path.at(-1);
  if (issue.code === 'invalid_key') {
    const allowed = issue.issues[0]?.message ?? issue.message;
    const problem = document.problem(path, `this name is not allowed; allowed is ${allowed}`);
    problems.push({ ...problem, position: document.positionOfKey(path) });
    return;
  }
  const got = document.valueAt(path);
  const lead = got === undefined ? MISSING : `got ${shown(got, name)};`;
  problems.push(document.problem(path, `${lead} allowed is ${issue.message}${meantHint(issue, got)}`));
}

interface UnknownKey {
  readonly key: string;
  readonly allowed: readonly string[];
  readonly meant: string | undefined;
}

function unknownKey(document: CheckedDocument, path: KeyPath, { key, allowed, meant }: UnknownKey): Problem {
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  const text =
    key === '<<' ? 'merge keys are not part of YAML 1.2; write the keys out' : `unknown key; allowed are ${allowed.join(', ')}${hint}`;
  return { ...document.problem(path, text), position: document.positionOfKey(path) };
}

/** Of the alternatives of a union, the one whose outer form fits, such as the mapping when a mapping was written. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fits = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && issue.code !== 'unrecognized_keys'));
  return fits.length === 1 ? fits[0] : undefined;
}

function meantHint(issue: Issue, got: unknown): string {
  if (typeof got !== 'string') return '';
  const options =
    issue.code === 'invalid_value' ? issue.values : issue.code === 'invalid_union' && 'options' in issue ? (issue.options ?? []) : [];
  const meant = nearest(got, options.map(String));
  return meant === undefined ? '' : `; did you mean '${meant}'?`;
}

function shown(got: unknown, key: string | number | undefined): string {
  if (typeof key === 'string' && SECRET_KEYS.has(key)) return 'a value that is not shown';
  return quoted(typeof got === 'string' ? withoutUserInfo(got) : got);
}
