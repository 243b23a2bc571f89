import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandImagePaths } from '../../../src/sources/image-paths.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-paths-'));
  for (const name of ['b.jpg', 'a10.PNG', 'a2.webp', 'notes.txt', '.hidden.jpg', 'odd[1]*.jpg']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'below.jpg'));
  mkdirSync(join(folder, 'empty'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const expand = async (name: string, filesMax = 100): Promise<readonly string[]> =>
  (await expandImagePaths([join(folder, name)], filesMax)).map((file) => relative(folder, file));

describe('expandImagePaths', () => {
  it('lists the images of a folder by name, without folders and other files', async () => {
    expect(await expand('')).toEqual(['.hidden.jpg', 'a10.PNG', 'a2.webp', 'b.jpg', 'odd[1]*.jpg']);
  });

  it.each([
    ['*', ['a10.PNG', 'a2.webp', 'b.jpg', 'notes.txt', 'odd[1]*.jpg']],
    ['*.jpg', ['b.jpg', 'odd[1]*.jpg']],
    ['a?.webp', ['a2.webp']],
    ['a*', ['a10.PNG', 'a2.webp']],
    ['.h*', ['.hidden.jpg']],
    ['****a****2****', ['a2.webp']],
  ])('matches %j', async (pattern, names) => expect(await expand(pattern)).toEqual(names));

  it('takes a file whose name looks like a pattern as it is', async () => {
    expect(await expand('odd[1]*.jpg')).toEqual(['odd[1]*.jpg']);
  });

  it('keeps the order of the paths', async () => {
    const files = await expandImagePaths([join(folder, 'b.jpg'), join(folder, 'a*')], 100);
    expect(files.map((file) => relative(folder, file))).toEqual(['b.jpg', 'a10.PNG', 'a2.webp']);
  });

  it.each(['missing.jpg', 'missing/*.jpg', 'z*', 'empty'])('refuses %j, where there is nothing', async (name) => {
    await expect(expand(name)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it('takes as many files as allowed and refuses one more', async () => {
    expect(await expand('*.jpg', 2)).toHaveLength(2);
    await expect(expand('*.jpg', 1)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
