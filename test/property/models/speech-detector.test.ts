import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpeechDetector, type SpeechDetectorOptions } from '../../../src/models/voice/speech-detector.ts';

const WINDOW = 8;

const options: fc.Arbitrary<SpeechDetectorOptions> = fc
  .record({
    ...{
      preRollSamples: fc.integer({ min: 0, max: 40 }),
      silenceMinSamples: fc.integer({ min: 0, max: 40 }),
      hangover: fc.integer({ min: 0, max: 40 }),
    },
    ...{ speechMinSamples: fc.integer({ min: 0, max: 40 }), extra: fc.integer({ min: 0, max: 200 }) },
  })
  .map(({ preRollSamples, silenceMinSamples, hangover, speechMinSamples, extra }) => ({
    ...{ windowSamples: WINDOW, onsetMin: 0.5, offsetMin: 0.35, preRollSamples, silenceMinSamples, speechMinSamples },
    hangoverSamples: Math.min(hangover, silenceMinSamples),
    utteranceMaxSamples: preRollSamples + silenceMinSamples + WINDOW + extra,
  }));

const script = fc.array(fc.option(fc.constantFrom(0, 0.2, 0.4, 0.5, 0.9), { nil: undefined, freq: 8 }), { maxLength: 150 });

/** The verdict of each window, and at the end what the flush gives. */
function play(settings: SpeechDetectorOptions, probabilities: readonly (number | undefined)[]) {
  const detector = new SpeechDetector(settings);
  const verdicts = probabilities.map((probability, index) =>
    detector.push(
      Float32Array.from({ length: WINDOW }, (_, sample) => index * WINDOW + sample),
      probability,
    ),
  );
  return [...verdicts, { isSpeech: false, utterance: detector.flush() }];
}

describe('SpeechDetector', () => {
  it('gives utterances in order that never overlap, hold exactly the samples between their ends, and are no longer than allowed', () => {
    fc.assert(
      fc.property(options, script, (settings, probabilities) => {
        let last = 0;
        play(settings, probabilities).forEach(({ utterance }, index) => {
          if (utterance === undefined) return;
          const { startSample, endSample, samples, score } = utterance;
          expect(startSample).toBeGreaterThanOrEqual(last);
          expect(endSample).toBeGreaterThan(startSample);
          expect(endSample).toBeLessThanOrEqual(Math.min(index + 1, probabilities.length) * WINDOW);
          expect(samples).toHaveLength(endSample - startSample);
          expect(samples).toHaveLength(Math.min(samples.length, settings.utteranceMaxSamples));
          expect(samples.every((value, at) => value === startSample + at)).toBe(true);
          expect(score).toBeGreaterThanOrEqual(settings.offsetMin);
          expect(score).toBeLessThanOrEqual(1);
          last = endSample;
        });
      }),
      { numRuns: 400 },
    );
  });

  it('leaves out no window of onset when nothing is thrown away, once the sound has ended', () => {
    fc.assert(
      fc.property(options, script, (settings, probabilities) => {
        const covered = new Set<number>();
        for (const { utterance } of play({ ...settings, speechMinSamples: 0 }, probabilities))
          utterance?.samples.forEach((sample) => void covered.add(sample));
        probabilities.forEach((probability, index) => {
          if (probability !== undefined && probability >= settings.onsetMin) expect(covered.has(index * WINDOW)).toBe(true);
        });
      }),
      { numRuns: 400 },
    );
  });

  it('answers the same to the same windows', () => {
    fc.assert(
      fc.property(options, script, (settings, probabilities) => {
        expect(play(settings, probabilities)).toEqual(play(settings, probabilities));
      }),
      { numRuns: 50 },
    );
  });
});
