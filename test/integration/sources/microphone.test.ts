import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createMicrophoneSource, MICROPHONE_DEFAULTS } from '../../../src/sources/microphone.ts';
import { createNodeSpawn } from '../../../src/sources/node-spawn.ts';
import { eventually } from '../../support/eventually.ts';
import { hasProgram } from '../../support/has-program.ts';
import { recordSource } from '../../support/source-recorder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-microphone-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function listen(program: string) {
  const policy = { backoffFirstUs: durationFromMs(50), staleAfterUs: durationFromMs(200), killAfterUs: durationFromMs(400) };
  const options = { ...MICROPHONE_DEFAULTS, kind: 'microphone', id: 'mic', program, policy } as const;
  return recordSource(createMicrophoneSource(options, { clock: createSystemClock(), spawn: createNodeSpawn(), prng: new Prng(1) }));
}

/** A program in place of arecord that gives `windows` windows of a constant, one each 32 ms, and then goes on with `afterwards`. */
function script(name: string, windows: number, afterwards: string): string {
  const path = join(folder, name);
  const window = `head -c 1024 /dev/zero | tr '\\0' '\\100'; sleep 0.032`;
  writeFileSync(path, `#!/bin/sh\nn=0; while [ $n -lt ${windows} ]; do ${window}; n=$((n+1)); done; ${afterwards}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('microphone through a child', () => {
  it('gives windows of the samples that come', async () => {
    const story = listen(script('steady', 1000, 'exit 0'));
    await eventually(() => story.frames.length >= 10, 'ten windows');
    story.stop();
    const [first] = story.frames;
    if (first?.payload.kind !== 'audio') throw new Error('no sound came');
    expect(first.payload.samples).toEqual(new Float32Array(512).fill(0x4040 / 32_768));
    const instants = story.frames.map(({ capturedAt }) => capturedAt);
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
  });

  it('starts again when the microphone is unplugged and when it falls silent', async () => {
    const unplugged = listen(script('unplugged', 3, 'echo "No such device" >&2; exit 1'));
    const silent = listen(script('silent', 3, 'sleep 1000'));
    await eventually(() => unplugged.frames.length > 6 && silent.frames.length > 6, 'windows after a restart');
    unplugged.stop();
    silent.stop();
    expect(unplugged.states).toContain('restarting');
    expect(silent.states.slice(0, 5)).toEqual(['starting', 'live', 'stalled', 'restarting', 'live']);
  });
});

describe.skipIf(!hasProgram('arecord'))('microphone through arecord', () => {
  it('understands our arguments: a missing device is what it complains about', async () => {
    const options = { ...MICROPHONE_DEFAULTS, kind: 'microphone', id: 'mic', device: 'plughw:CARD=nowhere' } as const;
    const story = recordSource(
      createMicrophoneSource(options, { clock: createSystemClock(), spawn: createNodeSpawn(), prng: new Prng(1) }),
    );
    await eventually(() => story.states.includes('restarting'), 'a complaint');
    story.stop();
    expect(story.message).toMatch(/audio open error|No such/);
  });
});
