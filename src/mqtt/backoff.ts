import type { Prng } from '../core/prng.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import type { SessionEndReason } from './session.ts';

/** Delays double from `baseUs` to `maxUs`. */
export interface BackoffPolicy {
  readonly baseUs: DurationUs;
  readonly maxUs: DurationUs;
}

/**
 * The delay before the next attempt after `failures` (0, 1, ...) earlier ones: base x 2^failures, capped, of which the upper half is drawn at random,
 * so that a fleet does not come back in step after its broker restarted, and no delay is ever below half of the wanted one.
 */
export function retryDelayUs(policy: BackoffPolicy, failures: number, prng: Prng): DurationUs {
  const ceilingUs = Math.min(policy.maxUs, policy.baseUs * 2 ** Math.min(failures, 40));
  return durationUs(Math.ceil(ceilingUs / 2 + (prng.ratio() * ceilingUs) / 2));
}

export interface RetryPolicies {
  /** A connection that lasted this long, and four times its last delay, makes earlier failures forgotten. */
  readonly stableUs: DurationUs;
  readonly retry: BackoffPolicy;
  /** After a refusal for who we are: trying often helps nobody and may lock the account. */
  readonly retryAuth: BackoffPolicy;
  /** After a takeover: two nodes with one client id must not fight. */
  readonly retryTakenOver: BackoffPolicy;
}

/** When to try again. */
export class RetryPlan {
  readonly #policies: RetryPolicies;
  readonly #prng: Prng;
  #failures = 0;
  #lastDelayUs = durationUs(0);

  constructor(policies: RetryPolicies, prng: Prng) {
    this.#policies = policies;
    this.#prng = prng;
  }

  /** Sessions and attempts that ended since the last stable connection. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * The delay after a session that was connected for `connectedUs` (0 for an attempt that failed). Two nodes with one client id each live as long as
   * the other waits; asking a connection to outlast four delays tells that apart from peace.
   */
  nextDelayUs(reason: SessionEndReason, connectedUs: DurationUs): DurationUs {
    if (connectedUs >= Math.max(this.#policies.stableUs, 4 * this.#lastDelayUs)) this.#failures = 0;
    this.#lastDelayUs = retryDelayUs(this.#policyFor(reason), this.#failures, this.#prng);
    this.#failures += 1;
    return this.#lastDelayUs;
  }

  #policyFor(reason: SessionEndReason): BackoffPolicy {
    if (reason === 'auth-refused') return this.#policies.retryAuth;
    return reason === 'taken-over' ? this.#policies.retryTakenOver : this.#policies.retry;
  }
}
