import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BenchDeps, type BenchXrbenchOptions, benchXrbench } from '../../../src/cli/commands/bench.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { fakeTerminal } from './cli-fixtures.ts';

const FILES: Readonly<Record<string, string>> = {
  'costs.csv': readFileSync('test/golden/xrbench/costs-4k.csv', 'utf8'),
  'quoted.csv': readFileSync('test/golden/xrbench/costs-4k.csv', 'utf8')
    .replace(/^(\w+),/gm, '"$1",')
    .replace(/$/gm, '\r'),
  'other.csv': 'hardware,dataflow,model,latency_ms,energy_mj\nMine,X,m,1,1\n',
  scenarios: readFileSync('configs/xrbench/scenarios.csv', 'utf8'),
  configurations: readFileSync('configs/xrbench/configurations.csv', 'utf8'),
};

const CELL: Extract<BenchXrbenchOptions, { readonly kind: 'cell' }> = {
  kind: 'cell',
  files: { costs: 'costs.csv', scenarios: undefined, configurations: undefined },
  configuration: 'Single_4K__WS',
  scenario: 'VR_gaming',
  choice: { policy: 'latency-greedy', release: 'tick', drop: undefined, victim: 'turns', preemption: undefined },
  seed: '1',
  schedule: undefined,
  isJson: true,
};

async function call(options: BenchXrbenchOptions, columns = 100) {
  const out = fakeTerminal(false, columns);
  const deps: BenchDeps = {
    out,
    env: {},
    readText: (file) => FILES[file] ?? '',
    defaults: { scenarios: 'scenarios', configurations: 'configurations' },
    nearest,
  };
  return { status: await benchXrbench(options, deps), text: out.text };
}

describe('bench xrbench', () => {
  it('prints the score of one cell as JSON in the documented shape', async () => {
    const { status, text } = await call(CELL);
    expect(status).toBe(0);
    const result = JSON.parse(text) as Record<string, unknown> & { models: Record<string, unknown>[] };
    expect(Object.keys(result)).toEqual(['configuration', 'scenario', 'policy', 'release', 'overall', 'models']);
    expect(result).toMatchObject({ configuration: 'Single_4K__WS', scenario: 'VR_gaming', policy: 'latency-greedy', release: 'tick' });
    expect(result.overall).toBeCloseTo(86.4661, 3);
    expect(Object.keys(result.models[0] ?? {})).toEqual(['model', 'realTime', 'energy', 'qoe', 'score', 'executed', 'late', 'dropped']);
    expect(result.models[2]).toMatchObject({ model: 'HT_hand_graph_cnn_half', executed: 31, late: 8, dropped: 0 });
  });

  it('prints a table that fits the terminal', async () => {
    const { text } = await call({ ...CELL, isJson: false }, 40);
    expect(text.startsWith('Single_4K__WS VR_gaming latency-greedy (tick release): 86.46')).toBe(true);
    for (const line of text.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('writes the schedule where it is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-schedule-'));
    try {
      await call({ ...CELL, schedule: join(folder, 'out.csv') });
      expect(readdirSync(folder)).toEqual(['out.csv']);
      expect(readFileSync(join(folder, 'out.csv'), 'utf8').split('\n')).toHaveLength(1 + 115 + 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('calls a schedule that cannot be written wrong usage, and prints no score', async () => {
    const schedule = join(tmpdir(), 'coxswain-no-such-folder', 'out.csv');
    await expect(call({ ...CELL, schedule })).rejects.toThrow(UsageError);
    await expect(call({ ...CELL, schedule })).rejects.toThrow(/--schedule .* cannot be written to/);
  });

  it('reads costs whose cells stand in quotes', async () => {
    const files = { costs: 'quoted.csv', scenarios: undefined, configurations: undefined };
    expect((await call({ ...CELL, files })).text).toBe((await call(CELL)).text);
  });

  it('says with status 1 that no configuration has costs', async () => {
    const { status, text } = await call({
      kind: 'all',
      files: { costs: 'other.csv', scenarios: undefined, configurations: undefined },
      isJson: false,
    });
    expect(status).toBe(1);
    expect(text).toContain('nothing was played: other.csv has the costs of no configuration');
  });
});
