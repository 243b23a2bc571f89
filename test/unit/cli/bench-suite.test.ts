import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { playSuite } from '../../../src/bench/suite/play-suite.ts';
import { type BenchSuiteOptions, benchSuite } from '../../../src/cli/commands/bench-suite.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadBenchSuite } from '../../../src/config/load-bench-suite.ts';
import { loadSoc } from '../../../src/config/load-soc.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { fakeTerminal } from './cli-fixtures.ts';

const files = { files: createConfigFiles() };
const folder = mkdtempSync(join(tmpdir(), 'coxswain-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DISB_A: BenchSuiteOptions = {
  ...{ name: 'disb', suite: undefined, workloads: ['A'], policies: ['fifo', 'coxswain'], costs: 'stated', deadlineTimes: undefined },
  ...{ drop: undefined, isWhole: false, doAllPreempt: false, soc: undefined, mode: undefined, runFor: durationFromMs(500), seed: '1' },
  ...{ report: undefined, hasLoads: false, isJson: true },
};
const CONFERENCE: BenchSuiteOptions = {
  ...DISB_A,
  ...{ name: 'voice-video', workloads: ['conference'], runFor: durationFromMs(7_000) },
};

async function call(options: BenchSuiteOptions, { columns = 100, isTty = false } = {}) {
  const clock = new SimClock();
  const [out, err] = [fakeTerminal(isTty, columns), fakeTerminal(isTty, columns)];
  const status = await benchSuite(options, {
    ...{ out, err, env: {}, clock, playSuite },
    loadSuite: (file) => loadBenchSuite(file, files),
    loadSoc: (soc) => loadSoc(`configs/soc/${soc}.yaml`, files),
    defaultFile: (name) => `configs/bench/${name}.yaml`,
    breathe: async () => clock.runFor(durationFromMs(1_000)),
  });
  return { status, out: out.text, err: err.text };
}

describe('a bench suite', () => {
  it('prints its result as one JSON document in the documented shape', async () => {
    const { status, out } = await call(DISB_A);
    expect(status).toBe(0);
    const result = JSON.parse(out) as Record<string, unknown> & { rows: Record<string, unknown>[]; published: { about: string } };
    expect(Object.keys(result)).toEqual([
      ...['suite', 'soc', 'mode', 'cores', 'seed', 'spanMs', 'costs', 'deadlineTimes', 'models', 'alone', 'rows', 'aims', 'published'],
    ]);
    expect(result).toMatchObject({ suite: 'DISB', soc: 'orin-agx', cores: 1, seed: '1', spanMs: 500, costs: 'stated', aims: [] });
    expect(result.rows.map(({ workload, policy }) => [workload, policy])).toEqual([
      ['A', 'fifo'],
      ['A', 'coxswain'],
    ]);
    expect(result.rows[0]).toMatchObject({ loads: [{ id: 'vgg19-rt', requested: 50, lostBy: {} }, { id: 'resnet152-be' }] });
    expect(result.published.about).toContain('measured elsewhere');
  });

  it('prints tables that fit the terminal, what others published labelled as theirs', async () => {
    for (const columns of [60, 100, 160]) {
      const { out } = await call({ ...DISB_A, isJson: false, hasLoads: true }, { columns });
      const lines = out.split('\n');
      expect(out).toContain('published by others, measured elsewhere on other hardware:');
      expect(lines.findIndex((line) => line.includes('TensorRT'))).toBeGreaterThan(
        lines.findIndex((line) => line.includes('published by others')),
      );
      const tables = lines.filter((line) => /^(workload|policy|A {2}|fifo|coxswain|model|vgg|resnet|system|Tensor|Triton|REEF)/.test(line));
      expect(tables.length).toBeGreaterThan(12);
      for (const line of tables) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it('says with its status whether every aim that was played is reached', async () => {
    const good = await call(CONFERENCE);
    expect(good.status).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({
      aims: [{ load: 'video', figure: 'p99Ms', atMost: 95, atLeast: null, isMet: true }, { isMet: true }],
    });
    const whole = await call({ ...CONFERENCE, isWhole: true, isJson: false, runFor: durationFromMs(13_000) });
    expect(whole.status).toBe(1);
    expect(whole.out).toContain('missed: conference speech lost');
    expect((await call({ ...CONFERENCE, policies: ['fifo'] })).status).toBe(0);
  });

  it('writes the same result into a file when told to', async () => {
    const report = join(folder, 'result.json');
    const { out } = await call({ ...DISB_A, report });
    expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual(JSON.parse(out));
    await expect(call({ ...DISB_A, report: join(folder, 'no', 'such.json') })).rejects.toBeInstanceOf(UsageError);
  });

  it('shows on a terminal how far it is, and leaves nothing of that behind', async () => {
    const { err } = await call({ ...DISB_A, runFor: durationFromMs(20_000) }, { isTty: true });
    expect(err).toMatch(/█+░* \d+ % A (fifo|coxswain)/);
    expect(err.endsWith('\r\u001b[K')).toBe(true);
    expect((await call(DISB_A)).err).toBe('');
  });

  it.each([
    ['a workload that is not there', { workloads: ['A', 'Z'] }, 'allowed are A, B, C'],
    ['a mode that is not there', { mode: 'w1' }, 'orin-agx has the modes'],
    ['measured costs of a suite without', { ...CONFERENCE, costs: 'measured' as const }, 'has no section measured'],
  ])('refuses %s as wrong usage', async (_, wrong, text) => {
    const refusal = await call({ ...DISB_A, ...wrong }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect(String(refusal)).toContain(text);
  });
});
