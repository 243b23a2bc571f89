import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigFiles } from '../../../src/config/config-files.ts';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadSoc } from '../../../src/config/load-soc.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { chipAsOf, coreCountOf, type SocProfile, usableBytesPerSecond } from '../../../src/core/soc-profile.ts';

const folder = resolve(import.meta.dirname, '../../../configs/soc');
const shipped = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort();
const car = readFileSync(resolve(folder, 'car-500.yaml'), 'utf8');

const load = (text: string): SocProfile => {
  const files: ConfigFiles = { read: () => new TextEncoder().encode(text), realPath: () => undefined };
  return loadSoc('soc/car-500.yaml', { files });
};

const problemsOf = (text: string): string => {
  try {
    load(text);
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'none';
};

const edited = (from: string, to: string): string => {
  expect(car).toContain(from);
  return car.replace(from, to);
};

describe('the shipped profiles', () => {
  it('are those of every device class', () => {
    expect(shipped.map((name) => name.replace('.yaml', ''))).toEqual(
      expect.arrayContaining(['car-500', 'zhouyi-x2', 'cix-p1', 'orin-agx', 'orin-nano', 'thor', 'sa8295p', 'rk3588', 'rk3576', 'hailo-8']),
    );
    expect(shipped).toEqual(
      expect.arrayContaining(['phone-flagship.yaml', 'phone-mid.yaml', 'phone-entry.yaml', 'ai-pc.yaml', 'robot-500.yaml', 'glasses.yaml']),
    );
  });

  it.each(shipped)('%s loads, is frozen to the bottom, and says of each figure where it came from', (name) => {
    const profile = loadSoc(resolve(folder, name), { files: createConfigFiles() });
    expect(profile.id).toBe(name.replace('.yaml', ''));
    expect(Object.isFrozen(profile) && Object.isFrozen(profile.core.opsPerSecond) && Object.isFrozen(profile.modes[0])).toBe(true);
    expect(profile.origins.length).toBeGreaterThan(25);
    expect(profile.origins.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['dram.bandwidthGbs', 'core.array', 'power.macPicojoules']),
    );
    expect(profile.origins.every(({ source }) => source.length > 3)).toBe(true);
  });

  it('hold the reference car SoC to its definition', () => {
    const profile = load(car);
    expect(coreCountOf(profile)).toBe(8);
    expect(profile.clusterCount).toBe(2);
    expect(profile.core.opsPerSecond.int8).toBe(62.5e12);
    expect(profile.localMemoryBytes).toBe(8 * 2 ** 20);
    expect(profile.dram.bytesPerSecond).toBe(273e9);
    expect(usableBytesPerSecond(profile)).toBeLessThan(273e9);
    expect(profile.modes.map(({ watts }) => watts)).toEqual([75, 40, 15]);
  });
});

describe('what a core can address', () => {
  it('is known of 32-bit NPUs, each with its source, and told in bytes', () => {
    const windows = shipped.flatMap((name) => {
      const { id, addressWindowBytes, addressWindows, origins } = loadSoc(resolve(folder, name), { files: createConfigFiles() });
      const { confidence } = origins.find(({ key }) => key === 'addressWindowMb') ?? {};
      return addressWindowBytes === undefined ? [] : [[id, Math.round(addressWindowBytes / 2 ** 20), addressWindows, confidence]];
    });
    expect(windows).toEqual([
      ['cix-p1', 1024, undefined, 'reported'],
      ['rk3576', 4096, 16, 'reported'],
      ['rk3588', 4096, 16, 'reported'],
      ['sa8295p', 3584, 16, 'reported'],
      ['zhouyi-x2', 3584, 4, 'estimate'],
    ]);
  });

  it('is that of its own kind of cores', () => {
    const mixed = readFileSync(resolve(folder, 'example-mixed.yaml'), 'utf8');
    const text = mixed.replace(/^localMemoryMb: .*from: (\S+) \}$/m, '$&\naddressWindowMb: { value: 8, from: $1 }');
    expect(text).not.toBe(mixed);
    const profile = load(text);
    expect(profile.addressWindowBytes).toBe(8 * 2 ** 20);
    expect(chipAsOf(profile, coreCountOf(profile) - 1).addressWindowBytes).toBeUndefined();
  });
});

describe('a profile', () => {
  it.each([
    [
      'without bandwidth',
      '  bandwidthGbs: { value: 273, from: design }\n',
      '',
      'dram.bandwidthGbs: missing; allowed is { value: <number>, from: <name of a source> }',
    ],
    [
      'with zero cores',
      'coresPerCluster: { value: 4, from: design }',
      'coresPerCluster: { value: 0, from: design }',
      'got 0; allowed is a whole number from 1 to 64',
    ],
    [
      'with half a core',
      'coresPerCluster: { value: 4, from: design }',
      'coresPerCluster: { value: 0.5, from: design }',
      'a whole number from 1 to 64',
    ],
    [
      'with bandwidth that is no number',
      'bandwidthGbs: { value: 273,',
      'bandwidthGbs: { value: .nan,',
      'got NaN; allowed is a number from 0.001 to 100000 GB/s',
    ],
    ['with infinite bandwidth', 'bandwidthGbs: { value: 273,', 'bandwidthGbs: { value: .inf,', 'a number from 0.001 to 100000 GB/s'],
    [
      'with a plain number',
      'bandwidthGbs: { value: 273, from: design }',
      'bandwidthGbs: 273',
      'allowed is { value: <number>, from: <name of a source> }',
    ],
    ['with an unknown key', 'bandwidthGbs:', 'bandwithGbs:', "did you mean 'bandwidthGbs'?"],
    [
      'with an unknown source',
      'value: 273, from: design',
      'value: 273, from: desing',
      'got "desing", which is no source; given are design',
    ],
    ['with a type nobody knows', '    int8:', '    itn8:', "did you mean 'int8'?"],
    ['that never cools down', 'ambientC: { value: 45,', 'ambientC: { value: 95,', 'else it never cools down'],
    ['with hysteresis turned round', 'resumeC: { value: 90,', 'resumeC: { value: 100,', 'less than throttleC (100)'],
    ['with a range turned round', 'low: 0.05, high: 0.1', 'low: 0.5, high: 0.1', 'allowed is low (0.5) or more'],
    [
      'with so many times the figures of no profile',
      '15/40/75 W", confidence: stated }',
      '15/40/75 W", confidence: stated, times: 2 }',
      'sources.design.times: stands without `as`, the profile whose figures are meant; add it',
    ],
    [
      'with windows of no size',
      'localMemoryMb:',
      'addressWindows: { value: 4, from: design }\nlocalMemoryMb:',
      'addressWindows: stands without addressWindowMb, the size of each; add it',
    ],
    [
      'with a window of no bytes',
      'localMemoryMb:',
      'addressWindowMb: { value: 0, from: design }\nlocalMemoryMb:',
      'addressWindowMb.value: got 0; allowed is a number from 1 to',
    ],
    [
      'that reads no prompt',
      '  dispatchUs:',
      '  promptRatio: { value: 0, from: design }\n  dispatchUs:',
      'core.promptRatio.value: got 0; allowed is a number from 0.01 to 1',
    ],
    [
      'that reads prompts faster than the roofline',
      '  dispatchUs:',
      '  promptRatio: { value: 1.1, from: design }\n  dispatchUs:',
      'core.promptRatio.value: got 1.1; allowed is a number from 0.01 to 1',
    ],
    ['with a core at no clock', 'clockRatio: { value: 1,', 'clockRatio: { value: 0,', 'a number from 0.01 to 1'],
  ])('%s is refused with what is allowed', (_, from, to, expected) => {
    const text = problemsOf(edited(from, to));
    expect(text).toContain(expected);
    expect(text).toMatch(/^soc\/car-500\.yaml:\d+:\d+: /);
  });

  it('says how fast it reads prompts, or nothing', () => {
    expect(load(edited('  dispatchUs:', '  promptRatio: { value: 0.2, from: design }\n  dispatchUs:')).core.promptRatio).toBe(0.2);
    expect(load(car).core).not.toHaveProperty('promptRatio');
  });

  it('may have other kinds of cores, each named once', () => {
    const dsp = `others:
  dsp: { clusters: { value: 2, from: design }, coresPerCluster: { value: 1, from: design }, localMemoryMb: { value: 1, from: design }, core: {
    tops: { int8: { value: 0.5, from: design } }, array: { m: 1, n: 32, k: 8, from: design }, vectorGops: { value: 100, from: design },
    computeRatio: { value: 0.8, from: design }, dispatchUs: { value: 5, from: nobody } } }
`;
    const at = car.indexOf('dram:\n  bandwidth');
    const withDsp = (text: string): string => `${car.slice(0, at)}${text}${car.slice(at)}`;
    expect(coreCountOf(load(withDsp(dsp.replace('nobody', 'design'))))).toBe(10);
    expect(problemsOf(withDsp(dsp))).toContain('others.dsp.core.dispatchUs.from: got "nobody", which is no source');
    expect(problemsOf(withDsp(dsp.replace('nobody', 'design').replace('dsp:', 'npu:')))).toContain(
      'others.npu: the first kind is called npu already',
    );
    expect(problemsOf(withDsp('others: { dsp: { clusters: 2 } }\n'))).toMatch(/others\.dsp\.core: missing/);
  });

  it('with a mode of less power than the chip takes at rest is refused', () => {
    expect(problemsOf(car.replace('watts: { value: 15,', 'watts: { value: 8,'))).toMatch(
      /modes\.w15\.watts\.value: got 8; allowed is more than idleW \(8\)/,
    );
  });

  it('without modes, without number types or that is not a mapping is refused', () => {
    expect(problemsOf(`${car.slice(0, car.indexOf('\nmodes:') + 1)}modes: {}\n${car.slice(car.indexOf('\nhost:') + 1)}`)).toContain(
      'got no mode',
    );
    expect(problemsOf(car.replace(/ {4}(int8|fp16): .*\n/g, '').replace('  tops:', '  tops: {}'))).toContain('at least one of int4, int8');
    expect(problemsOf('- 1\n')).toContain('the file is not a mapping');
    expect(problemsOf('')).not.toBe('none');
  });
});
