import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs a line of shell in which "$COXSWAIN" is the command line from its source. */
function shell(line: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const command = `coxswain() { "${process.execPath}" --import tsx src/cli/main.ts "$@"; }; set -o pipefail; ${line}`;
  return spawnSync('bash', ['-c', command], { cwd: root, encoding: 'utf8', timeout: 60_000 });
}

describe('coxswain', () => {
  test('prints its version', () => {
    expect(shell('coxswain --version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test('ends quietly when its reader leaves early', () => {
    const { status, stdout, stderr } = shell('for i in 1 2 3; do coxswain config schema | head -c 1; done');
    expect([status, stdout, stderr]).toEqual([0, '{{{', '']);
  });

  test('exits 78 with file, line and column for a wrong configuration, 2 for wrong usage', () => {
    const wrong = shell(
      "printf 'version: 1\\nnode: x\\nmodles: y\\n' > /tmp/coxswain-cli-$$.yaml; coxswain check /tmp/coxswain-cli-$$.yaml; s=$?; rm /tmp/coxswain-cli-$$.yaml; exit $s",
    );
    expect(wrong.status).toBe(78);
    expect(wrong.stderr).toMatch(/CONFIG_INVALID.*\.yaml:3:1/s);
    expect(shell('coxswain run').status).toBe(2);
  });

  test('analyzes a table of tasks from standard input, and says where it is wrong', () => {
    const table = '{"tasks": [{"c": 1, "t": 4}, {"c": 1, "t": 5}, {"c": 3, "t": 9}, {"c": 3, "t": 18}]}';
    const { status, stdout } = shell(`printf '%s' '${table}' | coxswain analyze - --test rta --json`);
    expect(status).toBe(0);
    const { tasks } = JSON.parse(stdout) as { readonly tasks: readonly { readonly response: number }[] };
    expect(tasks.map(({ response }) => response)).toEqual([1, 2, 7, 18]);
    expect(shell('coxswain analyze - --test rta < /dev/null')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('-:1:1: not valid JSON'),
    });
  });

  test('prints the effective configuration of the cockpit', () => {
    expect(shell('coxswain config print configs/cockpit.yaml')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('node: cockpit'),
    });
  });
});
