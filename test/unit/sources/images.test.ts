import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createImagesSource, type ImagesSourceOptions } from '../../../src/sources/images.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { createScriptedDecoder, type ScriptedPhoto } from '../../support/scripted-decoder.ts';
import { recordSource } from '../../support/source-recorder.ts';

const FRAME_BYTES = 2 * 2 * 3;

interface Scene {
  readonly photos: Readonly<Record<string, ScriptedPhoto>>;
  readonly options?: Partial<ImagesSourceOptions>;
  readonly memoryBytesMax?: number;
}

/** A camera of 10 frames a second. */
function setUp({ photos, options, memoryBytesMax }: Scene) {
  const clock = new SimClock();
  const memory = new CountedFrameMemory(memoryBytesMax);
  const decoder = createScriptedDecoder(clock, memory);
  for (const [path, photo] of Object.entries(photos)) decoder.photos.set(path, photo);
  const plain: ImagesSourceOptions = {
    kind: 'images',
    id: 'cabin',
    paths: ['folder'],
    fps: 10,
    width: 2,
    height: 2,
    pixelsMax: 1000,
    cacheBytesMax: 1000,
    filesMax: 10,
  };
  const source = createImagesSource(
    { ...plain, ...options },
    { clock, memory, decoder, expand: () => Promise.resolve(Object.keys(photos)) },
  );
  const shown: number[] = [];
  const story = recordSource(source, memory, (event) => {
    if (event.kind === 'frame' && event.frame.payload.kind === 'image') shown.push(memory.bytes(event.frame.payload.region)[0] ?? -1);
  });
  return { clock, memory, decoder, story, shown, runMs: (ms: number) => clock.settleUntil(instantUs(ms * 1000)) };
}

const quick = (value: number): ScriptedPhoto => ({ value, tookUs: durationFromMs(5) });
const slow = (value: number): ScriptedPhoto => ({ value, tookUs: durationFromMs(250) });
const broken = (code: 'IMAGE_CORRUPT' | 'IMAGE_TOO_LARGE'): ScriptedPhoto => ({ error: new CoxswainError(code, 'bad photo') });

describe('createImagesSource', () => {
  it('shows the photos round and round at its rate, from when those that it keeps are decoded', async () => {
    const { shown, story, runMs } = setUp({ photos: { a: quick(1), b: quick(2), c: quick(3) } });
    await runMs(415);
    expect(shown).toEqual([1, 2, 3, 1, 2]);
    expect(story.frames.map(({ capturedAt }) => capturedAt)).toEqual([15_000, 115_000, 215_000, 315_000, 415_000]);
    expect(story.states).toEqual(['starting', 'live']);
  });

  it('decodes a photo once and then emits the same region again', async () => {
    const { decoder, memory, story, runMs } = setUp({ photos: { a: quick(1), b: quick(2) } });
    await runMs(1010);
    expect(decoder.decodes).toEqual(['a', 'b']);
    expect(story.frames).toHaveLength(11);
    expect(memory.liveRegions).toBe(2);
    story.stop();
    expect(memory.liveRegions).toBe(0);
  });

  it('leaves a frame that is still in use whole when the source stops', async () => {
    const clock = new SimClock();
    const memory = new CountedFrameMemory();
    const decoder = createScriptedDecoder(clock, memory);
    decoder.photos.set('a', quick(9));
    const source = createImagesSource(
      { kind: 'images', id: 'x', paths: [], fps: 10, width: 2, height: 2, pixelsMax: 1, cacheBytesMax: 1000, filesMax: 1 },
      { clock, memory, decoder, expand: () => Promise.resolve(['a']) },
    );
    const story = recordSource(source);
    await clock.settleUntil(instantUs(10_000));
    story.stop();
    const payload = story.frames[0]?.payload;
    if (payload?.kind !== 'image') throw new Error('no image came');
    expect(memory.bytes(payload.region)[0]).toBe(9);
    expect(memory.claims(payload.region)).toBe(1);
    memory.release(payload.region);
    expect(memory.liveRegions).toBe(0);
  });

  it('keeps as many photos as fit its cache and decodes the others each time', async () => {
    const photos = { a: quick(1), b: quick(2), c: quick(3) };
    const { decoder, memory, shown, runMs } = setUp({ photos, options: { cacheBytesMax: 2 * FRAME_BYTES } });
    await runMs(850);
    expect(shown).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(decoder.decodes).toEqual(['a', 'b', 'c', 'c', 'c']);
    expect(memory.liveBytes).toBeLessThanOrEqual(3 * FRAME_BYTES);
  });

  it('skips and counts the ticks that a slow photo misses, and shows it when it is there', async () => {
    const photos = { a: quick(1), b: slow(2), c: quick(3) };
    const { shown, story, runMs } = setUp({ photos, options: { cacheBytesMax: 0 } });
    await runMs(505);
    expect(shown).toEqual([1, 2, 3, 1]);
    expect(story.rejections).toEqual(['not-ready', 'not-ready']);
    expect(story.frames.map(({ capturedAt }) => capturedAt)).toEqual([5000, 305_000, 405_000, 505_000]);
  });

  it('is not held up by a slow photo that it keeps, since that is decoded before the first tick', async () => {
    const { shown, story, runMs } = setUp({ photos: { a: quick(1), b: slow(2), c: broken('IMAGE_CORRUPT') } });
    await runMs(700);
    expect(shown).toEqual([1, 2, 1, 2]);
    expect(story.rejections).toEqual(['corrupt']);
  });

  it('turns a broken photo away by its reason and shows the others', async () => {
    const { shown, story, memory, runMs } = setUp({ photos: { a: quick(1), b: broken('IMAGE_CORRUPT'), c: broken('IMAGE_TOO_LARGE') } });
    await runMs(605);
    expect(shown).toEqual([1, 1, 1]);
    expect(story.rejections).toEqual(['corrupt', 'oversized', 'corrupt', 'oversized']);
    story.stop();
    expect(memory.liveRegions).toBe(0);
  });

  it('says `stalled` when no photo at all can be decoded, and goes on trying', async () => {
    const { decoder, story, runMs } = setUp({ photos: { a: broken('IMAGE_CORRUPT'), b: broken('IMAGE_CORRUPT') } });
    await runMs(350);
    expect(story.states).toEqual(['starting', 'stalled']);
    decoder.photos.set('a', quick(1));
    await runMs(650);
    expect(story.states).toEqual(['starting', 'stalled', 'live']);
  });

  it('turns its ticks away as `no-memory` while memory is short and recovers', async () => {
    const { memory, shown, story, runMs } = setUp({ photos: { a: quick(1) }, memoryBytesMax: 0 });
    await runMs(250);
    expect(story.rejections).toEqual(['no-memory', 'no-memory', 'no-memory']);
    memory.bytesMax = FRAME_BYTES;
    await runMs(550);
    expect(shown.length).toBeGreaterThan(0);
    story.stop();
    expect(memory.liveRegions).toBe(0);
  });

  it('gives the region of an unfinished decode back only when the decode is over', async () => {
    const { memory, story, runMs } = setUp({ photos: { a: slow(1) } });
    await runMs(100);
    story.stop();
    expect(memory.liveRegions).toBe(1);
    await runMs(300);
    expect(memory.liveRegions).toBe(0);
  });

  it('ends and says why when its paths lead nowhere', async () => {
    const clock = new SimClock();
    const memory = new CountedFrameMemory();
    const source = createImagesSource(
      { kind: 'images', id: 'x', paths: ['/nowhere'], fps: 1, width: 1, height: 1, pixelsMax: 1, cacheBytesMax: 0, filesMax: 1 },
      {
        clock,
        memory,
        decoder: createScriptedDecoder(clock, memory),
        expand: () => Promise.reject(new CoxswainError('FILE_UNREADABLE', 'no image found')),
      },
    );
    const story = recordSource(source);
    await clock.settleUntil(instantUs(0));
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'FILE_UNREADABLE' } });
    expect(story.isComplete).toBe(true);
  });

  it('starts no decode when it is stopped while it opens its folder', async () => {
    const { decoder, story, runMs } = setUp({ photos: { a: quick(1) } });
    story.stop();
    await runMs(500);
    expect(decoder.decodes).toEqual([]);
  });
});
