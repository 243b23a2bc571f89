import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAKE_NPM, SampleFixture } from '../../../support/sample-fixture.ts';

const PROJECT = fileURLToPath(new URL('../../../..', import.meta.url));

let fixture: SampleFixture;
beforeEach(() => {
  fixture = new SampleFixture();
});
afterEach(() => {
  fixture.remove();
});

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(PROJECT, 'tools/samples/main.ts'), ...args], {
    cwd: PROJECT,
    env: { ...process.env, FAKE_NPM: fixture.plan },
  });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const ended = new Promise<{ status: number | null; output: string; complaint: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, output, complaint }));
  });
  return { child, ended };
}

describe('the samples tool', () => {
  it('explains itself', async () => {
    const { status, output, complaint } = await start('--help').ended;
    expect(status).toBe(0);
    expect(output).toMatch(/^Usage: npx tsx tools\/samples\/main\.ts/);
    expect(complaint).toBe('');
  });

  it.each(['--of-line', 'argument'])('refuses %s with the usage', async (argument) => {
    const { status, output, complaint } = await start(argument).ended;
    expect(status).toBe(2);
    expect(output).toBe('');
    expect(complaint).toContain(argument);
    expect(complaint).toContain('Usage:');
  });

  it('ends with status 1 and one readable message when npm is offline', async () => {
    fixture.setNpm('offline');
    const { status, output, complaint } = await start('--dir', fixture.directory, '--npm', FAKE_NPM).ended;
    expect(status).toBe(1);
    expect(output).toBe('');
    expect(complaint).toMatch(/could not obtain @vladmandic\/human-models@3\.0\.4: npm cannot reach its registry/);
    expect(complaint).not.toMatch(/\n\s+at /);
    expect(fixture.files()).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops on %s with status %i, its npm with it, and leaves no half file', async (signal, expected) => {
    fixture.setNpm('hang');
    const { child, ended } = start('--dir', fixture.directory, '--npm', FAKE_NPM);
    for (let tries = 0; !fixture.isNpmHanging(); tries++) {
      if (tries > 500) throw new Error('npm was never started');
      await sleep(20);
    }
    child.kill(signal);
    expect((await ended).status).toBe(expected);
    expect(existsSync(fixture.path('samples.lock'))).toBe(false);
    expect(readdirSync(fixture.path('tmp'))).toEqual([]);
  });
});
