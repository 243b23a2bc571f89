import type { CoreId, JobId } from './job.ts';
import type { Mode } from './mode.ts';
import type { ModelId } from './model.ts';
import type { Outcome } from './outcome.ts';
import type { StreamId } from './stream.ts';
import type { InstantUs } from './units.ts';

/** A row of steps of one job. */
export interface Steps {
  /** The first, counted from 0 through the whole job. */
  readonly from: number;
  readonly steps: number;
}

/** What the scheduler answers, to be carried out in order. */
export type Decision =
  /**
   * Run the job's next segment on this idle core now; kill the core if it has not ended by `killAt`. `segment` is absent when it is the whole job, `model` when it is
   * the job's own. `others`,
   * of a job that is split: the idle cores that run it together with `core`, which leads: every other event and decision about the run names the leader.
   */
  | {
      readonly kind: 'start';
      readonly core: CoreId;
      readonly others?: readonly CoreId[] | undefined;
      readonly job: JobId;
      readonly killAt: InstantUs;
      readonly segment?: Steps | undefined;
      readonly model?: ModelId | undefined;
    }
  /** Let the segment that runs there end after the step it is at; the job goes on later. Without `for` it was cancelled. */
  | { readonly kind: 'yield'; readonly core: CoreId; readonly job: JobId; readonly for?: JobId }
  /** Stop the segment that runs there at once; the step it was at is lost and will be run again. Without `for` it was cancelled. */
  | { readonly kind: 'abort'; readonly core: CoreId; readonly job: JobId; readonly for?: JobId }
  /**
   * This core stays idle until `until` although `job` waits: starting it could make the next job of stream `for` miss its deadline, or delay a gang of it that
   * waits for the rest of its cores.
   */
  | { readonly kind: 'hold'; readonly core: CoreId; readonly job: JobId; readonly for: string; readonly until: InstantUs }
  /** The job has ended; this is its only Outcome. */
  | { readonly kind: 'end'; readonly job: JobId; readonly outcome: Outcome }
  /** From now on jobs of the stream are made for this model; null: none are made, since the stream is not served. */
  | { readonly kind: 'variant'; readonly stream: StreamId; readonly model: ModelId | null; readonly mode: Mode }
  /** Send a `timer` event at `wakeAt`; replaces any earlier request. */
  | { readonly kind: 'timer'; readonly wakeAt: InstantUs };
