import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import { MODES, type Mode } from '../core/mode.ts';
import type { ModelId } from '../core/model.ts';
import type { StepPlan } from '../core/step-plan.ts';
import type { Stream, StreamId } from '../core/stream.ts';
import { type DurationUs, durationFromMs } from '../core/units.ts';

/** Where a model is loaded, and what one run of it is expected to cost until that is measured. */
export interface ModelPlan {
  readonly model: ModelId;
  /** Whose jobs it takes, of a model with several rows: each has its own cores, and is learnt about by itself. Absent: those of all streams that run the model. */
  readonly streams?: readonly StreamId[];
  /**
   * In order of preference: the first is its home, the next ones take over when it is lost or, unless they are spares, busy. A stateful model has no more than
   * its jobs take.
   */
  readonly cores: readonly CoreId[];
  /** Some of `cores`, which serve only while none of the others does: what is lost with a spare's core was never meant to be there. */
  readonly spares?: readonly CoreId[];
  /** From the manifest. */
  readonly costUs: DurationUs;
  /** Its jobs are gangs: each takes so many of `cores` at once, all or none, and `costUs` is what a run takes on all of them together. Absent: one. */
  readonly split?: number;
  /** One row for each of `cores`: what a run costs there, known and fixed. Nothing is learnt then, and `costUs` says nothing more. */
  readonly exactCosts?: readonly ExactCost[];
  /**
   * Part of the memory bus that a run takes on average when it has it to itself: its bytes by what the bus carries in `costUs`. Absent: 0, or nothing is known.
   * Of a language model, that of its tokens.
   */
  readonly busRatio?: number;
  /** How a run is divided; absent: it is one step. With `tokens`, `costUs` is that of one token. */
  readonly steps?: StepPlan;
}

/** A cheaper build of a stream's model: smaller, fewer bits, a smaller input. Those of one stream stand in the plan from the best to the cheapest. */
export interface VariantPlan {
  readonly stream: StreamId;
  readonly model: ModelId;
  /** Whether an input made for the stream's own model will do, so that a job can be switched after it was made. */
  readonly isAlike: boolean;
}

/** What a mode serves otherwise than nominal. */
export interface ModePlan {
  readonly mode: Exclude<Mode, 'nominal'>;
  /** `model`: one of the stream's variants; null: it is not served. */
  readonly streams: readonly { readonly stream: StreamId; readonly model: ModelId | null }[];
}

/** Run time that streams below `safety` can count on, whatever others of their class want; see server.ts. */
export interface ServerPlan {
  readonly id: string;
  /** All of one class; each stream has one server at most. */
  readonly streams: readonly StreamId[];
  /** Q: run time on a core, in every period. */
  readonly budgetUs: DurationUs;
  /** P */
  readonly periodUs: DurationUs;
}

/** What the device can take away from a segment that runs: see Device. `abortUs`: from an abort to the core being free. */
export type PreemptionPlan = { readonly kind: 'none' | 'between-steps' } | { readonly kind: 'within-step'; readonly abortUs: DurationUs };

/** Of one model on one core of a heterogeneous device, as a cost model or a data sheet gives it. */
export interface ExactCost {
  readonly core: CoreId;
  readonly costUs: DurationUs;
  /** Of one run, in microjoule; for placement by energy. */
  readonly energyUj?: number;
}

/** A job of `stream` may start only after the job of `after` with the same capture has given its result; is that one lost, it is lost too. */
export interface Dependency {
  readonly stream: StreamId;
  readonly after: StreamId;
}

export const POLICY_NAMES = ['coxswain', 'edf', 'fifo', 'fixed-priority', 'latency-greedy', 'laxity', 'round-robin'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** Which waiting jobs are given up. `expired`: past their deadline and not begun; `infeasible`: those that no core can finish in time any more. */
export const DROP_RULES = ['none', 'expired', 'infeasible'] as const;
export type DropRule = (typeof DROP_RULES)[number];

/** What can be set about a policy; each has its own defaults. */
export interface PolicyTuning {
  readonly drop?: DropRule;
  /** `coxswain` only. `turns` (default): when two cannot both be served, the stream that lost more has its turn. `value`: whatever costs the least quality. */
  readonly victim?: 'turns' | 'value';
  /** With `victim: value`: a run that takes this much energy is worth nothing, one that takes half of it half. */
  readonly energyCapUj?: number;
  /** `latency-greedy` only: dependencies are met by counting results instead of by capture, as in the published artifact. */
  readonly quirks?: boolean;
  /**
   * Between turns of one stream. `always` (default): one that has begun goes before a new one. `unless-late`: a new one goes first when it would miss its first
   * token otherwise. `fair`: they go on in turn, segment by segment, and new ones begin as soon as there is room for their caches.
   */
  readonly resume?: 'always' | 'fair' | 'unless-late';
  /**
   * `coxswain` only. `apart` (default): a run is held where what it takes of the memory bus would make a more urgent one on another core late. `shared`: the bus is
   * nobody's business.
   */
  readonly bus?: 'apart' | 'shared';
  /**
   * `coxswain`, by default true, `edf`, `fixed-priority` and `laxity`, by default false: whether a job that runs may be interrupted where the device can. The
   * others never do.
   */
  readonly preempts?: boolean;
}

/** A core that has not answered within clamp(factor x high quantile of the model's cost, floor..ceiling) is killed. */
export interface TimeoutPlan {
  readonly floorUs: DurationUs;
  readonly factor: number;
  readonly ceilingUs: DurationUs;
}

/** Everything that the scheduler knows before the first event. Plain data: it is the header of a decision log. */
export interface SchedulerPlan {
  /** Every core that an event may name, each once. */
  readonly cores: readonly CoreId[];
  readonly streams: readonly Stream[];
  /** One row for each model that a stream names, or several that share its streams among them. */
  readonly models: readonly ModelPlan[];
  readonly timeouts: TimeoutPlan;
  /** From the loss of a core to its being back with its models; jobs that can wait that long are kept. */
  readonly restartUs: DurationUs;
  /** From the end of a segment to the decoded result, until measured. */
  readonly tailUs: DurationUs;
  /** How often one job may be started; beyond, the loss of its core fails it, so that an input which kills cores cannot kill them all. */
  readonly attemptsMax: number;
  /** Default: `coxswain`. */
  readonly policy?: PolicyName;
  readonly tuning?: PolicyTuning;
  /** At most one row for each stream, without circles. */
  readonly dependencies?: readonly Dependency[];
  /** Default: none. */
  readonly preemption?: PreemptionPlan;
  readonly variants?: readonly VariantPlan[];
  /** With this or `variants`, streams are admitted anew whenever the mode changes or a core comes or goes. */
  readonly modes?: readonly ModePlan[];
  /** How long it has to fit before what was taken is given back. */
  readonly settleUs: DurationUs;
  /** Kept by `coxswain` with `victim: turns`; other policies know none. */
  readonly servers?: readonly ServerPlan[];
}

/**
 * Floor: NanoDet's slowest run on a loaded machine was about four times its median of 57 ms. Ceiling: the slowest sample model, M-LSD, takes up to
 * 0.7 s. Restart: SIGKILL to exit took 10 ms, a new child 205 ms, loading its models the rest. Tail: 0.2 ms to be told, the rest decoding.
 */
export const PLAN_DEFAULTS = {
  timeouts: { floorUs: durationFromMs(250), factor: 4, ceilingUs: durationFromMs(5_000) },
  restartUs: durationFromMs(400),
  tailUs: durationFromMs(2),
  attemptsMax: 2,
  settleUs: durationFromMs(1_000),
} as const satisfies Omit<SchedulerPlan, 'cores' | 'streams' | 'models'>;

/** What serves the jobs that the stream has of this model, which is its own or a variant. */
export const rowFor = <Row extends Pick<ModelPlan, 'model' | 'streams'>>(
  rows: readonly Row[],
  model: ModelId,
  stream: StreamId,
): Row | undefined => rows.find((row) => row.model === model && row.streams?.includes(stream) !== false);

/** Configuration has been checked by now; what is wrong here is a bug of the caller. */
export function assertPlan(plan: SchedulerPlan): void {
  const cores = new Set(plan.cores);
  assert(cores.size === plan.cores.length, 'a plan names each core once');
  assertRows(plan);
  for (const row of plan.models) {
    assert(
      row.cores.length > 0 && new Set(row.cores).size === row.cores.length,
      `model ${row.model} is placed on at least one core, each once`,
    );
    assert(
      row.cores.every((core) => cores.has(core)),
      `model ${row.model} is placed on cores of the plan`,
    );
    assert(row.costUs > 0 && Number.isFinite(row.costUs), `model ${row.model} has a positive cost`);
    assert((row.busRatio ?? 0) >= 0 && (row.busRatio ?? 0) <= 1, `model ${row.model} takes a part of the bus`);
    assertExactCosts(row);
    assertSplit(row, plan);
    assertSteps(row);
  }
  assert(new Set(plan.streams.map((stream) => stream.id)).size === plan.streams.length, 'a plan names each stream once');
  for (const stream of plan.streams) {
    const row = rowFor(plan.models, stream.model, stream.id);
    assert(row !== undefined, `the model of stream ${stream.id} is placed`);
    const { perSecondMax = 1, everyUs = 1 } = stream.tokens ?? {};
    assert(perSecondMax > 0 && everyUs > 0, `stream ${stream.id} has tokens at a rate above 0`);
    assert(stream.deadlineUs > 0 && stream.periodUs >= 0, `stream ${stream.id} has a deadline and a period that is not negative`);
    assert(stream.freshness.kind === 'latest' || stream.freshness.jobsMax >= 1, `the queue of stream ${stream.id} holds a job`);
    assert(
      !stream.isStateful || row.cores.length === (row.split ?? 1),
      `the model of stateful stream ${stream.id} has one owner core, or as many as it is split over`,
    );
  }
  assertDependencies(plan);
  assertModes(plan);
  assertServers(plan);
  const { floorUs, factor, ceilingUs } = plan.timeouts;
  assert(floorUs > 0 && floorUs <= ceilingUs && factor >= 1, 'timeouts are 0 < floor <= ceiling with a factor of at least 1');
  assert(plan.restartUs >= 0 && plan.tailUs >= 0 && plan.attemptsMax >= 1, 'a plan has constants within their ranges');
}

function assertRows({ models }: SchedulerPlan): void {
  const forAll = models.filter(({ streams }) => streams === undefined).map(({ model }) => model);
  const served = models.flatMap(({ model, streams = [] }) => streams.map((stream) => `${model} ${stream}`));
  const parted = new Set(models.filter(({ streams }) => streams !== undefined).map(({ model }) => model));
  assert(
    new Set(forAll).size === forAll.length && new Set(served).size === served.length && !forAll.some((model) => parted.has(model)),
    'a plan has one row per model, or rows that share its streams, each in one of them',
  );
}

function assertExactCosts({ model, cores, exactCosts }: ModelPlan): void {
  if (exactCosts === undefined) return;
  const named = new Set(exactCosts.map((row) => row.core));
  assert(
    exactCosts.length === cores.length && cores.every((core) => named.has(core)),
    `model ${model} has one exact cost for each of its cores`,
  );
  for (const { costUs, energyUj = 0 } of exactCosts) {
    assert(
      costUs > 0 && Number.isFinite(costUs) && energyUj >= 0 && Number.isFinite(energyUj),
      `model ${model} has costs that are positive`,
    );
  }
}

function assertSplit({ model, cores, split, exactCosts }: ModelPlan, { tuning }: SchedulerPlan): void {
  if (split === undefined) return;
  assert(Number.isInteger(split) && split >= 2 && split <= cores.length, `model ${model} is split over two to all of its cores`);
  assert(
    exactCosts === undefined && tuning?.victim !== 'value',
    `a policy that plays through single cores cannot place the gangs of ${model}`,
  );
}

function assertModes({ streams, models, variants = [], modes = [], settleUs }: SchedulerPlan): void {
  const byId = new Map(streams.map((stream) => [stream.id, stream]));
  const isTalk = (id: ModelId | undefined): boolean => models.find(({ model }) => model === id)?.steps?.kind === 'tokens';
  const served = new Set([
    ...streams.map(({ id, model }) => `${id} ${model}`),
    ...variants.map(({ stream, model }) => `${stream} ${model}`),
  ]);
  assert(served.size === streams.length + variants.length, 'a stream has each variant once, and its own model is none of them');
  for (const { stream, model } of variants) {
    assert(
      byId.has(stream) && rowFor(models, model, stream) !== undefined,
      `variant ${model} of ${stream} is placed, and the stream is of the plan`,
    );
    assert(byId.get(stream)?.isStateful === false, `stateful stream ${stream} keeps its model`);
    assert(isTalk(model) === isTalk(byId.get(stream)?.model), `variant ${model} of ${stream} answers turns if its own model does`);
  }
  assert(new Set(modes.map(({ mode }) => mode)).size === modes.length, 'a plan has each mode once');
  for (const { mode, streams: rows } of modes) {
    assert(MODES.includes(mode), `mode ${mode} is one`);
    for (const { stream, model } of rows)
      assert(
        model === null ? byId.has(stream) : served.has(`${stream} ${model}`),
        `mode ${mode} serves ${stream} with a variant that it has`,
      );
  }
  assert(settleUs >= 0, 'what was taken is given back at once or later');
}

function assertSteps({ model, steps, exactCosts }: ModelPlan): void {
  if (steps === undefined) return;
  if (steps.kind === 'tokens') {
    const { chunkTokens, chunkUs, burstTokens, switchUs, turnsMax = 1 } = steps;
    assert(
      chunkTokens >= 1 && burstTokens >= 1 && chunkUs > 0 && switchUs >= 0 && turnsMax >= 1,
      `model ${model} has chunks and bursts of at least a token`,
    );
    assert(exactCosts === undefined, `model ${model} makes tokens, whose costs are learnt`);
    return;
  }
  const { shares, switchUs } = steps;
  const sum = shares.reduce((total, share) => total + share, 0);
  assert(shares.length >= 1 && shares.every((share) => share > 0) && Math.abs(sum - 1) < 1e-6, `the blocks of ${model} make up one run`);
  assert(
    switchUs.length === shares.length - 1 && switchUs.every((us) => us >= 0 && Number.isFinite(us)),
    `model ${model} has a price for each border between two blocks`,
  );
}

function assertServers({ streams, servers = [] }: SchedulerPlan): void {
  const served = servers.flatMap((server) => server.streams);
  assert(new Set(served).size === served.length, 'a stream has one server at most');
  for (const { id, streams: own, budgetUs, periodUs } of servers) {
    assert(own.length > 0 && budgetUs > 0 && budgetUs <= periodUs && Number.isFinite(periodUs), 'a server has 0 < budget <= period', id);
    const classes = own.map((one) => streams.find((stream) => stream.id === one)?.criticality);
    assert(
      classes.every((one) => one !== undefined && one !== 'safety' && one === classes[0]),
      'a server serves streams of one class below safety',
      id,
    );
  }
}

function assertDependencies({ streams, dependencies = [] }: SchedulerPlan): void {
  const known = new Set(streams.map((stream) => stream.id));
  const afterOf = new Map(dependencies.map(({ stream, after }) => [stream, after]));
  assert(afterOf.size === dependencies.length, 'a stream depends on one other at most');
  for (const { stream, after } of dependencies)
    assert(known.has(stream) && known.has(after), `${stream} after ${after} names streams of the plan`);
  for (const { stream } of dependencies) {
    let steps = 0;
    for (let at = afterOf.get(stream); at !== undefined; at = afterOf.get(at)) {
      steps += 1;
      assert(steps <= dependencies.length, `stream ${stream} does not depend on itself`);
    }
  }
}
