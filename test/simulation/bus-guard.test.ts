import { describe, expect, it } from 'vitest';
import type { PipelineConfig, RuntimeConfig } from '../../src/config/runtime-config.ts';
import type { SourceConfig } from '../../src/config/source-config.ts';
import { durationFromMs, durationUs } from '../../src/core/units.ts';
import { simulate } from '../../src/runtime/simulate.ts';
import type { ModelCosts } from '../../src/runtime/simulate-costs.ts';
import type { Report } from '../../src/telemetry/report-schema.ts';
import { modeOf, shippedConfig } from '../support/shipped.ts';
import { layer, twoCores } from '../support/soc-profiles.ts';

/** 10 GB/s for two cores: each of the models below wants most of it. */
const narrow = twoCores({ dram: { bytesPerSecond: 10e9, efficiencyRatio: 1, memoryBytes: 16e9 } });

const vehicle = shippedConfig('vehicle-500');
const models = ['yolov8l', 'signs'] as const;
/** The camera: 12 ms with 70 % of the bus. The other: 15 ms with 90 %. In ten layers each, all alike. */
const COSTS: readonly ModelCosts[] = [
  { model: 'yolov8l', layers: Array.from({ length: 10 }, () => layer(1_200, 8_400_000)), origin: 'shape', told: '' },
  { model: 'signs', layers: Array.from({ length: 10 }, () => layer(1_500, 13_500_000)), origin: 'shape', told: '' },
];

const source = (id: string, fps: number): SourceConfig => ({
  ...{ id, kind: 'synthetic', medium: 'empty', fps, periodUs: durationUs(1e6 / fps), jitterRatio: 0.05 },
  ...{ burstRatio: 0, burstFrames: 2, framesMax: undefined },
});

function pipeline(core: number, criticality: 'safety' | 'background', fps: number, deadlineMs: number): PipelineConfig {
  const id = core === 0 ? 'camera' : 'greedy';
  return {
    id,
    input: { kind: 'source', source: id },
    stream: {
      ...{ id, model: models[core] ?? '', criticality, periodUs: durationUs(1e6 / fps), deadlineUs: durationFromMs(deadlineMs) },
      ...{ freshness: { kind: 'latest' }, isStateful: false },
    },
    staleAfterUs: durationFromMs(deadlineMs),
    ...{ decode: {}, cores: [core], variants: [], sinks: [] },
  };
}

async function play(bus: 'apart' | 'shared'): Promise<{ camera: Report['streams'][number]; greedy: Report['streams'][number] }> {
  const config: RuntimeConfig = {
    ...vehicle,
    modes: undefined,
    scheduler: { policy: 'coxswain', tuning: { bus }, cuts: 'none' },
    sources: [source('camera', 30), source('greedy', 20)],
    pipelines: [pipeline(0, 'safety', 30, 17), pipeline(1, 'background', 20, 200)],
  };
  const options = { config, profile: narrow, mode: modeOf(narrow), spanUs: durationFromMs(10_000), seed: 1, faults: {}, isTraced: false };
  const { report } = await simulate(options, { costs: COSTS });
  const [camera, greedy] = report.streams;
  if (camera === undefined || greedy === undefined) throw new Error('there are two streams');
  return { camera, greedy };
}

const lost = ({ jobs }: Report['streams'][number]): number => jobs.late + (jobs.dropped.infeasible ?? 0) + (jobs.dropped.superseded ?? 0);

describe('on a narrow bus, a run that wants most of it beside a camera that does too', () => {
  it('makes frames late where the bus is nobody’s business', async () => {
    const { camera, greedy } = await play('shared');
    expect(lost(camera)).toBeGreaterThan(20);
    expect(greedy.jobs.done).toBeGreaterThan(100);
  });

  it('is kept apart from it: no frame is lost but perhaps the first, which nobody foresaw, and it runs in between', async () => {
    const { camera, greedy } = await play('apart');
    expect(lost(camera)).toBeLessThanOrEqual(1);
    expect(camera.jobs.done).toBeGreaterThan(295);
    expect(greedy.jobs.done).toBeGreaterThan(190);
  });
});
