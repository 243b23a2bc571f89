import type { SourceId } from '../core/frame.ts';
import type { CoreId } from '../core/job.ts';
import type { Mode } from '../core/mode.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { StepPlan } from '../core/step-plan.ts';
import type { Stream, StreamId } from '../core/stream.ts';
import type { DurationUs } from '../core/units.ts';
import type { ActionsConfig } from './actions-config.ts';
import type { HttpConfig } from './http-config.ts';
import type { BUS_RULES, CUTTINGS, DROP_RULES, POLICIES, RESUME_RULES, VICTIM_RULES } from './scheduler-schema.ts';
import type { Secret } from './secret.ts';
import type { SourceConfig } from './source-config.ts';

/**
 * What the rest of the program knows of a configuration file. Deep-frozen; every default filled in, every span in microseconds, every path absolute,
 * every name resolved. Lists keep the order of the file, except `pipelines`, where a parent stands before its children.
 */
export interface RuntimeConfig {
  readonly version: 1;
  /** Names this computer in MQTT topics: `[A-Za-z][A-Za-z0-9_-]{0,63}`. */
  readonly node: string;
  readonly manifest: ManifestFile;
  /** Every model of the manifest, whether a pipeline uses it or not. */
  readonly models: readonly ManifestModel[];
  readonly device: DeviceConfig;
  readonly sources: readonly SourceConfig[];
  readonly pipelines: readonly PipelineConfig[];
  readonly scheduler: SchedulerConfig;
  /** Undefined: no mode but nominal is ever entered. */
  readonly modes: ModesConfig | undefined;
  readonly mqtt: MqttConfig;
  /** Undefined: words make nothing move. */
  readonly actions: ActionsConfig | undefined;
  /** Undefined: nobody is served over HTTP. */
  readonly http: HttpConfig | undefined;
  readonly runtime: LimitsConfig;
  readonly origin: ConfigOrigin;
}

/** Where the configuration came from, so that a later complaint can point into it. */
export interface ConfigOrigin {
  readonly file: string;
  /** Dotted key, such as `pipelines.objects.deadlineMs`, to where its value begins; keys left to their default are absent. */
  readonly positions: Readonly<Record<string, Position>>;
}

/** Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ManifestFile {
  readonly file: string;
  /** The one folder that model and side files may lie in. */
  readonly root: string;
}

/** A ModelSpec with what only `models list|verify` and the choice of the input need. */
export interface ManifestModel extends ModelSpec {
  readonly fileBytes: number;
  /** Samples at 16 kHz that one job takes; undefined for a model that takes images. */
  readonly windowSamples: number | undefined;
  /** The same files as in `files`, with what their bytes must hash to. */
  readonly sideFiles: Readonly<Record<string, SideFile>>;
  /** For people: the package or page that the file came from; empty when not told. */
  readonly origin: string;
  /** Of a language model: which build was taken and why, for people. */
  readonly build?: string;
  /** What the simulator makes its costs from. Without a file it is all there is: the simulator can run the model, cores cannot. */
  readonly shape?: ModelShape;
  /** How a run is divided where the device can run parts of it; absent: it is one step. Not of the file: planning sets it. */
  readonly steps?: StepPlan;
  /** Moved over the memory bus by a run on a simulated core. */
  readonly runBytes?: number;
  /** What a run takes on two or more simulated cores at once, which lie in so many clusters; only if a pipeline splits it. */
  readonly splitUs?: (cores: number, clusters: number) => DurationUs;
  /** On a chip with cores of several kinds: what one run takes on each core; undefined where it cannot run. */
  readonly coreCostsUs?: readonly (DurationUs | undefined)[];
}

export type ModelShape = NetworkShape | LanguageShape;

/** A network by its published size. */
export interface NetworkShape {
  readonly kind: 'network';
  readonly macs: number;
  readonly parameters: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** What it is made of: ordinary convolutions, depthwise ones between 1 x 1, or attention. */
  readonly style: 'dense' | 'depthwise' | 'attention';
  /** Its activations are SiLU, GELU or the like, not ReLU. */
  readonly hasCurves: boolean;
}

/** A decoder-only language model; one job is one token of one sequence that is `context` long. */
export interface LanguageShape {
  readonly kind: 'language';
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** hidden / heads when undefined. */
  readonly headSize: number | undefined;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly tiedEmbedding: boolean;
  /** Of a weight, its share of the scales included. */
  readonly bits: number;
  readonly kvBits: number;
  readonly context: number;
  /** The longest sequence that the model knows; absent where nothing is known of it. */
  readonly contextMax?: number;
}

export interface SideFile {
  readonly file: string;
  readonly sha256: string;
  readonly fileBytes: number;
}

export interface DeviceConfig {
  readonly kind: 'ort';
  /** Core n is `cores[n]`. */
  readonly cores: readonly CoreConfig[];
  /** What the memory bus of a simulated chip carries for sure. */
  readonly busBytesPerSecond?: number;
  /** What its host takes to read outputs. */
  readonly decodeUs?: DurationUs;
}

export interface CoreConfig {
  /** Number of the logical CPU to pin the core's process to; undefined: where the operating system likes. */
  readonly cpu: number | undefined;
  /** 0..19; 19 yields most. */
  readonly niceness: number;
  /** The process has only what nobody else on its CPU wants. */
  readonly isIdle: boolean;
  /** 1..99: whatever else its CPU does is interrupted for it. */
  readonly realtime?: number;
  /** Memory that the models on this core may take together. */
  readonly memoryBytes: number;
  /** Of a simulated core; those of one cluster share local memory. */
  readonly cluster?: number;
}

export interface PipelineConfig {
  readonly id: StreamId;
  readonly input: PipelineInput;
  /** The contract; its id is the pipeline's. */
  readonly stream: Stream;
  /** A frame that is older than this when it reaches the pipeline is rejected as `stale`. */
  readonly staleAfterUs: DurationUs;
  /** For the model's codec. */
  readonly decode: DecodeValues;
  /** The only cores that may run it; undefined: any. */
  readonly cores: readonly CoreId[] | undefined;
  /** Cores that one job runs on at once; `auto`: as few as keep the deadline; absent: one. The same in all pipelines of one model. */
  readonly split?: number | 'auto';
  /** Of a pipeline whose source gives turns. */
  readonly answer?: AnswerConfig;
  /** Of a pipeline whose source gives words. */
  readonly assistant?: AssistantConfig;
  /** Cheaper builds of its model, from the best to the cheapest. */
  readonly variants: readonly ModelId[];
  readonly sinks: readonly SinkKind[];
}

/** How turns are answered; what the listener takes is in the stream's contract. */
export interface AnswerConfig {
  /** An answer is cut off here. */
  readonly tokensMax: number;
  /** Whether a new prompt ends the answers under way. */
  readonly breaksIn: boolean;
}

/** What an assistant knows. */
export interface AssistantConfig {
  readonly machine: 'vehicle' | 'robot' | undefined;
  readonly sees: readonly WatchedPipeline[];
  readonly reads: readonly WatchedPipeline[];
  /** Signals whose text may stand in its prompt. */
  readonly texts: readonly string[];
  /** What is said when it is known what became of a call. */
  readonly followUps: 'fixed' | 'model' | 'none';
}

export interface WatchedPipeline {
  readonly stream: StreamId;
  readonly bearing: 'ahead' | 'left' | 'right' | 'behind';
  /** Horizontal, of its camera; without it there are no distances. */
  readonly fieldOfViewDeg?: number;
}

export type PipelineInput =
  | { readonly kind: 'source'; readonly source: SourceId }
  /** One frame per item with a quad in each result of another pipeline, best score first. */
  | { readonly kind: 'pipeline'; readonly pipeline: StreamId; readonly itemsMax: number };

export type DecodeValues = Readonly<Record<string, number | string | boolean | readonly string[]>>;

export const SINK_KINDS = ['mqtt', 'console'] as const;
export type SinkKind = (typeof SINK_KINDS)[number];

export interface SchedulerConfig {
  readonly policy: (typeof POLICIES)[number];
  /** What is left out has the policy's own default. */
  readonly tuning: {
    readonly drop?: (typeof DROP_RULES)[number];
    readonly victim?: (typeof VICTIM_RULES)[number];
    readonly bus?: (typeof BUS_RULES)[number];
    readonly resume?: (typeof RESUME_RULES)[number];
  };
  /** Absent: none. */
  readonly servers?: readonly ServerConfig[];
  /** Absent: nobody is regulated. */
  readonly busBudget?: BusBudgetConfig;
  /** Whether networks that would block somebody more urgent for too long are cut into blocks. */
  readonly cuts: (typeof CUTTINGS)[number];
}

/** What pipelines may move over the memory bus in every period, on all cores together. */
export interface BusBudgetConfig {
  readonly periodUs: DurationUs;
  /** At least one. */
  readonly streams: readonly { readonly stream: StreamId; readonly bytes: number }[];
}

/** Run time on a core that pipelines can count on. */
export interface ServerConfig {
  readonly id: string;
  readonly streams: readonly StreamId[];
  readonly budgetUs: DurationUs;
  readonly periodUs: DurationUs;
}

/** When modes begin and end, and what each serves otherwise than nominal. */
export interface ModesConfig {
  readonly enterAfterUs: DurationUs;
  readonly leaveAfterUs: DurationUs;
  /** Part of the bus, 0..1; undefined: the mode is not watched for. */
  readonly bandwidthShortBelow: number | undefined;
  readonly hot: { readonly enterC: number; readonly leaveC: number } | undefined;
  readonly coresLost: number | undefined;
  readonly rules: readonly ModeRule[];
}

export interface ModeRule {
  readonly mode: Exclude<Mode, 'nominal'>;
  /** `model`: the pipeline's own or one of its variants; null: it is not served. */
  readonly streams: readonly { readonly stream: StreamId; readonly model: ModelId | null }[];
}

export interface MqttConfig {
  readonly broker: BrokerConfig;
  /** Topics begin with `<prefix>/<node>/`; no leading or trailing slash. */
  readonly prefix: string;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly keepAliveUs: DurationUs;
  readonly connectTimeoutUs: DurationUs;
  /** Wait before the first attempt to reconnect; doubles, with jitter, up to `reconnectDelayMaxUs`. */
  readonly reconnectDelayUs: DurationUs;
  readonly reconnectDelayMaxUs: DurationUs;
  readonly outbox: { readonly itemsMax: number; readonly bytesMax: number };
  /** A longer inbound packet ends the connection. */
  readonly inboundBytesMax: number;
  readonly telemetryHz: number;
  /** The same as a period. */
  readonly telemetryPeriodUs: DurationUs;
}

export type BrokerConfig =
  | { readonly kind: 'none' }
  /** In this process, on loopback, MQTT 3.1.1; port 0 takes a free one. */
  | { readonly kind: 'embedded'; readonly port: number }
  /** mqtt:// or mqtts://, MQTT 5; never holds a user or a password. */
  | { readonly kind: 'external'; readonly url: string };

export interface LimitsConfig {
  /** After SIGTERM, jobs get this long to end. */
  readonly drainUs: DurationUs;
  /** Media worker threads. */
  readonly workers: number;
  /** Shared tensor memory. */
  readonly arenaBytes: number;
  readonly hardTimeout: HardTimeout;
  readonly restart: RestartPolicy;
  readonly seed: number;
}

/** A segment's core is killed after clamp(factor x the model's high quantile, floor, ceiling). */
export interface HardTimeout {
  readonly floorUs: DurationUs;
  readonly factor: number;
  readonly ceilingUs: DurationUs;
}

/** More than `max` restarts of a core within `withinUs` quarantine it; after `probeAfterUs` it is tried once. */
export interface RestartPolicy {
  readonly max: number;
  readonly withinUs: DurationUs;
  readonly probeAfterUs: DurationUs;
  /** Wait before the second restart in a row; doubles with each further one. The first is at once. */
  readonly backoffUs: DurationUs;
}
