import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../../src/core/assert.ts';
import { SpeechDetector, type SpeechDetectorOptions, type Utterance } from '../../../../src/models/voice/speech-detector.ts';

/** Windows of 10 samples; lengths below are in samples, so 30 is three windows. */
const OPTIONS: SpeechDetectorOptions = {
  windowSamples: 10,
  onsetMin: 0.5,
  offsetMin: 0.3,
  hangoverSamples: 15,
  silenceMinSamples: 30,
  speechMinSamples: 20,
  preRollSamples: 15,
  utteranceMaxSamples: 200,
};

/** S speech, m between the thresholds, . silence, ? skipped. Sample n has the value n, so that sound can be told apart. */
const PROBABILITIES: Readonly<Record<string, number | undefined>> = { S: 0.9, m: 0.4, '.': 0.1, '?': undefined };

function play(script: string, options: Partial<SpeechDetectorOptions> = {}) {
  const detector = new SpeechDetector({ ...OPTIONS, ...options });
  const utterances: Utterance[] = [];
  let flags = '';
  for (const [index, mark] of [...script].entries()) {
    const window = Float32Array.from({ length: 10 }, (_, sample) => 10 * index + sample);
    const verdict = detector.push(window, PROBABILITIES[mark]);
    flags += verdict.isSpeech ? '1' : '0';
    if (verdict.utterance !== undefined) utterances.push(verdict.utterance);
  }
  return { flags, utterances, spans: utterances.map(({ startSample, endSample }) => [startSample, endSample]) };
}

describe('SpeechDetector', () => {
  it('finds an utterance with pre-roll before and hangover after it', () => {
    const { spans, utterances, flags } = play('.....SSS.....');
    // Speech is 50..80; 15 before, 15 after.
    expect(spans).toEqual([[35, 95]]);
    expect([...(utterances[0]?.samples ?? [])]).toEqual(Array.from({ length: 60 }, (_, index) => 35 + index));
    expect(flags).toBe('0000011110000');
  });

  it('tells the end when the silence is long enough, not before', () => {
    expect(play('...SSS..').spans).toEqual([]);
    expect(play('...SSS...').spans).toEqual([[15, 75]]);
  });

  it('begins at the onset threshold only and goes on down to the offset threshold', () => {
    expect(play('mmmmmmmmmm').flags).toBe('0000000000');
    expect(play('..Smmm.....').spans).toEqual([[5, 75]]);
    expect(play('..SSm......', { offsetMin: 0.5 }).spans).toEqual([[5, 55]]);
  });

  it('keeps a pause that is shorter than the least silence inside the utterance', () => {
    expect(play('..SS..SS....').spans).toEqual([[5, 95]]);
    expect(play('..SS...SS....').spans).toEqual([
      [5, 55],
      [55, 105],
    ]);
  });

  it('throws away a click, and keeps its sound as pre-roll of what follows', () => {
    expect(play('....S.........').spans).toEqual([]);
    expect(play('....S...SS....', { preRollSamples: 60 }).spans).toEqual([[20, 115]]);
  });

  it('has no pre-roll from before the first sample nor from inside the utterance before', () => {
    expect(play('SS....').spans).toEqual([[0, 35]]);
    const { spans } = play('SS...SS....', { preRollSamples: 100 });
    expect(spans).toEqual([
      [0, 35],
      [35, 85],
    ]);
  });

  it('cuts at the greatest length and goes on without losing or doubling a sample, even for a short end', () => {
    const { spans, utterances } = play('..SSSSSSSSSS.....', { utteranceMaxSamples: 100 });
    // The end holds one window of speech, less than an utterance of its own would need.
    expect(spans).toEqual([
      [5, 105],
      [105, 135],
    ]);
    expect(utterances.flatMap(({ samples }) => [...samples])).toEqual(Array.from({ length: 130 }, (_, index) => 5 + index));
  });

  it('does not begin another utterance when the cut falls into the last pause', () => {
    const { spans, flags } = play('SSSSSSSS......', { utteranceMaxSamples: 100, silenceMinSamples: 40 });
    expect(spans).toEqual([[0, 100]]);
    expect(flags).toBe('11111111100000');
  });

  it('ends an utterance that never falls silent', () => {
    expect(play('S'.repeat(45)).spans).toEqual([
      [0, 200],
      [200, 400],
    ]);
  });

  it('takes a skipped window for what came before it', () => {
    expect(play('..SS?S....').spans).toEqual([[5, 75]]);
    expect(play('..SSS?....').spans).toEqual([[5, 75]]);
    expect(play('..SS.?.....').spans).toEqual([[5, 55]]);
    expect(play('?????').spans).toEqual([]);
  });

  it('neither begins speech by skipped windows nor counts them as speech', () => {
    expect(play('..S???....').spans).toEqual([]);
    expect(play('..S???S...').spans).toEqual([[5, 85]]);
    expect(play('..SS?S....').utterances[0]?.score).toBeCloseTo(0.9, 12);
  });

  it('cuts speech that is followed by nothing but skipped windows', () => {
    expect(play(`SS${'?'.repeat(30)}`).spans).toEqual([[0, 200]]);
  });

  it('scores an utterance by its speech windows', () => {
    expect(play('..SmmS....').utterances[0]?.score).toBeCloseTo(0.65, 12);
    expect(play('..SSSS..S....').utterances[0]?.score).toBeCloseTo(0.9, 12);
  });

  it('gives samples of its own, which later windows do not change', () => {
    const detector = new SpeechDetector(OPTIONS);
    const window = new Float32Array(10).fill(1);
    const found = [...'SS...'].flatMap((mark) => detector.push(window, PROBABILITIES[mark]).utterance ?? []);
    window.fill(2);
    for (const mark of 'SSSSS....') detector.push(window, PROBABILITIES[mark]);
    expect(new Set(found[0]?.samples)).toEqual(new Set([1]));
  });

  it('gives the running utterance when the sound ends, and begins anew without its sound', () => {
    const detector = new SpeechDetector(OPTIONS);
    const feed = (script: string): void => {
      for (const mark of script) expect(detector.push(new Float32Array(10), PROBABILITIES[mark]).utterance).toBeUndefined();
    };
    feed('..SSS.');
    expect(detector.flush()).toMatchObject({ startSample: 5, endSample: 60 });
    expect(detector.flush()).toBeUndefined();
    feed('SS.');
    expect(detector.flush()).toMatchObject({ startSample: 60, endSample: 90 });
    feed('S');
    expect(detector.flush()).toBeUndefined();
    feed('.');
    expect(detector.flush()).toBeUndefined();
  });

  it('can be run with every length at zero', () => {
    const none = { hangoverSamples: 0, silenceMinSamples: 0, speechMinSamples: 0, preRollSamples: 0 };
    expect(play('.S.SS.', none).spans).toEqual([
      [10, 20],
      [30, 50],
    ]);
  });

  it('refuses a window of another size and lengths that contradict each other', () => {
    expect(() => new SpeechDetector(OPTIONS).push(new Float32Array(0), 0.5)).toThrow(InvariantError);
    expect(() => new SpeechDetector(OPTIONS).push(new Float32Array(11), 0.5)).toThrow(InvariantError);
    expect(() => new SpeechDetector({ ...OPTIONS, offsetMin: 0.6 })).toThrow(InvariantError);
    expect(() => new SpeechDetector({ ...OPTIONS, hangoverSamples: 31 })).toThrow(InvariantError);
    expect(() => new SpeechDetector({ ...OPTIONS, utteranceMaxSamples: 50 })).toThrow(InvariantError);
  });
});
