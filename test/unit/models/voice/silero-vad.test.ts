import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../../src/core/assert.ts';
import type { UtteranceItem } from '../../../../src/core/result.ts';
import { instantUs } from '../../../../src/core/units.ts';
import type { DecodeOptions } from '../../../../src/models/codec.ts';
import { sileroVad } from '../../../../src/models/voice/silero-vad.ts';
import { modelSpec, sileroSpec } from '../model-specs.ts';

const WINDOW_US = 32_000;
const window = (value: number): Float32Array => new Float32Array(512).fill(value);
const create = (options: DecodeOptions = {}) => sileroVad.create(sileroSpec, options);

describe('silero-vad', () => {
  it('puts the end of the window before in front of each window, zeros at first', () => {
    const codec = create();
    const input = new Float32Array(576).fill(9);
    codec.encode(window(1), input);
    expect([input[0], input[63], input[64], input[575]]).toEqual([0, 0, 1, 1]);
    codec.encode(
      Float32Array.from({ length: 512 }, (_, index) => index),
      input,
    );
    expect([input[0], input[63], input[64]]).toEqual([1, 1, 0]);
    codec.encode(window(3), input);
    expect([input[0], input[63], input[64]]).toEqual([448, 511, 3]);
  });

  it('takes a skipped window that was never encoded as context, and one that was encoded only once', () => {
    const codec = create();
    const input = new Float32Array(576);
    codec.skip(window(5), instantUs(0));
    codec.encode(window(6), input);
    expect(input[0]).toBe(5);
    codec.encode(window(7), input);
    codec.skip(window(6), instantUs(0));
    codec.encode(window(8), input);
    expect(input[0]).toBe(7);
  });

  it('gives one speech item a window, none for a skipped one', () => {
    const codec = create();
    const input = new Float32Array(576);
    codec.encode(window(0), input);
    expect(codec.decode(window(0), instantUs(0), [Float32Array.of(0.75)])).toEqual([
      { kind: 'speech', label: 'speech', score: 0.75, isSpeech: true },
    ]);
    expect(codec.skip(window(0), instantUs(WINDOW_US))).toEqual([]);
    codec.encode(window(0), input);
    expect(codec.decode(window(0), instantUs(2 * WINDOW_US), [Float32Array.of(-0.1)])).toMatchObject([{ score: 0 }]);
  });

  it('dates an utterance from the capture of its samples, pre-roll and hangover included', () => {
    const codec = create({ preRollMs: 64, hangoverMs: 32, silenceMinMs: 96, speechMinMs: 64 });
    const input = new Float32Array(576);
    const utterances: UtteranceItem[] = [];
    // Windows 5, 6, 7 are speech; window n is complete at 1 s + (n + 1) x 32 ms.
    for (let n = 0; n < 12; n += 1) {
      codec.encode(window(n), input);
      const items = codec.decode(window(n), instantUs(1_000_000 + (n + 1) * WINDOW_US), [Float32Array.of(n >= 5 && n <= 7 ? 0.9 : 0.05)]);
      for (const item of items) if (item.kind === 'utterance') utterances.push(item);
    }
    expect(utterances).toHaveLength(1);
    expect(utterances[0]).toMatchObject({
      startsAt: 1_000_000 + 3 * WINDOW_US,
      endsAt: 1_000_000 + 9 * WINDOW_US,
      score: expect.closeTo(0.9, 6),
    });
    expect(utterances[0]?.samples).toHaveLength(6 * 512);
    expect([...new Set(utterances[0]?.samples)]).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it('refuses windows and inputs of another size', () => {
    const codec = create();
    expect(() => codec.encode(window(0).subarray(1), new Float32Array(576))).toThrow(InvariantError);
    expect(() => codec.encode(new Float32Array(0), new Float32Array(576))).toThrow(InvariantError);
    expect(() => codec.encode(window(0), new Float32Array(512))).toThrow(InvariantError);
    expect(() => codec.skip(new Float32Array(0), instantUs(0))).toThrow(InvariantError);
    expect(() => codec.decode(window(0), instantUs(0), [Float32Array.of(0.5)])).toThrow(InvariantError);
  });

  it.each([
    ['an unknown key', { onset: 0.5 }, /unknown key "onset".*onsetMin/],
    ['an offset above its onset', { onsetMin: 0.3, offsetMin: 0.4 }, /offsetMin: got 0.4; must be at most onsetMin/],
    ['a hangover above its silence', { hangoverMs: 600 }, /hangoverMs: got 600/],
    ['a longest utterance that holds nothing', { utteranceMaxMs: 1000, silenceMinMs: 900 }, /utteranceMaxMs/],
    ['a negative pre-roll', { preRollMs: -1 }, /preRollMs: got -1/],
    ['text for a number', { silenceMinMs: 'long' }, /silenceMinMs: got "long"/],
  ])('refuses options with %s', (_, options, message) => {
    expect(() => create(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }));
  });

  it('refuses a manifest entry without the state or the rate', () => {
    for (const more of [
      { states: [] },
      { constants: [] },
      { constants: sileroSpec.constants.map((rate) => ({ ...rate, values: [8000] })) },
    ]) {
      const spec = modelSpec('silero-vad', sileroSpec.inputs, sileroSpec.outputs, {
        states: sileroSpec.states,
        constants: sileroSpec.constants,
        ...more,
      });
      expect(() => sileroVad.create(spec, {})).toThrow(expect.objectContaining({ code: 'MODEL_CONTRACT' }));
    }
  });
});
