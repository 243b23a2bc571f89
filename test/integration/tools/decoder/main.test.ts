import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TINY_CONFIG } from '../../../support/tiny-decoder.ts';

const MAIN = join(import.meta.dirname, '../../../../tools/decoder/main.ts');
const run = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', MAIN, ...args], { encoding: 'utf8' });

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-decoder-main-'));
  writeFileSync(join(dir, 'config.json'), JSON.stringify(TINY_CONFIG));
  writeFileSync(join(dir, 'tokenizer.json'), '{"mark":1}');
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('the decoder writer', () => {
  it('explains itself', () => {
    expect(execFileSync(process.execPath, ['--import', 'tsx', MAIN, '--help'], { encoding: 'utf8' })).toMatch(/^Usage: .*--config DIR/);
  });

  it('writes a model directory with the tokenizer beside, and says that it is random', () => {
    const out = join(dir, 'out');
    const { status, stdout } = run('--config', dir, '--random', '3', '--type', 'fp32,int4', '--out', out);
    expect(status).toBe(0);
    expect(stdout).toMatch(/model\.onnx \(random weights, seed 3.*\n.*model_q4\.onnx/);
    expect(readFileSync(join(out, 'tokenizer.json'), 'utf8')).toBe('{"mark":1}');
  });

  it('refuses wrong usage with status 2 and what cannot be written with status 1', () => {
    expect(run('--config', dir, '--out', dir)).toMatchObject({ status: 2, stderr: expect.stringMatching(/one of --weights and --random/) });
    expect(run('--shape', 'gpt-9').status).toBe(2);
    expect(run('--nonsense').status).toBe(2);
    const lacking = run('--config', dir, '--weights', join(dir, 'nothing.safetensors'), '--out', join(dir, 'never'));
    expect(lacking).toMatchObject({ status: 1, stderr: expect.stringMatching(/nothing\.safetensors could not be opened/) });
  });
});
