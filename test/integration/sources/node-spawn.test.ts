import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChildEnd } from '../../../src/sources/child.ts';
import { createNodeSpawn } from '../../../src/sources/node-spawn.ts';
import { eventually } from '../../support/eventually.ts';

const PARENT = fileURLToPath(new URL('../../support/spawning-parent.ts', import.meta.url));

/** A zombie counts as gone: whoever adopted it is about to collect it. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

function run(program: string, args: readonly string[]) {
  const story = { stdout: '', stderr: '', ends: [] as ChildEnd[] };
  const child = createNodeSpawn()(program, args, {
    stdout: (chunk) => {
      story.stdout += Buffer.from(chunk).toString();
    },
    stderr: (chunk) => {
      story.stderr += Buffer.from(chunk).toString();
    },
    end: (end) => story.ends.push(end),
  });
  return { story, child };
}

describe('createNodeSpawn', () => {
  it('passes arguments as they are, through no shell', async () => {
    const { story } = run('printf', ['%s|', '$HOME', '; exit 9', '`id`', '"']);
    await eventually(() => story.ends.length === 1, 'the end');
    expect(story).toEqual({ stdout: '$HOME|; exit 9|`id`|"|', stderr: '', ends: [{ exitCode: 0, signal: null }] });
  });

  it('tells of the end once, after all output, never inside the call', async () => {
    const { story } = run('sh', ['-c', 'head -c 300000 /dev/zero; echo why >&2; exit 7']);
    expect(story.ends).toEqual([]);
    await eventually(() => story.ends.length === 1, 'the end');
    expect(story.stdout).toHaveLength(300_000);
    expect(story.stderr).toBe('why\n');
    expect(story.ends).toEqual([{ exitCode: 7, signal: null }]);
  });

  it.each([
    ['/nonexistent/program', 'ENOENT'],
    ['/etc/passwd', 'EACCES'],
  ])('tells that %s could not be started: %s', async (program, code) => {
    const { story, child } = run(program, []);
    expect(child.pid).toBeUndefined();
    child.kill('SIGKILL');
    await eventually(() => story.ends.length === 1, 'the end');
    expect(story.ends[0]).toMatchObject({ exitCode: null, startError: { code } });
  });

  it('ends although something the child left behind holds its pipes, once it is killed', async () => {
    const { story, child } = run('sh', ['-c', 'setsid sleep 5 & echo started; exit 0']);
    await eventually(() => story.stdout.includes('started'), 'the start');
    await eventually(() => child.pid !== undefined && !isAlive(child.pid), 'the child has exited');
    expect(story.ends).toEqual([]);
    await eventually(() => {
      child.kill('SIGTERM');
      return story.ends.length === 1;
    }, 'the end');
  });

  it.each(['exit', 'throw', 'SIGKILL'])('leaves no orphan when its own process goes by %s', async (how) => {
    const parent = spawn(process.execPath, ['--import', 'tsx', PARENT, how], { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    parent.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    await eventually(() => out.endsWith('\n'), 'the pid of the child');
    const pid = Number(out);
    expect(pid).toBeGreaterThan(1);
    if (how === 'SIGKILL') {
      expect(isAlive(pid)).toBe(true);
      parent.kill('SIGKILL');
    }
    await eventually(() => !isAlive(pid), 'the child is gone');
  });
});
