import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

describe('inlineMore', () => {
  it('sets what this Node knows', () => {
    expect(execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })).toContain('--max-inlined-bytecode-size-cumulative');
  });
});
