import { tmpdir } from 'node:os';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { CoreId } from '../../src/core/job.ts';
import { type ModelSpec, tensorBytes } from '../../src/core/model.ts';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationFromMs, durationUs, type InstantUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import { createEngine, type Engine } from '../../src/runtime/engine.ts';
import { createTensorArena } from '../../src/runtime/frame-memory.ts';
import { PLAN_DEFAULTS } from '../../src/scheduler/scheduler.ts';
import { readHost } from '../../src/telemetry/host.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

/** The runtime's own engine, everything but sources and codecs, kept busy: on each core the next job is handed in before the one before it has ended. */
export interface SaturatedEngine {
  readonly engine: Engine;
  /** Keeps the cores busy for so long; resolves to the runs that ended in that time. */
  slice(seconds: number): Promise<{ readonly runs: number; readonly seconds: number }>;
  close(): Promise<void>;
}

export function sampleModel(id: string): ModelSpec {
  const { models } = loadConfig('configs/cockpit.yaml', { env: {}, files: createConfigFiles() });
  const model = models.find((candidate) => candidate.id === id);
  if (model === undefined) throw new Error(`configs/models.yaml has no model "${id}"`);
  return model;
}

/** Jobs under way on each core: one that runs and one behind it. */
const JOBS_PER_CORE = 2;

export async function createSaturatedEngine(options: {
  readonly model: ModelSpec;
  readonly cores: readonly CoreId[];
  readonly niceness: number;
  /** Whether core n stays on CPU n. */
  readonly isPinned: boolean;
  readonly onSegment?: (times: {
    readonly submittedAt: InstantUs;
    readonly startedAt: InstantUs;
    readonly endedAt: InstantUs;
    readonly toldAt: InstantUs;
  }) => void;
}): Promise<SaturatedEngine> {
  const { model, cores, niceness, isPinned } = options;
  const clock = createSystemClock();
  const memory = createTensorArena(64 * 1024 * 1024);
  const streams = cores.map(
    (core): Stream => ({
      id: `core-${core}`,
      model: `${model.id}@${core}`,
      criticality: 'background',
      periodUs: durationUs(0),
      deadlineUs: durationFromMs(60_000),
      freshness: { kind: 'queue', jobsMax: JOBS_PER_CORE },
      isStateful: false,
    }),
  );
  const models = new Map(streams.map((stream) => [stream.model, { ...model, id: stream.model }]));
  const telemetry = createTelemetry(
    { streams, cores, sources: [], config: { node: 'bench', file: 'bench', sha256: '0'.repeat(64) } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  const submittedAt = new Map<CoreId, InstantUs>();
  const measured = {
    ...telemetry,
    cores: {
      ...telemetry.cores,
      segmentStarted(...[core, id, at]: Parameters<typeof telemetry.cores.segmentStarted>) {
        submittedAt.set(core, at);
        telemetry.cores.segmentStarted(core, id, at);
      },
      segmentEnded(...[core, end, at]: Parameters<typeof telemetry.cores.segmentEnded>) {
        telemetry.cores.segmentEnded(core, end, at);
        const submitted = submittedAt.get(core);
        if (end.kind === 'done' && submitted !== undefined)
          options.onSegment?.({ submittedAt: submitted, startedAt: end.startedAt, endedAt: end.endedAt, toldAt: at });
      },
    },
  };
  const engine = createEngine(
    {
      plan: {
        ...PLAN_DEFAULTS,
        cores,
        streams,
        models: streams.map((stream, index) => ({ model: stream.model, cores: [cores[index] ?? 0], costUs: model.costUs })),
      },
      models,
      cores: streams.map((stream, index) => ({
        core: cores[index] ?? 0,
        models: [...models.values()].filter(({ id }) => id === stream.model),
      })),
      restart: { lossesMax: 3, withinUs: durationFromMs(10_000), backoffUs: durationFromMs(100), probeAfterUs: durationFromMs(10_000) },
    },
    {
      clock,
      arena: memory.arena,
      clear: (region) => memory.bytes(region).fill(0),
      telemetry: measured,
      createDevice: (listener) =>
        createOrtDevice(
          {
            cores: cores.map((id) => ({ id, niceness, cpu: isPinned ? id : undefined })),
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            threadsPerCore: 1,
            startTimeoutUs: durationFromMs(20_000),
            loadTimeoutUs: durationFromMs(20_000),
            optimizedDir: tmpdir(),
          },
          { clock, listener },
        ),
    },
  );
  await engine.start();

  const inputs = model.inputs.map((spec) => {
    const region = memory.allocate(tensorBytes(spec));
    if (region === undefined) throw new Error('the arena of the bench is too small');
    new Float32Array(memory.shared.buffer, region.offsetBytes, region.byteLength / 4).fill(0.25);
    return region;
  });
  let runs = 0;
  let isRunning = false;
  let underWay = 0;
  let onIdle: () => void = () => undefined;
  const submit = (stream: Stream): void => {
    const capturedAt = clock.now();
    const id = engine.desk.open(engine.desk.bookOf(stream.id), capturedAt);
    underWay += 1;
    engine.desk.submit({
      job: { id, stream: stream.id, model: stream.model, capturedAt, deadlineAt: addUs(capturedAt, stream.deadlineUs) },
      inputs,
      decode: (_outputs, listener) => listener.decoded([]),
      settle(outcome) {
        if (outcome.kind !== 'done') throw new Error(`a job of the bench ended as ${JSON.stringify(outcome)}`);
        underWay -= 1;
        if (isRunning) {
          runs += 1;
          submit(stream);
        } else if (underWay === 0) onIdle();
      },
    });
  };

  return {
    engine,
    async slice(seconds) {
      runs = 0;
      isRunning = true;
      const startedAt = performance.now();
      for (const stream of streams) for (let n = 0; n < JOBS_PER_CORE; n += 1) submit(stream);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const took = { runs, seconds: (performance.now() - startedAt) / 1000 };
      isRunning = false;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        if (underWay === 0) resolve();
      });
      return took;
    },
    async close() {
      await engine.dispose();
      telemetry.stop();
      memory.close();
    },
  };
}
