import { map, merge, Observable, takeWhile } from 'rxjs';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { LeafSource, SourceConfig } from '../config/source-config.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Payload, SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import type { Region } from '../core/region.ts';
import type { SimClock } from '../core/sim-clock.ts';
import { addUs, durationUs, type InstantUs } from '../core/units.ts';
import { createEdgeGuard } from '../sources/edge-guard.ts';
import type { Source, SourceEvent } from '../sources/source.ts';
import { createSyntheticSource, SYNTHETIC_DEFAULTS } from '../sources/synthetic.ts';
import { createTurnsSource } from '../sources/turns.ts';
import { createWordsSource } from '../sources/words.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AssembledPipeline } from './assemble.ts';
import type { FrameFeed } from './frame-feed.ts';
import { takeIn } from './intake.ts';
import { turnsOptions, wordsOptions } from './source-options.ts';

export interface SimulatedSourceDeps {
  readonly clock: SimClock;
  readonly prng: Prng;
  readonly telemetry: Telemetry;
  /** What frames show; undefined: nothing. */
  readonly content: SimulatedContent | undefined;
}

export interface SimulatedContent {
  /** None for a source whose frames nobody looks at. */
  readonly feeds: ReadonlyMap<SourceId, FrameFeed>;
  readonly release: (region: Region) => void;
}

/** No payload is larger than an RGB frame of 8K. */
const FRAME_BYTES_MAX = 7680 * 4320 * 3;

/**
 * Frames at each source's rate, without content unless there is some to show: no camera or microphone is opened. Each source begins somewhere in its first period, as the
 * seed says, so that different seeds meet in different phases; of alternatives the rate is the first one's.
 */
export function simulateSources(
  config: RuntimeConfig,
  pipelines: readonly AssembledPipeline[],
  { clock, prng, telemetry, content }: SimulatedSourceDeps,
): Observable<never> {
  const readersOf = new Map<string, AssembledPipeline[]>(config.sources.map(({ id }) => [id, []]));
  for (const pipeline of pipelines) {
    const { input } = pipeline.config;
    if (input.kind === 'source') readersOf.get(input.source)?.push(pipeline);
  }
  const clocks = { clock, posting: new PostingClock(clock) };
  const intakes = config.sources.flatMap((section) => {
    const readers = readersOf.get(section.id) ?? [];
    if (readers.length === 0) return [];
    const timed = createSimulatedSource(section, clocks, prng);
    const feed = content?.feeds.get(section.id);
    const source =
      feed === undefined
        ? timed
        : {
            id: timed.id,
            events: timed.events.pipe(
              map((event) => filled(event, feed)),
              takeWhile(isOn, true),
            ),
          };
    const release = content?.release ?? (() => undefined);
    const staleAfterUs = durationUs(Math.max(...readers.map(({ config: { staleAfterUs: us } }) => us)));
    const guard = createEdgeGuard({ staleAfterUs, bytesMax: FRAME_BYTES_MAX }, { clock, memory: { release } });
    return [takeIn(source, { guard, readers: readers.map(({ pipeline }) => pipeline), telemetry, release })];
  });
  return merge(...intakes);
}

function filled(event: SourceEvent, feed: FrameFeed): SourceEvent {
  if (event.kind !== 'frame') return event;
  const shown = feed.next();
  if (shown === undefined) return { kind: 'state', state: 'ended', message: 'the recording is over' };
  return shown.kind === 'rejected' ? shown : { ...event, frame: { ...event.frame, payload: shown } };
}

const isOn = (event: SourceEvent): boolean => event.kind !== 'state' || event.state !== 'ended';

interface Clocks {
  readonly clock: Clock;
  readonly posting: Clock;
}

function createSimulatedSource(section: SourceConfig, { clock, posting }: Clocks, prng: Prng): Source {
  const leaf: LeafSource | undefined = section.kind === 'first-of' ? section.sources[0] : section;
  const { id } = section;
  if (leaf?.kind === 'turns') {
    const turns = createTurnsSource(turnsOptions(id, leaf), { clock, prng });
    // What has no memory has no phase either.
    return leaf.arrivals === 'poisson' ? turns : withPhase(turns, leaf.periodUs, clock, prng);
  }
  if (leaf?.kind === 'words') return createWordsSource(wordsOptions(id, leaf), { clock });
  const periodUs = leaf?.periodUs ?? 1e6;
  const rate = leaf?.kind === 'synthetic' ? rateOf(leaf) : { ...SYNTHETIC_DEFAULTS, fps: 1e6 / periodUs };
  return withPhase(
    createSyntheticSource({ kind: 'synthetic', id, ...rate, payload: payloadOf(leaf) }, { clock: posting, prng }),
    periodUs,
    clock,
    prng,
  );
}

/**
 * For sources that look whether somebody still listens when their time has come: they end with the simulation, so nobody has to cancel. The timers of ten thousand of
 * them would all outlive the young generation of the garbage collector.
 */
class PostingClock implements Clock {
  readonly #clock: SimClock;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  now(): InstantUs {
    return this.#clock.now();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  at(instant: InstantUs, task: () => void): Timer {
    this.#clock.post(instant, task);
    return NO_TIMER;
  }
}

const NO_TIMER: Timer = { cancel: () => undefined };

/** Begins somewhere in its first period. */
function withPhase(inner: Source, periodUs: number, clock: Clock, prng: Prng): Source {
  const { id } = inner;
  const phaseUs = durationUs(prng.fork(`phase/${id}`).integer(0, Math.max(0, Math.floor(periodUs) - 1)));
  const events = new Observable<SourceEvent>((subscriber) => {
    const timer = clock.at(addUs(clock.now(), phaseUs), () => subscriber.add(inner.events.subscribe(subscriber)));
    return () => timer.cancel();
  });
  return { id, events };
}

function rateOf({ fps, jitterRatio, burstRatio, burstFrames, framesMax }: Extract<LeafSource, { kind: 'synthetic' }>) {
  return { fps, jitterRatio, burstRatio, burstFrames, ...(framesMax === undefined ? {} : { framesMax }) };
}

/** Silence for sound; a picture needs no pixels, since nobody encodes it. */
const payloadOf = (leaf: LeafSource | undefined): Payload =>
  leaf?.medium === 'audio' ? { kind: 'audio', samples: new Float32Array(leaf.windowSamples) } : { kind: 'empty' };
