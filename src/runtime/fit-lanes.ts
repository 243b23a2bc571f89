import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { LeafSource, TokenRange } from '../config/source-config.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type StreamId } from '../core/stream.ts';
import type { AnalysedOrder } from '../scheduler/analysis/analysed-order.ts';
import type { CoreLoad, CoreTask } from '../scheduler/analysis/core-bound.ts';
import type { Placement } from '../scheduler/placement.ts';
import { rowFor } from '../scheduler/scheduler.ts';
import type { FitCosts, RunCost } from './fit-costs.ts';
import { type Place, servingCores } from './placed-split.ts';

/** A pipeline on its cores, as the analysis sees it. */
export interface Lane {
  readonly pipeline: PipelineConfig;
  readonly place: Place;
  readonly home: CoreId;
  /** All cores that its jobs may run on while none is lost. */
  readonly cores: readonly CoreId[];
  /** Of these, those that one job takes at once. */
  readonly width: number;
  /** The same work may take longer on another core. */
  readonly taskOn: (core: CoreId) => CoreTask;
  /** The most that an interruption of it costs the core. */
  readonly switchUsOn: (core: CoreId) => number;
  /** What passes off the core: preparing the frame, waiting for the parent, decoding; and what a run takes longer elsewhere than at home. */
  readonly beforeUs: number;
  /** Moved by one job at home, and taken beside idle power; undefined when not known. */
  readonly bytes: number | undefined;
  readonly joules: number | undefined;
  /** The most power that it takes while it runs, beside idle power. */
  readonly peakW: number | undefined;
  /** Jobs of it that may be worked on at once: two rounds, and more where they may come closer than a period. */
  readonly jobsAtOnce: number;
  /** Jobs a second, in the long run. */
  readonly jobsPerSecond: number;
  readonly isGuaranteed: boolean;
  /** The longest that it may be granted at once: a whole run, or all of a prompt. */
  readonly rowUsOn: (core: CoreId) => number;
  /** The longest of its steps. */
  readonly stepUsOn: (core: CoreId) => number;
  /** The run time that it can count on instead of a deadline. */
  readonly reserve?: Reserve;
  /** It may ask for any amount of work, in a class where others are to be in time: turns without a server. */
  readonly isOpenEnded?: boolean;
}

/** Its share of a server. */
export interface Reserve {
  readonly server: string;
  readonly budgetUs: number;
  readonly periodUs: number;
  /** Of turns: what reading the longest prompt takes, which gives the first token; undefined when nobody knows how long that is. */
  readonly promptUs?: number;
}

export function lanesOf(config: RuntimeConfig, placement: Placement, rankOf: AnalysedOrder['rankOf'], costs: FitCosts): Lane[] {
  return config.pipelines.map((pipeline) => {
    const { stream } = pipeline;
    const placed: Place = rowFor(placement.models, stream.model, stream.id) ?? { model: stream.model, cores: [0], spares: [] };
    // A spare serves only when a core is lost, and no bound holds then anyway.
    const cores = servingCores(placed);
    const home = fastestOf(cores, stream.model, config);
    const { items, frames, periodUs, jitterUs, parentUs } = originOf(pipeline, config);
    const offCore = costs.offCore(pipeline, frames);
    // A job that finds its home busy may begin at once on a core of another kind, and take that much longer there.
    const slowerUs = Math.max(0, ...cores.map((core) => costs.of(placed, core).worstUs - costs.of(placed, home).worstUs));
    const beforeUs = Math.ceil(parentUs + offCore.us + slowerUs);
    const taskOn = (core: CoreId): CoreTask => {
      const cost = costs.of(placed, core);
      return {
        id: stream.id,
        rank: rankOf(stream.id),
        cost: items * cost.worstUs,
        run: cost.worstUs,
        segment: cost.segmentUs,
        last: cost.lastUs,
        period: periodUs,
        deadline: stream.deadlineUs - beforeUs,
        early: Math.ceil(parentUs + offCore.spreadUs),
        jitter: jitterUs,
      };
    };
    const switchUsOn = (core: CoreId): number => costs.of(placed, core).switchUs;
    const { bytes, joules, peakW } = costs.of(placed, home);
    const jobsAtOnce = items * (2 + jitterUs / periodUs);
    const isGuaranteed = stream.criticality !== 'background';
    const lane: Lane = {
      pipeline,
      home,
      cores,
      place: placed,
      width: placed.split ?? 1,
      taskOn,
      switchUsOn,
      beforeUs,
      bytes,
      joules,
      peakW,
      jobsAtOnce,
      jobsPerSecond: (items * 1e6) / periodUs,
      isGuaranteed,
      rowUsOn: (core) => rowUs(pipeline, config, costs.of(placed, core)),
      stepUsOn: (core) => costs.of(placed, core).segmentUs,
    };
    const reserve = reserveOf(config, stream.id);
    const talking = pipeline.answer === undefined ? lane : { ...lane, beforeUs: 0, jobsPerSecond: tokensPerSecond(pipeline, config) };
    // How a server's time is spent on several cores at once is not analysed.
    const promptUs = promptUsOf(pipeline, config, costs.of(placed, home));
    const reading = reserve === undefined || promptUs === undefined ? reserve : { ...reserve, promptUs };
    if (reading !== undefined) return lane.width === 1 ? reservedLane(talking, reading, costs) : openLane(talking);
    return pipeline.answer === undefined ? lane : openLane(talking);
  });
}

/** Where the scheduler protects it: on the core where a run is planned to take least, of several such on the first. */
function fastestOf([first = 0, ...others]: readonly CoreId[], id: ModelId, { models }: RuntimeConfig): CoreId {
  const { costUs = 0, coreCostsUs } = models.find((model) => model.id === id) ?? {};
  const usOn = (core: CoreId): number => coreCostsUs?.[core] ?? costUs;
  return others.reduce((best, core) => (usOn(core) < usOn(best) ? core : best), first);
}

/** Undefined where the policy keeps no servers. */
function reserveOf({ scheduler: { policy, tuning, servers = [] } }: RuntimeConfig, id: StreamId): Reserve | undefined {
  if (policy !== 'coxswain' || tuning.victim === 'value') return undefined;
  const server = servers.find(({ streams }) => streams.includes(id));
  if (server === undefined) return undefined;
  // Streams of one server share its budget; each for itself, they ask for as much together.
  return { server: server.id, budgetUs: Math.floor(server.budgetUs / server.streams.length), periodUs: server.periodUs };
}

/** In the place of its jobs: the budget, in every period, by its end. It stands among the interactive ones, whatever it is of itself. */
function reservedLane(lane: Lane, reserve: Reserve, costs: FitCosts): Lane {
  const taskOn = (core: CoreId): CoreTask => {
    // A segment is no longer than the budget, in whole steps.
    const segment = Math.min(lane.stepUsOn(core), reserve.budgetUs);
    return {
      ...{ id: lane.pipeline.id, rank: INTERACTIVE, cost: reserve.budgetUs, run: reserve.budgetUs, segment, last: segment },
      ...{ period: reserve.periodUs, deadline: reserve.periodUs, early: 0, jitter: 0 },
    };
  };
  const { worstUs } = costs.of(lane.place, lane.home);
  const ratePerSecond = (1e6 * reserve.budgetUs) / reserve.periodUs / Math.max(1, worstUs);
  return { ...lane, taskOn, isGuaranteed: true, reserve, jobsPerSecond: Math.min(lane.jobsPerSecond, ratePerSecond) };
}

/** Nobody knows how many turns there will be: they take what there is of the core, and are in the way of their class. */
function openLane(lane: Lane): Lane {
  const taskOn = (core: CoreId): CoreTask => {
    const [run, segment] = [lane.rowUsOn(core), lane.stepUsOn(core)];
    const step = { cost: run, run, segment, last: segment };
    return { ...lane.taskOn(core), ...step, period: run, deadline: lane.pipeline.stream.deadlineUs, early: 0, jitter: 0 };
  };
  return { ...lane, taskOn, isGuaranteed: false, isOpenEnded: lane.isGuaranteed };
}

/** While somebody is answered: what the listener takes, or, where nothing says so, the average; and the chunks of the prompts, which count as one token each. */
function tokensPerSecond({ input, stream, answer }: PipelineConfig, config: RuntimeConfig): number {
  const source = input.kind === 'source' ? config.sources.find(({ id }) => id === input.source) : undefined;
  if (source?.kind !== 'turns') return 0;
  const middle = ({ from, to }: TokenRange): number => (from + to) / 2;
  const steps = config.models.find(({ id }) => id === stream.model)?.steps;
  const chunks = steps?.kind === 'tokens' ? Math.ceil(middle(source.promptTokens) / steps.chunkTokens) : 1;
  const average = (Math.min(middle(source.answerTokens), answer?.tokensMax ?? Number.POSITIVE_INFINITY) * 1e6) / source.periodUs;
  return (stream.tokens?.perSecondMax ?? average) + (chunks * 1e6) / source.periodUs;
}

function rowUs(pipeline: PipelineConfig, config: RuntimeConfig, cost: RunCost): number {
  const steps = config.models.find(({ id }) => id === pipeline.stream.model)?.steps;
  if (steps?.kind !== 'tokens') return cost.worstUs;
  return Math.max(promptUsOf(pipeline, config, cost) ?? cost.segmentUs, steps.burstTokens * cost.worstUs);
}

/** All chunks of the longest prompt that the source says. */
function promptUsOf({ input, stream }: PipelineConfig, config: RuntimeConfig, { segmentUs }: RunCost): number | undefined {
  const steps = config.models.find(({ id }) => id === stream.model)?.steps;
  const source = input.kind === 'source' ? config.sources.find(({ id }) => id === input.source) : undefined;
  if (steps?.kind !== 'tokens' || source?.kind !== 'turns') return undefined;
  return Math.ceil(source.promptTokens.to / steps.chunkTokens) * segmentUs;
}

/** Besides their budgets, servers begin one step that takes more than is left of them; it is paid for later, so in a busy time there is one of each. */
const RARE_US = 1e9;

function overrunOf(lane: Lane, core: CoreId): CoreTask[] {
  if (lane.reserve === undefined) return [];
  const task = lane.taskOn(core);
  const step = lane.stepUsOn(core);
  const over = { cost: step, run: step, segment: step, last: step };
  return [{ ...task, ...over, id: `${task.id}/over`, period: RARE_US, partOf: task.id }];
}

/** Where it has no budget a stream with a server is in the way of those that have a claim as background work is. */
const spareOf = ({ reserve, pipeline }: Lane, segment: number): CoreLoad['rest'] =>
  reserve === undefined ? [] : [{ id: `${pipeline.id}/spare`, segment, partOf: pipeline.id }];

const INTERACTIVE = criticalityRank('interactive');

interface Origin {
  /** Jobs that may come at once of one tick of the source. */
  readonly items: number;
  /** Frames of the source that may come at once. */
  readonly frames: number;
  /** Of the source. */
  readonly periodUs: number;
  /** How much later than its tick a frame may come. */
  readonly jitterUs: number;
  /** By when the result that they come of is there; after its own deadline it is not waited for. */
  readonly parentUs: number;
}

function originOf({ input, stream }: PipelineConfig, config: RuntimeConfig): Origin {
  if (input.kind === 'source') {
    const unsteady = config.sources.find(({ id }) => id === input.source);
    const leaves: readonly LeafSource[] = unsteady === undefined ? [] : unsteady.kind === 'first-of' ? unsteady.sources : [unsteady];
    const synthetic = leaves.flatMap((leaf) => (leaf.kind === 'synthetic' ? [leaf] : []));
    const frames = Math.max(1, ...synthetic.map(({ burstRatio, burstFrames }) => (burstRatio > 0 ? burstFrames : 1)));
    return {
      items: frames,
      frames,
      periodUs: stream.periodUs,
      jitterUs: Math.ceil(Math.max(0, ...synthetic.map(({ jitterRatio }) => jitterRatio)) * stream.periodUs),
      parentUs: 0,
    };
  }
  const parent = config.pipelines.find(({ id }) => id === input.pipeline);
  if (parent === undefined) return { items: input.itemsMax, frames: 1, periodUs: stream.periodUs, jitterUs: 0, parentUs: 0 };
  const origin = originOf(parent, config);
  return { ...origin, items: origin.items * input.itemsMax, parentUs: parent.stream.deadlineUs };
}

type Order = Pick<AnalysedOrder, 'isBlindToClasses' | 'doesLookAhead'>;

/** Where an order knows no classes, what has no guarantee is as much in the way as everybody else. */
export function loadOf(lanes: readonly Lane[], core: CoreId, order: Order): CoreLoad {
  return loadOfGroup(lanes, [core], order, { isHeldUpByRest: true });
}

/**
 * Cores that gangs tie together, as one core that does everything of all of them one after the other: while a job waits, at least one of them does something
 * that goes before it, or ends what it had begun. The latter may happen anew with every gang that goes before it: that one keeps its cores free while
 * another of them ends a run of somebody less urgent. So a gang counts with the longest such run of whoever shares some of its cores but is not on just the same.
 *
 * @param isHeldUpByRest whether runs without a guarantee hold gangs up so as well, or are themselves held back where that would hurt
 */
export function loadOfGroup(
  lanes: readonly Lane[],
  group: readonly CoreId[],
  { isBlindToClasses, doesLookAhead }: Order,
  { isHeldUpByRest }: { readonly isHeldUpByRest: boolean },
): CoreLoad {
  const here = lanes.filter((lane) => lane.cores.some((core) => group.includes(core)));
  const isHome = (lane: Lane): boolean => group.includes(lane.home);
  const guaranteed = here.filter((lane) => lane.isGuaranteed && isHome(lane));
  const guests = here.filter((lane) => (lane.isGuaranteed ? !isHome(lane) : isBlindToClasses || lane.isOpenEnded === true));
  const rest = isBlindToClasses ? [] : here.filter((lane) => !lane.isGuaranteed && lane.isOpenEnded !== true);
  const inTheWay = isHeldUpByRest ? here : [...guaranteed, ...guests];
  const taskOf = (lane: Lane): CoreTask => lane.taskOn(coreOf(lane, group));
  const rowOf = (lane: Lane): number => lane.rowUsOn(coreOf(lane, group));
  // Each release interrupts one run at most, which then has to fetch what was put away.
  const switchUs = Math.max(0, ...here.map((lane) => lane.switchUsOn(coreOf(lane, group))));
  const withDelays = (lane: Lane): CoreTask => {
    const task = taskOf(lane);
    const heldUpUs =
      lane.width === 1
        ? 0
        : Math.max(0, ...inTheWay.filter((other) => isApart(other, lane)).map((other) => Math.max(taskOf(other).run, rowOf(other))));
    return { ...task, cost: task.cost + switchUs + heldUpUs * Math.round(task.cost / Math.max(1, task.run)) };
  };
  return {
    guaranteed: guaranteed.map(withDelays),
    guests: [...guests.map(withDelays), ...here.flatMap((lane) => overrunOf(lane, coreOf(lane, group)))],
    rest: [...rest.map((lane) => ({ id: lane.pipeline.id, segment: rowOf(lane) })), ...here.flatMap((lane) => spareOf(lane, rowOf(lane)))],
    doesLookAhead,
  };
}

/** At home, or where it comes to in this group. */
const coreOf = (lane: Lane, group: readonly CoreId[]): CoreId =>
  group.includes(lane.home) ? lane.home : (lane.cores.find((core) => group.includes(core)) ?? lane.home);

/** Whether it may run on some of the gang's cores while others of them are free. */
function isApart(other: Lane, gang: Lane): boolean {
  if (other === gang || !other.cores.some((core) => gang.cores.includes(core))) return false;
  const isWhole = (lane: Lane): boolean => lane.width === lane.cores.length;
  const isSame = other.cores.length === gang.cores.length && other.cores.every((core) => gang.cores.includes(core));
  return !(isSame && isWhole(other) && isWhole(gang));
}

/** The cores, those together that gangs tie to each other. */
export function coreGroups(lanes: readonly Lane[], cores: readonly CoreId[]): readonly (readonly CoreId[])[] {
  let groups: readonly (readonly CoreId[])[] = cores.map((core) => [core]);
  for (const lane of lanes) {
    if (lane.width === 1) continue;
    const tied = groups.filter((group) => group.some((core) => lane.cores.includes(core)));
    const first = tied[0];
    if (first === undefined) continue;
    const all = tied.flat().sort((a, b) => a - b);
    groups = groups.flatMap((group) => (group === first ? [all] : tied.includes(group) ? [] : [group]));
  }
  return groups;
}

/** Whom a run of this lane must not hurt: those of higher rank, and those of the same rank whose deadline is shorter. */
export function isMoreUrgent(lanes: readonly Lane[], id: string, lane: Lane): boolean {
  const other = lanes.find(({ pipeline }) => pipeline.id === id);
  if (other === undefined || other === lane) return false;
  const [theirs, mine] = [other.taskOn(other.home), lane.taskOn(lane.home)];
  return theirs.rank < mine.rank || (theirs.rank === mine.rank && theirs.deadline < mine.deadline);
}
