import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createSource, type PlainSourceOptions, type SourceDeps } from '../../../src/sources/registry.ts';
import { SYNTHETIC_DEFAULTS } from '../../../src/sources/synthetic.ts';
import { WAV_DEFAULTS } from '../../../src/sources/wav-source.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { createScriptedDecoder } from '../../support/scripted-decoder.ts';
import { createScriptedSpawn } from '../../support/scripted-spawn.ts';
import { recordSource } from '../../support/source-recorder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-first-'));
  writeFileSync(join(folder, 'there'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const video = (file: string): PlainSourceOptions => ({
  kind: 'video',
  id: 'other',
  input: { kind: 'file', path: join(folder, file), loop: true },
  width: 2,
  height: 2,
  fps: 1,
  program: 'ffmpeg',
});
const wav = (file: string): PlainSourceOptions => ({ ...WAV_DEFAULTS, kind: 'wav', id: 'other', path: join(folder, file) });
const load: PlainSourceOptions = { ...SYNTHETIC_DEFAULTS, kind: 'synthetic', id: 'other', fps: 10, framesMax: 3 };

function setUp(candidates: readonly PlainSourceOptions[]) {
  const clock = new SimClock();
  const memory = new CountedFrameMemory();
  const scripted = createScriptedSpawn();
  const deps: SourceDeps = { clock, memory, decoder: createScriptedDecoder(clock, memory), spawn: scripted.spawn, prng: new Prng(1) };
  const source = createSource({ kind: 'first-of', id: 'front', candidates }, deps);
  const story = recordSource(source);
  return { clock, scripted, source, story };
}

/** File system answers come from outside the simulated clock. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !condition(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

describe('first-of', () => {
  it('takes the first source whose files are there and says what the others lack', async () => {
    const { clock, story } = setUp([wav('missing'), video('missing too'), load]);
    await until(() => story.states.includes('live'));
    expect(story.events[0]).toMatchObject({ kind: 'state', state: 'starting' });
    const [first] = story.events;
    const message = first?.kind === 'state' ? first.message : '';
    expect(message).toMatch(/^taking synthetic; not wav: .*missing' is not there \(ENOENT\); not video: .*missing too/);
    clock.runUntil(instantUs(1_000_000));
    expect(story.frames.map(({ source, sequence }) => [source, sequence])).toEqual([
      ['front', 0],
      ['front', 1],
      ['front', 2],
    ]);
    expect(story.isComplete).toBe(true);
  });

  it('passes over a source whose program is not installed', async () => {
    const { scripted, story } = setUp([video('there'), load]);
    await until(() => scripted.children.length === 1);
    expect(scripted.child.args).toEqual(['-version']);
    scripted.child.end({ startError: { code: 'ENOENT', message: 'spawn ffmpeg ENOENT' } });
    await until(() => story.states.includes('live'));
    const [first] = story.events;
    expect(first?.kind === 'state' ? first.message : '').toBe('taking synthetic; not video: ffmpeg is not installed (ENOENT)');
    story.stop();
  });

  it('takes a program that is there however it ends', async () => {
    const { scripted, story } = setUp([video('there'), load]);
    await until(() => scripted.children.length === 1);
    scripted.child.end({ exitCode: 3 });
    await until(() => scripted.children.length === 2);
    expect(scripted.child.args).toContain('-re');
    story.stop();
    expect(scripted.child.signals).toEqual(['SIGTERM']);
  });

  it('waits for a program that does not answer no longer than 3 s', async () => {
    const { clock, scripted, story } = setUp([video('there'), load]);
    await until(() => scripted.children.length === 1);
    clock.runFor(durationFromMs(3000));
    await until(() => scripted.children.length === 2);
    expect(scripted.children[0]?.isAlive).toBe(false);
    story.stop();
  });

  it('ends with SOURCE_LOST and every reason when none can be taken', async () => {
    const { story } = setUp([wav('missing'), wav('gone')]);
    await until(() => story.isComplete);
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'SOURCE_LOST' } });
    expect(story.message).toMatch(/missing.*gone/);
  });

  it('takes nothing once nobody listens', async () => {
    const { scripted, story } = setUp([video('there')]);
    await until(() => scripted.children.length === 1);
    story.stop();
    scripted.child.end();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(scripted.children).toHaveLength(1);
    expect(story.events).toEqual([]);
  });

  it('counts on from the last sequence number when the same source is taken again', async () => {
    const { clock, source, story } = setUp([{ ...load, framesMax: 2 }]);
    await until(() => story.states.includes('live'));
    clock.runFor(durationFromMs(1000));
    const again = recordSource(source);
    await until(() => again.states.includes('live'));
    clock.runFor(durationFromMs(1000));
    expect(again.frames.map(({ sequence }) => sequence)).toEqual([2, 3]);
  });
});
