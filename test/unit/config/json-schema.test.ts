import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { actionsJsonSchema, configJsonSchema, socJsonSchema } from '../../../src/config/json-schema.ts';
import { formatWarning, lintConfig } from '../../../src/config/lint-config.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { actionsSchemaText, referenceText, schemaText, socSchemaText } from '../../../tools/config-docs/reference.ts';
import { CONFIG, edited, MANIFEST } from '../../support/config-files.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
const shipped = readdirSync(resolve(root, 'configs')).filter((name) => name.endsWith('.yaml'));
const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(configJsonSchema());

/** Every place of a schema, with the keys that lead there. */
function* places(schema: unknown, path: string): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof schema !== 'object' || schema === null) return;
  yield [path, schema as Readonly<Record<string, unknown>>];
  for (const [key, value] of Object.entries(schema)) yield* places(value, `${path}/${key}`);
}

describe('configs/schema.json and docs/configuration.md', () => {
  it('are what the schemas in the code give, byte for byte (npm run docs:config)', () => {
    expect(read('configs/schema.json')).toBe(schemaText());
    expect(read('docs/configuration.md')).toBe(referenceText());
    expect(read('configs/soc/schema.json')).toBe(socSchemaText());
    expect(read('configs/actions/schema.json')).toBe(actionsSchemaText());
  });

  it('describe every key', () => {
    const silent = [...places(configJsonSchema(), ''), ...places(socJsonSchema(), '/soc'), ...places(actionsJsonSchema(), '/actions')]
      .filter(([path, place]) => /\/properties\/[A-Za-z0-9]+$/.test(path) && typeof place.description !== 'string')
      .map(([path]) => path);
    expect(silent).toEqual([]);
  });
});

describe('the shipped configurations', () => {
  it('are there', () => {
    expect(shipped).toEqual(expect.arrayContaining(['cockpit.yaml', 'models.yaml']));
  });

  it.each(shipped)('%s names the schema in its first line and keeps to it', (name) => {
    const text = read(`configs/${name}`);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each(shipped.filter((name) => name !== 'models.yaml'))('%s loads without a warning', (name) => {
    const config = loadConfig(resolve(root, 'configs', name), { env: {}, files: createConfigFiles() });
    expect(lintConfig(config).map(formatWarning)).toEqual([]);
  });
});

describe('the shipped profiles', () => {
  const profiles = readdirSync(resolve(root, 'configs/soc')).filter((name) => name.endsWith('.yaml'));
  const validateSoc = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(socJsonSchema());

  it.each(profiles)('%s names the schema in its first line and keeps to it', (name) => {
    const text = read(`configs/soc/${name}`);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
    expect(validateSoc(parse(text)), JSON.stringify(validateSoc.errors)).toBe(true);
  });

  it.each([
    ['idleW:', 'idelW:'],
    ['value: 8, from', 'value: eight, from'],
    ['class: car', 'class: boat'],
    ['soc: 1', 'soc: 2'],
  ])('are refused with %s written %s', (from, to) => {
    expect(validateSoc(parse(edited(from, to, read('configs/soc/car-500.yaml'))))).toBe(false);
  });
});

describe('the shipped catalogues of actions', () => {
  const catalogues = readdirSync(resolve(root, 'configs/actions')).filter((name) => name.endsWith('.yaml'));
  const validateActions = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(actionsJsonSchema());

  it.each(catalogues)('%s names the schema in its first line and keeps to it', (name) => {
    const text = read(`configs/actions/${name}`);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
    expect(validateActions(parse(text)), JSON.stringify(validateActions.errors)).toBe(true);
  });

  it.each([
    ['class: B', 'class: D'],
    ['requires: { speedKmh: { atMost: 0.5 } }', 'requires: {}'],
    ['level: { type: integer, min: 0, max: 7 }', 'level: { type: integer, min: 0 }'],
    ['machine: vehicle', 'machine: boat'],
  ])('are refused with %s written %s', (from, to) => {
    expect(validateActions(parse(edited(from, to, read('configs/actions/cockpit.yaml'))))).toBe(false);
  });
});

describe('the schema', () => {
  it('accepts what the loader accepts', () => {
    expect(validate(parse(CONFIG)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(parse(MANIFEST)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['fps: 8', 'fps: -8'],
    ['deadlineMs: 125', 'deadlinMs: 125'],
    ['kind: wav', 'kind: wave'],
    ['kind: images, files: ../photos/*.jpg', 'kind: video'],
    ['kind: images, files: ../photos/*.jpg', 'kind: video, file: a, device: /dev/video0'],
    ['node: bench', 'node: a/b'],
    ['  boxes: {', '  "7": {'],
  ])('refuses %s as %s', (from, to) => {
    expect(validate(parse(edited(from, to)))).toBe(false);
  });
});
