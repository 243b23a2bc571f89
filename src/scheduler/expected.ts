import type { InstantUs } from '../core/units.ts';
import { Arrivals } from './arrivals.ts';
import { DueList } from './due-list.ts';
import type { CoreState, StreamState } from './state.ts';

/** Up to so many streams at home on a core, looking at all of them costs less than keeping them in order. */
const UNORDERED_MAX = 32;

/**
 * What is expected on a core: when the streams at home there are likely to come, and, where they are many, those of a class in the order of when their next job is
 * due at the earliest, so that whoever asks for the most urgent few does not have to look at ten thousand. An instant may lie too early, since time passes and
 * releases fail to come; whoever meets such a stream in the order puts it right. To be called when the streams at home on the core are known.
 */
export function expectHere(core: CoreState): void {
  const { homeStreams } = core;
  core.arrivals = new Arrivals(homeStreams.length);
  core.expected = homeStreams.length > UNORDERED_MAX ? createOrder(homeStreams) : undefined;
  for (const [place, { releases }] of homeStreams.entries()) core.arrivals.set(place, releases.arrivalFrom);
}

function createOrder(streams: readonly StreamState[]): DueList[] {
  const ranks = streams.reduce((most, { rank }) => Math.max(most, rank), 0) + 1;
  const lists = Array.from({ length: ranks }, () => new DueList());
  for (const [place, { rank, dueFrom }] of streams.entries()) lists[rank]?.insert(place, dueFrom);
  return lists;
}

/** To be called when a job of the stream came. */
export function noteRelease(stream: StreamState): void {
  for (const { core, place } of stream.homes) core.arrivals.set(place, stream.releases.arrivalFrom);
  noteDue(stream);
}

/** To be called when more is known of when the next job of the stream is due: from now on it stands where that is. */
export function noteDue(stream: StreamState): void {
  if (isInOrder(stream)) moveExpected(stream, stream.releases.captureFrom + stream.stream.deadlineUs - stream.tail.highUs);
}

/** The stream that stands there in the order; undefined when it stood too early, and has been moved to where it belongs now. */
export function expectedAt(now: InstantUs, core: CoreState, order: DueList, index: number): StreamState | undefined {
  const stream = core.homeStreams[order.placeAt(index)] as StreamState;
  const { releases } = stream;
  const dueAt = releases.predict(now) ? releases.captureAt + stream.stream.deadlineUs - stream.tail.highUs : Number.POSITIVE_INFINITY;
  if (dueAt <= order.dueAt(index)) return stream;
  moveExpected(stream, dueAt);
  return undefined;
}

function isInOrder({ homes }: StreamState): boolean {
  for (const { core } of homes) if (core.expected !== undefined) return true;
  return false;
}

function moveExpected(stream: StreamState, dueFrom: number): void {
  if (dueFrom === stream.dueFrom) return;
  for (const { core, place } of stream.homes) {
    const list = core.expected?.[stream.rank];
    list?.remove(place, stream.dueFrom);
    list?.insert(place, dueFrom);
  }
  stream.dueFrom = dueFrom;
}
