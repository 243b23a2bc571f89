import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ConfigFiles, createConfigFiles } from '../../../src/config/config-files.ts';
import { loadBenchSuite } from '../../../src/config/load-bench-suite.ts';
import type { BenchSuite } from '../../../src/core/bench-suite.ts';
import { CoxswainError } from '../../../src/core/errors.ts';

const folder = resolve(import.meta.dirname, '../../../configs/bench');
const disb = readFileSync(resolve(folder, 'disb.yaml'), 'utf8');

const SMALL = `suite: 1
name: small
about: a test
soc: orin-agx
cores: 2
forMs: 1000
models:
  net: { kind: network, gmac: 1, paramsM: 2, input: [224, 224, 3], source: a table }
  llama: { kind: language, layers: 32, hidden: 4096, heads: 32, kvHeads: 8, intermediate: 14336, vocabulary: 128256, bits: 4.5, source: config.json }
  talk: { kind: time, runMs: 800, blocks: 40, source: a stop-watch }
measured:
  source: somebody
  runMs: { net: 1.5 }
workloads:
  one:
    about: a workload
    loads:
      camera: { model: net, criticality: safety, load: { kind: uniform, perSecond: 15 }, deadlineMs: 66.7, cores: [0] }
      chance: { model: net, criticality: interactive, load: { kind: poisson, perSecond: 20 }, deadlineMs: 50 }
      greedy: { model: talk, criticality: background, load: { kind: closed-loop }, deadlineMs: 60000 }
      replay: { model: net, criticality: safety, load: { kind: trace, atMs: [0, 5, 5], repeatMs: 10 }, deadlineMs: 50 }
      chat: { model: llama, criticality: interactive, load: { kind: closed-loop }, deadlineMs: 500, turn: { promptTokens: 512, answerTokens: 128, perSecondMax: 40 } }
      second: { model: net, criticality: safety, load: { kind: dependent, after: camera, delayMs: 1 }, deadlineMs: 50 }
    reserves:
      speech: { loads: [chat], budgetMs: 40, periodMs: 250 }
    bandwidthRatio: 0.5
    busBudget: { periodMs: 1, loadsMb: { chat: 30 } }
published:
  - { system: theirs, source: a paper, figures: { A: 1.02 } }
aims:
  - { workload: one, load: camera, figure: p99Ms, atMost: 66.7 }
`;

const load = (text: string): BenchSuite => {
  const files: ConfigFiles = { read: () => new TextEncoder().encode(text), realPath: () => undefined };
  return loadBenchSuite('bench/small.yaml', { files });
};
const problemOf = (text: string): string => {
  try {
    load(text);
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'none';
};
const edited = (from: string, to: string): string => {
  expect(SMALL).toContain(from);
  return SMALL.replace(from, to);
};

describe('the shipped suites', () => {
  it.each(readdirSync(folder))('%s loads, is frozen to the bottom, and says of each model where its cost is from', (name) => {
    const suite = loadBenchSuite(resolve(folder, name), { files: createConfigFiles() });
    expect(Object.isFrozen(suite) && Object.isFrozen(suite.workloads[0]?.loads[0]?.pattern)).toBe(true);
    expect(suite.models.every(({ source }) => source.length > 10)).toBe(true);
    expect(suite.published.every(({ source }) => source.length > 10)).toBe(true);
  });

  it('have the five workloads of DISB as published', () => {
    const text = load(disb).workloads.map(({ id, loads }) =>
      [id, ...loads.map(({ model, criticality, pattern }) => `${model} ${criticality === 'safety' ? 'rt' : 'be'} ${rateOf(pattern)}`)].join(
        '; ',
      ),
    );
    const five = ['resnet152', 'densenet201', 'vgg19', 'inceptionv3', 'distilbert'];
    const bestEffort = five.map((model) => `${model} be closed-loop`);
    expect(text.slice(0, 5)).toEqual([
      'A; vgg19 rt uniform 100; resnet152 be closed-loop',
      'B; vgg19 rt closed-loop; resnet152 be closed-loop',
      ['C', 'vgg19 rt uniform 100', ...bestEffort].join('; '),
      ['D', ...five.map((model) => `${model} rt uniform 20`), ...bestEffort].join('; '),
      ['E', ...five.map((model) => `${model} rt poisson 20`), ...bestEffort].join('; '),
    ]);
  });

  it('use every kind of load', () => {
    const kinds = new Set(load(disb).workloads.flatMap(({ loads }) => loads.map(({ pattern }) => pattern.kind)));
    expect([...kinds].sort()).toEqual(['closed-loop', 'dependent', 'poisson', 'trace', 'uniform']);
  });
});

function rateOf(pattern: BenchSuite['workloads'][number]['loads'][number]['pattern']): string {
  if (pattern.kind === 'uniform') return `uniform ${1e6 / pattern.periodUs}`;
  return pattern.kind === 'poisson' ? `poisson ${1e6 / pattern.meanUs}` : pattern.kind;
}

describe('a suite', () => {
  it('comes in inner units', () => {
    const { workloads, models, measured, coresMax, spanUs } = load(SMALL);
    expect([coresMax, spanUs, measured?.runUs]).toEqual([2, 1_000_000, { net: 1_500 }]);
    expect(models).toMatchObject([
      { id: 'net', kind: 'network', macs: 1e9, parameters: 2e6, height: 224, width: 224, channels: 3, blocks: 1 },
      { id: 'llama', kind: 'language', layers: 32, kvBits: 16, chunkTokens: 128, burstTokens: 8, headSize: undefined },
      { id: 'talk', kind: 'time', runUs: 800_000, blocks: 40 },
    ]);
    expect(workloads[0]?.loads.map(({ pattern }) => pattern)).toEqual([
      { kind: 'uniform', periodUs: 1e6 / 15, phaseUs: 0 },
      { kind: 'poisson', meanUs: 50_000 },
      { kind: 'closed-loop', clients: 1, thinkUs: 0 },
      { kind: 'trace', atUs: [0, 5_000, 5_000], repeatUs: 10_000 },
      { kind: 'closed-loop', clients: 1, thinkUs: 0 },
      { kind: 'dependent', after: 'camera', delayUs: 1_000 },
    ]);
    expect(workloads[0]?.loads[4]).toMatchObject({ turn: { promptTokens: 512, tokensMax: 128 }, tokens: { perSecondMax: 40 } });
    expect(workloads[0]).toMatchObject({
      reserves: [{ id: 'speech', loads: ['chat'], budgetUs: 40_000, periodUs: 250_000 }],
      bandwidthRatio: 0.5,
      busBudget: { periodUs: 1_000, bytesByStream: new Map([['chat', 30e6]]) },
    });
    expect(workloads[0]?.loads[0]).toMatchObject({ deadlineUs: 66_700, cores: [0], queueMax: 1_000 });
  });

  it.each([
    [
      'a network with more parameters than it multiplies',
      'gmac: 1, paramsM: 2,',
      'gmac: 1, paramsM: 2000,',
      'models.net.paramsM: got 2000 million',
    ],
    [
      'a model that nobody knows',
      'camera: { model: net,',
      'camera: { model: nett,',
      'which is no model; given are net, llama, talk; did you mean',
    ],
    ['a measured time of an unknown model', 'runMs: { net: 1.5 }', 'runMs: { nets: 1.5 }', 'which is no model'],
    ['a load that waits for itself', 'after: camera,', 'after: second,', '"second" waits for itself; break the circle'],
    ['a load that waits for nobody', 'after: camera,', 'after: lidar,', 'which is no load of this workload'],
    ['a trace that goes back', 'atMs: [0, 5, 5]', 'atMs: [0, 5, 4]', 'got 4 after 5; the instants must ascend'],
    [
      'a trace that begins anew before its end',
      'repeatMs: 10 ',
      'repeatMs: 5 ',
      'got 5; allowed is more than the last instant, which is 5',
    ],
    ['a core that takes no part', 'cores: [0]', 'cores: [2]', 'got 2; only 2 cores take part'],
    [
      'a language model that is asked nothing',
      ', turn: { promptTokens: 512, answerTokens: 128, perSecondMax: 40 }',
      '',
      'say what is asked with turn',
    ],
    [
      'a network that is asked to talk',
      'deadlineMs: 66.7,',
      'deadlineMs: 66.7, turn: { promptTokens: 1, answerTokens: 1 },',
      '"net" is no language model',
    ],
    ['a reserve of more than there is', 'budgetMs: 40', 'budgetMs: 251', 'got 251; allowed is at most periodMs, which is 250'],
    ['a reserve for a load that is not there', 'loads: [chat]', 'loads: [chatt]', "did you mean 'chat'?"],
    ['a reserve for safety', 'loads: [chat]', 'loads: [camera]', 'is safety, which goes before every reserve'],
    ['a reserve for two classes', 'loads: [chat]', 'loads: [chat, greedy]', 'a reserve is for one class'],
    ['two reserves for one load', 'loads: [chat]', 'loads: [chat, chat]', 'has a reserve already'],
    ['a budget for a load that is not there', 'loadsMb: { chat: 30 }', 'loadsMb: { chatt: 30 }', "did you mean 'chat'?"],
    ['an empty budget', 'loadsMb: { chat: 30 }', 'loadsMb: { chat: 0 }', 'got 0; allowed is a number from 0.001'],
    ['no bus', 'bandwidthRatio: 0.5', 'bandwidthRatio: 0', 'got 0; allowed is a number from 0.01'],
    ['no rate', 'perSecond: 20', 'perSecond: 0', 'got 0; allowed is a number from 0.001'],
    ['a negative cost', 'runMs: 800,', 'runMs: -1,', 'got -1; allowed is a number from 0.001'],
    ['a cost that is no number', 'gmac: 1,', 'gmac: .nan,', 'gmac'],
    ['an endless time', 'forMs: 1000', 'forMs: .inf', 'forMs'],
    ['no workload', SMALL.slice(SMALL.indexOf('  one:'), SMALL.indexOf('published:')), '  {}\n', 'got no workload'],
    ['an aim without a bound', ', atMost: 66.7', '', 'got no bound; give atMost or atLeast'],
    ['an aim for a load that is not there', 'load: camera, figure', 'load: cam, figure', 'which is no load of that workload'],
    ['an aim for an unknown figure', 'figure: p99Ms', 'figure: p98Ms', 'did you mean'],
    ['an unknown key', 'name: small', 'nam: small', "did you mean 'name'?"],
  ])('with %s is refused by file, line and key', (_, from, to, text) => {
    const problem = problemOf(edited(from, to));
    expect(problem).toContain(text);
    expect(problem).toMatch(/^bench\/small\.yaml:\d+:\d+: /);
  });

  it.each([
    ['nothing', ''],
    ['garbage', '\u0000\u0001{{{['],
    ['a list', '- 1\n- 2\n'],
    ['an anchor bomb', `a: &a [1]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]\n`],
    ['another file', 'soc: 1\nname: x\n'],
  ])('of %s is refused', (_, text) => {
    expect(problemOf(text)).toContain('bench/small.yaml:');
  });

  it('with thousands of loads, or of mistakes, is refused in little time', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `      l${index}: { model: x${index}, criticality: safty }`).join('\n');
    const started = performance.now();
    expect(problemOf(`${SMALL.slice(0, SMALL.indexOf('      camera:'))}${many}\n`)).toContain('more');
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
