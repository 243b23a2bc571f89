import { z } from 'zod';
import { CRITICALITIES } from '../core/stream.ts';
import { choiceField, flagField, idField, integerField, listOf, msField, numberField, textField } from './fields.ts';
import { SINK_KINDS } from './runtime-config.ts';

const DEADLINE_RANGE = { min: 1, max: 600_000 };

/** For a mapping that is one of two forms: what is allowed when something else was written. Other mistakes speak for themselves. */
const unlessMapping =
  (allowed: string) =>
  (issue: { readonly code?: string | undefined }): string | undefined =>
    issue.code === 'invalid_type' ? allowed : undefined;

const SOURCE_ALLOWED = 'the name of a source, or { pipeline: <name>, itemsMax: <number> }';

const parentSchema = z.strictObject(
  {
    pipeline: idField('Another pipeline, whose results have places in the frame, such as text boxes.'),
    itemsMax: integerField({ min: 1, max: 64 }, 'items', 'At most this many items of one result become frames, best score first.').default(
      8,
    ),
  },
  { error: unlessMapping(SOURCE_ALLOWED) },
);

const queueSchema = z.strictObject(
  { queue: integerField({ min: 1, max: 1024 }, 'jobs', 'So many wait in order of arrival; one more is dropped.') },
  { error: unlessMapping('latest, or { queue: <number of jobs> }') },
);

const decodeValue = z.union([z.number(), z.string().max(4096), z.boolean(), z.array(z.string().max(4096)).max(1024)], {
  error: 'a finite number, a text, true, false, or a list of texts',
});

const SPLIT_ALLOWED = 'auto, or a whole number of cores from 2 to 64';
const answerSchema = z
  .strictObject({
    tokensMax: integerField({ min: 1, max: 1_000_000 }, 'tokens', 'An answer is cut off here.').default(256),
    tokensPerSecondMax: numberField(
      { min: 0.01, max: 100_000 },
      'tokens per second',
      'What the listener takes: an answer that is ahead of it waits, and leaves the core to others. Default: as fast as it goes.',
    ).optional(),
    tokenMs: msField(
      { min: 0.1, max: 600_000 },
      'Wanted from one token to the next, which makes an answer under way as urgent as that. Default: as tokensPerSecondMax allows, else deadlineMs.',
    ).optional(),
    breakIn: flagField('A new prompt ends the answers under way, as a listener does who speaks again.').default(false),
  })
  .describe('For a source of turns: how they are answered. deadlineMs is then that of the first token.');

const BEARINGS = ['ahead', 'left', 'right', 'behind'] as const;
const watched = (about: string) =>
  listOf(
    z.strictObject({
      pipeline: idField('A pipeline that takes images.'),
      looks: choiceField(
        BEARINGS,
        'Where its camera looks, from the machine. In a picture of what is ahead, its thirds are left, ahead and right.',
      ).default('ahead'),
      fieldOfViewDeg: numberField(
        { min: 5, max: 170 },
        'degrees',
        'Horizontal field of view of its camera, from which distances are estimated by the height of what is seen. Default: no distances.',
      ).optional(),
    }),
    { min: 0, max: 16 },
    about,
  ).default([]);

const assistantSchema = z
  .strictObject({
    machine: choiceField(['vehicle', 'robot'], 'Whose voice it is. Default: that of the catalogue of actions, else vehicle.').optional(),
    sees: watched('Pipelines whose objects and faces stand in its prompt, with their age.'),
    reads: watched(
      'Pipelines whose texts stand in its prompt. Anybody can hold up a sheet of paper: while a text is there, nothing that is asked for is done.',
    ),
    texts: listOf(
      textField('Name of a signal.', 64),
      { min: 0, max: 16 },
      'Signals of type string, such as the title that plays, that stand in its prompt. A stranger may have written them.',
    ).default([]),
    followUps: choiceField(
      ['fixed', 'model', 'none'],
      'What is said when it is known what became of a call: fixed sentences in English or Chinese; what the model makes of it; nothing.',
    ).default('fixed'),
  })
  .describe('For a source of words: what the assistant knows.');

export const pipelineSchema = z.strictObject({
  source: z
    .union([idField('Name of a source.'), parentSchema], { error: SOURCE_ALLOWED })
    .describe('Where frames come from: the name of a source, or the results of another pipeline, one frame per item.'),
  model: idField('Model of the manifest that each frame is run through.'),
  variants: listOf(
    idField('A model of the manifest.'),
    { min: 1, max: 8 },
    'Cheaper builds of the model, from the best to the cheapest: a mode, a missing core or an overload may switch to them.',
  ).optional(),
  criticality: choiceField(
    CRITICALITIES,
    'safety goes before interactive, interactive before background. Inside a class the deadline decides.',
  ),
  deadlineMs: msField(DEADLINE_RANGE, 'From capture of the frame to its decoded result.'),
  staleAfterMs: msField(
    DEADLINE_RANGE,
    'A frame older than this when it reaches the pipeline is rejected as stale. Default: deadlineMs.',
  ).optional(),
  freshness: z
    .union([z.literal('latest', { error: 'latest, or { queue: <number of jobs> }' }), queueSchema])
    .optional()
    .describe(
      'What happens to frames that wait: latest keeps only the newest, queue keeps them in order. Default: latest for images, { queue: 8 } for sound, { queue: 4 } for turns, { queue: itemsMax } for items of another pipeline.',
    ),
  decode: z
    .record(textField('Name of an option of the codec.', 64), decodeValue)
    .default({})
    .describe('Options of the codec that turns outputs into results, such as scoreMin; docs of the model list them.'),
  answer: answerSchema.optional(),
  assistant: assistantSchema.optional(),
  cores: listOf(
    integerField({ min: 0, max: 63 }, '', 'Number of a core.'),
    { min: 1, max: 64 },
    'The only cores that may run it. Default: any core.',
  ).optional(),
  split: z
    .union(
      [
        z.literal('auto', { error: SPLIT_ALLOWED }),
        z.int({ error: SPLIT_ALLOWED }).min(2, { error: SPLIT_ALLOWED }).max(64, { error: SPLIT_ALLOWED }),
      ],
      {
        error: SPLIT_ALLOWED,
      },
    )
    .optional()
    .describe(
      'How many cores one job runs on at once, all or none; auto: as few as keep the deadline. Only simulated cores can. Default: one.',
    ),
  sinks: listOf(choiceField(SINK_KINDS, 'A sink.'), { min: 0, max: SINK_KINDS.length }, 'Where results go: mqtt, console.').default([
    'mqtt',
  ]),
});

export type PipelineSection = z.output<typeof pipelineSchema>;
