import type { Clock } from '../../src/core/clock.ts';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { ConversationDesk } from '../../src/pipeline/conversation-desk.ts';
import { createEngine, type Engine } from '../../src/runtime/engine.ts';
import { createTensorArena, type TensorArena } from '../../src/runtime/frame-memory.ts';
import { PLAN_DEFAULTS } from '../../src/scheduler/scheduler.ts';
import { readHost } from '../../src/telemetry/host.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { writeTinyModels } from './tiny-onnx.ts';

/** The whole engine with one core, a decoder (stream `talk`) and the model `divide` of a camera (stream `camera`) that goes before it. */
export interface ConversationRig {
  readonly clock: Clock;
  readonly memory: TensorArena;
  readonly engine: Engine;
  readonly desk: ConversationDesk;
  readonly contextTokens: number;
  close(): Promise<void>;
}

const streamOf = (id: string, model: string, criticality: Stream['criticality']): Stream => ({
  ...{ id, model, criticality, periodUs: durationUs(0), deadlineUs: durationFromMs(20_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 32 }, isStateful: false },
});

const CHUNK_TOKENS = 8;

export async function createConversationRig(dir: string, folder: string): Promise<ConversationRig> {
  const clock = createSystemClock();
  const memory = createTensorArena(1024 * 1024);
  const { divide } = writeTinyModels(dir);
  const { spec, facts } = decoderSpec({
    id: 'lm',
    folder,
    variant: 'fp32',
    chunkTokens: CHUNK_TOKENS,
    cacheBytesMax: 2 ** 26,
    textsMax: 20,
  });
  const { contextTokens, vocabulary } = facts.config;
  const talk = streamOf('talk', 'lm', 'interactive');
  const streams = [talk, streamOf('camera', divide.id, 'safety')];
  const telemetry = createTelemetry(
    { streams, cores: [0], sources: [], config: { node: 'test', file: 'test', sha256: '0'.repeat(64) } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  const steps = {
    kind: 'tokens',
    chunkTokens: CHUNK_TOKENS,
    chunkUs: durationUs(2000),
    burstTokens: 4,
    switchUs: durationUs(0),
    turnsMax: 16,
  } as const;
  const engine = createEngine(
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
  const desk = new ConversationDesk(
    { stream: talk, contextTokens, vocabulary, textsMax: 20 },
    {
      clock,
      desk: engine.desk,
      memory: { allocate: (bytes) => memory.allocate(bytes), release: (region) => memory.release(region), write },
    },
  );
  return {
    ...{ clock, memory, engine, desk, contextTokens },
    async close() {
      await engine.dispose();
      memory.close();
    },
  };
}
