import { assertNever } from '../../core/assert.ts';
import type { Load } from '../../core/bench-suite.ts';
import { after, type Clock } from '../../core/clock.ts';
import type { Prng } from '../../core/prng.ts';
import { addUs, type DurationUs, durationUs, type InstantUs, instantUs } from '../../core/units.ts';
import { createArrivals, type OpenPattern } from './arrivals.ts';

/** How a request ended, as far as whoever made it can tell. */
export type Answer = 'result' | 'nothing';

export interface LoadDeps {
  readonly clock: Clock;
  readonly prng: Prng;
  /** No request is made at or after this instant. */
  readonly until: InstantUs;
  /** Makes one request now; `onAnswer` is called once, when it has ended, maybe inside the call. */
  readonly request: (onAnswer: (answer: Answer) => void) => void;
  /** Calls `listener` at every result of another load, until the end. */
  readonly onResult: (load: string, listener: () => void) => void;
}

/** A client that was turned away does not ask again in the same instant, or time would stand still. */
const RETRY_US = durationUs(1_000);

/** Makes the requests of one load as its pattern says, from now on. */
export function startLoad({ pattern }: Pick<Load, 'pattern'>, deps: LoadDeps): void {
  switch (pattern.kind) {
    case 'uniform':
    case 'poisson':
    case 'trace':
      return startOpen(pattern, deps);
    case 'closed-loop':
      for (let client = 0; client < pattern.clients; client += 1) ask(pattern.thinkUs, deps);
      return;
    case 'dependent':
      return deps.onResult(pattern.after, () => later(pattern.delayUs, deps, () => deps.request(() => undefined)));
    default:
      return assertNever(pattern);
  }
}

function startOpen(pattern: OpenPattern, { clock, prng, until, request }: LoadDeps): void {
  const startedAt = clock.now();
  const next = createArrivals(pattern, prng);
  const arm = (): void => {
    const offsetUs = next();
    if (offsetUs === undefined || startedAt + offsetUs >= until) return;
    clock.at(instantUs(startedAt + offsetUs), () => {
      request(() => undefined);
      arm();
    });
  };
  arm();
}

function ask(thinkUs: DurationUs, deps: LoadDeps): void {
  deps.request((answer) => {
    const waitUs = answer === 'result' ? thinkUs : durationUs(Math.max(thinkUs, RETRY_US));
    later(waitUs, deps, () => ask(thinkUs, deps));
  });
}

/** Not when that is past the end. */
function later(waitUs: DurationUs, { clock, until }: LoadDeps, task: () => void): void {
  if (addUs(clock.now(), waitUs) < until) after(clock, waitUs, task);
}
