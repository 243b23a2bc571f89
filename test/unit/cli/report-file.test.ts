import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prepareReportFile } from '../../../src/cli/report-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-report-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('report file', () => {
  test('leaves an older report alone until the new one is whole, and no temporary file behind', async () => {
    const path = join(folder, 'report.json');
    writeFileSync(path, 'old');
    const file = await prepareReportFile(path);
    expect(readFileSync(path, 'utf8')).toBe('old');
    await file.write('new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['report.json']);
  });

  test('writes through a symbolic link instead of replacing it', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'report.json'), 'old');
    const link = join(folder, 'link.json');
    symlinkSync(join(folder, 'real', 'report.json'), link);
    await (await prepareReportFile(link)).write('new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'real', 'report.json'), 'utf8')).toBe('new');
  });

  test('writes to a device without replacing it, and says when that fails', async () => {
    await (await prepareReportFile('/dev/null')).write('gone');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    await expect((await prepareReportFile('/dev/full')).write('x')).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining('ENOSPC'),
    });
  });
});
