import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/exit-code.ts';
import { type Commands, runProgram } from '../../../src/cli/program.ts';
import { InvariantError } from '../../../src/core/assert.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { fakeTerminal } from './cli-fixtures.ts';

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly unknown[][];
}

async function call(args: readonly string[], answer: () => number = () => 0): Promise<Outcome> {
  const out = fakeTerminal(false, 100);
  const err = fakeTerminal(false, 100);
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    async (...given: readonly unknown[]): Promise<number> => {
      calls.push([name, ...given]);
      return answer();
    };
  const names = [
    'run',
    'sim',
    'plan',
    'check',
    'ask',
    'analyze',
    'benchXrbench',
    'benchSuite',
    'benchFidelity',
    'benchPredict',
    'doctor',
    'modelsList',
    'modelsVerify',
    'configSchema',
    'configPrint',
  ] as const;
  const commands = Object.fromEntries(names.map((name) => [name, record(name)])) as unknown as Commands;
  const status = await runProgram(args, commands, { out, err, version: '9.9.9' });
  return { status, out: out.text, err: err.text, calls };
}

const COMMANDS = [
  ['run'],
  ['ask'],
  ['sim'],
  ['plan'],
  ['check'],
  ['analyze'],
  ['bench', 'xrbench'],
  ['bench', 'disb'],
  ['bench', 'automotive'],
  ['bench', 'voice-video'],
  ['bench', 'fidelity'],
  ['bench', 'predict'],
  ['doctor'],
  ['models', 'list'],
  ['models', 'verify'],
  ['config', 'schema'],
  ['config', 'print'],
];

describe('program', () => {
  test('hands parsed options to the command', async () => {
    const { status, calls } = await call(['run', 'a.yaml', '--for', '20s', '--report', 'r.json', '--log', 'd.log', '--plain']);
    expect(status).toBe(0);
    const parsed = { config: 'a.yaml', runFor: 20_000_000, report: 'r.json', log: 'd.log', isJson: false, isPlain: true };
    expect(calls).toEqual([['run', parsed]]);
    expect((await call(['check', 'a.yaml', '--json'])).calls).toEqual([
      ['check', { config: 'a.yaml', soc: undefined, mode: undefined, storedAs: undefined, costs: undefined, isJson: true }],
    ]);
    expect((await call(['analyze', 't.json', '--test', 'rta', '--json'])).calls).toEqual([
      ['analyze', { file: 't.json', test: 'rta', isJson: true }],
    ]);
    expect((await call(['models', 'verify', '--manifest', 'm.yaml'])).calls).toEqual([
      ['modelsVerify', { config: undefined, manifest: 'm.yaml' }, { isJson: false }],
    ]);
    expect((await call(['config', 'print', 'a.yaml'])).calls).toEqual([['configPrint', 'a.yaml']]);
  });

  test.each([
    [[], { policy: 'coxswain', release: 'exact', drop: undefined, victim: 'value', preemption: { switchUs: 0, switchRatio: 0 } }],
    [['--policy', 'edf', '--release', 'tick'], { policy: 'edf', release: 'tick', drop: undefined, victim: 'value', preemption: undefined }],
    [
      ['--preemption', '2%', '--victim', 'turns', '--drop', 'none'],
      { policy: 'coxswain', release: 'exact', drop: 'none', victim: 'turns', preemption: { switchUs: 0, switchRatio: 0.02 } },
    ],
    [
      ['--policy', 'edf', '--preemption', '0.5ms'],
      { policy: 'edf', release: 'exact', drop: undefined, victim: 'value', preemption: { switchUs: 500, switchRatio: 0 } },
    ],
    [['--preemption', 'none'], { policy: 'coxswain', release: 'exact', drop: undefined, victim: 'value', preemption: undefined }],
  ])('takes for a benchmark with %j what is meant', async (flags, choice) => {
    const { calls } = await call(['bench', 'xrbench', '--costs', 'c.csv', '--configuration', 'A__B', '--scenario', 's', ...flags]);
    expect(calls).toEqual([['benchXrbench', expect.objectContaining({ choice })]]);
  });

  test('hands the options of sim and plan to them, and refuses what they cannot mean', async () => {
    const { calls } = await call([
      'sim',
      'a.yaml',
      '--soc',
      'car-500',
      '--for',
      '2s',
      '--seed',
      '7',
      '--policy',
      'edf',
      '--faults',
      'crash=1,heat=2',
      '--json',
    ]);
    expect(calls).toEqual([
      [
        'sim',
        {
          ...{ config: 'a.yaml', soc: 'car-500', mode: undefined, runFor: 2_000_000, seed: 7, policy: 'edf', storedAs: undefined },
          ...{ faults: { crash: 1, heat: 2 }, compute: 'none', results: undefined },
          ...{ report: undefined, trace: undefined, log: undefined, isJson: true },
        },
      ],
    ]);
    expect((await call(['sim', 'a.yaml', '--soc', 'x', '--compute', 'ort', '--results', 'r.jsonl'])).calls).toMatchObject([
      ['sim', { compute: 'ort', results: 'r.jsonl' }],
    ]);
    expect((await call(['plan', '--soc', 'rk3588', '--model', 'qwen', '--bits', '8'])).calls).toEqual([
      [
        'plan',
        {
          ...{ soc: 'rk3588', mode: undefined, model: 'qwen', bits: 8, context: undefined, with: undefined },
          ...{ dims: {}, isSweep: false, plot: undefined, isJson: false },
        },
      ],
    ]);
    expect((await call(['check', 'a.yaml', '--soc', 'rk3588', '--mode', 'w12', '--stored-as', 'int8'])).calls).toMatchObject([
      ['check', { soc: 'rk3588', mode: 'w12', storedAs: 'int8' }],
    ]);
    for (const args of [
      ['check', 'a.yaml', '--mode', 'w12'],
      ['check', 'a.yaml', '--soc', 'x', '--stored-as', 'int7'],
      ['check', 'a.yaml', '--soc', 'x', '--stored-as', 'int8', '--costs', 'c.csv'],
      ['sim', 'a.yaml'],
      ['sim', 'a.yaml', '--soc', 'x', '--seed', '-1'],
      ['sim', 'a.yaml', '--soc', 'x', '--policy', 'magic'],
      ['sim', 'a.yaml', '--soc', 'x', '--faults', 'crash'],
      ['sim', 'a.yaml', '--soc', 'x', '--faults', 'crsh=1'],
      ['sim', 'a.yaml', '--soc', 'x', '--stored-as', 'int7'],
      ['sim', 'a.yaml', '--soc', 'x', '--compute', 'gpu'],
      ['sim', 'a.yaml', '--soc', 'x', '--results', 'r.jsonl'],
      ['sim', 'a.yaml', '--soc', 'x', '--results', 'r.jsonl', '--compute', 'none'],
      ['sim', 'a.yaml', '--soc', 'x', '--report', 'r', '--trace', './r'],
      ['sim', 'a.yaml', '--soc', 'x', '--log', 'a.yaml'],
      ['run', 'a.yaml', '--report', 'b/../r', '--log', 'r'],
      ['plan'],
      ['plan', '--sweep', '--with', 'a.yaml'],
      ['plan', '--sweep', '--model', 'llama-3.1-8b'],
      ['plan', '--sweep', '--dims', 'batch=1'],
      ...['', 'batch', '=1', 'batch=', 'batch=-1', 'batch=1.5', 'batch=1,', 'batch=1,batch=2', 'batch=99999999999'].map((dims) => [
        ...['plan', '--soc', 'x', '--model', 'y.onnx', '--dims', dims],
      ]),
      ['plan', '--sweep', '--mode', 'w15'],
      ['plan', '--sweep', '--bits', 'NaN'],
      ['plan', '--sweep', '--context', '0'],
      ['plan', '--soc', 'x', '--model', 'y', '--plot', 'p.svg'],
    ])
      expect(await call(args), args.join(' ')).toMatchObject({ status: 2, calls: [] });
  });

  test('takes sizes of open axes by any name that has no comma', async () => {
    const { calls } = await call(['plan', '--soc', 'x', '--model', 'y.onnx', '--dims', 'p2o.DynamicDimension.0=1, x[2]=480,a=b=0']);
    expect(calls).toMatchObject([['plan', { dims: { 'p2o.DynamicDimension.0': 1, 'x[2]': 480, 'a=b': 0 } }]]);
  });

  test('lets several outputs go to a device, and each to a file of its own', async () => {
    expect(await call(['run', 'a.yaml', '--report', '/dev/stdout', '--log', '/dev/stdout'])).toMatchObject({ status: 0 });
    expect(await call(['sim', 'a.yaml', '--soc', 'x', '--report', 'r', '--trace', 't', '--log', 'l'])).toMatchObject({ status: 0 });
  });

  test('gives the status of the command back', async () => {
    expect((await call(['doctor'], () => 1)).status).toBe(1);
  });

  test.each([
    [[]],
    [['bogus']],
    [['run']],
    [['run', 'a', 'b']],
    [['run', 'a', '--nope']],
    [['run', 'a', '--for', '20']],
    [['run', 'a', '--report']],
    [['analyze', 't.json']],
    [['analyze', 't.json', '--test', 'constructor']],
    [['bench']],
    [['bench', 'xrbench']],
    [['bench', 'xrbench', '--costs', 'c.csv']],
    [['bench', 'xrbench', '--costs', 'c.csv', '--configuration', 'A__B', '--scenario', 's', '--policy', 'constructor']],
    [['bench', 'xrbench', '--costs', 'c.csv', '--configuration', 'A__B', '--scenario', 's', '--policy', 'edf', '--victim', 'value']],
    [['bench', 'xrbench', '--costs', 'c.csv', '--all', '--policy', 'edf']],
    [['bench', 'disb', '--policy', 'constructor']],
    [['bench', 'disb', '--policy', 'fifo,,edf']],
    [['bench', 'disb', '--policy', 'fifo,fifo']],
    [['bench', 'disb', '--workload', '']],
    [['bench', 'disb', '--costs', 'guessed']],
    [['bench', 'disb', '--drop', 'late']],
    [['bench', 'disb', '--deadline', '0.5']],
    [['bench', 'disb', '--deadline', '1e1']],
    [['bench', 'disb', '--for', '10']],
    [['bench', 'disb', '--seed', '']],
    [['bench', 'voice-video', 'extra']],
    [['bench', 'xrbench', '--costs', 'c.csv', '--all', '--preemption', '0']],
    ...['', 'free', '-1us', '5', '101%', '1e9us', '2s', 'NaN%', '1001ms', '2 %'].map((price) => [
      ['bench', 'xrbench', '--costs', 'c.csv', '--configuration', 'A__B', '--scenario', 's', `--preemption=${price}`],
    ]),
    [['models']],
    [['models', 'bogus']],
  ])('calls nothing, explains and exits 2 for %j', async (args) => {
    const { status, err, calls } = await call(args);
    expect([status, calls]).toEqual([2, []]);
    expect(err).not.toBe('');
  });

  test.each([
    [new UsageError('no such folder'), 2, 'coxswain: no such folder\n'],
    [new CoxswainError('CONFIG_INVALID', 'a.yaml:3:1: node: missing'), 78, 'coxswain: CONFIG_INVALID: a.yaml:3:1: node: missing\n'],
    [new CoxswainError('MODEL_UNSUPPORTED', 'no tokenizer.json'), 78, 'coxswain: MODEL_UNSUPPORTED: no tokenizer.json\n'],
    [new CoxswainError('MODEL_HASH_MISMATCH', 'x\u001b[2J\ny'), 78, 'coxswain: MODEL_HASH_MISMATCH: x\\x1b[2J\ny\n'],
    [new CoxswainError('CORE_START_FAILED', 'no memory'), 70, 'coxswain: CORE_START_FAILED: no memory\n'],
  ])('explains %s and exits with its status', async (thrown, status, text) => {
    const result = await call(['doctor'], () => {
      throw thrown;
    });
    expect([result.status, result.err]).toEqual([status, text]);
  });

  test('shows the stack of a bug of ours', async () => {
    const result = await call(['doctor'], () => {
      throw new InvariantError('invariant broken: x');
    });
    expect(result.status).toBe(70);
    expect(result.err).toMatch(/^coxswain: internal error, please report it: InvariantError: invariant broken: x\n {4}at /);
  });

  test('prints the version and the help to standard output, with status 0', async () => {
    expect(await call(['--version'])).toMatchObject({ status: 0, out: '9.9.9\n', err: '' });
    const { status, out } = await call(['--help']);
    expect(status).toBe(0);
    expect(out).toContain('Exit status: 0 fine, 1 findings, 2 wrong usage, 70 internal error, 78 wrong configuration.');
  });

  test.each(COMMANDS)('has examples in the help of %s %s', async (...command) => {
    const { status, out } = await call([...command.filter(Boolean), '--help']);
    expect(status).toBe(0);
    expect(out).toContain(`Examples:\n  $ coxswain ${command.filter(Boolean).join(' ')}`);
  });

  test('has every command and option on its page', async () => {
    const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    for (const command of COMMANDS) {
      expect(page).toContain(`## \`coxswain ${command.join(' ')}`);
      const { out } = await call([...command, '--help']);
      for (const [flag] of out.matchAll(/--[a-z]+/g)) expect(page).toContain(flag);
    }
  });
});
