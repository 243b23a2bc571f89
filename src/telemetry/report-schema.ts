import { z } from 'zod';
import { DROP_REASONS, FAIL_REASONS, REJECT_REASONS } from '../core/outcome.ts';
import { CRITICALITIES } from '../core/stream.ts';
import { CORE_STATES } from './core-meter.ts';
import { INCIDENT_KINDS } from './incident-log.ts';
import { SOURCE_STATES } from './source-meter.ts';

/** Changes when a field goes away or changes its meaning; new fields do not change it. */
export const REPORT_VERSION = 'coxswain-report/1';

const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const bytes = z.int().min(0);
/** Null means that nothing was measured; 0 is a measured 0. */
const figure = z.number().min(0).nullable();

const jobs = z.strictObject({
  arrived: count,
  done: count,
  late: count,
  dropped: z.partialRecord(z.enum(DROP_REASONS), count),
  rejected: z.partialRecord(z.enum(REJECT_REASONS), count),
  failed: z.partialRecord(z.enum(FAIL_REASONS), count),
  inFlight: count,
});

const pace = z.strictObject({ samples: count, mean: figure, p50: figure, p99: figure, max: figure });

const stream = z.strictObject({
  id: z.string(),
  model: z.string(),
  criticality: z.enum(CRITICALITIES),
  deadlineMs: z.number().positive(),
  periodMs: z.number().min(0),
  jobs,
  latencyMs: z.strictObject({ samples: count, p50: figure, p90: figure, p99: figure, p999: figure, max: figure }),
  answers: z
    .strictObject({ turns: count, tokens: count, tokensPerSecond: z.number().min(0), firstTokenMs: pace, perTokenMs: pace })
    .optional(),
});

const core = z.strictObject({
  id: count,
  state: z.enum(CORE_STATES),
  busyRatio: ratio,
  computeRatio: ratio,
  restarts: count,
  jobs: count,
  pssBytes: bytes.nullable(),
});

const source = z.strictObject({
  id: z.string(),
  state: z.enum(SOURCE_STATES),
  frames: count,
  rejected: z.partialRecord(z.enum(REJECT_REASONS), count),
});

const incident = z.strictObject({
  atMs: z.number(),
  wallMs: z.number(),
  kind: z.enum(INCIDENT_KINDS),
  core: count.optional(),
  source: z.string().optional(),
  stream: z.string().optional(),
  message: z.string(),
});

const spread = z.strictObject({ low: z.number().min(0), high: z.number().min(0) });

/** Only of a simulated run. Energies are ranges, since what a chip takes is known within a factor of two at best. */
const simulation = z.strictObject({
  soc: z.string(),
  mode: z.string(),
  seed: count,
  span: z.strictObject({ askedMs: z.number().min(0), simulatedMs: z.number().min(0) }),
  kinds: z.array(z.string()),
  policy: z.string(),
  compute: z.string(),
  models: z.array(
    z.strictObject({
      id: z.string(),
      origin: z.string(),
      told: z.string(),
      runs: count,
      aloneMs: z.number().min(0),
      gmac: z.number().min(0),
      dramBytes: z.number().min(0),
      weightBytes: z.number().min(0),
      utilisationRatio: ratio,
      joules: spread,
    }),
  ),
  bus: z.strictObject({ bytes: z.number().min(0), ratio, meanGbs: z.number().min(0) }),
  budgets: z.array(z.strictObject({ id: z.string(), bytes: z.number().min(0), stalls: count, stalledMs: z.number().min(0) })).optional(),
  power: z.strictObject({ joules: spread, meanW: spread, maxW: z.number().min(0), modeW: z.number().min(0), cappedRatio: ratio }),
  heat: z.strictObject({ dieC: z.number(), dieMaxC: z.number(), caseMaxC: z.number(), throttledRatio: ratio }),
  faults: z.record(z.string(), count),
  unfed: z.array(z.string()),
});

/** The JSON that `coxswain run --report` writes; docs/report.md says what each field means. */
export const reportSchema = z.strictObject({
  version: z.literal(REPORT_VERSION),
  startedAt: z.iso.datetime(),
  durationMs: z.number().min(0),
  streams: z.array(stream),
  cores: z.array(core),
  sources: z.array(source),
  scheduler: z.strictObject({
    decisionUs: z.strictObject({ p50: figure, p99: figure, max: figure }),
    steps: count,
    decisions: count,
    yields: count,
    aborts: count,
  }),
  eventLoop: z.strictObject({
    samples: count,
    resolutionMs: z.number().positive(),
    delayMs: z.strictObject({ p50: figure, p99: figure, max: figure }),
  }),
  process: z.strictObject({ rssBytes: bytes, heapBytes: bytes, pssBytes: bytes.nullable(), fds: count.nullable() }),
  detections: z.record(z.string(), z.record(z.string(), count)),
  voice: z.strictObject({ speechSeconds: z.number().min(0), utterances: count }),
  incidents: z.array(incident),
  incidentsOmitted: count,
  mqtt: z.strictObject({
    state: z.string(),
    url: z.string().nullable(),
    published: count,
    dropped: z.record(z.string(), count),
  }),
  log: z.strictObject({ file: z.string(), lines: count, bytes, linesLost: count, error: z.string().nullable() }).nullable(),
  config: z.strictObject({ node: z.string(), file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  host: z.strictObject({
    cpuModel: z.string(),
    cores: count,
    memoryBytes: bytes,
    node: z.string(),
    platform: z.string(),
    kernel: z.string(),
  }),
  actions: z.record(z.string(), z.union([count, z.record(z.string(), count)])).optional(),
  assistants: z.record(z.string(), z.record(z.string(), z.union([count, z.record(z.string(), count)]))).optional(),
  simulation: simulation.optional(),
});

/** The parsed type is mutable all the way down; a report is not. */
type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

export type Report = Frozen<z.infer<typeof reportSchema>>;
export type SimulationFigures = NonNullable<Report['simulation']>;
export type ReportLog = NonNullable<Report['log']>;
