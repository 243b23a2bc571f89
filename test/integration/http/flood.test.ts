import { execFile, execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import { createHttpRig, type HttpRig } from '../../support/http-rig.ts';

/** More than can be answered, against the model that ships on a real core. */

const flood = resolve(import.meta.dirname, '../../support/http-flood.mjs');
const REQUESTS = 10_000;
/** All at once where a process may have so many files open, the client being one of its own; else as many as it may. */
const FILES_MAX = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
const AT_ONCE = FILES_MAX === 'unlimited' ? REQUESTS : Math.min(REQUESTS, Number(FILES_MAX) - 500);

let rig: HttpRig;
beforeAll(async () => {
  // A client with ten thousand connections may need its time to speak on each.
  rig = await createHttpRig({ requestTimeoutUs: durationFromMs(60_000) });
});
afterAll(() => rig.close());

const ask = (content: string) =>
  rig.client.chat.completions.create({ model: 'lm', messages: [{ role: 'user', content }], max_tokens: 4, temperature: 0 });

describe('ten thousand requests at once', () => {
  it('are each answered or told when to come again, in bounded memory, and none is lost', { timeout: 120_000 }, async () => {
    const alone = (await ask('open the window')).choices[0]?.message.content;
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 50);
    const body = JSON.stringify({ model: 'lm', messages: [{ role: 'user', content: 'open the window' }], max_tokens: 4, temperature: 0 });
    const args = [flood, String(new URL(rig.url).port), String(REQUESTS), body, String(AT_ONCE)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    clearInterval(watch);
    const told = JSON.parse(stdout) as {
      readonly statuses: Record<string, number>;
      readonly waits: number;
      readonly waitMin: number;
      readonly waitMax: number;
    };
    expect(Object.keys(told.statuses).sort()).toEqual(['200', '429']);
    expect((told.statuses['200'] ?? 0) + (told.statuses['429'] ?? 0)).toBe(REQUESTS);
    // A queue of 32, and some that came when others had been answered.
    expect(told.statuses['200']).toBeGreaterThanOrEqual(32);
    expect(told.waits).toBe(told.statuses['429']);
    expect([told.waitMin >= 1, told.waitMax <= 60]).toEqual([true, true]);
    expect((most - before) / 2 ** 20).toBeLessThan(300);
    // Nothing of it is left.
    await expect.poll(() => rig.rig.memory.arena.usedBytes, { timeout: 10_000 }).toBe(0);
    expect((await ask('open the window')).choices[0]?.message.content).toBe(alone);
  });
});

describe('a hostile schema', () => {
  const towers = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `d${index}`,
      index === 39 ? { type: 'string' } : { type: 'array', minItems: 2, maxItems: 3, items: { $ref: `#/$defs/d${index + 1}` } },
    ]),
  );
  let deep: object = { type: 'string' };
  for (let index = 0; index < 110; index += 1) deep = { type: 'array', items: deep };
  const wide = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`p${index}`, { type: 'null' }]));

  it.each<[string, object, RegExp]>([
    ['that only has what has no end', { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, /nothing satisfies/],
    ['that refers to itself alone', { $ref: '#' }, /references/],
    ['that is deep', deep, /nested deeper/],
    ['that is huge', { type: 'object', properties: wide }, /more (values|characters) than/],
    ['whose shortest answer is huge', { $defs: towers, $ref: '#/$defs/d0' }, /shortest answer/],
    ['whose pattern multiplies', { type: 'string', pattern: '^(((a{1,99}){1,99}){1,99}){1,99}$' }, /states/],
    [
      'whose lengths multiply',
      { anyOf: Array.from({ length: 900 }, (_, index) => ({ type: 'string', minLength: index, maxLength: 9_999 })) },
      /states/,
    ],
  ])('is refused %s, and the core that looked at it serves the next', async (_, schema, message) => {
    const started = performance.now();
    const thrown: unknown = await rig.client.chat.completions
      .create({
        model: 'lm',
        messages: [{ role: 'user', content: 'hi' }],
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { ...schema } } },
      })
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ status: 400, message: expect.stringMatching(message) });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await ask('hi')).choices).toHaveLength(1);
    expect(rig.troubles).toEqual([]);
  });
});
