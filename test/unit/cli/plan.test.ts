import { describe, expect, test } from 'vitest';
import { type PlanDeps, type PlanOptions, plan } from '../../../src/cli/commands/plan.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import type { LanguageShape, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { SocProfile } from '../../../src/core/soc-profile.ts';
import type { OnnxGraph } from '../../../src/models/onnx-graph/graph.ts';
import type { BesidePlan } from '../../../src/runtime/plan-beside.ts';
import type { FilePlan } from '../../../src/runtime/plan-file.ts';
import type { ModelPlan, ModelSpeed } from '../../../src/runtime/plan-model.ts';
import { fakeTerminal } from './cli-fixtures.ts';

const profile = { id: 'chip', name: 'A chip\u001b[2J', modes: [{ id: 'fast' }, { id: 'cool' }] } as unknown as SocProfile;
const memory = { weightBytes: 4e9, kvBytes: 1e8, haveBytes: 8e9, doesFit: true };
const made = { soc: 'chip', mode: 'fast', parameters: 8e9, bits: 4, contextTokens: 2048, memory } as unknown as ModelPlan;
const network = {
  memory,
  runMs: 1,
  runsPerSecond: 1000,
  joulesPerRun: { low: 1, high: 2 },
  gmac: 2,
  bytesPerRun: 1e6,
  busRatio: 0.1,
  utilisationRatio: 0.5,
  storedAs: 'int8',
  unknown: [{ operator: 'com.vendor.Magic', count: 2 }],
} as unknown as FilePlan;
const beside: BesidePlan = {
  node: 'car',
  streams: { didFit: true, doFit: true, assurance: 'always', advice: [] },
  memory: { streamBytes: 1e9, modelBytes: 4.1e9, haveBytes: 8e9, doesFit: true },
  cores: { ids: [1, 2], ofCount: 4, idleRatio: 0.9 },
  power: { demandedW: 30, modeW: 40 },
  bus: { usableGbs: 200, streamGbs: 50, leftGbs: 150, leftRatio: 0.75 },
  speech: { tokensPerSecond: 33, promptTokens: 512, chunkTokens: 128, firstTokenMs: 250 },
};

const asked: string[] = [];
const deps = (changes: Partial<BesidePlan> = {}, doesFit = true) => {
  const out = fakeTerminal(false, 120);
  const all: PlanDeps = {
    out,
    err: fakeTerminal(false),
    env: {},
    loadSoc: () => profile,
    socs: () => [profile],
    models: () => [
      { name: 'llama', shape: { contextMax: 131_072 } as LanguageShape },
      { name: 'tiny', shape: { contextMax: 2048 } as LanguageShape },
      { name: 'qwen2_5-0_5b', shape: {} as LanguageShape },
    ],
    planModel: ({ mode, bits, contextTokens }) => ({ ...made, mode: mode.id, bits, contextTokens, memory: { ...memory, doesFit } }),
    modelAt: (path) => (path.endsWith('decoder') ? { shape: { context: 1024 } as LanguageShape } : { graph: { name: path } as OnnxGraph }),
    planGraph: ({ file, bits, dims }, { mode }) => {
      asked.push(`${file} ${bits} ${mode.id}${Object.entries(dims).map(([name, size]) => ` ${name}=${size}`)}`);
      return network;
    },
    loadConfig: (file) =>
      ({
        node: file,
        models: [{ id: 'a' }, { id: 'b' }],
        pipelines: [{ stream: { model: 'b' }, variants: [] }],
      }) as unknown as RuntimeConfig,
    storedAsOn: () => 'int8',
    costsOf: ({ id }, storedAs) => ({ model: id, layers: [], origin: 'shape', told: storedAs }),
    planBeside: ({ chip, config, costs }, { bits, contextTokens }) => {
      asked.push(`beside ${config.node} ${chip.mode.id} ${costs.map(({ model }) => model).join()} ${bits} ${contextTokens}`);
      return { ...beside, ...changes };
    },
    planGraphBeside: ({ config }, { file }) => {
      asked.push(`${file} beside ${config.node}`);
      const { speech: _, ...rest } = beside;
      return { ...rest, runs: { runMs: 2, runsPerSecond: 450 } };
    },
  };
  return { ...all, out };
};
const plain: PlanOptions = {
  ...{ soc: 'chip', mode: undefined, model: 'llama', bits: undefined, context: 2048, with: undefined },
  ...{ dims: {}, isSweep: false, plot: undefined, isJson: false },
};

describe('plan', () => {
  test('takes the power mode that it is told, and refuses one that the chip has not', async () => {
    const world = deps();
    expect(await plan({ ...plain, mode: 'cool', isJson: true }, world)).toBe(0);
    expect(JSON.parse(world.out.text)).toMatchObject({ mode: 'cool' });
    await expect(plan({ ...plain, mode: 'hot' }, deps())).rejects.toThrow(UsageError);
  });

  test('asks what is left beside a configuration, for the models that it uses, and prints it', async () => {
    const world = deps();
    expect(await plan({ ...plain, with: 'car.yaml' }, world)).toBe(0);
    expect(asked.at(-1)).toBe('beside car.yaml fast b 4 2048');
    expect(world.out.text).toContain('beside the streams of car, as background work');
    expect(world.out.text).toContain('cores   2 cores (1, 2) of 4, 90 % of their time left');
    expect(world.out.text).toContain('bus     50 GB/s for the streams, 150 GB/s (75 %) left');
    expect(world.out.text).toContain('decode  33 tokens/s');
    expect(world.out.text).toContain('in chunks of 128: first word after 250 ms');
    expect(world.out.text).toContain('streams fit (always)');
    const json = deps();
    await plan({ ...plain, with: 'car.yaml', isJson: true }, json);
    expect(JSON.parse(json.out.text)).toMatchObject({ soc: 'chip', beside: { speech: { tokensPerSecond: 33 } } });
  });

  test.each([
    [
      'a stream is late',
      { streams: { didFit: true, doFit: false, assurance: 'none', advice: ['core 1: make it cheaper'] } },
      'core 1: make it',
    ],
    [
      'streams were late anyway',
      { streams: { didFit: false, doFit: false, assurance: 'none', advice: [] } },
      'do not fit without it either',
    ],
    ['memory is short', { memory: { streamBytes: 5e9, modelBytes: 4.1e9, haveBytes: 8e9, doesFit: false } }, 'does not fit'],
  ] as const)('ends with 1 when %s beside it', async (_, changes, text) => {
    const world = deps(changes);
    expect(await plan({ ...plain, with: 'car.yaml' }, world)).toBe(1);
    expect(world.out.text).toContain(text);
  });

  test.each([
    [1, 1, 'decode  80 tokens/s,', 'prompt  512 tokens: first word after 97 ms'],
    [1, 3, 'decode  80 tokens/s with one of 3 cores (54.5 with all),', 'prompt  512 tokens with all 3 cores: first word after 97 ms'],
    [3, 3, 'decode  80 tokens/s with all 3 cores (62 with one),', 'prompt  512 tokens with all 3 cores: first word after 97 ms'],
    [2, 3, 'decode  80 tokens/s with 2 of 3 cores (62 with one, 54.5 with all),', 'prompt  512 tokens with all 3 cores: first word'],
  ])('says that %i of %i cores are the fastest, and what one and all would be', async (cores, coreCount, decodeText, promptText) => {
    const world = deps();
    const range = { low: 1, high: 2 };
    const speed: ModelSpeed = {
      decode: {
        ...{ tokensPerSecond: 80, cores, oneCoreTokensPerSecond: 62, allCoresTokensPerSecond: 54.5, bytesPerToken: 1e9 },
        ...{ busRatio: 0.5, isMemoryBound: true, joulesPerToken: range },
      },
      prompt: { tokens: 512, cores: coreCount, firstTokenMs: 97 },
      left: { tokensPerSecond: 15, busGbs: 1, busRatio: 1, topsInt8: 1, computeRatio: 1 },
    };
    const loadSoc = () => ({ ...profile, clusterCount: 1, coresPerCluster: coreCount }) as unknown as SocProfile;
    await plan(plain, { ...world, loadSoc, planModel: () => ({ ...made, speed }) });
    expect(world.out.text).toContain(decodeText);
    expect(world.out.text).toContain(promptText);
  });

  test('ends with 1 when memory has room for a model and a core cannot address it', async () => {
    const window = { neededBytes: 4.3e9, haveBytes: 3e9, fits: false };
    for (const model of ['llama', 'b.onnx']) {
      const world = deps();
      const both = { planModel: () => ({ ...made, window }), planGraph: () => ({ ...network, window }) };
      expect(await plan({ ...plain, model }, { ...world, ...both })).toBe(1);
      expect(world.out.text).toContain(
        'of 8.0 GB: fits\nwindow  4.3 GB at once with activations, of 3.0 GB that a core can address: does not fit',
      );
    }
    const swept = deps();
    await plan({ ...plain, model: undefined, isSweep: true }, { ...swept, planModel: () => ({ ...made, window }) });
    expect(swept.out.text).toMatch(/llama +window/);
    expect(swept.out.text).toContain('window: fits the memory, but a core cannot address it at once');
    const fine = deps();
    const fits = { ...window, fits: true };
    expect(await plan(plain, { ...fine, planModel: () => ({ ...made, window: fits }) })).toBe(0);
    expect(fine.out.text).not.toContain('window');
  });

  test('ends with 1 when it does not even fit alone', async () => {
    expect(await plan(plain, deps({}, false))).toBe(1);
  });

  test('takes an ONNX file beside a configuration too, and knows no other models', async () => {
    const world = deps();
    expect(await plan({ ...plain, model: 'a/b.onnx', with: 'car.yaml' }, world)).toBe(0);
    expect(asked.slice(-2)).toEqual(['a/b.onnx 8 fast', 'a/b.onnx beside car.yaml']);
    expect(world.out.text).toContain('speed   2 ms a run, 450 a second');
    expect(world.out.text).not.toContain('\u001b');
    await expect(plan({ ...plain, model: 'gpt' }, deps())).rejects.toThrow(
      'allowed is an ONNX file, the folder of a language model (./gpt), or one of llama, tiny, qwen2.5-0.5b',
    );
  });

  test('hands on the sizes that a file leaves open, and takes none for a language model', async () => {
    await plan({ ...plain, model: 'b.onnx', dims: { batch: 1, 'x[2]': 480 } }, deps());
    expect(asked.at(-1)).toBe('b.onnx 8 fast batch=1, x[2]=480');
    for (const model of ['llama', './decoder'])
      await expect(plan({ ...plain, model, dims: { batch: 1 } }, deps())).rejects.toThrow(UsageError);
  });

  test('plans the model of a folder with as long a conversation as it knows, and with no longer one', async () => {
    const world = deps();
    await plan({ ...plain, model: './decoder', context: undefined }, world);
    expect(world.out.text).toContain('./decoder (');
    expect(world.out.text).toContain('4 bits, 1024 tokens of context');
    await plan({ ...plain, model: './decoder', context: 100, bits: 8 }, world);
    expect(world.out.text).toContain('8 bits, 100 tokens of context');
    await expect(plan({ ...plain, model: './decoder', context: 1025 }, world)).rejects.toThrow(
      '--context 1025: ./decoder knows conversations of at most 1024 tokens',
    );
  });

  test('plans a model of the list with no longer a conversation than it knows', async () => {
    const world = deps();
    await plan({ ...plain, model: 'llama', context: 100_000 }, world);
    expect(world.out.text).toContain('100000 tokens of context');
    await expect(plan({ ...plain, model: 'llama', context: 131_073 }, world)).rejects.toThrow(
      '--context 131073: llama knows conversations of at most 131072 tokens',
    );
    await plan({ ...plain, model: 'qwen2.5-0.5b', context: 500_000 }, world);
    expect(world.out.text).toContain('500000 tokens of context');
  });

  test('takes in a sweep each model with what it knows, and names those that know less', async () => {
    const world = deps();
    await plan({ ...plain, model: undefined, context: 4096, isSweep: true }, world);
    expect(world.out.text).toContain('with the longest conversation that they know: tiny 2048');
    const json = deps();
    await plan({ ...plain, model: undefined, context: 4096, isSweep: true, isJson: true }, json);
    const rows = JSON.parse(json.out.text) as { readonly contextTokens: number }[];
    expect(rows.map(({ contextTokens }) => contextTokens)).toEqual([4096, 2048, 4096]);
    const short = deps();
    await plan({ ...plain, model: undefined, isSweep: true }, short);
    expect(short.out.text).not.toContain('that they know');
  });

  test('says what a file was taken to be stored as, and which of its operators are not in the figures', async () => {
    const world = deps();
    await plan({ ...plain, model: 'b.onnx' }, world);
    expect(world.out.text).toContain('(2 GMAC, its floats stored as int8)');
    expect(world.out.text).toContain('not counted, since not understood: 2 x com.vendor.Magic');
    await plan({ ...plain, model: 'b.onnx', bits: 4 }, world);
    expect(asked.at(-1)).toBe('b.onnx 4 fast');
  });

  test.each(['qwen2.5-0.5b', 'qwen2_5-0_5b', 'Qwen2.5-0.5B'])('knows a model by its name as %s', async (model) => {
    expect(await plan({ ...plain, model }, deps())).toBe(0);
  });
});
