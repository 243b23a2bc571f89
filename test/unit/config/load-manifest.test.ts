import { describe, expect, it } from 'vitest';
import { edited, load, MANIFEST, refusals } from '../../support/config-files.ts';

const change = (from: string, to: string): string => edited(from, to, MANIFEST);
const first = (manifest: string, links = {}): string => refusals({ manifest, links })[0] ?? '';

describe('the manifest', () => {
  it('gives model specs with absolute paths, bytes and microseconds', () => {
    const { manifest, models } = load();
    expect(manifest).toEqual({ file: '/vehicle/configs/models.yaml', root: '/vehicle/weights' });
    expect(models[1]).toEqual({
      id: 'reader',
      file: '/vehicle/weights/sub/reader.onnx',
      sha256: 'b'.repeat(64),
      inputs: [{ name: 'x', type: 'float32', shape: [1, 3, 48, 320] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1, 40, 100] }],
      states: [],
      constants: [],
      codec: 'letters',
      costUs: 10_500,
      memoryBytes: 50 * 2 ** 20,
      licence: 'MIT',
      files: { dictionary: '/vehicle/weights/keys.txt' },
      fileBytes: 200,
      windowSamples: undefined,
      sideFiles: { dictionary: { file: '/vehicle/weights/keys.txt', sha256: 'c'.repeat(64), fileBytes: 300 } },
      origin: '',
    });
    expect(models[2]).toMatchObject({ windowSamples: 512, constants: [{ name: 'sr', type: 'int64', shape: [], values: [16_000] }] });
  });

  it('may name its root by an absolute path', () => {
    expect(load({ manifest: change('root: ../weights', 'root: /var/models') }).models[0]?.file).toBe('/var/models/finder.onnx');
  });

  it.each(['../finder.onnx', 'a/../../finder.onnx', 'a/../finder.onnx', '/etc/passwd', '/vehicle/weights/finder.onnx', '..', '.', './'])(
    'is refused for the model path %s',
    (path) => {
      expect(first(change('file: finder.onnx', `file: ${path}`))).toMatch(
        /^models\.yaml:4:19: models\.finder\.file: got ".*"; allowed is a path inside root/,
      );
    },
  );

  it('is refused for a side file outside its root', () => {
    expect(first(change('file: keys.txt', 'file: ../keys.txt'))).toContain(
      'models.reader.files.dictionary.file: got "../keys.txt"; allowed is a path inside root',
    );
  });

  it('accepts names that only look like a way out', () => {
    expect(load({ manifest: change('file: finder.onnx', 'file: ..finder/...onnx') }).models[0]?.file).toBe(
      '/vehicle/weights/..finder/...onnx',
    );
  });

  it('is refused for a symbolic link that leads out of its root, and not for one inside', () => {
    const root = { '/vehicle/weights': '/disk/weights' };
    const link = (target: string) => ({ ...root, '/vehicle/weights/finder.onnx': target });
    expect(load({ links: link('/disk/weights/blobs/1') }).models).toHaveLength(3);
    for (const target of ['/etc/passwd', '/disk/weights', '/disk', '/disk/weights-other/1', '/vehicle/weights/finder.onnx']) {
      expect(first(MANIFEST, link(target))).toContain('models.finder.file: got "finder.onnx", a link that leads out of root');
    }
  });

  it.each([
    ['manifest: 1', 'manifest: 2', 'manifest: got 2; allowed is 1'],
    [`sha256: ${'a'.repeat(64)}`, `sha256: ${'A'.repeat(64)}`, 'models.finder.sha256: got "AAAA'],
    [`sha256: ${'a'.repeat(64)}`, `sha256: ${'a'.repeat(63)}`, 'allowed is 64 hexadecimal digits'],
    ['bytes: 100', 'bytes: -1', 'models.finder.bytes: got -1'],
    ['costMs: 20', 'costMs: 0', 'models.finder.costMs: got 0; allowed is a number from 0.001'],
    [
      'costMs: 20',
      'cost: 20',
      "models.finder.cost: unknown key; allowed are file, sha256, bytes, licence, origin, codec, windowSamples, inputs, outputs, states, constants, files, costMs, memoryMb; did you mean 'costMs'?",
    ],
    ['shape: [1, 3, 64, 64]', 'shape: [1, 3, -1, 64]', 'models.finder.inputs[0].shape[2]: got -1'],
    ['shape: [1, 3, 64, 64]', 'shape: [65536, 65536]', 'models.finder.inputs[0].shape: too large'],
    ['name: s, shape: [2, 8]', 'name: s, shape: [2, 9]', 'models.listener.states[0]: input and output differ in type or shape'],
    ['values: [16000]', 'values: [16000, 1]', 'models.listener.constants[0].values: got 2 values; allowed are 1, as the shape says'],
    ['values: [16000]', 'values: [0.5]', 'a value does not fit into int64'],
    ['type: int64, shape: [], values: [16000]', 'type: uint8, shape: [], values: [256]', 'a value does not fit into uint8'],
    ['name: s, shape', 'name: x, shape', 'models.listener.inputs: the tensor "x" is named twice'],
    ['name: t, shape', 'name: y, shape', 'models.listener.outputs: the tensor "y" is named twice'],
    ['  finder:', '  reader:', 'this key is given twice in one mapping'],
  ])('is refused with %s as %s', (from, to, problem) => {
    expect(refusals({ manifest: change(from, to) }).join('\n')).toContain(problem);
  });

  it('is held to the codecs there are', () => {
    const codecs = { keys: ['boxes', 'letters', 'speech'], validate: () => [] };
    expect(refusals({ codecs, manifest: change('codec: boxes', 'codec: boxs') })).toEqual([
      expect.stringContaining('models.finder.codec: got "boxs"; allowed are boxes, letters, speech; did you mean \'boxes\'?'),
    ]);
  });

  it('is complained about in the configuration when it cannot be read', () => {
    expect(refusals({ config: edited('models: ./models.yaml', 'models: ./modles.yaml') })).toEqual([
      'bench.yaml:3:9: models: the manifest cannot be read: cannot open "/vehicle/configs/modles.yaml"'.replaceAll('/vehicle/configs/', ''),
    ]);
  });

  it('is told together with the problems of the configuration, after them', () => {
    const found = refusals({ config: edited('source: front', 'source: nothing'), manifest: change('bytes: 100', 'bytes: 0') });
    expect(found.map((line) => line.split(':')[0]).sort()).toEqual(['bench.yaml', 'models.yaml']);
  });

  const shapes = (text: string): string => `${MANIFEST}shapes:\n${text}`;
  const network = '  wide: { kind: network, gmac: 8.5, paramsM: 7.4, input: [480, 640, 3], source: a table, costMs: 3, memoryMb: 10 }\n';
  const language =
    '  talker: { kind: language, layers: 32, hidden: 4096, heads: 32, kvHeads: 8, intermediate: 14336, vocabulary: 128256, bits: 4.5, context: 2048, source: a page, costMs: 20, memoryMb: 4600 }\n';

  it('takes models that are only described', () => {
    const { models } = load({ manifest: shapes(network + language) });
    expect(models[3]).toMatchObject({
      id: 'wide',
      file: '',
      origin: 'a table',
      inputs: [{ shape: [1, 480, 640, 3] }],
      shape: { kind: 'network', macs: 8.5e9, parameters: 7.4e6, height: 480, width: 640, channels: 3, style: 'dense', hasCurves: false },
    });
    expect(models[4]?.shape).toMatchObject({ kind: 'language', layers: 32, kvBits: 16, headSize: undefined, tiedEmbedding: false });
  });

  it('takes a network whose every parameter is multiplied once', () => {
    for (const size of ['gmac: 1, paramsM: 1000', 'gmac: 0.0003, paramsM: 0.3'])
      expect(load({ manifest: edited('gmac: 8.5, paramsM: 7.4', size, shapes(network)) }).models).toHaveLength(4);
  });

  it('takes the longest sequence of a language model where it is told, and no longer one', () => {
    const told = (max: number): string => edited('context: 2048', `context: 2048, contextMax: ${max}`, shapes(language));
    expect(load({ manifest: told(2048) }).models[3]?.shape).toMatchObject({ context: 2048, contextMax: 2048 });
    expect(refusals({ manifest: told(2047) }).join('\n')).toContain(
      'shapes.talker.context: got 2048; allowed is contextMax (2047) at most',
    );
  });

  it.each([
    ['wide:', 'finder:', 'shapes.finder: this name is given among models too'],
    ['gmac: 8.5', 'gmac: -1', 'shapes.wide.gmac: got -1; allowed is a number from'],
    ['gmac: 8.5', 'gmacs: 8.5', "did you mean 'gmac'?"],
    ['[480, 640, 3]', '[480, 640]', 'a list of 3 to 3 items'],
    ['kind: network', 'kind: netwrk', "did you mean 'network'?"],
    [
      'gmac: 8.5, paramsM: 7.4',
      'gmac: 1, paramsM: 60000',
      'shapes.wide.paramsM: got 60000 million with 1 billion multiply-accumulates; allowed are 1000 million at most',
    ],
    ['gmac: 8.5, paramsM: 7.4', 'gmac: 0.0003, paramsM: 0.3000001', 'allowed are 0.3 million at most'],
  ])('refuses a description with %s as %s', (from, to, problem) => {
    expect(refusals({ manifest: edited(from, to, shapes(network)) }).join('\n')).toContain(problem);
  });
});
