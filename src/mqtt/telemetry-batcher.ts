import { assert } from '../core/assert.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { addUs, type DurationUs, durationUs, type InstantUs } from '../core/units.ts';
import type { OutboundMessage } from './link-options.ts';
import type { TelemetryPayload } from './payloads.ts';

export interface TelemetryBatcherOptions {
  readonly node: string;
  /** Least time between two messages of one group; at least 100 ms, which is also the default: at most 10 Hz. */
  readonly periodUs?: DurationUs;
  /** Samples that one message holds, at most 1000; the oldest go when more come within a period. */
  readonly samplesMax?: number;
  /** Groups known at one time; samples of further ones are counted and dropped. */
  readonly groupsMax?: number;
}

export interface TelemetryBatcherDeps {
  readonly clock: Clock;
  readonly publish: (message: OutboundMessage) => void;
}

export interface TelemetryBatcher {
  /** Stamps the values with now and keeps them for the group's next message. `values` must not change afterwards. */
  add(group: string, values: Readonly<Record<string, number>>): void;
  /** Samples of groups beyond `groupsMax`. */
  readonly rejectedSamples: number;
  /** Publishes what is left and stops. */
  close(): void;
}

const PERIOD_MIN_US = durationUs(100_000);
const SAMPLES_MAX = 1000;

interface Group {
  samples: TelemetryPayload['samples'][number][];
  droppedSamples: number;
  nextAt: InstantUs;
  timer: Timer | undefined;
}

/** Gathers samples into one message a group and period. The first sample after a quiet time goes out at once. */
export function createTelemetryBatcher(options: TelemetryBatcherOptions, { clock, publish }: TelemetryBatcherDeps): TelemetryBatcher {
  const { node, periodUs = PERIOD_MIN_US, samplesMax = 100, groupsMax = 64 } = options;
  assert(periodUs >= PERIOD_MIN_US, 'telemetry goes out at most ten times a second');
  assert(samplesMax >= 1 && samplesMax <= SAMPLES_MAX, 'a telemetry message holds 1 to 1000 samples');
  const groups = new Map<string, Group>();
  let rejectedSamples = 0;
  let isClosed = false;

  const flush = (name: string, group: Group): void => {
    group.timer?.cancel();
    group.timer = undefined;
    if (group.samples.length === 0) return;
    const { samples, droppedSamples } = group;
    group.samples = [];
    group.droppedSamples = 0;
    group.nextAt = addUs(clock.now(), periodUs);
    publish({ kind: 'telemetry', payload: { node, group: name, wallMs: clock.wallMs(), samples, droppedSamples } });
  };

  return {
    add(name, values) {
      let group = groups.get(name);
      if (isClosed || (group === undefined && groups.size >= groupsMax)) {
        rejectedSamples += 1;
        return;
      }
      if (group === undefined) {
        group = { samples: [], droppedSamples: 0, nextAt: clock.now(), timer: undefined };
        groups.set(name, group);
      }
      const open = group;
      if (open.samples.length === samplesMax) {
        open.samples.shift();
        open.droppedSamples += 1;
      }
      open.samples.push({ atUs: clock.now(), values });
      open.timer ??= clock.at(open.nextAt, () => flush(name, open));
    },
    get rejectedSamples() {
      return rejectedSamples;
    },
    close() {
      isClosed = true;
      for (const [name, group] of groups) flush(name, group);
    },
  };
}
