import { describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { TokenRange } from '../../../src/config/source-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const profile = shippedSoc('car-500');
const mode = modeOf(profile);

/** The vehicle, its assistant asked with prompts of so many tokens, the first token due after so long. */
const asked = (promptTokens: TokenRange, deadlineMs: number): RuntimeConfig => ({
  ...vehicle,
  sources: vehicle.sources.map((source) => (source.kind === 'turns' ? { ...source, promptTokens } : source)),
  pipelines: vehicle.pipelines.map((pipeline) =>
    pipeline.answer === undefined ? pipeline : { ...pipeline, stream: { ...pipeline.stream, deadlineUs: durationFromMs(deadlineMs) } },
  ),
});

function check(config: RuntimeConfig) {
  const { fit } = checkConfig({ config, chip: { profile, mode }, costs: usedCosts(config, profile) });
  const assistant = fit.streams.find(({ id }) => id === 'assistant');
  if (assistant?.reserve === undefined) throw new Error('the assistant has a server');
  return { fit, assistant, reserve: assistant.reserve };
}

describe('the first token of an assistant with a server', () => {
  it('is bounded by the longest prompt and the budget, and the simulator keeps to it', async () => {
    const config = asked({ from: 600, to: 600 }, 1_500);
    const { fit, assistant, reserve } = check(config);
    expect(fit.fits).toBe(true);
    expect(assistant).toMatchObject({ assurance: 'always', responseUs: reserve.firstTokenUs });
    // Five chunks of 128 tokens: five times the longest step, by c P / Q + 2 (P - Q).
    expect(reserve.firstTokenUs).toBeGreaterThan(5 * 42_000 * (66 / 46));
    expect(reserve.firstTokenUs).toBeLessThan(500_000);
    const { report } = await simulate(
      { config, profile, mode, spanUs: durationFromMs(120_000), seed: 2, faults: {}, isTraced: false },
      { costs: usedCosts(config, profile) },
    );
    const { jobs, latencyMs } = report.streams.find(({ id }) => id === 'assistant') ?? {};
    expect(jobs?.done).toBeGreaterThanOrEqual(5);
    expect(latencyMs?.max).toBeLessThanOrEqual((reserve.firstTokenUs ?? 0) / 1000);
  });

  it('that the budget cannot give in time makes the configuration unfit, and the advice says so', () => {
    const { fit, assistant, reserve } = check(asked({ from: 1_500, to: 1_700 }, 200));
    expect(assistant.assurance).toBe('none');
    expect(reserve.firstTokenUs).toBeGreaterThan(200_000);
    expect(fit.fits).toBe(false);
    expect(fit.advice).toEqual([
      expect.stringMatching(
        /^assistant: its first token may take \d+ ms of its 200 ms, with 46 ms in every 66 ms; give server assistant more/,
      ),
    ]);
  });

  it('needs no time that its pipelines react in: nobody samples what is said', () => {
    const { fit } = check(vehicle);
    expect(fit.pipelines.find(({ id }) => id === 'assistant')?.reactionUs).toBeNull();
  });
});
