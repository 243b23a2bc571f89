import type { Load, Workload } from '../../core/bench-suite.ts';
import { Prng } from '../../core/prng.ts';
import type { SocMode, SocProfile } from '../../core/soc-profile.ts';
import type { StreamId } from '../../core/stream.ts';
import { addUs, type DurationUs, elapsedUs, type InstantUs } from '../../core/units.ts';
import { createStage, type Stage, type StageModel } from '../../runtime/stage.ts';
import type { SchedulerPlan } from '../../scheduler/scheduler.ts';
import { type Answer, startLoad } from '../load/start-load.ts';
import { createTurnLog, type TurnLog, TurnWatch } from './turn-log.ts';

export interface PlayOptions {
  readonly workload: Workload;
  readonly plan: SchedulerPlan;
  readonly models: readonly StageModel[];
  readonly profile: SocProfile;
  readonly mode: SocMode;
  /** Requests are made for so long; what has not ended then is counted as unfinished. */
  readonly spanUs: DurationUs;
  readonly seed: number | string;
}

/** What became of the requests of one load. */
export interface LoadLog {
  readonly load: Load;
  requested: number;
  late: number;
  /** From request to result, in microseconds, of those that gave one, in order of their end. */
  readonly latencies: number[];
  /** Those that gave none, by reason. */
  readonly lost: Map<string, number>;
  /** Only of a language model. */
  readonly turns: TurnLog | undefined;
}

export interface PlayLog {
  readonly spanUs: DurationUs;
  readonly loads: readonly LoadLog[];
  /** Of what the bus could have carried. 0..1 */
  readonly busRatio: number;
  /** Part of the span in which the cores of the plan were taken, on average. 0..1 */
  readonly busyRatio: number;
}

export interface PlayDeps {
  /** Called every few milliseconds with the part that is done, 0..1; may take its time. */
  readonly pause?: (doneRatio: number) => Promise<void>;
}

/** Plays a workload on a simulated chip, its requests made by seed: the same options give the same log. Errors: MODEL_UNLOADABLE. */
export async function playWorkload(options: PlayOptions, deps: PlayDeps = {}): Promise<PlayLog> {
  const { workload, plan, models, profile, mode, spanUs, seed } = options;
  const stage = await createStage({ plan, models, profile, mode, bandwidthRatio: workload.bandwidthRatio, regulation: workload.busBudget });
  const { clock } = stage;
  const startedAt = clock.now();
  const endAt = addUs(startedAt, spanUs);
  const before = stage.figures();
  const logs = beginLoads(workload, stage, { prng: new Prng(seed), until: endAt, models });
  await stage.play(endAt, async () => {
    await deps.pause?.(elapsedUs(startedAt, clock.now()) / spanUs);
    return false;
  });
  for (const { turns } of logs) for (const watch of turns?.open ?? []) watch.close(endAt);
  const after = stage.figures();
  await stage.dispose();
  return { spanUs, loads: logs, ...ratiosOf(before, after, { startedAt, endAt }) };
}

type Figures = ReturnType<Stage['figures']>;

function ratiosOf(before: Figures, after: Figures, { startedAt, endAt }: { readonly startedAt: number; readonly endAt: number }) {
  const busyUs = ({ cores }: Figures, at: number): number => cores.reduce((sum, { busyRatio }) => sum + busyRatio * at, 0);
  const bytes = after.device.chip.busBytes - before.device.chip.busBytes;
  const capacity = after.device.chip.capacityBytes - before.device.chip.capacityBytes;
  return {
    busRatio: capacity > 0 ? bytes / capacity : 0,
    busyRatio: (busyUs(after, endAt) - busyUs(before, startedAt)) / ((endAt - startedAt) * after.cores.length),
  };
}

/** Opens a log for each load and lets its requests begin. */
function beginLoads(
  { loads }: Workload,
  stage: Stage,
  { prng, until, models }: { readonly prng: Prng; readonly until: InstantUs; readonly models: readonly StageModel[] },
): readonly LoadLog[] {
  const listeners = new Map<StreamId, (() => void)[]>(loads.map(({ id }) => [id, []]));
  const chunks = new Map(models.map(({ id, steps }) => [id, 'cuts' in steps ? undefined : steps.chunkTokens]));
  const logs = loads.map((load): LoadLog => {
    const chunkTokens = chunks.get(load.model);
    const turns = chunkTokens === undefined ? undefined : createTurnLog(chunkTokens);
    return { load, requested: 0, late: 0, latencies: [], lost: new Map(), turns };
  });
  for (const log of logs) {
    const { load } = log;
    startLoad(load, {
      clock: stage.clock,
      prng: prng.fork(load.id),
      until,
      request: (onAnswer) => request(stage, log, listeners.get(load.id) ?? [], onAnswer),
      onResult: (id, listener) => void listeners.get(id)?.push(listener),
    });
  }
  return logs;
}

function request(stage: Stage, log: LoadLog, listeners: readonly (() => void)[], onAnswer: (answer: Answer) => void): void {
  const { id, model, deadlineUs, turn } = log.load;
  const requestedAt = stage.clock.now();
  log.requested += 1;
  const watch = turn === undefined || log.turns === undefined ? undefined : new TurnWatch(log.turns, turn.promptTokens, requestedAt);
  const talk = turn === undefined || watch === undefined ? {} : { turn, onSteps: (steps: number, at: InstantUs) => watch.steps(steps, at) };
  stage.request({ stream: id, model, deadlineUs, ...talk }, (outcome, at) => {
    watch?.close(at);
    const hasResult = outcome.kind === 'done' || outcome.kind === 'late';
    if (hasResult) log.latencies.push(elapsedUs(requestedAt, at));
    else log.lost.set(outcome.reason, (log.lost.get(outcome.reason) ?? 0) + 1);
    if (outcome.kind === 'late') log.late += 1;
    onAnswer(hasResult ? 'result' : 'nothing');
    if (hasResult) for (const listener of listeners) listener();
  });
}
