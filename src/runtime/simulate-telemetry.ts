import type { SimClock } from '../core/sim-clock.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../telemetry/telemetry.ts';

/** The instruments of a simulated run. What this process takes is no figure of the simulated chip, and would differ from run to run. */
export function createSimTelemetry(options: TelemetryOptions, profile: SocProfile, clock: SimClock): Telemetry {
  const off = { state: 'off', url: null, published: 0, dropped: {} };
  return createTelemetry(options, {
    clock,
    host: {
      cpuModel: profile.name,
      cores: options.cores.length,
      memoryBytes: Math.round(profile.dram.memoryBytes),
      node: '',
      platform: 'simulated',
      kernel: '',
    },
    mqtt: () => off,
    eventLoop: {
      figures: () => ({ samples: 0, resolutionMs: 1, delayMs: { p50: null, p99: null, max: null } }),
      reset: () => undefined,
      stop: () => undefined,
    },
    process: { figures: () => ({ rssBytes: 0, heapBytes: 0, pssBytes: null, fds: null }), sample: () => Promise.resolve() },
  });
}
