import type { ModelSpec } from '../../src/core/model.ts';
import { tensorBytes } from '../../src/core/model.ts';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationFromMs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice, type OrtCoreSettings } from '../../src/devices/ort/ort-device.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { ConversationDesk } from '../../src/pipeline/conversation-desk.ts';
import { createEngine } from '../../src/runtime/engine.ts';
import { createTensorArena } from '../../src/runtime/frame-memory.ts';
import { PLAN_DEFAULTS, type SchedulerPlan } from '../../src/scheduler/scheduler.ts';
import { readHost } from '../../src/telemetry/host.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { CAMERA_MS, camera, promptOf, type Talk, VAD_MS, vad, type Window } from './corun-load.ts';

/** Who runs where, and how the language model's work is cut. */
export interface Manner {
  readonly cores: readonly OrtCoreSettings[];
  /** The core that each model is on. */
  readonly on: { readonly camera: number; readonly vad: number; readonly talk: number };
  readonly chunkTokens: number;
  readonly burstTokens: number;
  readonly plan: Partial<SchedulerPlan>;
  /** What the language model is thought to do alone. What seems to take longer than a gap is never tried, so never learnt: it has to be near. */
  readonly guess: { readonly tokensPerSecond: number; readonly promptPerSecond: number };
}

const clock = createSystemClock();

const streamOf = (id: string, model: string, criticality: Stream['criticality'], periodMs: number, isStateful: boolean): Stream => ({
  ...{ id, model, criticality, periodUs: durationFromMs(periodMs), deadlineUs: durationFromMs(periodMs === 0 ? 60_000 : periodMs) },
  ...{ freshness: { kind: 'queue', jobsMax: 4 }, isStateful },
});

/** The engine in that manner, warm and idle until a window is asked for. */
export async function createEngineLoad(manner: Manner, talk: Talk) {
  const { chunkTokens, burstTokens, guess } = manner;
  const { folder, variant, promptTokens, answerTokens } = talk;
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant, chunkTokens, cacheBytesMax: 2 ** 28, textsMax: 4 });
  const talkStream = streamOf('talk', spec.id, 'background', 0, false);
  const streams = [streamOf('camera', camera.id, 'safety', CAMERA_MS, false), streamOf('vad', vad.id, 'safety', VAD_MS, true), talkStream];
  const cores = manner.cores.map(({ id }) => id);
  const memory = createTensorArena(64 * 1024 * 1024);
  const telemetry = createTelemetry(
    { streams, cores, sources: [], config: { node: 'bench', file: 'bench', sha256: '0'.repeat(64) } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  const chunkUs = durationUs(Math.ceil((1e6 * chunkTokens) / guess.promptPerSecond));
  const steps = { kind: 'tokens', chunkTokens, chunkUs, burstTokens, switchUs: durationUs(0) } as const;
  const placed = [
    { model: camera, core: manner.on.camera },
    { model: vad, core: manner.on.vad },
    { model: spec, core: manner.on.talk },
  ];
  const engine = createEngine(
    {
      plan: {
        ...{ ...PLAN_DEFAULTS, cores, streams },
        // Nobody hangs here, and whole prompts take their time.
        timeouts: { floorUs: durationFromMs(10_000), factor: 4, ceilingUs: durationFromMs(30_000) },
        models: [
          { model: camera.id, cores: [manner.on.camera], costUs: camera.costUs },
          { model: vad.id, cores: [manner.on.vad], costUs: vad.costUs },
          { model: spec.id, cores: [manner.on.talk], costUs: durationUs(Math.ceil(1e6 / guess.tokensPerSecond)), steps },
        ],
        ...manner.plan,
      },
      models: new Map([camera, vad, spec].map((model) => [model.id, model])),
      cores: cores.map((core) => ({ core, models: placed.filter((row) => row.core === core).map(({ model }) => model) })),
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
            cores: manner.cores,
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            ...{
              threadsPerCore: 1,
              startTimeoutUs: durationFromMs(60_000),
              loadTimeoutUs: durationFromMs(120_000),
              optimizedDir: undefined,
            },
          },
          { clock, listener, onWarning: (message) => console.error(message) },
        ),
    },
  );
  await engine.start();
  const desk = new ConversationDesk(
    { stream: talkStream, contextTokens: facts.config.contextTokens, vocabulary: facts.config.vocabulary, textsMax: 4 },
    {
      clock,
      desk: engine.desk,
      memory,
    },
  );
  let turns = 0;

  /** Talks until the window is over; the turn that is under way then is broken off. */
  const talkIn = async (window: Window, untilAt: number): Promise<void> => {
    while (clock.now() < untilAt) {
      turns += 1;
      let at = performance.now();
      let isFirst = true;
      await new Promise<void>((resolve) => {
        const speech = desk.speak(
          { conversation: `turn ${turns}`, tokens: promptOf(promptTokens, turns, facts.config.vocabulary), tokensMax: answerTokens },
          {
            onTokens(made) {
              if (clock.now() >= untilAt) return;
              const now = performance.now();
              if (isFirst) {
                window.read += promptTokens;
                window.readMs += now - at;
              } else {
                window.written += made.length;
                window.writtenMs += now - at;
              }
              isFirst = false;
              at = now;
            },
            onEnd: (outcome) => {
              clearTimeout(timer);
              const isBrokenOff = outcome.kind === 'dropped' && outcome.reason === 'cancelled';
              if (outcome.kind !== 'done' && outcome.kind !== 'late' && !isBrokenOff)
                console.error(`a turn ended as ${JSON.stringify(outcome)}`);
              resolve();
            },
          },
        );
        const timer = setTimeout(() => speech.cancel(), (untilAt - clock.now()) / 1000);
      });
    }
  };

  const watch = async (model: ModelSpec, stream: string, periodMs: number, window: Window, seconds: number): Promise<number[]> => {
    const latenciesMs: number[] = [];
    const inputs = model.inputs.flatMap((input) => memory.allocate(tensorBytes(input)) ?? []);
    for (const region of inputs) new Float32Array(memory.shared.buffer, region.offsetBytes, region.byteLength / 4).fill(0.25);
    const total = Math.floor((seconds * 1000) / periodMs);
    const startsAt = clock.now();
    await new Promise<void>((resolve) => {
      let ended = 0;
      const frame = (count: number): void => {
        const capturedAt = addUs(clock.now(), durationUs(0));
        const id = engine.desk.open(engine.desk.bookOf(stream), capturedAt);
        engine.desk.submit({
          job: { id, stream, model: model.id, capturedAt, deadlineAt: addUs(capturedAt, durationFromMs(periodMs)) },
          inputs,
          decode: (_outputs, listener) => listener.decoded([]),
          settle(outcome) {
            // What is given up is late at best.
            latenciesMs.push(
              outcome.kind === 'done' || outcome.kind === 'late' ? (clock.now() - capturedAt) / 1000 : Number.POSITIVE_INFINITY,
            );
            if (outcome.kind !== 'done') window.misses += 1;
            ended += 1;
            if (ended === total) resolve();
          },
        });
        if (count + 1 < total)
          setTimeout(() => frame(count + 1), Math.max(0, (startsAt + (count + 1) * periodMs * 1000 - clock.now()) / 1000));
      };
      frame(0);
    });
    for (const region of inputs) memory.release(region);
    return latenciesMs;
  };

  return {
    /** Vision, VAD or the language model, or all of them, for so long; what came of it goes into `window`. */
    async measure(window: Window, has: { readonly vision: boolean; readonly talk: boolean }, seconds: number): Promise<void> {
      const untilAt = clock.now() + seconds * 1e6;
      const talking = has.talk ? talkIn(window, untilAt) : Promise.resolve();
      if (has.vision) {
        const [cameraMs, vadMs] = await Promise.all([
          watch(camera, 'camera', CAMERA_MS, window, seconds),
          watch(vad, 'vad', VAD_MS, window, seconds),
        ]);
        window.cameraMs.push(...cameraMs);
        window.vadMs.push(...vadMs);
      }
      await talking;
    },
    async close(): Promise<void> {
      await engine.dispose();
      telemetry.stop();
      memory.close();
    },
  };
}
