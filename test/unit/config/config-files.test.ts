import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';

describe('createConfigFiles', () => {
  const files = createConfigFiles();
  let folder = '';
  const at = (name: string): string => join(folder, name);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coxswain-config-'));
    writeFileSync(at('ten'), '0123456789');
    writeFileSync(at('empty'), '');
    mkdirSync(at('folder'));
    symlinkSync(at('ten'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads a whole file, also through a link', () => {
    expect(new TextDecoder().decode(files.read(at('ten'), 100))).toBe('0123456789');
    expect(new TextDecoder().decode(files.read(at('link'), 100))).toBe('0123456789');
    expect(files.read(at('empty'), 100)).toHaveLength(0);
  });

  it('reads a file of exactly the length allowed and refuses one byte more', () => {
    expect(files.read(at('ten'), 10)).toHaveLength(10);
    expect(() => files.read(at('ten'), 9)).toThrow(/longer than the 9 bytes allowed/);
  });

  it('reads a file of /proc, which claims to have no length, up to the length allowed', () => {
    expect(files.read('/proc/self/status', 100_000).length).toBeGreaterThan(100);
    expect(() => files.read('/proc/self/status', 10)).toThrow(/longer than the 10 bytes allowed/);
  });

  it.each(['folder', 'pipe', 'missing'])('refuses a %s without waiting', (name) => {
    expect(() => files.read(at(name), 100)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('refuses a device', () => {
    expect(() => files.read('/dev/zero', 100)).toThrow(/not a regular file/);
  });

  it('follows links to the real path and says nothing of what is not there', () => {
    expect(files.realPath(at('link'))).toBe(files.realPath(at('ten')));
    expect(files.realPath(at('missing'))).toBeUndefined();
  });
});
