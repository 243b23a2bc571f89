/** Why a frame was turned away before it became work. */
export const REJECT_REASONS = [
  'stale',
  'duplicate',
  'out-of-order',
  'oversized',
  'corrupt',
  'non-finite',
  'no-memory',
  'not-ready',
  'admission',
  'stopping',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Why an admitted job was given up before it ran to its end. */
export const DROP_REASONS = [
  'infeasible',
  'superseded',
  'queue-full',
  'no-core',
  'predecessor-lost',
  'cancelled',
  'shed',
  'stopping',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Why a job that ran, or should have run, gave no usable result. */
export const FAIL_REASONS = [
  'no-memory',
  'core-crashed',
  'core-hung',
  'non-finite',
  'wrong-shape',
  'device-error',
  'model-unavailable',
  'decode-error',
  'prepare-error',
] as const;
export type FailReason = (typeof FAIL_REASONS)[number];

/** How a job ended, exactly once. `late`: the result came, after its deadline. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'late' }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }
  | { readonly kind: 'failed'; readonly reason: FailReason };
