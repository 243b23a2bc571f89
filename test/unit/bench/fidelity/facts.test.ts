import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { languageModelBy, readLanguageFacts, weightBitsOf } from '../../../../src/bench/fidelity/language-facts.ts';
import { listedLayers, readNetworkLayers } from '../../../../src/bench/fidelity/listed-layers.ts';
import type { NetworkWork } from '../../../../src/bench/fidelity/measurement.ts';
import { namedSize, nameKey, nameKeys } from '../../../../src/bench/fidelity/model-name.ts';
import { networkBy, readNetworkFacts } from '../../../../src/bench/fidelity/network-facts.ts';
import { profileOfPart } from '../../../../src/bench/fidelity/part-name.ts';
import { layerTable } from '../../../../tools/network-layers/table.ts';

const languageFile = readFileSync('configs/fidelity/language-models.csv', 'utf8');
const networkFile = readFileSync('configs/fidelity/networks.csv', 'utf8');
const languageModels = readLanguageFacts('l.csv', languageFile);
const networks = readNetworkFacts('n.csv', networkFile);
const layerFile = readFileSync('configs/fidelity/network-layers.csv', 'utf8');
const lists = readNetworkLayers('m.csv', layerFile);

describe('names of models', () => {
  it('are the same however tables write them', () => {
    expect(nameKey('YOLOv8-n')).toBe(nameKey('yolo_v8n'));
    expect(nameKey('Qwen2.5-1.5B')).not.toBe(nameKey('Qwen25-15B'));
    expect(nameKeys('Llama-3.2-3B-Instruct-AWQ')).toContain('llama3.23b');
    expect(nameKeys('yolov5s_relu')).toContain('yolo5s');
  });

  it.each([
    ['Qwen3.5 2B', { total: 2, active: undefined }],
    ['Gemma4 E2B', { total: 2, active: undefined }],
    ['DeepSeekOCR 3B-A570M', { total: 3, active: 0.57 }],
    ['Qwen3-30B-A3B', { total: 30, active: 3 }],
    ['SmolLM2-360M', { total: 0.36, active: undefined }],
    ['mystery', undefined],
    ['0B', undefined],
  ])('%s tells its size', (name, size) => {
    expect(namedSize(name)).toEqual(size);
  });

  it.each([
    ['w8a8', 8],
    ['w4a16', 4],
    ['w4a16_g128', 4.125],
    ['W8A8_g256', 8.0625],
    ['INT4', 4.125],
    ['int8', 8],
    ['Q4', 4.5],
    ['Q4_1', 5],
    ['Q8_0', 8.5],
    ['NVFP4', 4.5],
    ['FP8', 8],
    ['fp16', 16],
    ['BF16', 16],
    ['AWQ', 4.125],
    ['best', undefined],
    ['', undefined],
  ])('quantisation %s tells the bits of a weight', (text, bits) => {
    expect(weightBitsOf(text)).toBe(bits);
  });

  it('tell chips apart by whole words, the longer name first', () => {
    const profiles = [
      { id: 'hailo-8', knownAs: ['Hailo-8'] },
      { id: 'orin-agx', knownAs: ['AGX Orin'] },
      { id: 'orin', knownAs: ['Orin'] },
      { id: 'rk3588', knownAs: [] },
    ];
    const idOf = (part: string): string | undefined => profileOfPart(part, profiles)?.id;
    expect(['Hailo-8', 'Hailo-8L', 'RK3588_single_core', 'Jetson AGX Orin 64GB (closed)', 'Orin Nano', 'RK3576', ''].map(idOf)).toEqual([
      ...['hailo-8', undefined, 'rk3588', 'orin-agx', 'orin', undefined, undefined],
    ]);
  });
});

describe('the list of language models', () => {
  const bytesOf = (name: string, bits = 8): number =>
    (languageModelBy(languageModels, name, bits)?.decodeLayers(1, 0) ?? []).reduce((sum, layer) => sum + layer.weightBytes, 0);

  it('knows models by their names in tables, and reads what a token reads', () => {
    expect(languageModelBy(languageModels, 'Phi3 3.8B', 8)).toMatchObject({ told: 'the shape of Phi3-3.8B', isBySize: false });
    expect(bytesOf('Llama-3.1-8B') / 1e9).toBeCloseTo(7.5, 1);
    expect(bytesOf('Llama-3.1-8B', 4) / bytesOf('Llama-3.1-8B')).toBeCloseTo(0.5, 6);
  });

  it('makes one of the size that an unknown name tells, and none when it tells nothing', () => {
    expect(bytesOf('Unheard-2B') / 2e9).toBeCloseTo(1, 2);
    expect(bytesOf('Unheard-30B-A3B') / 3e9).toBeCloseTo(1, 2);
    expect(languageModelBy(languageModels, 'Unheard-2B', 8)).toMatchObject({ isBySize: true });
    expect(languageModelBy(languageModels, 'Unheard', 8)).toBeUndefined();
  });

  it('holds shapes that the shipped manifest has in the same words', () => {
    const manifest = readFileSync('configs/manifests/language.yaml', 'utf8');
    const known = [...manifest.matchAll(/^ {2}([\w-]+): \{ kind: language, layers: (\d+), hidden: (\d+), heads: (\d+), kvHeads: (\d+)/gm)];
    expect(known.length).toBeGreaterThan(15);
    for (const [, id = '', layers, hidden, heads, kvHeads] of known) {
      const shape = languageModels.byKey.get(nameKey(id.replaceAll('_', '.')))?.shape;
      if (shape === undefined) continue;
      expect([id, shape.layers, shape.hidden, shape.heads, shape.kvHeads]).toEqual([id, ...[layers, hidden, heads, kvHeads].map(Number)]);
    }
  });

  it.each([
    ['a missing column', languageFile.replace('layers,', 'lairs,'), 'layers'],
    ['layers of words', languageFile.replace(/Qwen2-0.5B,Qwen2.5-0.5B,24/, 'Qwen2-0.5B,Qwen2.5-0.5B,many'), 'layers is "many"'],
  ])('with %s is refused', (_, text, words) => {
    expect(() => languageModelBy(readLanguageFacts('l.csv', text), 'Qwen2-0.5B', 8)).toThrow(words);
  });
});

describe('the list of networks', () => {
  const work = (model: string, more: Partial<NetworkWork> = {}): NetworkWork => ({
    kind: 'network',
    model,
    type: 'int8',
    batch: 1,
    cores: 1,
    ...more,
  });

  it('knows networks by their names in tables', () => {
    expect(networkBy(networks, work('YOLOv8s'))?.size).toMatchObject({ macs: 14.3e9, hasCurves: true });
    expect(networkBy(networks, work('yolov5s_relu'))?.size).toMatchObject({ macs: 8.25e9, hasCurves: false });
    expect(networkBy(networks, work('mobilenetv2-12'))).toMatchObject({ style: 'depthwise' });
  });

  it('counts more pixels as more to multiply, and the same weights', () => {
    const input = { height: 320, width: 320, channels: 3 };
    const small = networkBy(networks, work('yolov8s', { input }))?.size;
    expect(small).toMatchObject({ macs: 14.3e9 / 4, parameters: 11.2e6, ...input });
  });

  it('believes the row more than itself', () => {
    expect(networkBy(networks, work('resnet_v1_50', { macs: 3e9, parameters: 20e6 }))?.size).toMatchObject({ macs: 3e9, parameters: 20e6 });
  });

  it('knows better than a row where tables tell a wrong input, and only there', () => {
    const square = (side: number) => ({ input: { height: side, width: side, channels: 3 } });
    const [mistold, full, half] = [224, 520, 260].map((side) => networkBy(networks, work('fcn_resnet50', square(side))));
    expect(mistold).toMatchObject({ pixels: 1, told: 'the size of fcn_resnet50 at 520x520, which the row tells wrongly' });
    expect(mistold?.size).toEqual(full?.size);
    expect(half).toMatchObject({ pixels: 0.25, told: 'the size of fcn_resnet50' });
  });

  it('takes a network that it does not know by the size of the row, and what its name says of its layers', () => {
    const size = { macs: 1e9, parameters: 4e6, input: { height: 224, width: 224, channels: 3 } };
    expect(networkBy(networks, work('new_mobile_thing', size))).toMatchObject({ style: 'depthwise' });
    expect(networkBy(networks, work('new_vit_thing', size))).toMatchObject({ style: 'attention' });
    expect(networkBy(networks, work('unet_mobile', { ...size, macs: 50e9 }))).toMatchObject({ style: 'dense' });
    expect(networkBy(networks, work('new_thing'))).toBeUndefined();
  });

  it.each([
    ['an unknown style', networkFile.replace(',dense,relu,', ',square,relu,'), 'style is "square"'],
    ['an input that is none', networkFile.replace(',false,224x224,', ',false,big,'), 'mistold is "big"'],
    ['an unknown activation', networkFile.replace(',dense,relu,', ',dense,step,'), 'activation is "step"'],
    ['no size', networkFile.replace('224x224x3,1.82,11.68', '224x224x3,,11.68'), 'gmac and params_m must be told'],
  ])('with %s is refused', (_, text, words) => {
    expect(() => readNetworkFacts('n.csv', text)).toThrow(words);
  });
});

describe('the layers of networks', () => {
  const sizeOf = (model: string, more: Partial<NetworkWork> = {}) => {
    const known = networkBy(networks, { kind: 'network', model, type: 'int8', batch: 1, cores: 1, ...more });
    if (known === undefined) throw new Error(`${model} is not known`);
    return known;
  };
  const found = (model: string, more: Partial<NetworkWork> = {}) => {
    const { size, pixels, listed = '' } = sizeOf(model, more);
    return listedLayers(lists.get(listed) ?? [], { size, pixels, type: 'int8' });
  };
  const macsOf = (model: string, more: Partial<NetworkWork> = {}) =>
    (found(model, more)?.layers ?? []).reduce((sum, { macs }) => sum + macs, 0);

  it('are what the architectures in tools/network-layers give, byte for byte (npx tsx tools/network-layers/main.ts)', () => {
    expect(layerFile).toBe(layerTable());
  });

  it('come to the published multiply-accumulates and weights', () => {
    const off = [...lists].flatMap(([name, list]) => {
      const { size } = sizeOf(name);
      const sum = (of: (layer: (typeof list)[number]) => number): number =>
        list.reduce((total, layer) => total + layer.count * of(layer), 0);
      const macs = sum(({ m, n, k, groups }) => m * n * k * groups);
      const weights = sum(({ n, k, groups, isScore }) => (isScore ? 0 : n * k * groups));
      const ratios = [macs / size.macs, weights / size.parameters];
      return ratios.some((ratio) => Math.abs(ratio - 1) > 0.1) ? [[name, ...ratios]] : [];
    });
    // SqueezeNet is counted with more by Hailo than by others; of YOLOv5m-seg Hailo tells half as many parameters again as its layers have.
    expect(off.map(([name]) => name)).toEqual(['squeezenet_v1.1', 'yolov5m_seg']);
    expect(lists.size).toBeGreaterThan(80);
  });

  it('grow with the pixels, and follow what the row counts', () => {
    const input = { height: 320, width: 320, channels: 3 };
    expect(macsOf('yolov8s', { input }) / macsOf('yolov8s')).toBeCloseTo(0.25, 3);
    expect(macsOf('resnet18', { macs: 2e9 })).toBeCloseTo(2e9, -4);
    expect((found('resnet18', { parameters: 12e6 })?.layers ?? []).reduce((sum, { weightBytes }) => sum + weightBytes, 0)).toBeCloseTo(
      12e6,
      -2,
    );
  });

  it('are believed where a row contradicts itself, and left alone where it tells of another network', () => {
    const own = { macs: 1e9, parameters: 4.07e6 };
    expect(found('mobilenet_v3', own)?.isRowBelieved).toBe(false);
    expect(macsOf('mobilenet_v3', own) / 1e9).toBeCloseTo(0.209, 2);
    expect(found('mobilenet_v3', { ...own, parameters: 9e6 })).toBeUndefined();
  });

  it.each([
    ['half a layer', layerFile.replace(/\nresnet_v1_18,1,12544,/, '\nresnet_v1_18,0.5,12544,'), 'count is "0.5"'],
    ['no width', layerFile.replace(/\nresnet_v1_18,1,12544,64,/, '\nresnet_v1_18,1,12544,,'), 'n is empty'],
    ['a negative number', layerFile.replace(/\nresnet_v1_18,1,12544,/, '\nresnet_v1_18,1,-3,'), 'm is "-3"'],
    ['no layer', layerFile.split('\n').slice(0, 5).join('\n'), 'the table has no rows'],
  ])('with %s are refused', (_, text, words) => {
    expect(text).not.toBe(layerFile);
    expect(() => readNetworkLayers('m.csv', text)).toThrow(words);
  });
});
