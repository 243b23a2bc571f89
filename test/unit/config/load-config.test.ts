import { describe, expect, it } from 'vitest';
import { FILE_BYTES_MAX } from '../../../src/config/load-config.ts';
import { CONFIG, edited, load, refusals } from '../../support/config-files.ts';

const first = (written: Parameters<typeof refusals>[0]): string => refusals(written)[0] ?? '';

describe('loadConfig', () => {
  it('fills in defaults and converts milliseconds to microseconds, megabytes to bytes and paths to absolute ones', () => {
    const config = load();
    expect(config.node).toBe('bench');
    expect(config.origin.file).toBe('/vehicle/configs/bench.yaml');
    expect(config.device.cores).toEqual([
      { cpu: undefined, niceness: 5, isIdle: false, memoryBytes: 2048 * 2 ** 20 },
      { cpu: 1, niceness: 0, isIdle: false, memoryBytes: 2048 * 2 ** 20 },
    ]);
    expect(config.sources).toEqual([
      {
        id: 'front',
        kind: 'images',
        medium: 'image',
        files: '/vehicle/photos/*.jpg',
        fps: 8,
        periodUs: 125_000,
        width: 640,
        height: 480,
        isLooping: true,
        pixelsMax: 50_000_000,
        cacheBytes: 32 * 2 ** 20,
      },
      {
        id: 'sound',
        kind: 'wav',
        medium: 'audio',
        file: '/vehicle/configs/speech.wav',
        windowSamples: 512,
        periodUs: 32_000,
        isLooping: true,
        gapUs: 0,
        secondsMax: 600,
      },
    ]);
    expect(config.runtime).toMatchObject({ drainUs: 2_000_000, arenaBytes: 128 * 2 ** 20, hardTimeout: { floorUs: 250_000 } });
    expect(config.mqtt).toMatchObject({ broker: { kind: 'embedded', port: 0 }, clientId: 'coxswain-bench', telemetryPeriodUs: 500_000 });
  });

  it('freezes everything', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(load())).toBe(true);
  });

  it('knows where each value was written', () => {
    expect(load().origin.positions['pipelines.boxes.deadlineMs']).toEqual({ line: 13, column: 75 });
  });

  it('gives the same configuration twice', () => {
    expect(load()).toEqual(load());
  });
});

describe('a configuration that is refused', () => {
  it('for an unknown key, with the key that was probably meant', () => {
    expect(first({ config: edited('deadlineMs: 125', 'deadlinMs: 125') })).toBe(
      "bench.yaml:13:63: pipelines.boxes.deadlinMs: unknown key; allowed are source, model, variants, criticality, deadlineMs, staleAfterMs, freshness, decode, answer, assistant, cores, split, sinks; did you mean 'deadlineMs'?",
    );
    expect(first({ config: `${CONFIG}mqt: {}\n` })).toContain(
      "bench.yaml:16:1: mqt: unknown key; allowed are version, node, models, device, sources, pipelines, scheduler, modes, mqtt, actions, http, runtime; did you mean 'mqtt'?",
    );
    expect(first({ config: edited('itemsMax: 4', 'itemMax: 4') })).toContain(
      "pipelines.texts.source.itemMax: unknown key; allowed are pipeline, itemsMax; did you mean 'itemsMax'?",
    );
    expect(first({ config: edited('speech.wav }', 'speech.wav, gap: 1 }') })).toContain("did you mean 'gapMs'?");
    expect(first({ config: edited('niceness: 5', '<<: *x').replace('node: bench', 'node: &x bench') })).toContain(
      'merge keys are not part of YAML 1.2',
    );
  });

  it('with every problem, in the order of the lines', () => {
    const config = edited('fps: 8', 'fps: -1', edited('node: bench', 'node: 7', edited('model: reader', 'modle: reader')));
    expect(refusals({ config })).toEqual([
      'bench.yaml:2:7: node: got 7; allowed is a letter, then at most 63 letters, digits, "_" or "-"',
      'bench.yaml:10:55: sources.front.fps: got -1; allowed is a number from 0.1 to 1000 frames per second',
      expect.stringContaining('pipelines.texts.modle: unknown key; allowed are source, model'),
    ]);
  });

  it('for a missing key, at the key around it', () => {
    expect(refusals({ config: edited('model: reader, ', '') })).toEqual([
      'bench.yaml:15:3: pipelines.texts.model: missing; allowed is a letter, then at most 63 letters, digits, "_" or "-"',
    ]);
    expect(refusals({ config: 'version: 1\n' }).map((line) => line.split(';')[0])).toEqual(
      ['node', 'models', 'device', 'sources', 'pipelines'].map((key) => `bench.yaml:1:1: ${key}: missing`),
    );
  });

  it.each(['.nan', '.inf', '-.inf', '1e999', '0', '-8', '1001', '"8"', '', '[8]', 'eight'])('for a rate of %j', (rate) => {
    expect(first({ config: edited('fps: 8', `fps: ${rate}`) })).toMatch(
      /^bench\.yaml:10:\d+: sources\.front\.fps: (got|missing).*; allowed is a number from 0\.1 to 1000 frames per second$/,
    );
  });

  it.each([
    ['fps: 8', 'fps: 0.1'],
    ['fps: 8', 'fps: 1000'],
    ['deadlineMs: 125', 'deadlineMs: 1'],
    ['deadlineMs: 125', 'deadlineMs: 600000'],
    ['niceness: 5', 'niceness: 19'],
    ['niceness: 5', 'realtime: 1'],
    ['niceness: 5', 'realtime: 99'],
    ['niceness: 5', 'niceness: 5, idle: true'],
    ['node: bench', `node: ${'n'.repeat(64)}`],
  ])('not at a bound: %s as %s', (from, to) => {
    expect(load({ config: edited(from, to) }).version).toBe(1);
  });

  it.each([
    ['deadlineMs: 125', 'deadlineMs: 0.999'],
    ['deadlineMs: 125', 'deadlineMs: 600000.1'],
    ['niceness: 5', 'niceness: 20'],
    ['niceness: 5', 'niceness: -1'],
    ['niceness: 5', 'niceness: 1.5'],
    ['niceness: 5', 'realtime: 0'],
    ['niceness: 5', 'realtime: 100'],
    ['niceness: 5', 'niceness: 5, realtime: 10'],
    ['niceness: 5', 'idle: true, realtime: 10'],
    ['niceness: 5', 'idle: 1'],
    ['width: 640', 'width: 8193'],
    ['version: 1', 'version: 2'],
    ['version: 1', 'version: "1"'],
    ['kind: ort', 'kind: npu'],
    ['node: bench', `node: ${'n'.repeat(65)}`],
    ['node: bench', 'node: a/b'],
    ['node: bench', 'node: "a+"'],
    ['node: bench', 'node: -a'],
    ['node: bench', 'node: constructor'],
    ['file: speech.wav', 'file: "a\\u001bb"'],
    ['file: speech.wav', 'file: ""'],
  ])('one past a bound, and for other values: %s as %s', (from, to) => {
    expect(first({ config: edited(from, to) })).toMatch(/^bench\.yaml:\d+:\d+: [a-z0-9A-Z.[\]]+: got .*; allowed is /);
  });

  it('for a name that is not one', () => {
    expect(first({ config: edited('  boxes: {', '  "7/x": {') })).toContain(
      'bench.yaml:13:3: pipelines.7/x: this name is not allowed; allowed is a letter',
    );
    expect(first({ config: edited('  boxes: {', '  toString: {') })).toContain('this name is not allowed');
  });

  it('for two pipelines with one id', () => {
    expect(refusals({ config: edited('  speech: {', '  boxes: {') })).toEqual([
      'bench.yaml:14:3: this key is given twice in one mapping; names of sources, pipelines and models must differ, remove or rename one',
    ]);
  });

  it('for a kind that is misspelt', () => {
    expect(first({ config: edited('kind: wav', 'kind: wave') })).toBe(
      'bench.yaml:11:18: sources.sound.kind: got "wave"; allowed is one of video, images, wav, microphone, synthetic, turns, words, first-of; did you mean \'wav\'?',
    );
    expect(first({ config: edited('safety', 'safe') })).toContain(
      'got "safe"; allowed is one of safety, interactive, background; did you mean \'safety\'?',
    );
  });

  it('for a union of which nothing fits, saying both', () => {
    expect(first({ config: edited('deadlineMs: 125', 'deadlineMs: 125, freshness: newest') })).toContain(
      'pipelines.boxes.freshness: got "newest"; allowed is',
    );
    expect(first({ config: edited('deadlineMs: 125', 'deadlineMs: 125, freshness: { queue: 0 }') })).toContain(
      'pipelines.boxes.freshness.queue: got 0; allowed is a whole number from 1 to 1024 jobs',
    );
    expect(first({ config: edited('source: front', 'source: [front]') })).toMatch(/pipelines\.boxes\.source: got a list; allowed is/);
    expect(first({ config: edited('source: front, ', '') })).toContain(
      'pipelines.boxes.source: missing; allowed is the name of a source, or { pipeline: <name>, itemsMax: <number> }',
    );
  });

  it('for a file longer than allowed, before it is parsed', () => {
    const padding = '#'.repeat(FILE_BYTES_MAX - CONFIG.length);
    expect(load({ config: CONFIG + padding }).node).toBe('bench');
    expect(() => load({ config: `${CONFIG}${padding}#` })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('for more entries than a section may hold', () => {
    const pipelines = (count: number): string =>
      Array.from(
        { length: count },
        (_, index) => `  p${index}: { source: front, model: finder, criticality: safety, deadlineMs: 100 }\n`,
      ).join('');
    expect(load({ config: CONFIG + pipelines(61) }).pipelines).toHaveLength(64);
    expect(first({ config: CONFIG + pipelines(62) })).toContain('pipelines: got a mapping; allowed is at most 64 entries');
  });

  it('for limits that contradict each other', () => {
    expect(first({ config: `${CONFIG}runtime: { hardTimeout: { floorMs: 100, ceilingMs: 99 } }\n` })).toContain(
      'runtime.hardTimeout.ceilingMs: got 99; allowed is floorMs (100) or more',
    );
    expect(first({ config: `${CONFIG}mqtt: { reconnectDelayMs: 100, reconnectDelayMaxMs: 99 }\n` })).toContain(
      'mqtt.reconnectDelayMaxMs: got 99; allowed is reconnectDelayMs (100) or more',
    );
  });
});
