import { describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { startRuntime } from '../../../src/runtime/start.ts';
import { shippedConfig } from '../../support/shipped.ts';

const start = (config: RuntimeConfig) => startRuntime(config, { clock: new SimClock() });

describe('a runtime on real cores refuses, before anything is started,', () => {
  const cockpit = shippedConfig('cockpit');

  it('a pipeline whose jobs shall run on several of them at once', async () => {
    const [first, ...rest] = cockpit.pipelines;
    if (first === undefined) throw new Error('the cockpit has pipelines');
    await expect(start({ ...cockpit, pipelines: [{ ...first, split: 2 }, ...rest] })).rejects.toThrow(
      new RegExp(
        `cockpit\\.yaml: pipeline ${first.id} is split over 2 cores, and a core of device\\.kind ort runs a job alone; coxswain sim can`,
      ),
    );
  });

  it('a language model that is asked without words', async () => {
    const talk = cockpit.pipelines.find(({ assistant }) => assistant !== undefined);
    if (talk === undefined) throw new Error('the cockpit has an assistant');
    const { assistant: _, ...silent } = talk;
    await expect(start({ ...cockpit, pipelines: [silent] })).rejects.toThrow(
      'asked in turns without words, which only the simulator can answer',
    );
  });

  it('a model that is only described', async () => {
    await expect(start(shippedConfig('vehicle-500'))).rejects.toThrow(/runs \S+, which the manifest only describes and has no file of/);
  });
});
