import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatWarning, lintConfig } from '../../../src/config/lint-config.ts';
import { editDistance } from '../../../src/config/nearest.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { CONFIG, load, MANIFEST } from '../../support/config-files.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Pieces that mean something to YAML, to numbers or to JavaScript. */
const PIECES = [
  ...[
    '\n',
    ' ',
    '  ',
    '\t',
    ':',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '|',
    '>',
    '? ',
    '!!x ',
    '---',
    '...',
    '%',
    '@',
  ],
  ...[
    'null',
    '~',
    'true',
    '.nan',
    '.inf',
    '-1',
    '0',
    '1e999',
    '0x10',
    '9007199254740993',
    '<<: ',
    '__proto__: ',
    'constructor',
    '\u0000',
    '\ufeff',
    '\u202e',
  ],
  ...['boxes', 'front', 'finder', 'kind: ', 'source: ', '..', '/', '$' + '{X}', 'mqtt: {password: x}\n', 'runtime: {}\n', '[[[[', '- - - '],
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 40 }),
  inserted: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 4 })),
});

function withEdits(text: string, edits: readonly { readonly at: number; readonly removed: number; readonly inserted: string }[]): string {
  let result = text;
  for (const { at, removed, inserted } of edits) {
    const start = Math.floor(at * result.length);
    result = result.slice(0, start) + inserted + result.slice(start + removed);
  }
  return result;
}

/** A configuration or CONFIG_INVALID whose every line has a position inside a file; nothing else may come out. */
function outcome(config: Uint8Array, manifest: Uint8Array): RuntimeConfig | undefined {
  try {
    return load({ config, manifest });
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    expect(thrown.code).toBe('CONFIG_INVALID');
    const lineCount = Math.max(...[config, manifest].map((file) => new TextDecoder().decode(file).split('\n').length));
    for (const line of thrown.message.split('\n')) {
      if (/^\.\.\. and \d+ more$/.test(line)) continue;
      const position = /^\/vehicle\/configs\/(?:bench|models)\.yaml:(\d+):(\d+): ./.exec(line);
      expect(position, line).not.toBeNull();
      expect(Number(position?.[1])).toBeGreaterThanOrEqual(1);
      expect(Number(position?.[1])).toBeLessThanOrEqual(lineCount);
      expect(Number(position?.[2])).toBeGreaterThanOrEqual(1);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }
    return undefined;
  }
}

/** What every configuration that comes out holds to. */
function expectSound(config: RuntimeConfig): void {
  const seen = new Set<string>();
  for (const { id, stream, input, cores } of config.pipelines) {
    expect(stream.periodUs).toBeGreaterThanOrEqual(1);
    expect(Number.isSafeInteger(stream.periodUs) && Number.isSafeInteger(stream.deadlineUs)).toBe(true);
    expect(config.models.map((model) => model.id)).toContain(stream.model);
    if (input.kind === 'source') expect(config.sources.map((source) => source.id)).toContain(input.source);
    else expect(seen).toContain(input.pipeline);
    for (const core of cores ?? []) expect(config.device.cores[core]).toBeDefined();
    seen.add(id);
  }
  for (const model of config.models) expect(model.file.startsWith(`${config.manifest.root.replace(/\/$/, '')}/`)).toBe(true);
  expect(Object.isFrozen(config)).toBe(true);
  for (const warning of lintConfig(config)) expect(formatWarning(warning)).not.toMatch(/[\p{Cc}]/u);
}

describe('any edit of a valid file', () => {
  it('of the configuration gives a sound configuration or CONFIG_INVALID with positions', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const config = outcome(bytes(withEdits(CONFIG, edits)), bytes(MANIFEST));
        if (config !== undefined) expectSound(config);
      }),
      { numRuns: 500 },
    );
  });

  it('in its numbers gives a sound configuration or CONFIG_INVALID with positions', () => {
    const number = fc.oneof(fc.integer({ min: -2, max: 130 }), fc.integer(), fc.double({ min: 0, max: 100 }), fc.double());
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat({ max: 20 }), number, (index, replacement) => {
        let count = -1;
        const config = outcome(
          bytes(CONFIG.replace(/(?<=: )\d+/g, (old) => (++count === index % 12 ? String(replacement) : old))),
          bytes(MANIFEST),
        );
        if (config !== undefined) {
          accepted += 1;
          expectSound(config);
        }
      }),
      { numRuns: 300 },
    );
    // About half; otherwise the law would say nothing about what is accepted.
    expect(accepted).toBeGreaterThan(10);
  });

  it('of the manifest gives a sound configuration or CONFIG_INVALID with positions', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const config = outcome(bytes(CONFIG), bytes(withEdits(MANIFEST, edits)));
        if (config !== undefined) expectSound(config);
      }),
      { numRuns: 300 },
    );
  });

  it('in bytes, UTF-8 or not, gives a configuration or CONFIG_INVALID with positions', () => {
    fc.assert(
      fc.property(fc.nat({ max: CONFIG.length }), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, inserted) => {
        const before = bytes(CONFIG);
        outcome(Uint8Array.from([...before.subarray(0, at), ...inserted, ...before.subarray(at)]), bytes(MANIFEST));
      }),
      { numRuns: 200 },
    );
  });
});

describe('editDistance', () => {
  const word = fc.string({ maxLength: 12 });

  it('is symmetric, zero only between equals, and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
