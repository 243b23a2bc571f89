import { readFileSync } from 'node:fs';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ResultItem } from '../../../src/core/result.ts';
import { instantUs } from '../../../src/core/units.ts';
import { codecs } from '../../../src/models/registry.ts';
import { openSession, sampleModels, samplePath } from './sample-models.ts';

const WINDOW_US = 32_000;

/** Samples of a PCM16 mono WAV whose `data` chunk is its last. */
function readSamples(path: string): Float32Array {
  const bytes = readFileSync(path);
  const start = bytes.indexOf('data') + 8;
  return Float32Array.from({ length: (bytes.length - start) >> 1 }, (_, index) => bytes.readInt16LE(start + 2 * index) / 32768);
}

/** Runs windows through model and codec; those whose index `isDropped` never reach the model. */
async function listen(sound: Float32Array, isDropped: (index: number) => boolean = () => false): Promise<ResultItem[]> {
  const model = sampleModels.voice();
  const factory = codecs['silero-vad'];
  if (factory?.kind !== 'audio') throw new Error('silero-vad is no audio codec');
  const codec = factory.create(model, {});
  const session = await openSession(model);
  const input = new Float32Array(576);
  let state = new Float32Array(256);
  const items: ResultItem[] = [];
  for (let index = 0; (index + 1) * 512 <= sound.length; index += 1) {
    const window = sound.subarray(512 * index, 512 * (index + 1));
    const capturedAt = instantUs((index + 1) * WINDOW_US);
    if (isDropped(index)) {
      items.push(...codec.skip(window, capturedAt));
      continue;
    }
    codec.encode(window, input);
    const results = await session.run({
      input: new Tensor('float32', input, [1, 576]),
      state: new Tensor('float32', state, [2, 1, 128]),
      sr: new Tensor('int64', BigInt64Array.of(16000n), []),
    });
    state = Float32Array.from(results.stateN?.data as Float32Array);
    items.push(...codec.decode(window, capturedAt, [results.output?.data as Float32Array]));
  }
  return [...items, ...codec.flush()];
}

const speechSeconds = (items: ResultItem[]): number => items.filter((item) => item.kind === 'speech' && item.isSpeech).length * 0.032;
const utterancesOf = (items: ResultItem[]) => items.flatMap((item) => (item.kind === 'utterance' ? [item] : []));

describe('silero-vad on the sample recording', () => {
  it('hears the four phrases of the sentence and the pauses between them', async () => {
    const sound = readSamples(samplePath('media/jfk.wav'));
    const items = await listen(sound);
    expect(items.filter(({ kind }) => kind === 'speech')).toHaveLength(Math.floor(sound.length / 512));
    expect(speechSeconds(items)).toBeGreaterThan(6.5);
    expect(speechSeconds(items)).toBeLessThan(9);
    const utterances = utterancesOf(items);
    // And so my fellow Americans / ask not / what your country can do for you / ask what you can do for your country.
    const seconds = utterances.map(({ startsAt, endsAt }) => [startsAt / 1e6, endsAt / 1e6] as const);
    const heard = [
      [0.1, 2.3],
      [3.2, 4.4],
      [5.2, 7.7],
      [8, 10.7],
    ] as const;
    expect(seconds).toHaveLength(heard.length);
    heard.forEach(([start, end], index) => {
      expect(Math.abs((seconds[index]?.[0] ?? 0) - start)).toBeLessThan(0.4);
      expect(Math.abs((seconds[index]?.[1] ?? 0) - end)).toBeLessThan(0.4);
    });
    for (const { startsAt, endsAt, samples } of utterances) {
      const start = Math.round((startsAt * 16) / 1000);
      expect(samples).toHaveLength(Math.round(((endsAt - startsAt) * 16) / 1000));
      expect(samples).toEqual(sound.slice(start, start + samples.length));
    }
  });

  it('hears them still when every eighth window is dropped', async () => {
    const items = await listen(readSamples(samplePath('media/jfk.wav')), (index) => index % 8 === 7);
    expect(utterancesOf(items).length).toBeGreaterThanOrEqual(3);
    expect(utterancesOf(items).length).toBeLessThanOrEqual(5);
  });

  it('hears nothing in silence nor in a tone', async () => {
    expect(speechSeconds(await listen(new Float32Array(16_000)))).toBe(0);
    const tone = Float32Array.from({ length: 32_000 }, (_, sample) => 0.3 * Math.sin((2 * Math.PI * 440 * sample) / 16_000));
    expect(utterancesOf(await listen(tone))).toEqual([]);
  });
});
