import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import type { CoreLoad } from '../scheduler/analysis/core-bound.ts';
import { shortList } from '../scheduler/analysis/rta.ts';
import { factorOfAll, largestFactor } from '../scheduler/analysis/sensitivity.ts';
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
  /** Undefined: all of the group. */
  readonly stream: StreamId | undefined;
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
    const { group, load, isFitting, streams } = one;
    const ofAllCosts: Search = {
      stream: undefined,
      group,
      find: (share) => factorOfAll(load, share),
      keep: (factor) => ofAll.set(one, factor),
    };
    const ofStreams = streams.map(
      (stream): Search => ({
        stream,
        group,
        find: (share) => largestFactor(load, stream, share),
        keep: (factor) => ofStream.set(stream, factor),
      }),
    );
    return isFitting ? ofStreams : [ofAllCosts, ...ofStreams];
  });
  const left = unfinished(unfinished(searches, bound), bound);
  const streams = left.flatMap(({ stream }) => stream ?? []);
  const groups = left.filter(({ stream }) => stream === undefined);
  return {
    ofStream,
    ofAll,
    notComputed: [
      ...(streams.length === 0 ? [] : [`cost x of ${shortList(streams)}`]),
      ...groups.map(({ group }) => `the factor on all costs of ${group.length === 1 ? 'core' : 'cores'} ${group.join(', ')}`),
    ],
  };
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
