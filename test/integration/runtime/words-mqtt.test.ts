import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { eventSchema } from '../../../src/mqtt/payloads.ts';
import { createCodecDirectory } from '../../../src/runtime/codec-directory.ts';
import { createLanguageDirectory } from '../../../src/runtime/language-directory.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { startRuntime } from '../../../src/runtime/start.ts';
import { type Observer, observe, until } from '../mqtt/peers.ts';

/** Words of a stranger over MQTT, to the shipped model on a real core, by the broker of the run itself. */

const CONFIG = `
version: 1
node: car7
models: ./models.yaml
device: { kind: ort, cores: [{}] }
sources:
  voice: { kind: words, mqtt: true }
  deaf: { kind: words, script: [{ text: turn the seat heating to two }], everyMs: 3600000 }
pipelines:
  cabin: { source: voice, model: cockpit-lm, criticality: interactive, deadlineMs: 60000, assistant: {}, sinks: [mqtt] }
  back: { source: deaf, model: cockpit-lm, criticality: background, deadlineMs: 60000, assistant: {}, sinks: [mqtt] }
mqtt: { broker: embedded, port: 0, prefix: test }
actions: { catalogue: actions/cockpit.yaml }
`;
const TOPIC = 'test/car7/words/voice';
const WITHIN_MS = 60_000;

let runtime: Runtime;
let ear: Observer;
beforeAll(async () => {
  const file = join(resolve('configs'), 'words-over-mqtt.yaml');
  const files = createConfigFiles();
  const config = loadConfig(file, {
    ...{ env: {}, codecs: createCodecDirectory(), languages: createLanguageDirectory() },
    files: { ...files, read: (path, bytesMax) => (path === file ? Buffer.from(CONFIG) : files.read(path, bytesMax)) },
  });
  runtime = await startRuntime(config, { clock: createSystemClock() });
  const { url } = runtime.snapshot().mqtt;
  ear = await observe(String(url), { protocolVersion: 4 }, 'test/car7/event/turn');
  await until('the runtime is connected', () => runtime.snapshot().mqtt.state === 'connected', WITHIN_MS);
});
afterAll(async () => {
  await ear?.client.endAsync(true);
  await runtime?.stop('now');
});

const turns = () => ear.texts('test/car7/event/turn').map((text) => eventSchema.parse(JSON.parse(text)));
/** What the next turn was, after these words. */
async function say(text: string) {
  const before = turns().length;
  await ear.client.publishAsync(TOPIC, text, { qos: 0 });
  await until(`a turn after ${text.slice(0, 40)}`, () => turns().length > before, WITHIN_MS);
  return turns().at(-1)?.data;
}
const rejected = (): Readonly<Record<string, number>> => {
  const source = runtime.snapshot().sources.find(({ id }) => id === 'voice');
  return Object.fromEntries(Object.entries(source?.rejected ?? {}).filter(([, count]) => (count ?? 0) > 0)) as Record<string, number>;
};

describe('words over MQTT', () => {
  it('reach the assistant as words of a stranger, and its turn is told over MQTT', async () => {
    const turn = await say('what can you do?');
    expect(turn).toMatchObject({ assistant: 'cabin', provenance: 'mqtt', said: 'what can you do?', conversation: 'voice', end: 'done' });
    expect(String(turn?.answer).length).toBeGreaterThan(0);
    expect(turn?.promptTokens).toBeGreaterThan(10);
  });

  it('do not open what only those in the cabin may, whatever the model proposes', async () => {
    const turn = await say("open the driver's door");
    expect(turn).toMatchObject({ provenance: 'mqtt', said: "open the driver's door" });
    const calls = JSON.parse(String(turn?.calls)) as readonly { readonly outcome: string; readonly reason: string | null }[];
    expect(calls.filter(({ outcome }) => outcome !== 'rejected')).toEqual([]);
  });

  it('are turned away at the edge when they are nothing or too much, and the next are heard', async () => {
    for (const bytes of ['   ', Buffer.from([0xff, 0xfe, 0x68, 0x69]), 'x'.repeat(16_385)])
      await ear.client.publishAsync(TOPIC, bytes, { qos: 1 });
    await until('all are counted', () => rejected().corrupt === 2 && rejected().oversized === 1, WITHIN_MS);
    // Within the bytes of a source, and still more than the model reads.
    expect(await say('no '.repeat(5_000))).toMatchObject({ end: 'refused' });
    expect(await say('and now?')).toMatchObject({ provenance: 'mqtt', said: 'and now?' });
  });

  it('reach nobody who does not listen there', async () => {
    await ear.client.publishAsync('test/car7/words/deaf', 'hello', { qos: 1 });
    await ear.client.publishAsync('test/car7/words/voice/more', 'hello', { qos: 1 });
    await ear.client.publishAsync('test/car8/words/voice', 'hello', { qos: 1 });
    const heard = await say('are you still there?');
    expect(heard).toMatchObject({ assistant: 'cabin', said: 'are you still there?' });
    expect(turns().filter(({ data }) => data?.said === 'hello' || data?.assistant === 'back')).toEqual([]);
  });
});
