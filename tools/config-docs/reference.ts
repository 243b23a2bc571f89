import { actionsJsonSchema, configJsonSchema, socJsonSchema } from '../../src/config/json-schema.ts';

/** The parts of JSON Schema draft 7 that configJsonSchema uses. */
interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const INTRODUCTION = `# Configuration

Written by \`npm run docs:config\` from the schemas in \`src/config/\`; do not edit.

A configuration is a YAML 1.2 file. The first line \`# yaml-language-server: $schema=./schema.json\` gives completion and checks in editors.
Relative paths begin at the file that names them. Unknown keys are errors. \`coxswain check <file>\` lists every problem as
\`file:line:column: key: text\`, and warnings about what is allowed but probably not meant; \`coxswain config print <file>\` shows what is in effect,
with every default. Where the text of a key says so, \`\${NAME}\` is replaced from the environment and \`\${NAME:-default}\` has a default for when it
is not set or empty.
`;

/** configs/schema.json, byte for byte. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** configs/soc/schema.json, byte for byte. */
export function socSchemaText(): string {
  return `${JSON.stringify(socJsonSchema(), null, 2)}\n`;
}

/** configs/actions/schema.json, byte for byte. */
export function actionsSchemaText(): string {
  return `${JSON.stringify(actionsJsonSchema(), null, 2)}\n`;
}

/** docs/configuration.md, byte for byte. */
export function referenceText(): string {
  const { definitions } = configJsonSchema() as { readonly definitions: { readonly config: Schema; readonly manifest: Schema } };
  const parts = [INTRODUCTION, ...fileSections(definitions.config)];
  parts.push(`## The manifest of models\n\n${definitions.manifest.description ?? ''}\n`);
  parts.push(...fileSections(definitions.manifest));
  return parts.join('\n');
}

/** A table of the plain keys of a file, then one section per key that holds others. */
function fileSections(file: Schema): readonly string[] {
  const entries = Object.entries(file.properties ?? {});
  const isSection = ([, schema]: readonly [string, Schema]): boolean => schema.type === 'object';
  const plain = entries.filter((entry) => !isSection(entry)).flatMap(([key, schema]) => rows(key, schema, isRequired(file, key)));
  return [table(plain), ...entries.filter(isSection).map(([key, schema]) => section(key, schema))];
}

function section(key: string, schema: Schema): string {
  const head = `### \`${key}\`\n\n${schema.description ?? ''}\n`;
  const entry = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  if (entry === undefined) return `${head}\n${table(childRows(key, schema))}`;
  if (entry.oneOf === undefined) return `${head}\n${table(childRows(`${key}.<name>`, entry))}`;
  const kinds = entry.oneOf.map((kind) => {
    const about = kind.properties?.kind?.description ?? '';
    return `#### ${key}, \`kind: ${kind.title}\`\n\n${about}\n\n${table(childRows(`${key}.<name>`, kind, new Set(['kind'])))}`;
  });
  return [head, ...kinds].join('\n');
}

interface Row {
  readonly key: string;
  readonly allowed: string;
  readonly standard: string;
  readonly about: string;
}

function rows(key: string, schema: Schema, isMust: boolean): readonly Row[] {
  const standard = isMust ? 'required' : 'default' in schema && !isEmpty(schema.default) ? `\`${JSON.stringify(schema.default)}\`` : '';
  return [{ key, allowed: allowedText(schema), standard, about: schema.description ?? '' }, ...childRows(key, schema)];
}

function childRows(key: string, schema: Schema, hidden: ReadonlySet<string> = new Set()): readonly Row[] {
  const found: Row[] = [];
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (!hidden.has(name)) found.push(...rows(`${key}.${name}`, child, isRequired(schema, name)));
  }
  if (schema.items?.type === 'object') found.push(...childRows(`${key}[]`, schema.items));
  if (typeof schema.additionalProperties === 'object') found.push(...childRows(`${key}.<name>`, schema.additionalProperties));
  for (const choice of schema.anyOf ?? []) found.push(...childRows(key, choice));
  return found;
}

const isRequired = (schema: Schema, key: string): boolean => schema.required?.includes(key) ?? false;

/** A section's default is `{}`: its keys have defaults of their own. */
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

function allowedText(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const choices = schema.anyOf ?? (schema.type === undefined ? schema.oneOf : undefined);
  if (choices !== undefined) {
    // The kinds of a source have a section of their own each.
    if (choices.every((choice) => choice.title !== undefined)) return choices.map((choice) => `\`${choice.title}\``).join(', ');
    return [...new Set(choices.map(allowedText))].join(' or ');
  }
  switch (schema.type) {
    case 'integer':
      return `${schema.minimum}..${schema.maximum}, whole`;
    case 'number':
      return schema.minimum === undefined ? 'number' : `${schema.minimum}..${schema.maximum}`;
    case 'array': {
      const size = schema.maxItems === undefined ? '' : ` of ${schema.minItems ?? 0}..${schema.maxItems}`;
      const items = schema.items === undefined || schema.items.type === 'object' ? '' : `: ${allowedText(schema.items)}`;
      return `list${size}${items}`;
    }
    case 'string':
      return schema.pattern === undefined ? 'text' : `text like \`${schema.pattern}\``;
    case 'boolean':
      return '`true`, `false`';
    default:
      return 'mapping';
  }
}

function table(entries: readonly Row[]): string {
  const lines = entries.map(
    ({ key, allowed, standard, about }) => `| \`${key}\` | ${cell(allowed)} | ${cell(standard)} | ${cell(about)} |`,
  );
  return ['| key | allowed | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

/** A bar ends a cell, and angle brackets outside code would be read as HTML. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/<(\w+)>/g, '&lt;$1&gt;');
