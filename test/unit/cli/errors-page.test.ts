import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/core/errors.ts';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

describe('docs/errors.md', () => {
  test('has one complete row for each code, sorted, with the meaning and retryability of the table', () => {
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
    const documented = rows.map(([, code, retryable, meaning]) => [code, retryable === 'yes', meaning]);
    expect(documented).toEqual(Object.entries(ERROR_CODES).map(([code, { retryable, text }]) => [code, retryable, text]));
    expect(documented.map(([code]) => code)).toEqual(documented.map(([code]) => code).sort());
    expect(rows.every(([, , , , cause, remedy]) => (cause ?? '').length > 5 && (remedy ?? '').length > 10)).toBe(true);
  });
});
