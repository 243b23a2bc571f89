/**
 * Time in microseconds, as two number types that cannot be mixed up. An instant minus an instant is a duration; an instant plus a duration is
 * an instant. Instants count from an origin of the Clock's choosing and are monotonic; they are never wall time.
 */
declare const unit: unique symbol;

/** Microseconds on a Clock's monotonic axis. Exact up to 2^53 us, that is 285 years. */
export type InstantUs = number & { readonly [unit]: 'InstantUs' };

/** A span of microseconds; may be negative only where a docstring says so. */
export type DurationUs = number & { readonly [unit]: 'DurationUs' };

export const instantUs = (microseconds: number): InstantUs => microseconds as InstantUs;
export const durationUs = (microseconds: number): DurationUs => microseconds as DurationUs;

/** The only conversions between milliseconds and microseconds: `config/` uses them going in, reports going out. */
export const durationFromMs = (milliseconds: number): DurationUs => Math.round(milliseconds * 1000) as DurationUs;
export const msFromDuration = (duration: DurationUs): number => duration / 1000;

export const addUs = (instant: InstantUs, duration: DurationUs): InstantUs => (instant + duration) as InstantUs;

/** Signed: negative when `to` lies before `from`. */
export const elapsedUs = (from: InstantUs, to: InstantUs): DurationUs => (to - from) as DurationUs;
