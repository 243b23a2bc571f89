import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createTerminal } from '../../../src/cli/terminal.ts';

const sized = (size: { readonly columns?: number; readonly rows?: number }) =>
  createTerminal(Object.assign(new PassThrough(), { isTTY: true, ...size }) as unknown as NodeJS.WriteStream);

test('is as large as it says', () => {
  const terminal = sized({ columns: 40, rows: 12 });
  expect([terminal.columns(), terminal.rows()]).toEqual([40, 12]);
});

test.each([{}, { columns: 0, rows: 0 }])('has an ordinary size where none is known: %j', (size) => {
  const terminal = sized(size);
  expect([terminal.columns(), terminal.rows()]).toEqual([160, 30]);
});
