import { typicalUsOn } from '../cost-of.ts';
import { isOrphan, isReady, readyAtUs } from '../precedence.ts';
import { type CoreState, canServe, isSpared, type JobState, type SchedulerState, type StreamState } from '../state.ts';
import { typicalRunUs } from '../steps.ts';
import { valueOn } from './job-value.ts';

/** A job that waits, or one that is expected. */
export interface Frame {
  readonly capturedAt: number;
  readonly arrivesAt: number;
  readonly deadlineAt: number;
  /** Only of a job that waits. */
  readonly job: JobState | undefined;
  /** When what it needs is there, if that is known; NaN: when frame `before` of the stream before it ends, as played out. */
  readonly readyAt: number;
  readonly before: number;
}

/** One stream as far as it can be seen. */
export interface Prospect {
  readonly stream: StreamState;
  /** In order of capture. */
  readonly frames: readonly Frame[];
  /** By core, as in the outlook; infinite where it cannot run. */
  readonly costsUs: readonly number[];
  readonly leastCostUs: number;
  readonly values: readonly number[];
  /** From the end of its run to its result. */
  readonly tailUs: number;
  /** Of those that need its results. */
  readonly followersUs: number;
  /** The prospect that it needs the results of, by place in the outlook; -1: none. */
  readonly after: number;
}

/** What is known now about the next while: a model of the machine small enough to be played through many times. */
export interface Outlook {
  readonly now: number;
  readonly endsAt: number;
  readonly cores: readonly CoreState[];
  readonly freeAt: readonly number[];
  readonly prospects: readonly Prospect[];
}

/** Three to six periods of a camera: shorter, and a long job looks free; longer, and nothing more is gained on the XRBench cells, at twice the time. */
const HORIZON_US = 100_000;
/** Of a stream with more than that ahead, the rest is not played; it bounds the time of a decision. */
const FRAMES_MAX = 64;

/** A core that takes a job is not idle at the same instant again. */
const COST_MIN_US = 1;

export function outlookOf(state: SchedulerState): Outlook {
  const { now } = state;
  const endsAt = now + HORIZON_US;
  const cores = state.cores.filter((core) => core.isUp);
  const freeAt = cores.map((core) => freeAtUs(now, core));
  const byStream = new Map<StreamState, { readonly place: number; readonly frames: readonly Frame[] }>();
  const prospects: Prospect[] = [];
  for (const stream of inOrderOfNeed(state)) {
    const before = stream.after === undefined ? undefined : byStream.get(stream.after);
    const frames = framesOf(state, stream, endsAt, before?.frames);
    byStream.set(stream, { place: prospects.length, frames });
    const costsUs = cores.map((core) =>
      canServe(core, stream.stream.model) && !isSpared(core, stream.model)
        ? Math.max(COST_MIN_US, typicalUsOn(stream.model, core))
        : Number.POSITIVE_INFINITY,
    );
    prospects.push({
      stream,
      frames,
      costsUs,
      leastCostUs: Math.min(...costsUs),
      values: cores.map((core) => valueOn(state, stream, core)),
      tailUs: stream.tail.typicalUs,
      followersUs: 0,
      after: before?.place ?? -1,
    });
  }
  return {
    now,
    endsAt,
    cores,
    freeAt,
    prospects: prospects.map((prospect, place) => ({ ...prospect, followersUs: followersUs(prospects, place) })),
  };
}

/** A stream stands behind the one that it needs. */
function inOrderOfNeed(state: SchedulerState): StreamState[] {
  const depth = (stream: StreamState): number => (stream.after === undefined ? 0 : 1 + depth(stream.after));
  return [...state.streams.values()].sort((a, b) => depth(a) - depth(b) || a.index - b.index);
}

function followersUs(prospects: readonly Prospect[], place: number): number {
  let mostUs = 0;
  prospects.forEach((prospect, index) => {
    if (prospect.after === place) mostUs = Math.max(mostUs, prospect.leastCostUs + followersUs(prospects, index));
  });
  return mostUs;
}

function freeAtUs(now: number, core: CoreState): number {
  const { running } = core;
  // One that runs longer than expected is still not free.
  return running === undefined ? now : Math.max(now + 1, running.startedAt + typicalRunUs(core));
}

function framesOf(state: SchedulerState, stream: StreamState, endsAt: number, before: readonly Frame[] | undefined): Frame[] {
  const { now } = state;
  const frames: Frame[] = [];
  for (const job of stream.waiting.slice(0, FRAMES_MAX)) {
    const { capturedAt } = job.job;
    const place = before?.findIndex((frame) => frame.capturedAt === capturedAt) ?? -1;
    const readyAt = isReady(state, job)
      ? now
      : isOrphan(state, job)
        ? Number.POSITIVE_INFINITY
        : place >= 0
          ? Number.NaN
          : readyAtUs(state, job);
    frames.push({ capturedAt, arrivesAt: now, deadlineAt: job.deadlineAt, job, readyAt, before: place });
  }
  if (!stream.releases.predict(state.now)) return frames;
  const { captureAt, arrivalAt, intervalUs } = stream.releases;
  for (let count = 0; frames.length < FRAMES_MAX; count += 1) {
    const capturedAt = captureAt + count * intervalUs;
    // What has not come is not here, however late it is.
    const arrivesAt = Math.max(now + 1, arrivalAt + count * intervalUs);
    if (arrivesAt >= endsAt) break;
    const place = before?.findIndex((frame) => Math.abs(frame.capturedAt - capturedAt) < intervalUs / 2) ?? -1;
    const readyAt = before === undefined || place < 0 ? arrivesAt : Number.NaN;
    frames.push({ capturedAt, arrivesAt, deadlineAt: capturedAt + stream.stream.deadlineUs, job: undefined, readyAt, before: place });
  }
  return frames;
}
