import { describe, expect, test } from 'vitest';
import { createEventLoopMeter } from '../../../src/telemetry/event-loop-meter.ts';

describe('event-loop meter', () => {
  test('sees a blocked loop of this process', async () => {
    const meter = createEventLoopMeter({ resolutionMs: 1 });
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    for (let warm = 0; warm < 5; warm += 1) await turn();
    const until = process.hrtime.bigint() + 40_000_000n;
    while (process.hrtime.bigint() < until);
    await turn();
    meter.stop();
    expect(meter.figures().delayMs.max).toBeGreaterThanOrEqual(38);
  });
});
