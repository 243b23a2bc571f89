import type { Clock } from '../core/clock.ts';
import type { JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { StreamId } from '../core/stream.ts';
import type { InstantUs } from '../core/units.ts';
import type { TurnDesk, Work } from '../pipeline/work.ts';

/** What the desk needs of the ledger. */
export interface JobAccounts {
  arrived(job: JobId, stream: StreamId, capturedAt: InstantUs, at: InstantUs): void;
  ended(job: JobId, outcome: Outcome, at: InstantUs): void;
}

/** Numbers the jobs of a run, opens their accounts, and passes work on. */
export function createJobDesk(deps: {
  readonly clock: Clock;
  readonly accounts: JobAccounts;
  readonly submit: (work: Work) => void;
  readonly servedWith: (stream: StreamId) => ModelId | null | undefined;
  readonly cancel: (job: JobId) => void;
  readonly lossCount: () => number;
}): TurnDesk {
  let lastJob: JobId = 0;
  return {
    open(stream, capturedAt) {
      lastJob += 1;
      deps.accounts.arrived(lastJob, stream, capturedAt, deps.clock.now());
      return lastJob;
    },
    end: (job, outcome) => deps.accounts.ended(job, outcome, deps.clock.now()),
    submit: deps.submit,
    servedWith: deps.servedWith,
    cancel: deps.cancel,
    get lossCount() {
      return deps.lossCount();
    },
  };
}
