import { z } from 'zod';
import { PROVENANCES } from '../core/proposal.ts';
import { choiceField, flagField, integerField, listOf, msField, numberField, pathField, patternField, textField } from './fields.ts';

/** Down to one frame in ten seconds, up to what synthetic load needs. */
const fps = numberField({ min: 0.1, max: 1000 }, 'frames per second', 'Rate of the frames; a file is played at this pace.');
/** 8192 x 8192 x 3 bytes is 192 MiB, more than any arena that makes sense. */
const width = integerField({ min: 1, max: 8192 }, 'pixels', 'Width that frames are resized to.');
const height = integerField({ min: 1, max: 8192 }, 'pixels', 'Height that frames are resized to; filled and cut around the centre.');
const loop = flagField('Begin again at the end; otherwise the source ends there.').default(true);

const supervision = {
  stalledAfterMs: msField(
    { min: 100, max: 600_000 },
    'No frame for longer than this: the source counts as stalled. Default: 3 periods, at least 250 ms.',
  ).optional(),
  killAfterMs: msField(
    { min: 100, max: 600_000 },
    'No frame for longer than this: the child process is killed and started again. Default: 10 periods, at least 2000 ms.',
  ).optional(),
  restartDelayMs: msField({ min: 10, max: 600_000 }, 'Wait before the first restart; doubles with each further one.').default(250),
  restartDelayMaxMs: msField({ min: 10, max: 3_600_000 }, 'Longest wait between two restarts.').default(15_000),
};

const VIDEO_INPUTS = ['file', 'url', 'device'] as const;

const videoSchema = z
  .strictObject({
    kind: z.literal('video').describe('Video through a child process of ffmpeg, which must be installed.'),
    file: pathField('Video file, relative to this file. Give exactly one of file, url, device.').optional(),
    url: textField(
      `Camera as rtsp:// or rtsps://. \${NAME} is replaced from the environment, so that a password need not stand here. Give exactly one of file, url, device.`,
      2048,
    ).optional(),
    device: patternField(
      /^\/dev\/[A-Za-z0-9_./:-]{1,200}$/,
      'a path under /dev, such as /dev/video0',
      'V4L2 camera. Prefer a name under /dev/v4l/by-id, which survives replugging. Give exactly one of file, url, device.',
    ).optional(),
    fps,
    width,
    height,
    loop: flagField('For a file: begin again at the end; otherwise the source ends there.').default(true),
    ...supervision,
  })
  .refine((video) => VIDEO_INPUTS.filter((key) => video[key] !== undefined).length === 1, {
    error: 'exactly one of the keys file, url, device',
  })
  .meta({ title: 'video', oneOf: VIDEO_INPUTS.map((key) => ({ required: [key] })) });

const imagesSchema = z
  .strictObject({
    kind: z.literal('images').describe('Still images, played as a camera.'),
    files: pathField(
      'A folder, a file, or a pattern whose last part has * or ?, relative to this file. Files are taken in the order of their names.',
    ),
    fps,
    width,
    height,
    loop,
    pixelsMax: integerField({ min: 1, max: 268_435_456 }, 'pixels', 'A file with more pixels is rejected before it is decoded.').default(
      50_000_000,
    ),
    cacheMb: integerField(
      { min: 0, max: 65_536 },
      'MiB',
      'Part of runtime.arenaMb that decoded images may keep for their next turn.',
    ).default(32),
  })
  .meta({ title: 'images' });

const wavSchema = z
  .strictObject({
    kind: z.literal('wav').describe('A WAV file, played as a microphone at the pace of real time, resampled to 16 kHz mono.'),
    file: pathField('WAV file, relative to this file: PCM 16 bit or float, mono or stereo.'),
    loop,
    gapMs: msField({ min: 0, max: 600_000 }, 'Silence between two rounds.').default(0),
    secondsMax: numberField({ min: 0.1, max: 3600 }, 'seconds', 'A longer file is refused; a second takes 64 kB of memory.').default(600),
  })
  .meta({ title: 'wav' });

const microphoneSchema = z
  .strictObject({
    kind: z.literal('microphone').describe('Live sound through a child process of arecord (alsa-utils), which must be installed.'),
    // A leading dash would be read as an option by arecord.
    device: patternField(
      /^[A-Za-z0-9_][A-Za-z0-9_:,=.-]{0,127}$/,
      'an ALSA device name, such as default or plughw:CARD=Device,DEV=0',
      'Capture device, as arecord -L lists it.',
    ).default('default'),
    ...supervision,
  })
  .meta({ title: 'microphone' });

const syntheticSchema = z
  .strictObject({
    kind: z.literal('synthetic').describe('Load without content: frames of zeros, for any model.'),
    fps,
    jitterRatio: numberField(
      { min: 0, max: 1 },
      '',
      'Each frame comes up to this part of a period later than its time, uniformly.',
    ).default(0),
    burstRatio: numberField({ min: 0, max: 1 }, '', 'Chance that burstFrames frames come at once instead of one.').default(0),
    burstFrames: integerField({ min: 1, max: 1000 }, 'frames', 'Frames in a burst.').default(1),
    framesMax: integerField({ min: 1, max: 1_000_000_000 }, 'frames', 'The source ends after so many. Default: never.').optional(),
  })
  .meta({ title: 'synthetic' });

/** The longest context that a model of today has. */
const TOKENS_MAX = 10_000_000;

function tokenRange(about: string, range: readonly [number, number]) {
  const error = `two whole numbers from 1 to ${TOKENS_MAX}, the first not above the second`;
  const count = z.int({ error }).min(1, { error }).max(TOKENS_MAX, { error });
  return z
    .tuple([count, count], { error })
    .refine(([low, high]) => low <= high, { error })
    .default([...range])
    .describe(`${about} Unit: tokens.`);
}

const turnsSchema = z
  .strictObject({
    kind: z
      .literal('turns')
      .describe('Somebody who talks to a language model, without words: lengths and instants are drawn from the seed.'),
    perMinute: numberField({ min: 0.01, max: 6000 }, 'prompts per minute', 'How often somebody speaks, on average.'),
    arrivals: choiceField(
      ['poisson', 'periodic'],
      'poisson: each prompt comes by itself, as those of many people do; periodic: one after the other at even times.',
    ).default('poisson'),
    promptTokens: tokenRange('From the shortest to the longest prompt, drawn evenly.', [20, 200]),
    answerTokens: tokenRange('From the shortest to the longest answer, drawn evenly; nobody knows before it ends.', [20, 200]),
    followUpRatio: numberField(
      { min: 0, max: 1 },
      '',
      'Chance that a prompt goes on with the conversation before it, whose tokens are then in the cache.',
    ).default(0),
    turnsMax: integerField({ min: 1, max: 1_000_000_000 }, 'prompts', 'The source ends after so many. Default: never.').optional(),
  })
  .meta({ title: 'turns' });

const wordsSchema = z
  .strictObject({
    kind: z
      .literal('words')
      .describe('Somebody who speaks to an assistant, in words; without a script and MQTT, only through the HTTP server.'),
    script: listOf(
      z.strictObject({
        text: textField('What is said.', 2000),
        from: choiceField(PROVENANCES, 'Whose words they are, which decides what they may lead to.').default('driver'),
      }),
      { min: 0, max: 256 },
      'Lines that are said one after the other.',
    ).default([]),
    everyMs: msField({ min: 100, max: 3_600_000 }, 'From one line of the script to the next; the first comes after as long.').default(
      10_000,
    ),
    loop,
    mqtt: flagField('Words also come over MQTT, as text on <prefix>/<node>/words/<source>; they count as words of a stranger.').default(
      false,
    ),
  })
  .meta({ title: 'words' });

const leafSourceSchema = z.discriminatedUnion('kind', [
  videoSchema,
  imagesSchema,
  wavSchema,
  microphoneSchema,
  syntheticSchema,
  turnsSchema,
  wordsSchema,
]);

const firstOfSchema = z
  .strictObject({
    kind: z.literal('first-of').describe('The first of several alternatives whose input exists when the program starts.'),
    sources: listOf(leafSourceSchema, { min: 1, max: 8 }, 'Alternatives, the best first; all of the same medium.'),
  })
  .meta({ title: 'first-of' });

export const sourceSchema = z.discriminatedUnion('kind', [...leafSourceSchema.options, firstOfSchema]);

export type LeafSourceSection = z.output<typeof leafSourceSchema>;
export type SourceSection = z.output<typeof sourceSchema>;
