import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { decodeImageFile } from '../../../src/sources/image-decode.ts';
import { createImagesSource, IMAGES_DEFAULTS } from '../../../src/sources/images.ts';
import type { MediaDecoder } from '../../../src/sources/source.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { recordSource } from '../../support/source-recorder.ts';

let folder: string;
const file = (name: string): string => join(folder, name);
const solid = (width: number, height: number, background: { r: number; g: number; b: number; alpha?: number }, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background } });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-image-'));
  await solid(64, 32, { r: 200, g: 100, b: 50 }).png().toFile(file('wide.png'));
  await solid(64, 64, { r: 200, g: 100, b: 50 }).jpeg().toFile(file('good.jpg'));
  writeFileSync(file('bomb.png'), blackPng(20_000, 20_000));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function decode(name: string, size = { width: 16, height: 8 }, pixelsMax = 1_000_000): Promise<Uint8Array> {
  const out = new Uint8Array(size.width * size.height * 3);
  await decodeImageFile({ path: file(name), ...size, pixelsMax }, out);
  return out;
}

/** The code of the refusal, after checking that nothing of a bad image was written. */
async function refusal(name: string, pixelsMax?: number): Promise<string> {
  const out = new Uint8Array(16 * 8 * 3).fill(0xaa);
  const request = { path: file(name), width: 16, height: 8, pixelsMax: pixelsMax ?? 1_000_000 };
  const error = await decodeImageFile(request, out).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) expect(out.every((byte) => byte === 0xaa)).toBe(true);
  return (error as { code?: string } | undefined)?.code ?? 'decoded';
}

describe('decodeImageFile', () => {
  it('gives RGB rows of exactly the size asked for', async () => {
    const pixels = await decode('wide.png');
    for (let offset = 0; offset < pixels.length; offset += 3) expect([...pixels.subarray(offset, offset + 3)]).toEqual([200, 100, 50]);
  });

  it('covers and centres, cutting what sticks out', async () => {
    const red = { create: { width: 20, height: 40, channels: 3, background: { r: 255, g: 0, b: 0 } } } as const;
    await solid(80, 40, { r: 0, g: 0, b: 255 })
      .composite([
        { input: red, left: 0, top: 0 },
        { input: red, left: 60, top: 0 },
      ])
      .png()
      .toFile(file('sides.png'));
    const pixels = await decode('sides.png', { width: 40, height: 40 });
    const row = 20 * 40 * 3;
    for (const column of [2, 20, 37]) expect([...pixels.subarray(row + column * 3, row + column * 3 + 3)]).toEqual([0, 0, 255]);
  });

  it('turns a photo upright by its EXIF and tells its size upright', async () => {
    await solid(64, 32, { r: 9, g: 9, b: 9 }).withMetadata({ orientation: 6 }).jpeg().toFile(file('turned.jpg'));
    const size = await decodeImageFile({ path: file('turned.jpg'), width: 4, height: 4, pixelsMax: 1e6 }, new Uint8Array(48));
    expect(size).toEqual({ width: 32, height: 64 });
  });

  it.each([
    ['grey', () => solid(8, 8, { r: 77, g: 77, b: 77 }).toColourspace('b-w').png()],
    ['transparent', () => solid(8, 8, { r: 77, g: 77, b: 77, alpha: 0.5 }, 4).png()],
    ['16 bit', () => solid(8, 8, { r: 77, g: 77, b: 77 }).toColourspace('rgb16').png()],
    ['WebP', () => solid(8, 8, { r: 77, g: 77, b: 77 }).webp({ lossless: true })],
    ['1x1', () => solid(1, 1, { r: 77, g: 77, b: 77 }).png()],
    ['4096x1', () => solid(4096, 1, { r: 77, g: 77, b: 77 }).png()],
  ])('decodes a %s image', async (name, make) => {
    await make().toFile(file(`kind ${name}`));
    const pixels = await decode(`kind ${name}`);
    // Transparency is multiplied in and out again, which costs up to two steps.
    expect(Math.max(...pixels)).toBeLessThanOrEqual(79);
    expect(Math.min(...pixels)).toBeGreaterThanOrEqual(75);
  });

  it('refuses 20 000 x 20 000 pixels by the header, without decoding', async () => {
    expect(readFileSync(file('bomb.png')).length).toBeLessThan(100_000);
    const before = process.memoryUsage().rss;
    expect(await refusal('bomb.png', 50_000_000)).toBe('IMAGE_TOO_LARGE');
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('takes an image of just the pixels allowed and refuses one more', async () => {
    expect(await refusal('wide.png', 64 * 32)).toBe('decoded');
    expect(await refusal('wide.png', 64 * 32 - 1)).toBe('IMAGE_TOO_LARGE');
  });

  it('refuses a JPEG cut off at any place', async () => {
    const whole = await sharp(
      await sharp(await noise(200, 200))
        .jpeg()
        .toBuffer(),
    ).toBuffer();
    for (const ratio of [0.02, 0.1, 0.5, 0.9, 0.99]) {
      writeFileSync(file('cut.jpg'), whole.subarray(0, Math.floor(whole.length * ratio)));
      expect(await refusal('cut.jpg')).toBe('IMAGE_CORRUPT');
    }
  });

  it('refuses a PNG cut off in the middle', async () => {
    copyFileSync(file('wide.png'), file('cut.png'));
    truncateSync(file('cut.png'), 60);
    expect(await refusal('cut.png')).toBe('IMAGE_CORRUPT');
  });

  it.each([
    ['an empty file', ''],
    ['text', 'not an image'],
    ['an SVG that names a file', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'],
    ['a GIF', 'GIF89a\x01\x00\x01\x00\x00\x00\x00;'],
    ['a JPEG of nothing but its mark', '\xff\xd8\xff'],
  ])('refuses %s', async (_what, content) => {
    writeFileSync(file('odd'), content, 'latin1');
    expect(await refusal('odd')).toBe('IMAGE_CORRUPT');
  });

  it('refuses what is not a regular file without waiting for it', async () => {
    mkdirSync(file('folder.jpg'));
    expect(spawnSync('mkfifo', [file('fifo.jpg')]).status).toBe(0);
    expect(await refusal('folder.jpg')).toBe('FILE_UNREADABLE');
    expect(await refusal('fifo.jpg')).toBe('FILE_UNREADABLE');
    expect(await refusal('missing.jpg')).toBe('FILE_UNREADABLE');
    await expect(decodeImageFile({ path: '/dev/zero', width: 1, height: 1, pixelsMax: 1 }, new Uint8Array(3))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});

describe('createImagesSource with real photos', () => {
  it('survives its files being replaced, broken and deleted while it runs', async () => {
    mkdirSync(file('camera'));
    for (const name of ['a.jpg', 'b.jpg']) copyFileSync(file('good.jpg'), join(folder, 'camera', name));
    const memory = new CountedFrameMemory();
    const decoder: MediaDecoder = {
      decodeImage: ({ region, ...request }) => decodeImageFile(request, memory.bytes(region)),
      decodeWav: () => Promise.reject(new Error('no sound here')),
    };
    const options = { ...IMAGES_DEFAULTS, kind: 'images', id: 'x', paths: [file('camera')], fps: 50, width: 32, height: 32 } as const;
    const source = createImagesSource({ ...options, cacheBytesMax: 0 }, { clock: createSystemClock(), memory, decoder });
    const story = recordSource(source, memory);
    await eventually(() => story.frames.length > 5, 'frames');
    writeFileSync(file('broken'), 'no image');
    renameSync(file('broken'), file('camera/a.jpg'));
    await eventually(() => story.rejections.includes('corrupt'), 'a refusal');
    rmSync(file('camera/b.jpg'));
    await eventually(() => story.states.includes('stalled'), 'no photo left');
    copyFileSync(file('good.jpg'), file('camera/b.jpg'));
    const before = story.frames.length;
    await eventually(() => story.frames.length > before + 3, 'frames again');
    expect(story.states.at(-1)).toBe('live');
    story.stop();
    await eventually(() => memory.liveRegions === 0, 'all memory given back');
  });
});

async function noise(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: 'grey', noise: { type: 'gaussian', mean: 128, sigma: 40 } } })
    .png()
    .toBuffer();
}

/** A lawful one-bit PNG, all black: 400 million pixels are some 50 kB. */
function blackPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
