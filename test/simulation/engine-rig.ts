import { Arena } from '../../src/core/arena.ts';
import { after } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import type { CoreId } from '../../src/core/job.ts';
import type { ModelSpec } from '../../src/core/model.ts';
import { Prng } from '../../src/core/prng.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import { addUs, type DurationUs, durationFromMs, durationUs, instantUs } from '../../src/core/units.ts';
import { AudioPipeline } from '../../src/pipeline/audio-pipeline.ts';
import { ImagePipeline } from '../../src/pipeline/image-pipeline.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { Decode, ImageCoder } from '../../src/pipeline/work.ts';
import { createEngine, type Engine } from '../../src/runtime/engine.ts';
import { stepLine } from '../../src/telemetry/decision-log.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { type Behaviour, createScriptedDevice, hang, type ScriptedDevice } from '../support/scripted-device.ts';
import { InvariantChecker } from './checkers.ts';
import type { Fault } from './faults.ts';
import { drawUs, type Load, planOf, type Workload } from './workload.ts';

const WINDOW_SAMPLES = 512;
const FRAME_BYTES = 64 * 48 * 3;
const START_SECONDS_MAX = 60;

export interface EngineRun {
  readonly snapshot: Snapshot;
  readonly lines: readonly string[];
  readonly isDrained: boolean;
  /** What the arena still held when all was over. */
  readonly bytesLeft: number;
  readonly results: ReadonlyMap<string, number>;
}

/**
 * The whole runtime but its edges: pipelines, dispatcher, scheduler, supervisor and ledger are the real ones; cores are scripted, encoding and decoding take
 * time and nothing else, and all of it happens on a SimClock. Every step passes the invariant checker as it happens.
 */
export async function runEngine(options: {
  readonly workload: Workload;
  readonly seed: number | string;
  readonly spanUs: DurationUs;
  readonly faults?: readonly Fault[];
}): Promise<EngineRun> {
  const { workload, spanUs, faults = [] } = options;
  const clock = new SimClock();
  const prng = new Prng(options.seed);
  const arena = new Arena(64 * 1024 * 1024);
  const plan = planOf(workload);
  const checker = new InvariantChecker(plan);
  const lines: string[] = [];
  const script = createScript(workload, prng.fork('cost'), clock, faults);
  const telemetry = createTelemetry(
    {
      streams: plan.streams,
      cores: workload.cores,
      sources: [],
      config: { node: 'simulated', file: 'simulated', sha256: '0'.repeat(64) },
    },
    {
      clock,
      host: { cpuModel: 'simulated', cores: 1, memoryBytes: 1, node: '', platform: '', kernel: '' },
      mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }),
      eventLoop: {
        figures: () => ({ samples: 0, resolutionMs: 1, delayMs: { p50: null, p99: null, max: null } }),
        reset: () => undefined,
        stop: () => undefined,
      },
      process: { figures: () => ({ rssBytes: 0, heapBytes: 0, pssBytes: null, fds: null }), sample: () => Promise.resolve() },
    },
  );
  const models = new Map(workload.loads.map((load) => [load.stream.model, modelOf(load)]));
  let device: ScriptedDevice | undefined;
  const engine = createEngine(
    {
      plan,
      models,
      cores: workload.cores.map((core) => ({
        core,
        models: [...models.values()].filter(({ id }) => workload.placement[id]?.includes(core)),
      })),
      restart: {
        lossesMax: 3,
        withinUs: durationFromMs(10_000),
        backoffUs: durationFromMs(100),
        probeAfterUs: durationFromMs(5_000),
      },
    },
    {
      clock,
      arena,
      clear: () => undefined,
      telemetry,
      createDevice: (listener) => {
        device = createScriptedDevice({ cores: workload.cores, script }, { clock, listener });
        return device;
      },
      record: (event, decisions) => {
        checker.see({ event, decisions });
        lines.push(stepLine(event, decisions));
      },
    },
  );
  let isStarted = false;
  void engine.start().then(() => {
    isStarted = true;
  });
  // A slow core may take longer to run its models once than all others together.
  for (let second = 2; !isStarted && second < START_SECONDS_MAX; second += 1) await clock.settleUntil(instantUs(second * 1_000_000));
  if (!isStarted) throw new Error(`the engine did not start within ${START_SECONDS_MAX} s`);

  const rig = { clock, arena, engine, prng };
  const results = new Map<string, number>();
  const pipelines = workload.loads.map((load) => {
    const pipeline = createPipeline(load, models.get(load.stream.model) as ModelSpec, rig);
    pipeline.results.subscribe(() => results.set(load.stream.id, (results.get(load.stream.id) ?? 0) + 1));
    feed(load, pipeline, { ...rig, end: addUs(clock.now(), spanUs), faults });
    return pipeline;
  });
  for (const fault of faults) if (fault.kind === 'crash') clock.at(fault.at, () => device?.crash(fault.core));

  await clock.settleUntil(addUs(clock.now(), spanUs));
  for (const pipeline of pipelines) pipeline.stop();
  const draining = engine.drain(durationFromMs(10_000));
  await clock.settleUntil(addUs(clock.now(), durationFromMs(11_000)));
  const isDrained = await draining;
  await engine.dispose();
  return { snapshot: telemetry.snapshot(), lines, isDrained, bytesLeft: arena.usedBytes, results };
}

/** A run costs what the workload says; slowdowns multiply it, and a hang catches the next run of its core. */
function createScript(workload: Workload, prng: Prng, clock: SimClock, faults: readonly Fault[]) {
  const hangs = faults.filter((fault) => fault.kind === 'hang').sort((a, b) => a.at - b.at);
  return (core: CoreId, segment: { readonly model: string }): Behaviour => {
    const now = clock.now();
    const index = hangs.findIndex((fault) => fault.core === core && fault.at <= now);
    if (index >= 0) {
      hangs.splice(index, 1);
      return hang;
    }
    const load = workload.loads.find(({ stream }) => stream.model === segment.model);
    const cost = load === undefined ? 1_000 : drawUs(prng, load.cost);
    const slow = faults.filter((fault) => fault.kind === 'slow' && fault.at <= now && now < fault.at + fault.forUs);
    const factor = slow.reduce((product, fault) => product * (fault.kind === 'slow' ? fault.factor : 1), 1);
    return { kind: 'ok', costUs: durationUs(cost * factor) };
  };
}

const modelOf = (load: Load): ModelSpec => ({
  id: load.stream.model,
  file: '/nowhere',
  sha256: '0'.repeat(64),
  inputs: [{ name: 'in', type: 'float32', shape: [WINDOW_SAMPLES] }],
  outputs: [{ name: 'out', type: 'float32', shape: [16] }],
  states: [],
  constants: [],
  codec: 'none',
  costUs: load.seedUs,
  memoryBytes: 1,
  licence: 'none',
  files: {},
});

interface Rig {
  readonly clock: SimClock;
  readonly arena: Arena;
  readonly engine: Engine;
  readonly prng: Prng;
}

function createPipeline(load: Load, model: ModelSpec, { clock, arena, engine, prng }: Rig): Pipeline {
  const { stream } = load;
  const options = { stream, model, staleAfterUs: durationFromMs(5_000) };
  const deps = { clock, desk: engine.desk, memory: arena };
  const random = prng.fork(`pipeline/${stream.id}`);
  if (stream.isStateful) {
    const coder = { windowSamples: WINDOW_SAMPLES, encode: () => undefined, decode: () => [], skip: () => [], flush: () => [] };
    return new AudioPipeline(options, { ...deps, coder });
  }
  const decode: Decode = (_outputs, listener) => void after(clock, drawUs(random, load.tail), () => listener.decoded([]));
  const coder: ImageCoder = {
    encode: (_payload, _input, _deadlineAt, onEnd) => void after(clock, drawUs(random, load.lag), () => onEnd(decode)),
  };
  return new ImagePipeline(options, { ...deps, coder });
}

/** Frames at the stream's period, several where the workload says so, and those of its bursts. */
function feed(load: Load, pipeline: Pipeline, rig: Rig & { readonly end: number; readonly faults: readonly Fault[] }): void {
  const { clock, arena, prng } = rig;
  const random = prng.fork(`source/${load.stream.id}`);
  let sequence = 0;
  const emit = (): void => {
    const frame = (payload: Frame['payload']): Frame => {
      sequence += 1;
      return { source: load.stream.id, sequence, capturedAt: clock.now(), payload };
    };
    if (load.stream.isStateful) return pipeline.accept(frame({ kind: 'audio', samples: new Float32Array(WINDOW_SAMPLES) }));
    const region = arena.allocate(FRAME_BYTES);
    if (region === undefined) throw new Error('the arena is too small for this workload');
    pipeline.accept(frame({ kind: 'image', region, width: 64, height: 48 }));
    arena.release(region);
  };
  const tick = (at: number): void => {
    if (at >= rig.end) return;
    clock.at(instantUs(at), () => {
      const frames = random.integer(load.jobsPerCapture.from, load.jobsPerCapture.to);
      for (let n = 0; n < frames; n += 1) emit();
      tick(at + load.stream.periodUs);
    });
  };
  tick(clock.now() + random.integer(0, load.stream.periodUs));
  for (const fault of rig.faults) {
    if (fault.kind !== 'burst' || fault.stream !== load.stream.id) continue;
    clock.at(fault.at, () => {
      for (let n = 0; n < fault.jobs; n += 1) emit();
    });
  }
}
