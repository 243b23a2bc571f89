import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** In milliseconds; null before the first sample. */
export interface EventLoopFigures {
  readonly samples: number;
  readonly resolutionMs: number;
  readonly delayMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
}

/**
 * How late the event loop of this process comes to its timers.
 *
 * A timer inside Node fires every `resolutionMs` and records the time since it last fired. The figure is that time less `resolutionMs`, never below 0. So an
 * idle loop shows 0.1 to 0.2 ms (the timer's own lateness), and a loop blocked for b ms shows between b - resolutionMs and b, depending on where in the
 * interval the block began. Percentiles are over timer firings, so a long block, which swallows firings, weighs less than its share of time: look at `max` too.
 */
export interface EventLoopMeter {
  figures(): EventLoopFigures;
  /** Forgets what was measured so far. */
  reset(): void;
  stop(): void;
}

export type DelayMonitor = Pick<IntervalHistogram, 'count' | 'max' | 'percentile' | 'reset' | 'disable'>;

export interface EventLoopMeterOptions {
  /** 1..10. The default of 2 costs 1.4 % of a core on the two-core test machine; 1 costs 3.2 %, 5 costs 1.1 %. */
  readonly resolutionMs?: number;
}

/** Measures from now on. `open` gives a running monitor; it is a parameter so that tests can feed one. */
export function createEventLoopMeter(options: EventLoopMeterOptions = {}, open = openMonitor): EventLoopMeter {
  const resolutionMs = options.resolutionMs ?? 2;
  const monitor = open(resolutionMs);
  const delayMs = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / 1000) / 1000 - resolutionMs);
  const round = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;
  return {
    figures: () => {
      const samples = monitor.count;
      if (samples === 0) return { samples, resolutionMs, delayMs: { p50: null, p99: null, max: null } };
      const at = (percent: number): number => round(delayMs(monitor.percentile(percent)));
      return { samples, resolutionMs, delayMs: { p50: at(50), p99: at(99), max: round(delayMs(monitor.max)) } };
    },
    reset: () => {
      monitor.reset();
    },
    stop: () => {
      monitor.disable();
    },
  };
}

function openMonitor(resolutionMs: number): DelayMonitor {
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs });
  monitor.enable();
  return monitor;
}
