import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { constantOf, withConstants } from '../../../../src/bench/fidelity/constants.ts';
import { fitConstants, leaveOut, type MeasuredRow } from '../../../../src/bench/fidelity/fit-constants.ts';
import { readLanguageFacts } from '../../../../src/bench/fidelity/language-facts.ts';
import { leastSquares, solveLinear } from '../../../../src/bench/fidelity/least-squares.ts';
import { readNetworkLayers } from '../../../../src/bench/fidelity/listed-layers.ts';
import { requireMeasurements } from '../../../../src/bench/fidelity/measured-table.ts';
import type { Measurement } from '../../../../src/bench/fidelity/measurement.ts';
import { readNetworkFacts } from '../../../../src/bench/fidelity/network-facts.ts';
import { modeFor, predictRow } from '../../../../src/bench/fidelity/predict-row.ts';
import { predictTable } from '../../../../src/bench/fidelity/predict-table.ts';
import { type PreparedRow, prepareRow } from '../../../../src/bench/fidelity/prepared-row.ts';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadSoc } from '../../../../src/config/load-soc.ts';
import type { SocProfile } from '../../../../src/core/soc-profile.ts';
import { twoCores } from '../../../support/soc-profiles.ts';

const facts = {
  languageModels: readLanguageFacts('l.csv', readFileSync('configs/fidelity/language-models.csv', 'utf8')),
  networks: readNetworkFacts('n.csv', readFileSync('configs/fidelity/networks.csv', 'utf8')),
  networkLayers: readNetworkLayers('m.csv', readFileSync('configs/fidelity/network-layers.csv', 'utf8')),
};
const chip = withConstants(twoCores({ coresPerCluster: 1, localMemoryBytes: 1e6 }), { vectorOpsPerSecond: 1e12 / 64 });

let line = 0;
const measurement = (model: string, work: Measurement['work'], unit: Measurement['unit']): Measurement => {
  line += 1;
  return { file: 't.csv', line, variant: '', part: '', mode: '', model, unit, measured: undefined, assumed: [], work };
};
const prepared = (row: Measurement): PreparedRow => {
  const made = prepareRow(row, facts);
  if ('why' in made) throw new Error(made.why);
  return made;
};
const decode = (model: string, more = {}) =>
  prepared(measurement(model, { kind: 'decode', model, quantisation: 'w8a8', batch: 1, contextTokens: 100, ...more }, 'tokens/s'));
const network = (model: string, more = {}) =>
  prepared(measurement(model, { kind: 'network', model, type: 'int8', batch: 1, cores: 1, ...more }, 'frames/s'));

const MODELS = ['Qwen2-0.5B', 'Qwen3-0.6B', 'Qwen2.5-1.5B', 'Phi3-3.8B', 'Llama-3.1-8B'].map((name) => decode(name));
const PROMPTS = ['Qwen2-0.5B', 'Qwen2.5-1.5B', 'Phi3-3.8B'].map((model) =>
  prepared(measurement(model, { kind: 'prefill', model, quantisation: 'w8a8', batch: 1, promptTokens: 128 }, 'ms')),
);
const NETWORKS = ['mobilenet_v2', 'resnet18', 'resnet50', 'yolov5s', 'yolov8m', 'yolov5s_relu', 'vgg16', 'inception_v3'].map((name) =>
  network(name),
);

/** As the model itself would have measured on a chip with these constants. */
const measuredOn = (rows: readonly PreparedRow[], profile: SocProfile): readonly MeasuredRow[] =>
  rows.map((row) => ({ ...row, measured: predictRow(row, profile, modeFor(profile, '').mode) }));

describe('the fit of constants', () => {
  it('finds the efficiency of the bus and the overhead of a layer again from rates of language models', () => {
    const truth = { efficiencyRatio: 0.8, layerUs: 30 };
    const fitted = fitConstants(measuredOn(MODELS, withConstants(chip, truth)), chip);
    expect(Object.keys(fitted)).toEqual(['efficiencyRatio', 'layerUs']);
    expect((fitted.efficiencyRatio ?? 0) / truth.efficiencyRatio).toBeCloseTo(1, 1);
    expect((fitted.layerUs ?? 0) / truth.layerUs).toBeCloseTo(1, 1);
  });

  it('finds what networks depend on, and what cores of one job take for each other', () => {
    const two = withConstants(twoCores({ localMemoryBytes: 1e6 }), {});
    const truth = { computeRatio: 0.5, vectorOpsPerSecond: 8e9, layerUs: 20, splitUs: 50 };
    const rows = measuredOn([...MODELS, ...NETWORKS], withConstants(two, truth));
    const fitted = fitConstants(rows, two);
    for (const [name, value] of Object.entries(truth))
      expect([name, Math.abs(Math.log((fitted[name as keyof typeof truth] ?? 0) / value)) < 0.2]).toEqual([name, true]);
  }, 60_000);

  it('tells the dispatch of floats from that of others where there are rows of both', () => {
    const both = { ...chip, core: { ...chip.core, opsPerSecond: { int8: 2e12, fp32: 2e12 } } };
    const truth = withConstants(both, { dispatchUs: 50, floatDispatchUs: 2_000 });
    const small = ['mobilenet_v2', 'squeezenet', 'resnet18'];
    const others = measuredOn(
      small.map((name) => network(name)),
      truth,
    );
    const floats = measuredOn(
      small.map((name) => network(name, { type: 'fp32' })),
      truth,
    );
    expect(Object.keys(fitConstants(others, both))).not.toContain('floatDispatchUs');
    const { floatDispatchUs = 0 } = fitConstants([...others, ...floats], both);
    expect(Math.abs(Math.log(floatDispatchUs / 2_000))).toBeLessThan(0.3);
  }, 60_000);

  it('is hardly moved by one row that is off by ten', () => {
    const truth = withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30 });
    const rows = measuredOn(MODELS, truth);
    const [first, ...rest] = rows;
    const clean = fitConstants(rest, chip);
    const dirty = fitConstants([{ ...(first as MeasuredRow), measured: (first?.measured ?? 0) * 10 }, ...rest], chip);
    expect((dirty.efficiencyRatio ?? 0) / (clean.efficiencyRatio ?? 1)).toBeCloseTo(1, 1);
  });

  it('says nothing where no row does, and keeps physics where rows contradict it', () => {
    expect(fitConstants([], chip)).toEqual({});
    const impossible = MODELS.map((row) => ({ ...row, measured: 1e6 }));
    expect(fitConstants(impossible, chip).efficiencyRatio).toBeLessThanOrEqual(0.95 + 1e-9);
  });

  it('gives the same constants for the same rows, whatever the profile held before', () => {
    const rows = measuredOn(MODELS, withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30 }));
    const other = withConstants(chip, { efficiencyRatio: 0.3, layerUs: 500 });
    expect(fitConstants(rows, other)).toEqual(fitConstants(rows, chip));
  });

  it('finds how fast prompts are read where there are three of them, and lets them move nothing else', () => {
    const rest = measuredOn(MODELS, withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30 }));
    const slow = measuredOn(PROMPTS, withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30, promptRatio: 0.2 }));
    const { promptRatio = 0, ...others } = fitConstants([...rest, ...slow], chip);
    expect(promptRatio / 0.2).toBeCloseTo(1, 1);
    expect(others).toEqual(fitConstants(rest, chip));
    expect(fitConstants([...rest, ...slow.slice(0, 2)], chip)).toEqual(others);
    const bySize = slow.map((row, index) => (index === 0 ? { ...row, isBySize: true } : row));
    expect(fitConstants([...rest, ...bySize], chip)).toEqual(others);
  });

  it('never reads prompts faster than the roofline', () => {
    const fast = measuredOn(PROMPTS, chip).map((row) => ({ ...row, measured: row.measured / 10 }));
    expect(fitConstants(fast, chip)).toEqual({ promptRatio: 1 });
  });

  it('predicts a prompt without looking at it, and other rows as without any prompts', () => {
    const truth = withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30, promptRatio: 0.2 });
    const [rest, slow] = [measuredOn(MODELS, truth), measuredOn(PROMPTS, truth)];
    const odd = slow.map((row, index) => (index === 0 ? { ...row, measured: row.measured * 3 } : row));
    const rows = [...rest, ...odd];
    const left = leaveOut(rows, chip, fitConstants(rows, chip), () => undefined);
    const [first] = odd;
    expect((left.get(first as MeasuredRow) ?? 0) / ((first?.measured ?? 0) / 3)).toBeCloseTo(1, 1);
    const alone = leaveOut(rest, chip, fitConstants(rest, chip), () => undefined);
    for (const row of rest) expect(left.get(row)).toBe(alone.get(row));
  });

  it('predicts a row without looking at it', () => {
    const rows = measuredOn(MODELS, withConstants(chip, { efficiencyRatio: 0.8, layerUs: 30 }));
    const odd = rows.map((row, index) => (index === 0 ? { ...row, measured: row.measured / 3 } : row));
    const folds: number[] = [];
    const left = leaveOut(odd, chip, fitConstants(odd, chip), (done) => void folds.push(done));
    const [first] = odd;
    expect((left.get(first as MeasuredRow) ?? 0) / ((first?.measured ?? 0) * 3)).toBeCloseTo(1, 1);
    expect(folds).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('a prediction', () => {
  it('reads the weights once for a batch, and counts all its tokens', () => {
    const one = predictRow(decode('Llama-3.1-8B'), chip, modeFor(chip, '').mode);
    const eight = predictRow(decode('Llama-3.1-8B', { batch: 8 }), chip, modeFor(chip, '').mode);
    expect(eight / one).toBeGreaterThan(6);
    expect(eight / one).toBeLessThan(8);
  });

  it('grows slower with the context', () => {
    const at = (contextTokens: number): number => predictRow(decode('Phi3-3.8B', { contextTokens }), chip, modeFor(chip, '').mode);
    expect(at(100)).toBeGreaterThan(at(8_000) * 1.5);
  });

  it('lets cores with frames of their own share the bus', () => {
    const narrow = twoCores({ dram: { bytesPerSecond: 5e9, efficiencyRatio: 1, memoryBytes: 16e9 } });
    const { mode } = modeFor(narrow, '');
    const [one, two] = [1, 2].map((cores) => predictRow(network('vgg16', { cores }), narrow, mode));
    expect((two ?? 0) / (one ?? 1)).toBeLessThan(1.3);
    const roomy = twoCores();
    const [alone, both] = [1, 2].map((cores) => predictRow(network('resnet50', { cores }), roomy, mode));
    expect((both ?? 0) / (alone ?? 1)).toBeCloseTo(2, 1);
  });

  it('counts other engines where the whole chip works on many frames', () => {
    const helped = { ...chip, besideOpsPerSecond: 2e12 };
    const row = network('resnet50', { isWholeChip: true });
    const { mode } = modeFor(chip, '');
    expect(predictRow(row, helped, mode) / predictRow(row, chip, mode)).toBeCloseTo(2, 6);
  });

  it('of a rate leaves out the dispatch where frames are given to a network that stays on the chip, and of a latency does not', () => {
    const slow = withConstants({ ...chip, doWeightsStay: true, localMemoryBytes: 30e6 }, { dispatchUs: 1_000_000 });
    const { mode } = modeFor(slow, '');
    const rate = predictRow(network('resnet50'), slow, mode);
    expect(rate).toBe(predictRow(network('resnet50'), withConstants(slow, { dispatchUs: 0 }), mode));
    const row = prepared(measurement('resnet50', { kind: 'network', model: 'resnet50', type: 'int8', batch: 1, cores: 1 }, 'ms'));
    expect(predictRow(row, slow, mode)).toBeGreaterThan(1_000);
    expect(predictRow(network('vgg16'), slow, mode)).toBeLessThan(1);
  });

  it('takes the mode with the watts, the bandwidth or the name of the row', () => {
    const nano = loadSoc('configs/soc/orin-nano.yaml', { files: createConfigFiles() });
    expect(modeFor(nano, '15W 68 GB/s')).toMatchObject({ mode: { id: 'w15' }, note: undefined });
    expect(modeFor(nano, '25W')).toMatchObject({ mode: { id: 'super25' } });
    expect(modeFor(nano, 'Super')).toMatchObject({ mode: { id: 'super25' } });
    expect(modeFor(nano, '')).toMatchObject({ mode: { id: 'super25' } });
    expect(modeFor(nano, '15W 34 GB/s')).toMatchObject({ note: 'mode w15 with 34 GB/s', mode: { bandwidthRatio: 34 / 102 } });
    expect(modeFor(nano, 'turbo').note).toContain('no mode of the profile is "turbo"; super25 taken');
  });

  it('of a table leaves rows of other known chips to them, and takes those that nobody knows', () => {
    const text =
      'platform,model,quant,prompt_tokens,new_tokens,decode_tok_s\nMine,Qwen2-0.5B,w8a8,128,64,10\nOther,Qwen2-0.5B,w8a8,128,64,10\nX9,Qwen2-0.5B,w8a8,128,64,\nMine,what,w8a8,128,64,1\nMine,Qwen2-0.5B,good,128,64,1\n';
    const profile = { ...chip, knownAs: ['Mine'] };
    const made = predictTable({ profile, file: 't.csv', text, facts, known: [{ id: 'other', knownAs: [] }] });
    expect(made.rows.map(({ line: at, errorRatio }) => [at, errorRatio === undefined])).toEqual([
      [2, false],
      [4, true],
    ]);
    expect(made.rows[1]?.how).toContain('no profile is known as "X9"');
    expect(made.unpredicted.map(({ why }) => why)).toEqual([
      'it is of another chip; its profile is other',
      'what is not in the list of language models, and its name tells no size',
      'the quantisation "good" does not tell how many bits a weight has',
    ]);
    expect(made.summaries).toMatchObject([{ count: 1, kind: 'decode', meanErrorRatio: Math.abs(made.rows[0]?.errorRatio ?? 0) }]);
  });

  const RKNN = 'model,input_shape,dtype,platform,metric,value';
  const mine = { ...twoCores({ coresPerCluster: 1 }), knownAs: ['Mine'] };
  const predicted = (text: string) => predictTable({ profile: mine, file: 't.csv', text, facts, known: [] });

  it('of a row that does not tell its input is at the one that is said to be assumed', () => {
    const made = predicted(
      `${RKNN}\nresnet50,garbage,INT8,Mine_single_core,fps,\nresnet50,"[1, 3, 224, 224]",INT8,Mine_single_core,fps,\nclip_images,"[1, 3, 448, 448]",INT8,Mine_single_core,fps,\nresnet50,"[1, 5, 224, 224]",INT8,Mine_single_core,fps,\n`,
    );
    expect(made.rows.map(({ assumed }) => assumed)).toEqual([
      ['input_shape is "garbage": 224x224 assumed'],
      [],
      ['another input of a network with attention is not counted: that of the list, 224x224, assumed'],
      ['5 channels are not counted: those of the list, 3, assumed'],
    ]);
    expect(made.rows[0]?.how).toContain('; input_shape is "garbage": 224x224 assumed');
    expect(made.rows[0]?.predicted).toBe(made.rows[1]?.predicted);
  });

  it('of a batch reads the weights once, and says so', () => {
    const made = predicted(
      `${RKNN}\nvgg16,"[1, 3, 224, 224]",INT8,Mine_single_core,fps,\nvgg16,"[16, 3, 224, 224]",INT8,Mine_single_core,fps,\n`,
    );
    expect(made.rows[1]?.predicted).toBeGreaterThan((made.rows[0]?.predicted ?? Number.NaN) * 1.01);
    expect(made.rows[1]?.how).toContain('16 frames at a time');
  });

  it('of several cores has each work on frames of its own, and says so', () => {
    const two = { ...mine, coresPerCluster: 2 };
    const text = `${RKNN}\nresnet50,"[1, 3, 224, 224]",INT8,Mine_single_core,fps,\nresnet50,"[1, 3, 224, 224]",INT8,Mine_2_cores,fps,\n`;
    const { rows } = predictTable({ profile: two, file: 't.csv', text, facts, known: [] });
    expect((rows[1]?.predicted ?? 0) / (rows[0]?.predicted ?? 1)).toBeGreaterThan(1.5);
    expect(rows.map(({ how }) => how.includes(', 2 cores, each with frames of its own'))).toEqual([false, true]);
  });

  it('of more cores than the chip has is refused with its line, and left out of a chip that nobody knows', () => {
    const text = (platform: string): string => `${RKNN}\nresnet50,"[1, 3, 224, 224]",INT8,${platform},fps,\n`;
    expect(() => predicted(text('Mine_9_cores'))).toThrow('t.csv:2: it names 9 cores, and ');
    const llm = 'platform,model,quant,prompt_tokens,new_tokens,decode_tok_s\nMine_9_cores,Qwen2-0.5B,w8a8,128,64,\n';
    expect(() => predicted(llm)).toThrow('t.csv:2: it names 9 cores, and ');
    expect(predicted(text('X9_9_cores')).unpredicted[0]?.why).toContain('it names 9 cores, and ');
  });

  it('of what does not fit the memory keeps the figure and says what is needed and what there is', () => {
    const small = { ...mine, dram: { ...mine.dram, memoryBytes: 1e9 } };
    const text = `device,model,quant,mode,decode_tok_s\nMine,Llama-3.1-8B,INT8,,\nMine,Qwen2-0.5B,INT8,,\n`;
    const made = predictTable({ profile: small, file: 't.csv', text, facts, known: [] });
    expect(made.rows[0]?.predicted).toBeGreaterThan(0);
    expect(made.rows.map(({ memory }) => memory.doesFit)).toEqual([false, true]);
    expect((made.rows[0]?.memory.neededBytes ?? 0) / 8.05e9).toBeCloseTo(1, 2);
    expect(made.rows[0]?.how).toMatch(/^does not fit: needs 8\.0\d GB, and the chip has 1 GB; /);
    expect(made.rows[1]?.how).not.toContain('fit');
    const batch = predicted(`${RKNN}\nresnet50,"[65536, 3, 224, 224]",INT8,Mine_single_core,fps,\n`);
    expect(batch.rows[0]?.memory.doesFit).toBe(false);
  });

  it('of a mixture of experts counts all of them in memory', () => {
    const text = 'device,model,quant,mode,decode_tok_s\nMine,Unheard-30B-A3B,INT8,,\n';
    expect((predicted(text).rows[0]?.memory.neededBytes ?? 0) / 30e9).toBeCloseTo(1, 1);
  });

  it('of prompts is compared apart, fits nothing where there are one or two, and grows with the batch', () => {
    const text = (batch: number, ms: number): string =>
      `release,model,quant,batch,prefill_ms,prefill_tokens,gen_tok_s\n0.4,Qwen2-0.5B,INT8,${batch},${ms},${128 * batch},\n`;
    const thor = { ...mine, knownAs: ['Jetson AGX Thor'] };
    const at = (batch: number) => predictTable({ profile: thor, file: 't.csv', text: text(batch, 100), facts, known: [] });
    const [one, four] = [at(1), at(4)];
    const first = one.rows.find(({ kind }) => kind === 'prefill');
    expect(first).toMatchObject({ unit: 'ms', measured: 100, variant: 'prompt' });
    expect(first?.how).toContain('128 tokens of prompt');
    expect(one.summaries).toMatchObject([{ kind: 'prefill', count: 1 }]);
    const ratio = (four.rows.find(({ kind }) => kind === 'prefill')?.predicted ?? 0) / (first?.predicted ?? 1);
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThanOrEqual(4);
    const prompts = requireMeasurements('t.csv', text(1, 100)).flatMap((row) => ('prompt' === row.variant ? [prepared(row)] : []));
    expect(
      fitConstants(
        prompts.map((row) => ({ ...row, measured: 100 })),
        chip,
      ),
    ).toEqual({});
  });
});

describe('least squares', () => {
  it('solves a linear system, and leaves alone what nothing tells about', () => {
    const [x = 0, y = 0] = solveLinear(
      [
        [2, 1],
        [1, 3],
      ],
      [5, 10],
    );
    expect([x, y].map((value) => value.toFixed(9))).toEqual(['1.000000000', '3.000000000']);
    expect(
      solveLinear(
        [
          [2, 0],
          [0, 0],
        ],
        [4, 7],
      ),
    ).toEqual([2, 0]);
  });

  it('finds the least of a curved valley, and stays within bounds', () => {
    // Rosenbrock's.
    const valley = ([x = 0, y = 0]: readonly number[]): number[] => [10 * (y - x * x), 1 - x];
    const bounds = [
      { low: -5, high: 5 },
      { low: -5, high: 5 },
    ];
    const options = { start: [-1.2, 1], bounds, robustBeyond: 1e6, turnsMax: 500 };
    const [x = 0, y = 0] = leastSquares(valley, options);
    expect([x, y].map((value) => value.toFixed(3))).toEqual(['1.000', '1.000']);
    const [held = 0] = leastSquares(valley, {
      ...options,
      bounds: [
        { low: -5, high: 0.5 },
        { low: -5, high: 5 },
      ],
    });
    expect(held).toBeLessThanOrEqual(0.5);
  });
});

it('a constant is read from where it is put', () => {
  const put = withConstants(chip, { efficiencyRatio: 0.5, dispatchUs: 7 });
  expect([
    constantOf('efficiencyRatio', put),
    constantOf('dispatchUs', put),
    constantOf('computeRatio', put),
    constantOf('promptRatio', put),
  ]).toEqual([0.5, 7, 1, 1]);
});
