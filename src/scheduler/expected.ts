import type { CoreState, StreamState } from './state.ts';
import { WaitingList } from './waiting-list.ts';

/** Up to so many streams at home on a core, looking at all of them costs less than keeping them in order. */
const UNORDERED_MAX = 32;

/**
 * The streams at home on a core, those of a class in the order of when their next job is due at the earliest, so that whoever asks for the most urgent few does not
 * have to look at ten thousand. A key may lie too early, since time passes and releases fail to come; whoever meets such a stream puts it right. To be called when the
 * streams at home on the core are known.
 */
export function orderExpected(core: CoreState): void {
  core.expected = undefined;
  if (core.homeStreams.length <= UNORDERED_MAX) return;
  const ranks = core.homeStreams.reduce((most, { rank }) => Math.max(most, rank), 0) + 1;
  const lists = Array.from({ length: ranks }, () => new WaitingList<StreamState>(isDueFirst, false));
  for (const stream of core.homeStreams) {
    lists[stream.rank]?.insert(stream);
    stream.expectedOn.push(core);
  }
  core.expected = lists;
}

/** To be called when more is known of when the next job of the stream is due: from now on it stands where that is. */
export function noteExpected(stream: StreamState): void {
  if (stream.expectedOn.length > 0) moveExpected(stream, stream.releases.captureFrom + stream.stream.deadlineUs - stream.tail.highUs);
}

export function moveExpected(stream: StreamState, dueFrom: number): void {
  if (dueFrom === stream.dueFrom) return;
  for (const { expected } of stream.expectedOn) expected?.[stream.rank]?.remove(stream);
  stream.dueFrom = dueFrom;
  for (const { expected } of stream.expectedOn) expected?.[stream.rank]?.insert(stream);
}

const isDueFirst = (a: StreamState, b: StreamState): boolean => a.dueFrom < b.dueFrom || (a.dueFrom === b.dueFrom && a.index < b.index);
