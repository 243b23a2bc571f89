import { z } from 'zod';
import { AIM_FIGURES } from '../core/bench-suite.ts';
import { CRITICALITIES } from '../core/stream.ts';
import { choiceField, entriesOf, idField, integerField, listOf, msField, numberField, textField } from './fields.ts';
import { languageSizeFields } from './manifest-schema.ts';

const HOUR_MS = 3_600_000;
/** A day of a trace at ten requests a second has more; a file of that size is not read. */
const TRACE_REQUESTS_MAX = 100_000;

const perSecond = numberField({ min: 0.001, max: 100_000 }, 'requests per second', 'Rate.');

const loadPatternSchema = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        kind: z.literal('uniform').describe('In a rhythm, as a camera has it.'),
        perSecond,
        phaseMs: msField({ min: 0, max: HOUR_MS }, 'When the first request comes.').default(0),
      })
      .meta({ title: 'uniform' }),
    z.strictObject({ kind: z.literal('poisson').describe('Independent of each other.'), perSecond }).meta({ title: 'poisson' }),
    z
      .strictObject({
        kind: z.literal('closed-loop').describe('Each client asks again when it has its answer.'),
        clients: integerField({ min: 1, max: 1_000 }, '', 'How many ask.').default(1),
        thinkMs: msField({ min: 0, max: HOUR_MS }, 'From an answer to the next request.').default(0),
      })
      .meta({ title: 'closed-loop' }),
    z
      .strictObject({
        kind: z.literal('trace').describe('At given instants.'),
        atMs: listOf(msField({ min: 0, max: 24 * HOUR_MS }, 'Counted from the start.'), { min: 1, max: TRACE_REQUESTS_MAX }, 'Ascending.'),
        repeatMs: msField({ min: 0.001, max: 24 * HOUR_MS }, 'The trace begins anew after so long. Default: it ends.').optional(),
      })
      .meta({ title: 'trace' }),
    z
      .strictObject({
        kind: z.literal('dependent').describe('After every result of another load.'),
        after: idField('The other load.'),
        delayMs: msField({ min: 0, max: HOUR_MS }, 'From its result to the request.').default(0),
      })
      .meta({ title: 'dependent' }),
  ])
  .describe('When requests come.');

const tokenCount = (about: string) => integerField({ min: 1, max: 1_000_000 }, 'tokens', about);

const loadSchema = z.strictObject({
  model: idField('Name of an entry of `models`.'),
  criticality: choiceField(CRITICALITIES, 'Class. `background` is best effort: it counts by its throughput.'),
  load: loadPatternSchema,
  deadlineMs: msField({ min: 0.001, max: 24 * HOUR_MS }, 'From request to result.'),
  queue: integerField({ min: 1, max: 1_000_000 }, 'requests', 'How many may wait; one more pushes out the oldest.').default(1_000),
  cores: listOf(
    integerField({ min: 0, max: 4_095 }, '', 'Number of a core.'),
    { min: 1, max: 4_096 },
    'The only cores that may run it.',
  ).optional(),
  turn: z
    .strictObject({
      promptTokens: tokenCount('To be read at each request.'),
      answerTokens: tokenCount('To be written at each request.'),
      perSecondMax: numberField({ min: 0.01, max: 100_000 }, 'tokens per second', 'No more than that is listened to.').optional(),
      everyMs: msField({ min: 0.001, max: HOUR_MS }, 'Wanted from one token to the next.').optional(),
    })
    .describe('Of a language model: what a request asks. The deadline is that of the first token.')
    .optional(),
});

const source = textField('Where the figures come from: a paper, a table, a page, a reasoning.', 512);

const blocks = integerField({ min: 1, max: 1_000 }, '', 'A run can be interrupted between so many parts of about the same time.').default(
  1,
);

const suiteModelSchema = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        kind: z.literal('network').describe('A network by its published size, simulated as a pyramid of layers of that size.'),
        gmac: numberField({ min: 0.000_001, max: 1_000_000 }, 'billion', 'Multiply-accumulates of one run.'),
        paramsM: numberField({ min: 0.000_001, max: 1_000_000 }, 'million', 'Parameters that a run reads.'),
        input: listOf(
          integerField({ min: 1, max: 65_536 }, '', 'Height, width or channels.'),
          { min: 3, max: 3 },
          'Height, width, channels.',
        ),
        blocks,
        source,
      })
      .meta({ title: 'network' }),
    z
      .strictObject({
        kind: z.literal('time').describe('So long on one core of any chip, without memory traffic.'),
        runMs: msField({ min: 0.001, max: HOUR_MS }, 'One run with the core to itself.'),
        blocks,
        source,
      })
      .meta({ title: 'time' }),
    z
      .strictObject({
        kind: z.literal('language').describe('A decoder-only language model; a request is a turn of a conversation.'),
        ...languageSizeFields,
        chunkTokens: tokenCount('Of a prompt, read in one step.').default(128),
        burstTokens: tokenCount('Of an answer, made in one go at most.').default(8),
        source,
      })
      .meta({ title: 'language' }),
  ])
  .describe('What a request costs.');

const figure = numberField({ min: -1e12, max: 1e12 }, '', 'As published.');
const bound = numberField({ min: 0, max: 1e12 }, '', 'Bound, itself allowed.').optional();

/** The whole file. What needs more than one value to judge is load-bench-suite.ts's. */
export const benchSuiteSchema = z
  .strictObject({
    suite: z.literal(1, { error: '1' }).describe('Marks this file as a bench suite, and its version.'),
    name: textField('For people.'),
    about: textField('What is measured.', 2_048),
    soc: textField('Profile of the chip: a name of configs/soc or a file.'),
    cores: integerField({ min: 1, max: 4_096 }, '', 'Only so many cores of the chip take part. Default: all.').optional(),
    forMs: msField({ min: 1, max: 7 * 24 * HOUR_MS }, 'Simulated time of one play.'),
    models: entriesOf(suiteModelSchema, 'Models by name.'),
    measured: z
      .strictObject({
        source,
        runMs: entriesOf(msField({ min: 0.001, max: HOUR_MS }, 'One run with the core to itself.'), 'By model.'),
      })
      .describe('Measured run times of the models, taken in place of their sizes with --costs measured.')
      .optional(),
    workloads: entriesOf(
      z.strictObject({
        about: textField('One sentence.', 512),
        loads: entriesOf(loadSchema, 'Loads by name.'),
        reserves: entriesOf(
          z.strictObject({
            loads: listOf(idField('Name of a load.'), { min: 1, max: 64 }, 'Loads of one class below safety.'),
            budgetMs: msField({ min: 0.001, max: HOUR_MS }, 'Run time on a core in every period.'),
            periodMs: msField({ min: 0.001, max: HOUR_MS }, 'Period.'),
          }),
          'Run time that the policy coxswain keeps for loads, by name.',
        ).default({}),
        bandwidthRatio: numberField({ min: 0.01, max: 1 }, '', 'Part of the bus that there is.').default(1),
        busBudget: z
          .strictObject({
            periodMs: msField({ min: 0.01, max: HOUR_MS }, 'Period.'),
            loadsMb: entriesOf(
              numberField({ min: 0.001, max: 1e6 }, 'MB', 'What its segments may move in every period, all of them together.'),
              'Loads that are held to a budget; others take what they get.',
            ),
          })
          .describe('What loads may move over the bus, as hardware regulates it, whatever the policy.')
          .optional(),
      }),
      'Workloads by name.',
    ),
    published: listOf(
      z.strictObject({
        system: textField('Whose figures.'),
        source,
        figures: z.record(textField('What was measured.', 64), figure).describe('By name.'),
      }),
      { min: 0, max: 64 },
      'Measured by others, elsewhere.',
    ).default([]),
    aims: listOf(
      z.strictObject({
        workload: idField('Name of a workload.'),
        load: idField('Name of a load of it.'),
        figure: choiceField(AIM_FIGURES, 'What is looked at.'),
        atMost: bound,
        atLeast: bound,
      }),
      { min: 0, max: 64 },
      'What the policy coxswain has to reach.',
    ).default([]),
  })
  .describe('Workloads for `coxswain bench`.');

export type BenchSuiteSection = z.output<typeof benchSuiteSchema>;
