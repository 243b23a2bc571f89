import type { Observable, Subscription } from 'rxjs';
import type { Result, ResultItem } from '../core/result.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';

/** More items than this on one line help nobody. */
const ITEMS_SHOWN_MAX = 8;

/** Prints one line for each result that found something. `print` escapes what comes from outside. */
export function printResults(results: Observable<Result>, print: (line: string) => void): Subscription {
  return results.subscribe((result) => {
    const found = result.items.filter((item) => item.kind !== 'speech');
    if (found.length === 0) return;
    const shown = found.slice(0, ITEMS_SHOWN_MAX).map(describe);
    if (found.length > ITEMS_SHOWN_MAX) shown.push(`and ${found.length - ITEMS_SHOWN_MAX} more`);
    const age = `${msFromDuration(result.ageUs).toFixed(0)} ms${result.isLate ? ', late' : ''}`;
    print(`${result.pipeline} ${result.source}#${result.sequence} (${age}): ${shown.join(', ')}`);
  });
}

function describe(item: ResultItem): string {
  switch (item.kind) {
    case 'text':
      return `"${item.text}" ${item.score.toFixed(2)}`;
    case 'utterance':
      return `utterance of ${(msFromDuration(elapsedUs(item.startsAt, item.endsAt)) / 1000).toFixed(2)} s`;
    default:
      return `${item.label} ${item.score.toFixed(2)}`;
  }
}
