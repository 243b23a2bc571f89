import { beforeAll, describe, expect, it } from 'vitest';
import type { FaceItem, LineItem, ObjectItem, ResultItem, TextBoxItem, TextItem } from '../../../src/core/result.ts';
import type { Pixels } from '../../../src/models/codec.ts';
import { createImageRunner, readPhoto, sampleModels, samplePath } from './sample-models.ts';

/** As wide as the sample cameras give their frames. */
const FRAME_WIDTH = 1280;

/** Counted by eye: everybody's face is to be seen in each of the photos. */
const PEOPLE = [
  ['front/people-1.jpg', 3],
  ['front/people-4.jpg', 4],
  ['front/people-5.jpg', 5],
  ['cabin/people-2.jpg', 3],
  ['cabin/people-3.jpg', 3],
  ['cabin/people-6.jpg', 4],
] as const;

const photo = (relative: string): Promise<Pixels> => readPhoto(samplePath(`media/${relative}`), FRAME_WIDTH);

const isObject = (item: ResultItem): item is ObjectItem => item.kind === 'object';
const isFace = (item: ResultItem): item is FaceItem => item.kind === 'face';

type Runner = Awaited<ReturnType<typeof createImageRunner>>;

describe('nanodet on the sample photos', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await createImageRunner(sampleModels.nanodet());
  });

  it.each(PEOPLE)('finds the people of %s, of whom there are %i', async (file, count) => {
    const { items } = await runner.run(await photo(file));
    const people = items.filter(isObject).filter(({ label }) => label === 'person');
    // People who hide one another may be taken for one, or one for two.
    expect(people.length).toBeGreaterThanOrEqual(count - 1);
    expect(people.length).toBeLessThanOrEqual(count + 1);
  });

  it('finds nobody in the drawn streets nor in black', async () => {
    const black = { data: new Uint8Array(3 * 640 * 360), width: 640, height: 360 };
    for (const pixels of [await photo('front/street-1.jpg'), await photo('front/street-2.jpg'), black]) {
      const { items } = await runner.run(pixels);
      expect(items.filter(isObject).filter(({ label }) => label === 'person')).toEqual([]);
    }
  });

  it('finds the same people in the same places when the frame is half as wide', async () => {
    const [large, small] = await Promise.all([1280, 640].map((width) => readPhoto(samplePath('media/front/people-5.jpg'), width)));
    const best = async (pixels: Pixels) => (await runner.run(pixels)).items.filter(isObject).slice(0, 2);
    const [fromLarge, fromSmall] = [await best(large as Pixels), await best(small as Pixels)];
    fromLarge.forEach(({ box }, index) => {
      const other = fromSmall[index]?.box;
      expect(Math.abs(2 * (other?.x ?? 0) - box.x)).toBeLessThan(25);
      expect(Math.abs(2 * (other?.y ?? 0) - box.y)).toBeLessThan(25);
      expect(Math.abs(2 * (other?.width ?? 0) - box.width)).toBeLessThan(40);
    });
  });
});

describe('blazeface on the sample photos', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await createImageRunner(sampleModels.blazeface());
  });

  it.each(PEOPLE)('finds every face of %s, of which there are %i, with the eyes above the mouth', async (file, count) => {
    const { items } = await runner.run(await photo(file));
    expect(items).toHaveLength(count);
    for (const { box, keypoints } of items.filter(isFace)) {
      const [rightEye, leftEye, , mouth] = keypoints;
      expect(((rightEye?.y ?? 0) + (leftEye?.y ?? 0)) / 2).toBeLessThan(mouth?.y ?? 0);
      expect(mouth?.y).toBeLessThan(box.y + box.height);
    }
  });

  it('finds none in the drawn streets', async () => {
    for (const file of ['front/street-1.jpg', 'front/street-2.jpg']) expect((await runner.run(await photo(file))).items).toEqual([]);
  });
});

describe('PP-OCR on the drawn streets', () => {
  it.each([
    ['front/street-1.jpg', ['BAKERY', 'CX4071', 'EXIT12', 'HARBOUR', 'LEVEL2', 'PARKING']],
    ['front/street-2.jpg', ['NORTH800M', 'PHARMACY', 'RW8250', 'STATION', 'STOP', 'WAITHERE']],
  ])('reads all signs of %s', async (file, signs) => {
    const detector = await createImageRunner(sampleModels.textDetector());
    const reader = await createImageRunner(sampleModels.textReader());
    const pixels = await photo(file);
    const boxes = (await detector.run(pixels)).items as TextBoxItem[];
    const texts: TextItem[] = [];
    for (const { quad } of boxes) texts.push(...((await reader.run({ ...pixels, crop: quad })).items as TextItem[]));
    // The recogniser leaves out a blank now and then, which nobody who reads signs would mind.
    expect(texts.map(({ text }) => text.replaceAll(' ', '')).sort()).toEqual(signs);
    texts.forEach(({ quad, score }, index) => {
      expect(quad).toEqual(boxes[index]?.quad);
      expect(score).toBeGreaterThan(0.8);
    });
  });

  it('finds no text in black', async () => {
    const detector = await createImageRunner(sampleModels.textDetector());
    expect((await detector.run({ data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 })).items).toEqual([]);
  });
});

describe('M-LSD', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await createImageRunner(sampleModels.lines());
  });

  it('finds the four sides of a square to within 2 pixels of 512', async () => {
    const size = 1024;
    const data = new Uint8Array(3 * size * size).fill(30);
    for (let y = 256; y < 768; y += 1) data.fill(230, 3 * (y * size + 256), 3 * (y * size + 768));
    const { items } = await runner.run({ data, width: size, height: size });
    const lines = items as LineItem[];
    const isNear = (value: number, wanted: number): boolean => Math.abs(value - wanted) <= 4;
    for (const place of [256, 768]) {
      expect(lines.some(({ from, to }) => isNear(from.y, place) && isNear(to.y, place) && Math.abs(to.x - from.x) > 480)).toBe(true);
      expect(lines.some(({ from, to }) => isNear(from.x, place) && isNear(to.x, place) && Math.abs(to.y - from.y) > 480)).toBe(true);
    }
  });

  it('finds the horizon and the edges of the road in the drawn streets', async () => {
    for (const file of ['front/street-1.jpg', 'front/street-2.jpg']) {
      const lines = (await runner.run(await photo(file))).items as LineItem[];
      expect(lines.length).toBeGreaterThan(50);
      const slopes = lines
        .filter(({ from, to }) => Math.hypot(to.x - from.x, to.y - from.y) > 300)
        .map(({ from, to }) => (to.y - from.y) / (to.x - from.x));
      expect(slopes.some((slope) => Math.abs(slope) < 0.02)).toBe(true);
      expect(slopes.some((slope) => slope < -0.5 && slope > -1)).toBe(true);
    }
  });
});
