import type { Clock } from '../../src/core/clock.ts';
import type { CoreId } from '../../src/core/job.ts';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { ConversationDesk } from '../../src/pipeline/conversation-desk.ts';
import { createEngine, type Engine } from '../../src/runtime/engine.ts';
import { createTensorArena, type TensorArena } from '../../src/runtime/frame-memory.ts';
import type { PolicyTuning } from '../../src/scheduler/plan.ts';
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
  /** How often a core was asked to leave off for something more urgent. */
  yields(): number;
  close(): Promise<void>;
}

const streamOf = (id: string, model: string, criticality: Stream['criticality']): Stream => ({
  ...{ id, model, criticality, periodUs: durationUs(0), deadlineUs: durationFromMs(20_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 32 }, isStateful: false },
});

export interface ConversationRigOptions {
  readonly variant?: string;
  readonly chunkTokens?: number;
  readonly cacheBytesMax?: number;
  readonly textsMax?: number;
  readonly burstTokens?: number;
  readonly tuning?: PolicyTuning;
}

/** `dir`: where the camera's model may be written. */
export async function createConversationRig(dir: string, folder: string, options: ConversationRigOptions = {}): Promise<ConversationRig> {
  const { variant = 'fp32', chunkTokens = 8, cacheBytesMax = 2 ** 26, textsMax = 20, burstTokens = 4, tuning } = options;
  const clock = createSystemClock();
  const memory = createTensorArena(1024 * 1024);
  const { divide } = writeTinyModels(dir);
  const { spec, facts } = decoderSpec({
    id: 'lm',
    folder,
    ...{ variant, chunkTokens, cacheBytesMax, textsMax },
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
    chunkTokens,
    chunkUs: durationUs(2000),
    burstTokens,
    switchUs: durationUs(0),
    turnsMax: 16,
  } as const;
  let yields = 0;
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
        // Tests may be stopped for seconds by whoever measures beside them.
        timeouts: { floorUs: durationFromMs(30_000), factor: 4, ceilingUs: durationFromMs(60_000) },
        preemption: { kind: 'between-steps' },
        ...(tuning === undefined ? {} : { tuning }),
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
      createDevice: (listener) => {
        const device = createOrtDevice(
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
        );
        const askToYield = (core: CoreId): void => {
          yields += 1;
          device.yield(core);
        };
        return { ...device, yield: askToYield };
      },
    },
  );
  await engine.start();
  const desk = new ConversationDesk(
    { stream: talk, contextTokens, vocabulary, textsMax },
    {
      clock,
      desk: engine.desk,
      memory,
    },
  );
  return {
    ...{ clock, memory, engine, desk, contextTokens },
    yields: () => yields,
    async close() {
      await engine.dispose();
      memory.close();
    },
  };
}
