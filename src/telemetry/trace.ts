import type { Decision } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import type { CoreId, Job, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { StreamId } from '../core/stream.ts';
import type { InstantUs } from '../core/units.ts';

export interface TraceOptions {
  /** For people: what was run on what. */
  readonly title: string;
  readonly cores: readonly CoreId[];
  readonly streams: readonly StreamId[];
  /** Of each language model that is asked in turns: how many tokens of a prompt it reads in one step. */
  readonly chunkTokens?: ReadonlyMap<ModelId, number>;
  /** Further entries are left out and counted; about 150 bytes each. */
  readonly entriesMax?: number;
}

/**
 * A run as Chrome trace JSON (Trace Event Format, 2016), which Perfetto and chrome://tracing open: a row per core with what it ran, a row per stream with its
 * frames, arrows from frame to core, and counters. Instants are microseconds of the run's clock.
 */
export interface Trace {
  /** What the scheduler was told and answered. */
  step(event: Event, decisions: readonly Decision[]): void;
  /** A figure that holds from `at` on; drawn as its mean over each millisecond. `unit` is part of its name. */
  counter(name: string, at: InstantUs, value: number): void;
  /** The whole document. */
  text(): string;
}

const ENTRIES_MAX = 1_000_000;
const COUNTER_BIN_US = 1_000;
const SOC = 1;
const STREAMS = 2;

export function createTrace(options: TraceOptions): Trace {
  return new TraceWriter(options);
}

interface Counter {
  binAt: number;
  at: number;
  value: number;
  sum: number;
  drawn: number;
}

interface Running {
  readonly job: JobId;
  readonly cores: readonly CoreId[];
  readonly at: InstantUs;
  /** The first step. */
  readonly from: number;
}

class TraceWriter implements Trace {
  readonly #options: TraceOptions;
  readonly #entries: string[] = [];
  readonly #jobs = new Map<JobId, Job>();
  readonly #running = new Map<CoreId, Running>();
  readonly #counters = new Map<string, Counter>();
  readonly #rows: ReadonlyMap<StreamId, number>;
  #leftOut = 0;

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#rows = new Map(options.streams.map((id, row) => [id, row]));
    this.#name('process_name', SOC, 0, 'cores');
    for (const core of options.cores) this.#name('thread_name', SOC, core, `core ${core}`);
    this.#name('process_name', STREAMS, 0, 'streams');
    for (const [id, row] of this.#rows) this.#name('thread_name', STREAMS, row, id);
  }

  step(event: Event, decisions: readonly Decision[]): void {
    if (event.kind === 'arrived') this.#arrived(event.job, event.at);
    if (event.kind === 'segment-done') this.#left(event.core, event.at, event.kind, event.progress?.steps);
    if (event.kind === 'segment-failed') this.#left(event.core, event.at, event.kind);
    if (event.kind === 'core-lost') {
      this.#left(event.core, event.at, event.reason);
      this.#add({ ph: 'i', s: 't', pid: SOC, tid: event.core, ts: event.at, name: event.reason });
    }
    for (const decision of decisions) {
      if (decision.kind === 'start') this.#started(decision, event.at);
      if (decision.kind === 'end') this.#ended(decision.job, decision.outcome, event.at);
    }
  }

  counter(name: string, at: InstantUs, value: number): void {
    const counter = this.#counters.get(name);
    if (counter === undefined) {
      this.#counters.set(name, { binAt: at, at, value, sum: 0, drawn: Number.NaN });
      return;
    }
    this.#play(name, counter, at);
    counter.value = value;
  }

  text(): string {
    const { title } = this.#options;
    const other = { title, entriesLeftOut: this.#leftOut };
    return `{"displayTimeUnit":"ms","otherData":${JSON.stringify(other)},"traceEvents":[\n${this.#entries.join(',\n')}\n]}\n`;
  }

  #arrived(job: Job, at: InstantUs): void {
    const tid = this.#rows.get(job.stream) ?? 0;
    this.#jobs.set(job.id, job);
    this.#add({ ph: 'b', cat: 'job', id: job.id, pid: STREAMS, tid, ts: job.capturedAt, name: job.stream });
    this.#add({ ph: 'X', pid: STREAMS, tid, ts: at, dur: 1, name: `frame ${job.id}` });
    this.#add({ ph: 's', cat: 'frame', id: job.id, pid: STREAMS, tid, ts: at, name: 'frame' });
  }

  #started({ core, others = [], job, segment }: Extract<Decision, { readonly kind: 'start' }>, at: InstantUs): void {
    const run: Running = { job, cores: [core, ...others], at, from: segment?.from ?? 0 };
    for (const one of run.cores) this.#running.set(one, run);
  }

  #left(core: CoreId, at: InstantUs, how: string, steps = 1): void {
    const run = this.#running.get(core);
    const job = run === undefined ? undefined : this.#jobs.get(run.job);
    if (run === undefined || job === undefined) return;
    const part = this.#partOf(job, run.from, steps);
    const args = { job: job.id, model: job.model, ...part?.args, ...(how === 'segment-done' ? {} : { how }) };
    const name = part === undefined ? job.stream : `${job.stream} ${part.name}`;
    for (const tid of run.cores) {
      this.#running.delete(tid);
      this.#add({ ph: 'X', pid: SOC, tid, ts: run.at, dur: at - run.at, name, args });
    }
    this.#add({ ph: 'f', bp: 'e', cat: 'frame', id: job.id, pid: SOC, tid: run.cores[0] ?? core, ts: run.at, name: 'frame' });
  }

  /** What a segment of a turn did: read some of the prompt, or gave some of the answer. */
  #partOf(
    { model, turn }: Job,
    from: number,
    steps: number,
  ): { readonly name: string; readonly args: { readonly tokens: number } } | undefined {
    const chunkTokens = this.#options.chunkTokens?.get(model);
    if (turn === undefined || chunkTokens === undefined) return undefined;
    const left = turn.promptTokens - from * chunkTokens;
    if (left <= 0) return { name: 'answers', args: { tokens: steps } };
    return { name: 'reads', args: { tokens: Math.min(left, steps * chunkTokens) } };
  }

  #ended(id: JobId, outcome: { readonly kind: string; readonly reason?: string }, at: InstantUs): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#jobs.delete(id);
    const tid = this.#rows.get(job.stream) ?? 0;
    const how = outcome.reason === undefined ? outcome.kind : `${outcome.kind}: ${outcome.reason}`;
    this.#add({ ph: 'e', cat: 'job', id, pid: STREAMS, tid, ts: at, name: job.stream, args: { outcome: how } });
    if (outcome.kind !== 'done') this.#add({ ph: 'i', s: 't', pid: STREAMS, tid, ts: at, name: how });
  }

  /** Draws every bin that is over by `at`; equal neighbours once. */
  #play(name: string, counter: Counter, at: number): void {
    while (counter.binAt + COUNTER_BIN_US <= at) {
      const binEnd = counter.binAt + COUNTER_BIN_US;
      const mean = (counter.sum + counter.value * (binEnd - counter.at)) / COUNTER_BIN_US;
      if (mean !== counter.drawn) this.#add({ ph: 'C', pid: SOC, ts: counter.binAt, name, args: { value: Number(mean.toPrecision(6)) } });
      counter.drawn = mean;
      counter.sum = 0;
      // A figure that stands still needs no bin after its first.
      const still = Math.floor((at - binEnd) / COUNTER_BIN_US);
      counter.binAt = mean === counter.value ? binEnd + Math.max(0, still) * COUNTER_BIN_US : binEnd;
      counter.at = counter.binAt;
    }
    counter.sum += counter.value * (at - counter.at);
    counter.at = at;
  }

  #name(kind: string, pid: number, tid: number, name: string): void {
    this.#add({ ph: 'M', pid, tid, name: kind, args: { name } });
    if (kind === 'thread_name') this.#add({ ph: 'M', pid, tid, name: 'thread_sort_index', args: { sort_index: tid } });
  }

  #add(entry: object): void {
    if (this.#entries.length >= (this.#options.entriesMax ?? ENTRIES_MAX)) this.#leftOut += 1;
    else this.#entries.push(JSON.stringify(entry));
  }
}
