import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import type { TurnSummary } from '../../../src/core/turn-task.ts';
import { addUs, durationFromMs, durationUs } from '../../../src/core/units.ts';
import { createOrtDevice } from '../../../src/devices/ort/ort-device.ts';
import { decoderSpec } from '../../../src/models/language/decoder-spec.ts';
import { ConversationDesk, type SpeakRequest, type Speech } from '../../../src/pipeline/conversation-desk.ts';
import { createEngine, type Engine } from '../../../src/runtime/engine.ts';
import { createTensorArena, type TensorArena } from '../../../src/runtime/frame-memory.ts';
import { PLAN_DEFAULTS } from '../../../src/scheduler/scheduler.ts';
import { readHost } from '../../../src/telemetry/host.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { randomWeights } from '../../../tools/decoder/decoder-weights.ts';
import { referenceLogits } from '../../support/reference-decoder.ts';
import { tinyDecoderConfig, writeTinyDecoder } from '../../support/tiny-decoder.ts';
import { writeTinyModels } from '../../support/tiny-onnx.ts';

/** The whole engine, scheduler and all, with a decoder and a camera's model on one core. */

const config = tinyDecoderConfig();
const weights = new Map<string, Float32Array>();
const read = (name: string, shape: readonly number[]): Float32Array => {
  const values = weights.get(name) ?? randomWeights(7, config).read(name, shape);
  weights.set(name, values);
  return values;
};

function golden(tokens: readonly number[], count: number): number[] {
  const text = [...tokens];
  while (text.length < tokens.length + count) {
    const last = referenceLogits(config, read, text).at(-1) ?? new Float64Array();
    const next = last.indexOf(Math.max(...last));
    if (next === 2) break;
    text.push(next);
  }
  return text.slice(tokens.length);
}

const prompt = (seed: number, length = 20): number[] => Array.from({ length }, (_, index) => 3 + ((index * (11 + seed) + 5 * seed) % 200));

const streamOf = (id: string, model: string, criticality: Stream['criticality']): Stream => ({
  ...{ id, model, criticality, periodUs: durationUs(0), deadlineUs: durationFromMs(20_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 32 }, isStateful: false },
});

const clock = createSystemClock();
let dir: string;
let memory: TensorArena;
let engine: Engine;
let desk: ConversationDesk;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-conversation-'));
  memory = createTensorArena(1024 * 1024);
  const { divide } = writeTinyModels(dir);
  const folder = writeTinyDecoder(join(dir, 'lm'));
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant: 'fp32', chunkTokens: 8, cacheBytesMax: 2 ** 24, textsMax: 20 });
  const streams = [streamOf('talk', 'lm', 'interactive'), streamOf('camera', divide.id, 'safety')];
  const telemetry = createTelemetry(
    { streams, cores: [0], sources: [], config: { node: 'test', file: 'test', sha256: '0'.repeat(64) } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  const steps = {
    kind: 'tokens',
    chunkTokens: 8,
    chunkUs: durationUs(2000),
    burstTokens: 4,
    switchUs: durationUs(0),
    turnsMax: 16,
  } as const;
  engine = createEngine(
    {
      plan: {
        ...PLAN_DEFAULTS,
        cores: [0],
        streams,
        models: [
          { model: 'lm', cores: [0], costUs: durationUs(1000), steps },
          { model: divide.id, cores: [0], costUs: durationUs(500) },
        ],
        preemption: { kind: 'between-steps' },
      },
      models: new Map([spec, divide].map((model) => [model.id, model])),
      cores: [{ core: 0, models: [divide, spec] }],
      restart: { lossesMax: 3, withinUs: durationFromMs(60_000), backoffUs: durationFromMs(100), probeAfterUs: durationFromMs(10_000) },
    },
    {
      clock,
      arena: memory.arena,
      clear: (region) => memory.bytes(region).fill(0),
      telemetry,
      createDevice: (listener) =>
        createOrtDevice(
          {
            cores: [{ id: 0 }],
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            ...{
              threadsPerCore: 1,
              startTimeoutUs: durationFromMs(20_000),
              loadTimeoutUs: durationFromMs(20_000),
              optimizedDir: undefined,
            },
          },
          { clock, listener },
        ),
    },
  );
  await engine.start();
  const write = ({ offsetBytes }: { readonly offsetBytes: number }, ids: Int32Array): void =>
    new Int32Array(memory.shared.buffer, offsetBytes, ids.length).set(ids);
  desk = new ConversationDesk(
    { stream: streams[0] as Stream, contextTokens: facts.config.contextTokens, vocabulary: facts.config.vocabulary, textsMax: 20 },
    {
      clock,
      desk: engine.desk,
      memory: { allocate: (bytes) => memory.allocate(bytes), release: (region) => memory.release(region), write },
    },
  );
});

afterEach(async () => {
  await engine.dispose();
  memory.close();
  rmSync(dir, { recursive: true });
});

interface Heard {
  readonly speech: Speech;
  readonly ids: number[];
  readonly end: Promise<{ readonly outcome: Outcome; readonly summary: TurnSummary | undefined }>;
}

function speak(
  conversation: string,
  tokens: readonly number[],
  tokensMax: number,
  onFirst: () => void = () => undefined,
  rest: Partial<SpeakRequest> = {},
): Heard {
  const ids: number[] = [];
  let settle: (end: { readonly outcome: Outcome; readonly summary: TurnSummary | undefined }) => void = () => undefined;
  const end = new Promise<{ readonly outcome: Outcome; readonly summary: TurnSummary | undefined }>((resolve) => {
    settle = resolve;
  });
  const speech = desk.speak(
    { conversation, tokens, tokensMax, ...rest },
    {
      onTokens: (made) => {
        if (ids.length === 0) onFirst();
        ids.push(...made.map(({ id }) => id));
      },
      onEnd: (outcome, summary) => settle({ outcome, summary }),
    },
  );
  return { speech, ids, end };
}

/** A picture for the other model; resolves to how its job ended. */
function look(): Promise<Outcome> {
  const regions = [16, 16].map((bytes) => memory.allocate(bytes));
  const inputs = regions.flatMap((region) => (region === undefined ? [] : [region]));
  for (const region of inputs) new Float32Array(memory.shared.buffer, region.offsetBytes, 4).fill(1);
  const capturedAt = clock.now();
  const id = engine.desk.open('camera', capturedAt);
  return new Promise((resolve) =>
    engine.desk.submit({
      job: { id, stream: 'camera', model: 'divide', capturedAt, deadlineAt: addUs(capturedAt, durationFromMs(20_000)) },
      inputs,
      decode: (_outputs, onEnd) => onEnd([]),
      settle: (outcome) => {
        for (const region of inputs) memory.release(region);
        resolve(outcome);
      },
    }),
  );
}

it('answers eight conversations at once as each would be answered alone, with pictures looked at between', async () => {
  const heard = Array.from({ length: 8 }, (_, index) => speak(`c${index}`, prompt(index, 12 + index), 6));
  const looks: Promise<Outcome>[] = [];
  for (let count = 0; count < 20; count += 1) {
    looks.push(look());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const { end } of heard) expect((await end).outcome).toEqual({ kind: 'done' });
  expect(heard.map(({ ids }) => ids)).toEqual(heard.map((_, index) => golden(prompt(index, 12 + index), 6)));
  expect(await Promise.all(looks)).toEqual(looks.map(() => ({ kind: 'done' })));
  expect(memory.arena.usedBytes).toBe(0);
});

it('goes on from what is cached, and reads again what a lost core took with it', async () => {
  const first = speak('a', prompt(2), 4);
  await first.end;
  const text = [...prompt(2), ...first.ids, 50, 51];
  const second = speak('a', text, 4);
  expect((await second.end).summary).toMatchObject({ cachedTokens: 23, promptTokens: 3 });
  process.kill(engine.device.health(0).pid ?? Number.NaN, 'SIGKILL');
  const third = speak('a', [...text, ...second.ids, 60], 4);
  expect((await third.end).outcome).toEqual({ kind: 'done' });
  expect(second.ids).toEqual(golden(text, 4));
  expect(third.ids).toEqual(golden([...text, ...second.ids, 60], 4));
});

it('leaves off soon when nobody listens any more, and the conversation goes on with its next turn', async () => {
  const heard: Heard = speak('a', prompt(3), 70, () => heard.speech.cancel());
  expect((await heard.end).outcome).toEqual({ kind: 'dropped', reason: 'cancelled' });
  expect(heard.ids.length).toBeLessThan(70);
  const next = speak('a', [...prompt(3), 9], 3);
  expect((await next.end).outcome).toEqual({ kind: 'done' });
  expect(next.ids).toEqual(golden([...prompt(3), 9], 3));
});
