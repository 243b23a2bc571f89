import type { BenchSuite, Load, SuiteModel, Workload } from '../../core/bench-suite.ts';
import type { CoreId } from '../../core/job.ts';
import type { ModelId } from '../../core/model.ts';
import type { SocMode, SocProfile } from '../../core/soc-profile.ts';
import { type DurationUs, durationFromMs, durationUs } from '../../core/units.ts';
import { type PricedModel, priceModel } from '../../runtime/stage-models.ts';
import type { DropRule, PolicyName, PolicyTuning } from '../../scheduler/scheduler.ts';
import { checkSuite } from './check-suite.ts';
import { figuresOf, type LatencyFigures, latencyFigures, type PlayFigures } from './load-figures.ts';
import { type PlayLog, playWorkload } from './play-workload.ts';
import { planOf } from './suite-plan.ts';

export const COST_KINDS = ['stated', 'measured'] as const;
export type CostKind = (typeof COST_KINDS)[number];

export interface SuiteOptions {
  readonly suite: BenchSuite;
  /** `measured`: the run times of the suite's section of that name, for the models that it has. */
  readonly costs: CostKind;
  readonly workloads: readonly Workload[];
  readonly policies: readonly PolicyName[];
  /** Which waiting requests are given up; undefined: fifo and round-robin serve everything, as a serving system does, the others have their own rule. */
  readonly drop: DropRule | undefined;
  /** Deadlines of what is not best effort, as multiples of a run alone, in place of those of the file; nothing is given up then unless `drop` says so. */
  readonly deadlineTimes: number | undefined;
  /** Every policy interrupts runs between blocks, not `coxswain` alone. */
  readonly doAllPreempt: boolean;
  /** Runs are not divided into blocks. */
  readonly isWhole: boolean;
  readonly profile: SocProfile;
  readonly mode: SocMode;
  readonly spanUs: DurationUs;
  readonly seed: number | string;
}

export interface SuiteRow extends PlayFigures {
  readonly workload: string;
  readonly policy: PolicyName;
}

export interface SuiteResult {
  readonly suite: string;
  readonly soc: string;
  readonly mode: string;
  readonly cores: number;
  readonly seed: number | string;
  readonly spanMs: number;
  readonly costs: CostKind;
  readonly deadlineTimes: number | null;
  readonly models: readonly { readonly id: string; readonly aloneMs: number; readonly blocks: number; readonly source: string }[];
  readonly alone: readonly (LatencyFigures & { readonly workload: string; readonly load: string })[];
  readonly rows: readonly SuiteRow[];
}

export interface SuiteDeps {
  /** Told now and then which part of all plays is done, 0..1, and what is being played; may take its time. */
  readonly pause?: (doneRatio: number, what: string) => Promise<void>;
}

/** What unmanaged serving looks like. */
const SERVES_ALL: ReadonlySet<PolicyName> = new Set(['fifo', 'round-robin']);

interface Play {
  readonly workload: Workload;
  readonly policy: PolicyName;
  readonly drop: DropRule | undefined;
  readonly isAlone: boolean;
}

/** What a load takes by itself is known after ten minutes. */
const ALONE_US_MAX = durationFromMs(600_000);

/** Plays every workload under every policy, and every load that is not best effort by itself. Errors: CONFIG_INVALID, MODEL_UNLOADABLE. */
export async function playSuite(options: SuiteOptions, deps: SuiteDeps = {}): Promise<SuiteResult> {
  const { suite, policies, profile, mode, spanUs, seed } = options;
  const told = modelsUsed(options);
  const models = new Map(told.map((model) => [model.id, priceModel(model, options.isWhole, profile, mode)]));
  const workloads = options.workloads.map((workload) => withDeadlines(workload, models, options.deadlineTimes));
  const cores = coresOf(suite, profile);
  checkSuite(suite.file, workloads, { coreCount: cores.length, spanUs, costs: models });
  const served = workloads.map((workload) => workload.loads.filter(({ criticality }) => criticality !== 'background'));
  const playCount = workloads.length * policies.length + served.reduce((sum, loads) => sum + loads.length, 0);
  let played = 0;
  const play = async ({ workload, policy, drop, isAlone }: Play): Promise<PlayLog> => {
    const pause = deps.pause;
    const log = await playWorkload(
      {
        ...{ workload, profile, mode, seed, spanUs: isAlone ? durationUs(Math.min(spanUs, ALONE_US_MAX)) : spanUs },
        models: modelsOf(workload, models),
        plan: planOf(workload, { policy, tuning: tuningOf(drop, options.doAllPreempt), cores, costs: models }),
      },
      pause === undefined ? {} : { pause: (ratio) => pause((played + ratio) / playCount, `${workload.id} ${policy}`) },
    );
    played += 1;
    return log;
  };
  const alone: SuiteResult['alone'][number][] = [];
  const rows: SuiteRow[] = [];
  for (const [index, workload] of workloads.entries()) {
    const own = new Map<string, LatencyFigures>();
    for (const load of served[index] ?? []) {
      const log = await play({ workload: onlyWith(workload, load), policy: 'fifo', drop: 'none', isAlone: true });
      const figures = latencyFigures(log.loads.find((candidate) => candidate.load === load)?.latencies ?? []);
      own.set(load.id, figures);
      alone.push({ workload: workload.id, load: load.id, ...figures });
    }
    for (const policy of policies) {
      const drop = options.drop ?? (SERVES_ALL.has(policy) || options.deadlineTimes !== undefined ? 'none' : undefined);
      rows.push({ workload: workload.id, policy, ...figuresOf(await play({ workload, policy, drop, isAlone: false }), own) });
    }
  }
  return {
    suite: suite.name,
    soc: profile.id,
    mode: mode.id,
    cores: cores.length,
    seed,
    spanMs: spanUs / 1000,
    costs: options.costs,
    deadlineTimes: options.deadlineTimes ?? null,
    models: told.flatMap((model) => toldModel(model, models)),
    alone,
    rows,
  };
}

function modelsUsed({ suite, workloads, costs }: SuiteOptions): readonly SuiteModel[] {
  const used = new Set(workloads.flatMap(({ loads }) => loads.map(({ model }) => model)));
  return suite.models
    .filter(({ id }) => used.has(id))
    .map((model): SuiteModel => {
      const { measured } = suite;
      const runUs = measured?.runUs[model.id];
      if (costs === 'stated' || measured === undefined || runUs === undefined) return model;
      return { id: model.id, kind: 'time', runUs, blocks: model.blocks, source: measured.source };
    });
}

function withDeadlines(workload: Workload, models: ReadonlyMap<ModelId, PricedModel>, times: number | undefined): Workload {
  if (times === undefined) return workload;
  const loads = workload.loads.map((load): Load => {
    const alone = models.get(load.model)?.aloneUs;
    if (load.criticality === 'background' || alone === undefined) return load;
    return { ...load, deadlineUs: durationUs(Math.round(alone * times)) };
  });
  return { ...workload, loads };
}

const tuningOf = (drop: DropRule | undefined, doesPreempt: boolean): PolicyTuning => ({
  ...(drop === undefined ? {} : { drop }),
  ...(doesPreempt ? { preempts: true } : {}),
});

/** Those of the chip's first kind, which is what models are priced on. */
function coresOf({ coresMax }: BenchSuite, profile: SocProfile): readonly CoreId[] {
  const { clusterCount, coresPerCluster } = profile;
  return Array.from({ length: Math.min(coresMax ?? Number.POSITIVE_INFINITY, clusterCount * coresPerCluster) }, (_, core) => core);
}

const modelsOf = ({ loads }: Workload, models: ReadonlyMap<ModelId, PricedModel>): readonly PricedModel[] =>
  [...new Set(loads.map(({ model }) => model))].flatMap((id) => models.get(id) ?? []);

const toldModel = ({ id, source }: SuiteModel, models: ReadonlyMap<ModelId, PricedModel>): SuiteResult['models'] => {
  const model = models.get(id);
  return model === undefined
    ? []
    : [{ id, aloneMs: model.aloneUs / 1000, blocks: model.plan?.kind === 'blocks' ? model.plan.shares.length : 1, source }];
};

/** The load, and those whose results its requests come from. */
function onlyWith(workload: Workload, load: Load): Workload {
  const loads = [load];
  for (let { pattern } = load; pattern.kind === 'dependent'; ) {
    const { after } = pattern;
    const before = workload.loads.find(({ id }) => id === after);
    if (before === undefined || loads.includes(before)) break;
    loads.unshift(before);
    ({ pattern } = before);
  }
  return { ...workload, loads };
}
