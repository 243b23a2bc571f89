import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { CONFIG, load, refusals } from '../../support/config-files.ts';

const withModes = (text: string): string => `${CONFIG}modes: ${text}\n`;

describe('the section modes', () => {
  it('is not there unless written, and then has defaults', () => {
    expect(load().modes).toBeUndefined();
    expect(load({ config: withModes('{}') }).modes).toEqual({
      enterAfterUs: durationFromMs(300),
      leaveAfterUs: durationFromMs(3_000),
      bandwidthShortBelow: undefined,
      hot: undefined,
      coresLost: undefined,
      rules: [],
    });
    const { modes } = load({ config: withModes('{ hot: { enterC: 90, streams: { boxes: shed } }, safe: {} }') });
    expect(modes).toMatchObject({ hot: { enterC: 90, leaveC: 75 } });
    expect(modes?.rules).toEqual([
      { mode: 'hot', streams: [{ stream: 'boxes', model: null }] },
      { mode: 'safe', streams: [] },
    ]);
  });

  it.each([
    ['{ warm: {} }', /modes\.warm: unknown key/],
    ['{ hot: { enterC: 70, leaveC: 80 } }', /modes\.hot\.leaveC: got 80; allowed is enterC \(70\) or less/],
    ['{ hot: { enterC: .nan } }', /modes\.hot\.enterC/],
    ['{ hot: { streams: { nobody: shed } } }', /modes\.hot\.streams\.nobody: "nobody" is no pipeline; given are boxes/],
    ['{ hot: { streams: { boxes: tiny } } }', /modes\.hot\.streams\.boxes: got "tiny"; allowed is shed or a variant of the pipeline/],
    ['{ bandwidth-short: { belowRatio: 2 } }', /belowRatio: got 2/],
    ['{ core-lost: { cores: 0 } }', /cores: got 0/],
    ['{ enterAfterMs: -1 }', /enterAfterMs: got -1/],
    ['shed', /modes: got "shed"; allowed is a mapping/],
  ])('refuses %s', (text, expected) => {
    expect(refusals({ config: withModes(text) }).join('\n')).toMatch(expected);
  });

  it('knows the variants of the car', () => {
    const config = loadConfig('configs/vehicle-500.yaml', { env: {}, files: createConfigFiles() });
    expect(config.pipelines.find(({ id }) => id === 'front-objects')?.variants).toEqual(['yolov8m', 'yolov8s']);
    expect(config.modes?.rules.map(({ mode }) => mode)).toEqual(['bandwidth-short', 'hot', 'core-lost', 'safe']);
  });
});
