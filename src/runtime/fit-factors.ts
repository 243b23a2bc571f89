import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import type { CoreLoad } from '../scheduler/analysis/core-bound.ts';
import { shortList } from '../scheduler/analysis/rta.ts';
import { alikeKey, factorOfAll, largestFactor } from '../scheduler/analysis/sensitivity.ts';
import { WorkBound } from '../scheduler/analysis/work-bound.ts';

/** A second or so of one slow core for all factors together. */
const SENSITIVITY_TERMS_MAX = 50_000_000;

/** Cores that are analysed as one. */
export interface FactorsAsked {
  readonly group: readonly CoreId[];
  readonly load: CoreLoad;
  readonly isFitting: boolean;
  /** Those of which the factor is of interest. */
  readonly streams: readonly StreamId[];
}

/** Factors by stream, and on all costs of the group where it does not fit; what is absent was not computed. */
export interface FactorsFound {
  readonly ofStream: ReadonlyMap<StreamId, number | null>;
  readonly ofAll: ReadonlyMap<FactorsAsked, number | null>;
  /** For people, what is absent. */
  readonly notComputed: readonly string[];
}

interface Search {
  /** Those of which it is the factor, alike but for their names; none: all of the group together. */
  readonly streams: readonly StreamId[];
  readonly group: readonly CoreId[];
  readonly find: (share: WorkBound) => number | null;
  readonly keep: (factor: number | null) => void;
}

/** Everyone has an equal share of the work, and what they leave of it is shared once more by those that it was not enough for. */
export function findFactors(asked: readonly FactorsAsked[], termsMax = SENSITIVITY_TERMS_MAX): FactorsFound {
  const ofStream = new Map<StreamId, number | null>();
  const ofAll = new Map<FactorsAsked, number | null>();
  const bound = new WorkBound(termsMax);
  const searches = asked.flatMap((one): Search[] => {
    const { group, load, isFitting } = one;
    const ofStreams = alike(one).map(
      ([first, ...others]): Search => ({
        streams: [first, ...others],
        group,
        find: (share) => largestFactor(load, first, share),
        keep: (factor) => {
          for (const id of [first, ...others]) ofStream.set(id, factor);
        },
      }),
    );
    const keep = (factor: number | null): void => void ofAll.set(one, factor);
    return isFitting ? ofStreams : [{ streams: [], group, find: (share) => factorOfAll(load, share), keep }, ...ofStreams];
  });
  const left = unfinished(unfinished(searches, bound), bound);
  const missing = new Set(left.flatMap(({ streams }) => streams));
  const streams = asked.flatMap((one) => one.streams.filter((id) => missing.has(id)));
  const groups = left.filter((search) => search.streams.length === 0);
  return {
    ofStream,
    ofAll,
    notComputed: [
      ...(streams.length === 0 ? [] : [`cost x of ${shortList(streams)}`]),
      ...groups.map(({ group }) => `the factor on all costs of ${group.length === 1 ? 'core' : 'cores'} ${group.join(', ')}`),
    ],
  };
}

/** Streams that have the same factor, together. */
function alike({ load, streams }: FactorsAsked): (readonly [StreamId, ...StreamId[]])[] {
  const byKey = new Map<string, [StreamId, ...StreamId[]]>();
  for (const task of load.guaranteed) {
    if (!streams.includes(task.id)) continue;
    const key = alikeKey(load, task);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [task.id]);
    else known.push(task.id);
  }
  return [...byKey.values()];
}

/** Those whose share was not enough. */
function unfinished(searches: readonly Search[], bound: WorkBound): readonly Search[] {
  return searches.filter(({ find, keep }, index) => {
    const share = bound.shareOf(searches.length - index);
    const factor = find(share);
    if (!share.isSpent) keep(factor);
    return share.isSpent;
  });
}
