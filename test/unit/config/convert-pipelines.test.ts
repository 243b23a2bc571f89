import { describe, expect, it } from 'vitest';
import type { CodecDirectory } from '../../../src/config/load-scope.ts';
import { CONFIG, edited, load, MANIFEST, refusals } from '../../support/config-files.ts';

const first = (config: string): string => refusals({ config })[0] ?? '';

describe('pipelines', () => {
  it('become streams with the period of their source, their window or their parent', () => {
    expect(load().pipelines.map(({ stream }) => stream)).toEqual([
      {
        id: 'boxes',
        model: 'finder',
        criticality: 'safety',
        periodUs: 125_000,
        deadlineUs: 125_000,
        freshness: { kind: 'latest' },
        isStateful: false,
      },
      {
        id: 'speech',
        model: 'listener',
        criticality: 'interactive',
        periodUs: 32_000,
        deadlineUs: 100_000,
        freshness: { kind: 'queue', jobsMax: 8 },
        isStateful: true,
      },
      {
        id: 'texts',
        model: 'reader',
        criticality: 'background',
        periodUs: 31_250,
        deadlineUs: 900_000,
        freshness: { kind: 'queue', jobsMax: 4 },
        isStateful: false,
      },
    ]);
  });

  it('take what is written over every default', () => {
    const config = edited(
      'deadlineMs: 125',
      'deadlineMs: 125, staleAfterMs: 60.5, freshness: { queue: 3 }, cores: [1], sinks: [console, console], decode: { scoreMin: 0.5, labels: [a] }',
    );
    expect(load({ config }).pipelines[0]).toMatchObject({
      staleAfterUs: 60_500,
      stream: { freshness: { kind: 'queue', jobsMax: 3 } },
      cores: [1],
      sinks: ['console'],
      decode: { scoreMin: 0.5, labels: ['a'] },
    });
    expect(load({ config: edited('deadlineMs: 100', 'deadlineMs: 100, freshness: latest') }).pipelines[1]?.stream.freshness).toEqual({
      kind: 'latest',
    });
  });

  it('stand in an order where parents come first', () => {
    const config = `${CONFIG}  more: { source: { pipeline: last }, model: reader, criticality: background, deadlineMs: 900 }
  last: { source: { pipeline: texts, itemsMax: 2 }, model: reader, criticality: background, deadlineMs: 900 }
`;
    expect(load({ config }).pipelines.map(({ id }) => id)).toEqual(['boxes', 'speech', 'texts', 'last', 'more']);
    expect(load({ config }).pipelines.at(-1)?.stream.periodUs).toBe(Math.round(31_250 / 2 / 8));
  });
});

describe('a pipeline is refused', () => {
  it('for a source, a parent or a model that is not there', () => {
    expect(first(edited('source: front', 'source: fornt'))).toContain(
      'pipelines.boxes.source: got "fornt", which is no source; given are front, sound; did you mean \'front\'?',
    );
    expect(first(edited('source: front', 'source: speech'))).toContain('to take the results of that pipeline, write { pipeline: speech }');
    expect(first(edited('pipeline: boxes', 'pipeline: boxs'))).toContain(
      'pipelines.texts.source.pipeline: got "boxs", which is no pipeline; given are boxes, speech, texts; did you mean \'boxes\'?',
    );
    expect(first(edited('model: finder', 'model: find'))).toContain(
      'pipelines.boxes.model: got "find", which the manifest does not list; given are finder, reader, listener; did you mean \'finder\'?',
    );
    expect(first(edited('model: finder', 'model: constructor'))).toContain('this one has a meaning of its own');
  });

  it('once for its own mistake, and its children not for it', () => {
    expect(refusals({ config: edited('source: front', 'source: fornt') })).toHaveLength(1);
  });

  it.each([
    [['a: a'], 'a <- a'],
    [['a: b', 'b: a'], 'a <- b <- a'],
    [['a: b', 'b: c', 'c: b', 'd: a'], 'b <- c <- b'],
  ])('for feeding itself: %j', (edges, circle) => {
    const lines = edges.map((edge) => {
      const [id, parent] = edge.split(': ');
      return `  ${id}: { source: { pipeline: ${parent} }, model: reader, criticality: background, deadlineMs: 900 }\n`;
    });
    const found = refusals({ config: CONFIG + lines.join('') });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`these pipelines feed each other in a circle: ${circle}; let one take a source`);
  });

  it('for a core that is not there or named twice', () => {
    expect(load({ config: edited('deadlineMs: 125', 'deadlineMs: 125, cores: [0, 1]') }).pipelines[0]?.cores).toEqual([0, 1]);
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, cores: [2]'))).toContain(
      'pipelines.boxes.cores[0]: got 2; allowed are 0 to 1, since device.cores has 2',
    );
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, cores: [-1]'))).toContain('pipelines.boxes.cores[0]: got -1');
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, cores: [1, 1]'))).toContain('pipelines.boxes.cores[1]: got 1 twice');
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, cores: []'))).toContain(
      'got an empty list; allowed is a list of 1 to 64 items',
    );
  });

  it('for a model that takes something else than its source gives', () => {
    expect(first(edited('source: sound', 'source: front'))).toContain(
      'pipelines.speech.model: got "listener", which takes audio; its source gives image',
    );
    expect(first(edited('source: front', 'source: sound'))).toContain(
      'pipelines.boxes.model: got "finder", which takes image; its source gives audio',
    );
    expect(first(edited('pipeline: boxes', 'pipeline: speech'))).toContain(
      'pipelines.texts.source.pipeline: got "speech", which takes sound',
    );
  });

  it('for a second window on one source of sound', () => {
    const other = MANIFEST.slice(MANIFEST.indexOf('  listener:'))
      .replace('listener:', 'other:')
      .replace('windowSamples: 512', 'windowSamples: 400');
    const config = `${CONFIG}  more: { source: sound, model: other, criticality: interactive, deadlineMs: 100 }\n`;
    expect(refusals({ config, manifest: MANIFEST + other })[0]).toContain(
      'pipelines.more.model: got "other", which takes windows of 400 samples; another model on this source takes 512',
    );
  });

  it('for options that its codec does not take, at their place', () => {
    const codecs: CodecDirectory = {
      keys: ['boxes', 'letters', 'speech'],
      validate: (codec, decode) => (codec === 'boxes' && decode.scoreMin === 2 ? [{ path: ['scoreMin'], message: '0 to 1' }] : []),
    };
    expect(load({ codecs }).pipelines).toHaveLength(3);
    expect(refusals({ codecs, config: edited('deadlineMs: 125', 'deadlineMs: 125, decode: { scoreMin: 2 }') })).toEqual([
      'bench.yaml:13:100: pipelines.boxes.decode.scoreMin: not an option of codec boxes as written; allowed is 0 to 1',
    ]);
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, decode: { scoreMin: .nan }'))).toContain(
      'pipelines.boxes.decode.scoreMin: got NaN; allowed is a finite number',
    );
    expect(first(edited('deadlineMs: 125', 'deadlineMs: 125, decode: { a: { b: 1 } }'))).toContain(
      'pipelines.boxes.decode.a: got a mapping; allowed is',
    );
  });
});

describe('split', () => {
  const split = (text: string, more = ''): string => edited('deadlineMs: 125', `deadlineMs: 125, ${text}`) + more;

  it('is a number of cores, or auto, or nothing', () => {
    expect(load({ config: split('split: 2') }).pipelines[0]?.split).toBe(2);
    expect(load({ config: split('split: auto, cores: [0, 1]') }).pipelines[0]?.split).toBe('auto');
    expect(load().pipelines[0]?.split).toBeUndefined();
  });

  it('over more cores than it may have is refused', () => {
    expect(first(split('split: 3'))).toMatch(/pipelines\.boxes\.split: got 3; allowed are 2 to 2, since device\.cores has 2$/);
    expect(first(split('split: 2, cores: [0]'))).toMatch(/pipelines\.boxes\.split: got 2; allowed are 2 to 1, since its cores are 1$/);
  });

  it('over one core, a part of one, or something else is refused', () => {
    for (const wrong of ['1', '1.5', '65', 'all', '[2]'])
      expect(first(split(`split: ${wrong}`))).toMatch(
        /pipelines\.boxes\.split: got .*; allowed is auto, or a whole number of cores from 2 to 64/,
      );
  });

  it('in two ways for one model is refused', () => {
    const more = '  other: { source: front, model: finder, criticality: background, deadlineMs: 125 }\n';
    expect(refusals({ config: split('split: 2', more) })).toEqual([
      expect.stringMatching(/pipelines\.boxes\.split: got 2, and pipeline other runs finder with none; give both the same$/),
    ]);
  });

  it('is refused where the policy weighs single cores', () => {
    const more = 'scheduler: { tuning: { victim: value } }\n';
    expect(first(split('split: 2', more))).toMatch(/scheduler\.tuning\.victim: value weighs single cores, and pipeline boxes is split/);
  });
});
