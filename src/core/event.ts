import type { CoreId, Job, JobId } from './job.ts';
import type { Mode } from './mode.ts';
import type { ModelId } from './model.ts';
import type { FailReason } from './outcome.ts';
import type { Progress } from './segment.ts';
import type { DurationUs, InstantUs } from './units.ts';

/** What the scheduler is told. `at` never goes back from one event to the next. */
export type Event = { readonly at: InstantUs } & (
  | { readonly kind: 'arrived'; readonly job: Job }
  /** A segment ended well after `ranUs` on its core; when it was the last one, as it is without `progress`, the job's outputs still have to be decoded. */
  | {
      readonly kind: 'segment-done';
      readonly core: CoreId;
      readonly job: JobId;
      readonly ranUs: DurationUs;
      readonly progress?: Progress | undefined;
    }
  /** A segment ended badly on a core that goes on living; the job is not tried again, since the same input would fail again. */
  | { readonly kind: 'segment-failed'; readonly core: CoreId; readonly job: JobId; readonly reason: FailReason }
  /** Nobody wants the job any more: the speaker broke in, the client is gone. It ends as `dropped`, at its next border if it runs. Told of one that has ended: nothing. */
  | { readonly kind: 'cancel'; readonly job: JobId }
  /** A core is gone, with whatever ran on it; its job is requeued if its deadline still allows. The other cores of a split job are free by now. */
  | { readonly kind: 'core-lost'; readonly core: CoreId; readonly reason: 'core-crashed' | 'core-hung' }
  /** A core is ready, with these models loaded; also how cores first appear. */
  | { readonly kind: 'core-back'; readonly core: CoreId; readonly models: readonly ModelId[] }
  /** The job's result is there. */
  | { readonly kind: 'decoded'; readonly job: JobId }
  | { readonly kind: 'decode-failed'; readonly job: JobId }
  /** The machine is in this mode from now on. */
  | { readonly kind: 'mode'; readonly mode: Mode }
  /** A timer asked for by a `timer` decision has come. */
  | { readonly kind: 'timer' }
  /** No more arrivals; waiting jobs are dropped, running ones end. */
  | { readonly kind: 'stopping' }
);
