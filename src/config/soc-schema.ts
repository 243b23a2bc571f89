import { z } from 'zod';
import { CURVE_OPS } from '../core/layer-cost.ts';
import { CONFIDENCES, SOC_CLASSES } from '../core/soc-profile.ts';
import { choiceField, entriesOf, flagField, idField, integerField, listOf, numberField, textField } from './fields.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

const from = idField('Name of the entry of `sources` that the figure came from.');

/** A number that says where it came from. */
const figure = (range: Range, unit: string, about: string) =>
  z
    .strictObject({ value: numberField(range, unit, about), from }, { error: '{ value: <number>, from: <name of a source> }' })
    .describe(about);

const count = (range: Range, about: string) =>
  z
    .strictObject({ value: integerField(range, '', about), from }, { error: '{ value: <number>, from: <name of a source> }' })
    .describe(about);

const spread = (range: Range, unit: string, about: string) =>
  z
    .strictObject(
      { low: numberField(range, unit, about), high: numberField(range, unit, about), from },
      { error: '{ low: <number>, high: <number>, from: <name of a source> }' },
    )
    .describe(about);

const ratio = (about: string) => figure({ min: 0.01, max: 1 }, '', about);
const tops = figure({ min: 0.001, max: 10_000 }, 'TOPS', 'Dense, of one core; a multiply-accumulate counts two operations.');

/** Without a word of the profile: the best car chip with published rows takes under 2 us a layer, boards 20 us and more. */
export const LAYER_US = 2;
/** A flag in shared memory, seen by all. RK3588 takes far more with its three cores. */
export const SPLIT_US = 1;

const lanes = (about: string) => integerField({ min: 1, max: 65_536 }, '', about);

const coreSchema = z
  .strictObject({
    tops: z
      .strictObject({ int4: tops.optional(), int8: tops.optional(), int16: tops.optional(), fp16: tops.optional(), fp32: tops.optional() })
      .refine((types) => Object.values(types).some((type) => type !== undefined), {
        error: 'at least one of int4, int8, int16, fp16, fp32',
      })
      .describe('By number type. A type that is left out runs as the next wider one that is there.'),
    array: z
      .strictObject({
        m: lanes('Rows (output pixels, tokens) at once.'),
        n: lanes('Columns (output channels) at once.'),
        k: lanes('Terms of a sum at once.'),
        groups: lanes('Groups of a grouped convolution side by side along n, at most. Default: as many as fit.').optional(),
        from,
      })
      .describe('Proportions of the multiplier array, on which utilisation depends.'),
    vectorGops: figure({ min: 0.01, max: 1_000_000 }, 'billion operations a second', 'Vector unit: activations, additions, norms.'),
    computeRatio: ratio('Part of the peak that a layer reaches which fits the array exactly.'),
    promptRatio: ratio('Part of the speed that the roofline gives at which prompts of language models are read. Default: 1.').optional(),
    curveOps: figure(
      { min: 0, max: CURVE_OPS },
      'operations',
      `Element operations that a sigmoid, exp or the like takes: less than ${CURVE_OPS} with a table. Default: ${CURVE_OPS}.`,
    ).optional(),
    dispatchUs: figure({ min: 0, max: 1_000_000 }, 'us', 'Overhead of one segment.'),
    floatDispatchUs: figure(
      { min: 0, max: 1_000_000 },
      'us',
      'Overhead of one segment in floating point. Default: that of others.',
    ).optional(),
    layerUs: figure({ min: 0, max: 10_000 }, 'us', `Overhead of each layer that multiplies. Default: ${LAYER_US}.`).optional(),
    splitUs: figure(
      { min: 0, max: 10_000 },
      'us',
      `Overhead of each such layer that several cores share, on top of layerUs. Default: ${SPLIT_US}.`,
    ).optional(),
    layerShareRatio: ratio('With weightsStay: part of the core that one layer can have at most. Default: 1.').optional(),
  })
  .describe('One core; all of a kind are alike.');

/** Of cores that are alike. */
const kindFields = {
  clusters: count({ min: 1, max: 64 }, 'Clusters of cores.'),
  coresPerCluster: count({ min: 1, max: 64 }, 'Cores of one cluster.'),
  core: coreSchema,
  localMemoryMb: figure({ min: 0, max: 65_536 }, 'MiB', 'On-chip memory of one cluster, shared by its cores in equal parts.'),
  weightsStay: flagField('Weights that fit their part of the local memory are not read again from run to run.').default(false),
  stayLayersMax: count(
    { min: 1, max: 100_000 },
    'With weightsStay: models of more layers do not stay, however small. Default: any number.',
  ).optional(),
  addressWindowMb: figure(
    { min: 1, max: 1_073_741_824 },
    'MiB',
    'What a core can address at once: one model lies in there with its state. Default: no limit is known.',
  ).optional(),
  addressWindows: count(
    { min: 1, max: 4096 },
    'With addressWindowMb: windows that the runtime of a language model spreads its layers over. Default: 1.',
  ).optional(),
};

const modeSchema = z.strictObject({
  watts: figure(
    { min: 0.01, max: 10_000 },
    'W',
    'What the chip may draw, idle power included; the clock is lowered where it would draw more.',
  ),
  clockRatio: ratio('Clock of the cores, as a part of the fastest.'),
  bandwidthRatio: ratio('Bandwidth, as a part of the peak.'),
});

/** The whole file. What needs more than one value to judge is load-soc.ts's. */
export const socSchema = z
  .strictObject({
    soc: z.literal(1, { error: '1' }).describe('Marks this file as a profile of a chip, and its version.'),
    name: textField('For people.'),
    class: choiceField(SOC_CLASSES, 'What it is built into.'),
    about: textField('One sentence.', 512),
    sources: entriesOf(
      z.strictObject({
        text: textField('The page, document or reasoning.', 512),
        confidence: choiceField(CONFIDENCES, 'What it is worth.'),
        as: idField(
          'Id of the profile whose figures under the same keys those from this source are; `bench fidelity --write` keeps them so.',
        ).optional(),
        times: numberField({ min: 0.001, max: 1000 }, '', 'With as: they are so many times those. Default: 1.').optional(),
      }),
      'Where figures came from, by name.',
    ),
    kind: idField('What the cores are called, such as npu or gpu.').default('npu'),
    ...kindFields,
    others: entriesOf(z.strictObject(kindFields), 'Cores of other kinds by name, such as dsp; their numbers follow in this order.').default(
      {},
    ),
    besideTops: tops
      .describe('Dense int8 rate of all other engines together, which help where the whole chip works on many frames. Default: none.')
      .optional(),
    knownAs: listOf(
      textField('A name.', 64),
      { min: 0, max: 32 },
      'What tables of measurements call the chip, word by word, besides the name of the file.',
    ).default([]),
    dram: z
      .strictObject({
        bandwidthGbs: figure({ min: 0.001, max: 100_000 }, 'GB/s', 'Peak bandwidth of the memory bus.'),
        efficiencyRatio: ratio('Part of the peak that real traffic reaches.'),
        memoryGb: figure({ min: 0.001, max: 100_000 }, 'GB', 'Memory that models may occupy.'),
      })
      .describe('The memory that all cores share.'),
    power: z
      .strictObject({
        idleW: figure({ min: 0, max: 10_000 }, 'W', 'With no core at work.'),
        macPicojoules: spread({ min: 0.001, max: 1000 }, 'pJ', 'Of an int8 multiply-accumulate with its operands.'),
        dramPicojoulesPerBit: spread({ min: 0.01, max: 1000 }, 'pJ', 'Of one bit to or from memory, PHY and controller included.'),
      })
      .describe('Energy.'),
    thermal: z
      .strictObject({
        ambientC: figure({ min: -60, max: 120 }, 'degrees Celsius', 'Air around the case.'),
        dieJoulesPerK: figure({ min: 0.001, max: 100_000 }, 'J/K', 'Heat capacity of the die and its spreader.'),
        dieToCaseKPerW: figure({ min: 0.001, max: 1000 }, 'K/W', 'Resistance from die to case.'),
        caseJoulesPerK: figure({ min: 0.001, max: 1_000_000 }, 'J/K', 'Heat capacity of case and heat sink.'),
        caseToAmbientKPerW: figure({ min: 0.001, max: 1000 }, 'K/W', 'Resistance from case to air.'),
        throttleC: figure({ min: 0, max: 200 }, 'degrees Celsius', 'Die temperature at which the clock is lowered.'),
        resumeC: figure({ min: 0, max: 200 }, 'degrees Celsius', 'Die temperature at which it is raised again.'),
        throttledRatio: ratio('Clock while throttled.'),
      })
      .describe('Two thermal masses in a row.'),
    modes: entriesOf(modeSchema, 'Power modes by name; the first is the default.'),
    host: z
      .strictObject({
        prepareUs: figure({ min: 0, max: 10_000_000 }, 'us', 'From frame to input tensor.'),
        decodeUs: figure({ min: 0, max: 10_000_000 }, 'us', 'From output tensor to result.'),
      })
      .describe('Work beside the NPU, for each job.'),
  })
  .describe('Profile of a chip for the simulator.');

export type SocSection = z.output<typeof socSchema>;
