import type { ManifestModel, PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import type { Arena } from '../core/arena.ts';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import type { ModelId } from '../core/model.ts';
import type { Region } from '../core/region.ts';
import type { SimClock } from '../core/sim-clock.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import type { Device } from '../devices/device.ts';
import type { SimDevice } from '../devices/sim/sim-device.ts';
import { codecs } from '../models/registry.ts';
import { createNodeSpawn } from '../sources/node-spawn.ts';
import { createAudioCoder, createImageCoder } from './coders.ts';
import { createComputePool } from './compute-pool.ts';
import { createComputedDevice } from './computed-device.ts';
import { type FedOptions, type FrameFeed, fedFrom, openFrameFeed } from './frame-feed.ts';
import { createTensorArena } from './frame-memory.ts';
import { createHostTimedCoder } from './host-timed-coder.ts';
import { createMediaDecoder } from './media/media-decoder.ts';
import { createMediaPool, type MediaPool } from './media/media-pool.ts';
import { modelsUsed } from './models-used.ts';
import { RealWork } from './real-work.ts';
import type { Standing } from './simulate-clock.ts';
import type { SimulatedCoders } from './simulate-pipelines.ts';
import type { SimulatedContent } from './simulate-sources.ts';
import type { WorkerPoolDeps } from './threads/worker-pool.ts';
import { Unwinder } from './unwinder.ts';

export interface ComputeOptions {
  /** As written: its cores are those that compute. */
  readonly config: RuntimeConfig;
  readonly host: SocProfile['host'];
}

export interface ComputeDeps {
  /** The simulation's, and the machine's. */
  readonly virtual: SimClock;
  readonly real: Clock;
}

/** Real frames, real encoding, real inference and real decoding for a simulation that takes the chip's and the host's time for all of them. */
export interface Compute {
  /** Holds up virtual time for what is not computed yet. */
  readonly before: Standing;
  /** For frames and tensors. */
  readonly arena: Arena;
  readonly clear: (region: Region) => void;
  readonly wrap: (sim: SimDevice) => Device;
  readonly coders: SimulatedCoders;
  readonly content: SimulatedContent;
  /** So far: models without a file, processes lost, wishes that the operating system refused; a sentence each. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** As in `run`: far above what pipelines and sources ever have waiting. */
const MEDIA_TASKS_MAX = 1_024;
const PROBLEMS_MAX = 100;

/**
 * Brings up processes, media workers and the sources' files; whatever fails takes down again what was up. Models that are only described are not computed.
 * Errors: CONFIG_INVALID (no model with a file, a live source), ARENA_FULL, NATIVE_UNAVAILABLE, CORE_START_FAILED, WORKER_CRASHED, PROGRAM_MISSING, SOURCE_LOST, and those of models and files.
 */
export async function openCompute({ config, host }: ComputeOptions, deps: ComputeDeps): Promise<Compute> {
  const unwinder = new Unwinder();
  try {
    return await bringUp(config, host, deps, unwinder);
  } catch (error) {
    await unwinder.unwind();
    throw error;
  }
}

async function bringUp(
  config: RuntimeConfig,
  host: SocProfile['host'],
  { virtual, real }: ComputeDeps,
  unwinder: Unwinder,
): Promise<Compute> {
  const used = modelsUsed(config.pipelines);
  const models = config.models.filter(({ id, shape }) => used.has(id) && shape === undefined);
  if (models.length === 0) {
    const text = 'no pipeline has a model with a file, so there is nothing to compute; simulate without computing';
    throw new CoxswainError('CONFIG_INVALID', `${config.origin.file}: ${text}`);
  }
  const computed = new Set(models.map(({ id }) => id));
  const looking = { clock: real, spawn: createNodeSpawn() };
  const fed = new Map<SourceId, FedOptions>();
  for (const section of fedSources(config, computed)) fed.set(section.id, await fedFrom(section, config.origin.file, looking));
  const problems = config.pipelines.filter(({ stream }) => !computed.has(stream.model)).map(emptyText);
  const onProblem = (message: string): void => void (problems.length < PROBLEMS_MAX && problems.push(message));
  const work = new RealWork();
  const memory = createTensorArena(config.runtime.arenaBytes);
  unwinder.push(() => memory.close());
  const media = startMedia(config, memory.shared.fd, models, { clock: real, onWorkerLost: onProblem });
  unwinder.push(() => media.close());
  await media.ready;
  const feeds = new Map<SourceId, FrameFeed>();
  const feeding = { memory, decoder: createMediaDecoder(media), work };
  for (const [id, options] of fed) {
    const feed = await openFrameFeed(options, feeding);
    unwinder.push(() => feed.close());
    feeds.set(id, feed);
  }
  const cores = config.device.cores.map(({ cpu, niceness, isIdle }, id) => ({ id, cpu, niceness, isIdle }));
  const pool = await createComputePool({ cores, models }, { clock: real, onWarning: onProblem });
  unwinder.push(() => pool.close());
  return {
    before: (next) => work.before(next),
    arena: memory.arena,
    clear: (region) => void memory.bytes(region).fill(0),
    wrap: (sim) => createComputedDevice(sim, { computed, pool, work, bytes: memory.bytes }),
    coders: {
      image({ stream, decode }, { id }) {
        if (!computed.has(id)) return undefined;
        return createHostTimedCoder(createImageCoder(stream, id, decode, media), { clock: virtual, work, host });
      },
      audio({ decode }, model) {
        if (!computed.has(model.id)) return undefined;
        const factory = codecs[model.codec];
        assert(factory?.kind === 'audio', `the configuration checked codec ${model.codec}`);
        return createAudioCoder(model, factory.create(model, decode), memory.shared.buffer);
      },
    },
    content: { feeds, release: memory.release },
    problems,
    close: () => unwinder.unwind(),
  };
}

const emptyText = ({ id, stream: { model } }: PipelineConfig): string =>
  `results of ${id} are empty: ${model} is only described in the manifest and has no file to compute with`;

/** Those whose frames somebody looks at. */
function fedSources({ sources, pipelines }: RuntimeConfig, computed: ReadonlySet<ModelId>): readonly SourceConfig[] {
  const read = new Set(
    pipelines.map(({ input, stream }) => (input.kind === 'source' && computed.has(stream.model) ? input.source : undefined)),
  );
  return sources.filter(({ id }) => read.has(id));
}

function startMedia(config: RuntimeConfig, arenaFd: number, models: readonly ManifestModel[], deps: WorkerPoolDeps): MediaPool {
  return createMediaPool(
    {
      arenaFd,
      arenaBytes: config.runtime.arenaBytes,
      models: models.filter(({ codec }) => codecs[codec]?.kind === 'image'),
      workers: config.runtime.workers,
      tasksMax: MEDIA_TASKS_MAX,
    },
    deps,
  );
}
