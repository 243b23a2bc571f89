import type { Decision } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import { IdMap } from '../core/id-map.ts';
import type { Job, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Stream, StreamId } from '../core/stream.ts';
import { durationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import { createDurationHistogram, type DurationHistogram } from './histogram.ts';

/** In milliseconds; null while nothing was recorded. */
export interface PaceMs {
  readonly samples: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a stream of turns gave its listeners. */
export interface AnswerFigures {
  /** Turns whose first token came. */
  readonly turns: number;
  readonly tokens: number;
  /** Over the whole run, silence included. */
  readonly tokensPerSecond: number;
  /** From the prompt to the first token (TTFT). */
  readonly firstTokenMs: PaceMs;
  /** From one token to the next, on average over a turn; one sample a turn that has two or more (TPOT). */
  readonly perTokenMs: PaceMs;
}

export interface TurnMeter {
  /** What the scheduler was told and answered. */
  step(event: Event, decisions: readonly Decision[]): void;
  /** When the first token of a job under way came; undefined when none has, and for a job that is no turn. */
  firstTokenAt(job: JobId): InstantUs | undefined;
  /** Undefined for a stream without turns. */
  figures(stream: StreamId, elapsedMs: number): AnswerFigures | undefined;
}

interface Pace {
  readonly histogram: DurationHistogram;
  sumUs: number;
}

interface Account {
  turns: number;
  tokens: number;
  readonly first: Pace;
  readonly next: Pace;
}

interface TurnState {
  readonly account: Account;
  readonly capturedAt: InstantUs;
  /** The last of them gives the first token. */
  readonly chunks: number;
  stepsDone: number;
  granted: number;
  tokens: number;
  firstAt: InstantUs | undefined;
  lastAt: InstantUs | undefined;
}

/**
 * Tokens as their listeners get them: those of a segment come when it ends.
 *
 * @param chunkTokens of each language model: how many tokens of a prompt it reads in one step
 */
export function createTurnMeter(streams: readonly Stream[], chunkTokens: ReadonlyMap<ModelId, number>): TurnMeter {
  const accounts = new Map(streams.filter(({ tokens }) => tokens !== undefined).map(({ id }) => [id, openAccount()]));
  const turns = new IdMap<TurnState>();

  const open = (job: Job): void => {
    const account = job.turn === undefined ? undefined : accounts.get(job.stream);
    if (account === undefined || job.turn === undefined) return;
    const chunks = Math.ceil(job.turn.promptTokens / (chunkTokens.get(job.model) ?? job.turn.promptTokens));
    const begun = { stepsDone: 0, granted: 0, tokens: 0, firstAt: undefined, lastAt: undefined };
    turns.add(job.id, { account, capturedAt: job.capturedAt, chunks, ...begun });
  };

  const advance = (event: Extract<Event, { kind: 'segment-done' }>): void => {
    const turn = turns.get(event.job);
    if (turn === undefined) return;
    turn.stepsDone += event.progress?.steps ?? turn.granted;
    const tokens = turn.stepsDone - turn.chunks + 1;
    if (tokens <= turn.tokens) return;
    const { account } = turn;
    account.tokens += tokens - turn.tokens;
    turn.tokens = tokens;
    turn.lastAt = event.at;
    if (turn.firstAt !== undefined) return;
    turn.firstAt = event.at;
    account.turns += 1;
    record(account.first, elapsedUs(turn.capturedAt, event.at));
  };

  const close = (job: JobId): void => {
    const turn = turns.remove(job);
    if (turn === undefined) return;
    const { firstAt, lastAt, tokens, account } = turn;
    if (firstAt !== undefined && lastAt !== undefined && tokens > 1) record(account.next, elapsedUs(firstAt, lastAt) / (tokens - 1));
  };

  return {
    step(event, decisions) {
      if (accounts.size === 0) return;
      if (event.kind === 'arrived') open(event.job);
      else if (event.kind === 'segment-done') advance(event);
      for (const decision of decisions) {
        if (decision.kind === 'end') close(decision.job);
        else if (decision.kind === 'start') began(turns.get(decision.job), decision);
      }
    },
    firstTokenAt: (job) => turns.get(job)?.firstAt,
    figures(stream, elapsedMs) {
      const account = accounts.get(stream);
      if (account === undefined) return undefined;
      const { turns: count, tokens, first, next } = account;
      const tokensPerSecond = elapsedMs > 0 ? Number(((tokens * 1000) / elapsedMs).toPrecision(6)) : 0;
      return { turns: count, tokens, tokensPerSecond, firstTokenMs: paceMsOf(first), perTokenMs: paceMsOf(next) };
    },
  };
}

/** One that begins anew lost what it had read. */
function began(turn: TurnState | undefined, { segment = { from: 0, steps: 1 } }: Extract<Decision, { kind: 'start' }>): void {
  if (turn === undefined) return;
  turn.stepsDone = segment.from;
  turn.granted = segment.steps;
}

const openAccount = (): Account => ({ turns: 0, tokens: 0, first: openPace(), next: openPace() });

const openPace = (): Pace => ({ histogram: createDurationHistogram(), sumUs: 0 });

function record(pace: Pace, us: number): void {
  pace.histogram.record(durationUs(us));
  pace.sumUs += us;
}

function paceMsOf({ histogram, sumUs }: Pace): PaceMs {
  const { samples } = histogram;
  const ms = (us: number | null): number | null => (us === null ? null : us / 1000);
  return {
    samples,
    mean: samples === 0 ? null : Number((sumUs / samples / 1000).toPrecision(6)),
    p50: ms(histogram.percentileUs(0.5)),
    p99: ms(histogram.percentileUs(0.99)),
    max: ms(histogram.maxUs()),
  };
}
