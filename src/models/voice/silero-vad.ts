import { z } from 'zod';
import { assert } from '../../core/assert.ts';
import type { ModelSpec } from '../../core/model.ts';
import type { ResultItem } from '../../core/result.ts';
import { addUs, type DurationUs, durationUs, type InstantUs, instantUs } from '../../core/units.ts';
import type { AudioCodec, AudioCodecFactory } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { SpeechDetector, type Utterance } from './speech-detector.ts';

/** 16 kHz, the rate of every AudioPayload. */
const SAMPLES_PER_MS = 16;
/** What Silero VAD v5 was trained with at 16 kHz: windows of 32 ms, each preceded by the end of the one before (silero-vad utils_vad.py). */
const WINDOW_SAMPLES = 512;
const CONTEXT_SAMPLES = 64;

const milliseconds = (min: number, max: number, standard: number) => z.number().min(min).max(max).default(standard);

const optionsSchema = z
  .strictObject({
    // Thresholds and lengths of silero-vad's own get_speech_timestamps, but for the longer silence, which keeps the pauses of a spoken sentence inside.
    onsetMin: z.number().min(0.01).max(1).default(0.5).describe('Speech begins at this probability, 0..1.'),
    offsetMin: z.number().min(0).max(1).default(0.35).describe('Begun speech goes on at this probability; at most onsetMin.'),
    hangoverMs: milliseconds(0, 2_000, 100).describe('Sound kept after the last speech; at most silenceMinMs.'),
    silenceMinMs: milliseconds(0, 10_000, 500).describe('Silence that ends an utterance.'),
    speechMinMs: milliseconds(0, 10_000, 250).describe('An utterance with less speech is thrown away.'),
    preRollMs: milliseconds(0, 2_000, 200).describe('Sound kept from before the first speech.'),
    utteranceMaxMs: milliseconds(1_000, 120_000, 30_000).describe('An utterance is cut at this length.'),
  })
  .refine(({ onsetMin, offsetMin }) => offsetMin <= onsetMin, { path: ['offsetMin'], error: 'must be at most onsetMin' })
  .refine(({ hangoverMs, silenceMinMs }) => hangoverMs <= silenceMinMs, { path: ['hangoverMs'], error: 'must be at most silenceMinMs' })
  .refine(({ utteranceMaxMs, preRollMs, silenceMinMs }) => utteranceMaxMs >= preRollMs + silenceMinMs + 32, {
    path: ['utteranceMaxMs'],
    error: 'must be at least preRollMs + silenceMinMs + 32',
  });

const samplesOf = (ms: number): number => Math.round(ms * SAMPLES_PER_MS);
/** 16 samples a millisecond make a sample 62.5 us. */
const durationOf = (samples: number): DurationUs => durationUs(Math.round((samples * 1000) / SAMPLES_PER_MS));

/**
 * Silero VAD v5. Input `[1, 576]` float32 -1..1: the last 64 samples of the window before, zeros at first, then the window's 512. Output `[1, 1]`: the
 * probability of speech. The recurrent state and the sample rate are the manifest's `states` and `constants`, kept by the core that owns the model.
 */
export const sileroVad: AudioCodecFactory = {
  kind: 'audio',
  optionsSchema,
  create(model, rawOptions): AudioCodec {
    onlyInput(model, [1, CONTEXT_SAMPLES + WINDOW_SAMPLES]);
    const output = outputOfShape(model, [1, 1]);
    if (output < 0) throw contractError(model, `outputs ${describeTensors(model.outputs)}`, 'an output [1,1]');
    requireState(model);
    const options = parseDecodeOptions('silero-vad', optionsSchema, rawOptions);
    const detector = new SpeechDetector({
      windowSamples: WINDOW_SAMPLES,
      onsetMin: options.onsetMin,
      offsetMin: options.offsetMin,
      hangoverSamples: samplesOf(options.hangoverMs),
      silenceMinSamples: samplesOf(options.silenceMinMs),
      speechMinSamples: samplesOf(options.speechMinMs),
      preRollSamples: samplesOf(options.preRollMs),
      utteranceMaxSamples: samplesOf(options.utteranceMaxMs),
    });
    return createCodec(detector, output);
  },
};

function requireState(model: ModelSpec): void {
  const hasRate = model.constants.some(({ values }) => values.length === 1 && values[0] === SAMPLES_PER_MS * 1000);
  if (model.states.length === 1 && hasRate) return;
  const got = `${model.states.length} states, constants ${describeTensors(model.constants)}`;
  throw contractError(model, got, 'one recurrent state and a constant sample rate of 16000');
}

function createCodec(detector: SpeechDetector, output: number): AudioCodec {
  const context = new Float32Array(CONTEXT_SAMPLES);
  /** Windows encoded whose end has not been told yet. */
  let pendingWindows = 0;
  let samplesSeen = 0;
  let lastCapturedAt = instantUs(0);

  const keepContext = (window: Float32Array): void => context.set(window.subarray(WINDOW_SAMPLES - CONTEXT_SAMPLES));

  const push = (window: Float32Array, capturedAt: InstantUs, probability: number | undefined): ResultItem[] => {
    const { isSpeech, utterance } = detector.push(window, probability);
    samplesSeen += WINDOW_SAMPLES;
    lastCapturedAt = capturedAt;
    const items: ResultItem[] = probability === undefined ? [] : [{ kind: 'speech', label: 'speech', score: probability, isSpeech }];
    if (utterance !== undefined) items.push(toItem(utterance, capturedAt, samplesSeen));
    return items;
  };

  return {
    kind: 'audio',
    windowSamples: WINDOW_SAMPLES,
    encode(window, input) {
      assert(window.length === WINDOW_SAMPLES, `a window of ${window.length} samples has ${WINDOW_SAMPLES}`);
      assert(input.length === CONTEXT_SAMPLES + WINDOW_SAMPLES, `an input of ${input.length} elements holds context and window`);
      input.set(context);
      input.set(window, CONTEXT_SAMPLES);
      keepContext(window);
      pendingWindows += 1;
    },
    decode(window, capturedAt, outputs) {
      assert(pendingWindows > 0, 'a window is encoded before it is decoded');
      pendingWindows -= 1;
      const probability = outputs[output]?.[0];
      assert(probability !== undefined, 'the model has answered');
      return push(window, capturedAt, Math.min(Math.max(probability, 0), 1));
    },
    skip(window, capturedAt) {
      assert(window.length === WINDOW_SAMPLES, `a window of ${window.length} samples has ${WINDOW_SAMPLES}`);
      // With nothing pending this window never was encoded, so it is the context of the next one.
      if (pendingWindows > 0) pendingWindows -= 1;
      else keepContext(window);
      return push(window, capturedAt, undefined);
    },
    flush() {
      const utterance = detector.flush();
      return utterance === undefined ? [] : [toItem(utterance, lastCapturedAt, samplesSeen)];
    },
  };
}

/** Positions as instants, counted back from the last sample of the newest window, so that a drift between sound card and clock does not add up. */
function toItem(utterance: Utterance, capturedAt: InstantUs, samplesSeen: number): ResultItem {
  const at = (sample: number): InstantUs => addUs(capturedAt, durationUs(-durationOf(samplesSeen - sample)));
  return {
    kind: 'utterance',
    label: 'utterance',
    score: utterance.score,
    startsAt: at(utterance.startSample),
    endsAt: at(utterance.endSample),
    samples: utterance.samples,
  };
}
