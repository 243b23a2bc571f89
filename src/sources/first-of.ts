import { Observable } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { SourceId } from '../core/frame.ts';
import type { SpawnChild } from './child.ts';
import { findMissing, type Requirement } from './requirement.ts';
import type { Source, SourceEvent } from './source.ts';

/** One of the sources to choose from; built when it is first taken. */
export interface Candidate {
  /** For the message that says what was taken and why not the others. */
  readonly name: string;
  readonly requirements: readonly Requirement[];
  create(): Source;
}

/**
 * The first of several sources whose requirements are met, found anew at each subscription. What it says first, as a `starting` state, is which it took and what
 * the ones before it lack. Once taken, a source is not changed: a camera that is unplugged is waited for. Ends with SOURCE_LOST when none can be taken.
 */
export function createFirstOfSource(
  id: SourceId,
  candidates: readonly Candidate[],
  deps: { readonly clock: Clock; readonly spawn: SpawnChild },
): Source {
  /** Kept, so that sequence numbers go on when the same one is taken again. */
  const created = new Map<Candidate, Source>();
  const events = new Observable<SourceEvent>((subscriber) => {
    const choose = async (): Promise<void> => {
      const refusals: string[] = [];
      for (const candidate of candidates) {
        const missing = await firstMissing(candidate.requirements, deps);
        if (subscriber.closed) return;
        if (missing !== undefined) {
          refusals.push(`not ${candidate.name}: ${missing}`);
          continue;
        }
        subscriber.next({ kind: 'state', state: 'starting', message: [`taking ${candidate.name}`, ...refusals].join('; ') });
        const source = created.get(candidate) ?? candidate.create();
        created.set(candidate, source);
        // The taken source speaks to the same subscriber from here on and stops with it.
        source.events.subscribe(subscriber);
        return;
      }
      throw new CoxswainError('SOURCE_LOST', `no source can be taken: ${refusals.join('; ')}`);
    };
    choose().catch((error: unknown) => {
      const known = error instanceof CoxswainError ? error : new CoxswainError('SOURCE_LOST', messageOf(error), { cause: error });
      subscriber.next({ kind: 'state', state: 'ended', message: known.message, error: known });
      subscriber.complete();
    });
  });
  return { id, events };
}

/** What the first of them that is not met lacks, in words; undefined when all are. */
export async function firstMissing(
  requirements: readonly Requirement[],
  deps: { readonly clock: Clock; readonly spawn: SpawnChild },
): Promise<string | undefined> {
  for (const requirement of requirements) {
    const missing = await findMissing(requirement, deps);
    if (missing !== undefined) return missing;
  }
  return undefined;
}
