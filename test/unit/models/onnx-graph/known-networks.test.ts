import { describe, expect, it } from 'vitest';
import { layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { onnxModel, type TestConstant, type TestNode } from '../../../support/onnx-model.ts';

/** Networks written down from their papers, without numbers in their weights: what they cost is published. */
class Network {
  private readonly nodes: TestNode[] = [];
  private readonly constants: TestConstant[] = [];
  private last = 'x';

  get end(): string {
    return this.last;
  }

  set end(name: string) {
    this.last = name;
  }

  conv(from: number, to: number, kernel: number, stride = 1, group = 1): this {
    const pad = (kernel - 1) >> 1;
    const bias = this.stored([to]);
    return this.add('Conv', [this.last, this.stored([to, from / group, kernel, kernel]), bias], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    });
  }

  add(op: string, inputs: string[], attributes: TestNode['attributes'] = {}): this {
    this.last = `v${this.nodes.length}`;
    this.nodes.push({ op, inputs, outputs: [this.last], attributes });
    return this;
  }

  stored(shape: number[]): string {
    const name = `w${this.constants.length}`;
    this.constants.push({ name, shape });
    return name;
  }

  head(channels: number, classes: number): this {
    return this.add('GlobalAveragePool', [this.last])
      .add('Flatten', [this.last])
      .add('Gemm', [this.last, this.stored([classes, channels]), this.stored([classes])], { transB: 1 });
  }

  costs() {
    const model = onnxModel({
      nodes: this.nodes,
      constants: this.constants,
      inputs: [{ name: 'x', shape: [1, 3, 224, 224] }],
      outputs: [{ name: this.last }],
    });
    return layerCosts(readOnnxGraph(model));
  }
}

function resnet50(): Network {
  const net = new Network().conv(3, 64, 7, 2);
  net.add('Relu', [net.end]).add('MaxPool', [net.end], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const [width, blocks, stride] of [
    [64, 3, 1],
    [128, 4, 2],
    [256, 6, 2],
    [512, 3, 2],
  ] as const) {
    for (let block = 0; block < blocks; block += 1) {
      const start = net.end;
      const step = block === 0 ? stride : 1;
      // The stride sits in the 3x3 convolution, as in version 1.5.
      const branch = net
        .conv(channels, width, 1)
        .conv(width, width, 3, step)
        .conv(width, width * 4, 1).end;
      net.end = start;
      const skip = block === 0 ? net.conv(channels, width * 4, 1, step).end : start;
      net.add('Add', [branch, skip]).add('Relu', [net.end]);
      channels = width * 4;
    }
  }
  return net.head(2048, 1000);
}

function mobilenetV2(): Network {
  const net = new Network().conv(3, 32, 3, 2);
  let channels = 32;
  const stages = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const;
  for (const [expansion, to, repeats, stride] of stages) {
    for (let block = 0; block < repeats; block += 1) {
      const start = net.end;
      const wide = channels * expansion;
      if (expansion > 1) net.conv(channels, wide, 1);
      net.conv(wide, wide, 3, block === 0 ? stride : 1, wide).conv(wide, to, 1);
      if (block > 0) net.add('Add', [net.end, start]);
      channels = to;
    }
  }
  return net.conv(320, 1280, 1).head(1280, 1000);
}

describe('published networks', () => {
  it('ResNet-50 v1.5 costs 4.1 GMACs and 25.5 million parameters', () => {
    const { macs, weightBytes, outputs } = resnet50().costs();
    expect(macs / 1e9).toBeCloseTo(4.09, 2);
    expect(weightBytes / 4e6).toBeCloseTo(25.53, 1);
    expect(outputs[0]?.shape).toEqual([1, 1000]);
  });

  it('MobileNetV2 costs 300 MMACs and 3.5 million parameters', () => {
    const { macs, weightBytes, outputs } = mobilenetV2().costs();
    expect(macs / 1e6).toBeCloseTo(300.8, 0);
    expect(weightBytes / 4e6).toBeCloseTo(3.49, 1);
    expect(outputs[0]?.shape).toEqual([1, 1000]);
  });
});

describe('a decoder as it is exported', () => {
  /** One block with int4 weights: norm, packed projection, attention with its cache, output, gate, up and down. */
  function decoder(hidden: number, heads: number, kvHeads: number, wide: number) {
    const size = hidden / heads;
    const nodes: TestNode[] = [];
    const constants: TestConstant[] = [{ name: 'table', type: 'float32', shape: [1000, hidden] }];
    const domain = 'com.microsoft';
    const quantized = (name: string, input: string, k: number, n: number): string => {
      constants.push({ name: `${name}.q`, type: 'uint8', shape: [n, k / 32, 16] }, { name: `${name}.s`, shape: [(n * k) / 32] });
      nodes.push({
        op: 'MatMulNBits',
        domain,
        inputs: [input, `${name}.q`, `${name}.s`],
        outputs: [name],
        attributes: { K: k, N: n, bits: 4, block_size: 32 },
      });
      return name;
    };
    const norm = (name: string): string => {
      constants.push({ name: `${name}.w`, shape: [hidden] });
      return `${name}.w`;
    };
    nodes.push({ op: 'Gather', inputs: ['table', 'ids'], outputs: ['e'] });
    nodes.push({ op: 'SimplifiedLayerNormalization', inputs: ['e', norm('n1')], outputs: ['n1'] });
    const qkv = quantized('qkv', 'n1', hidden, (heads + 2 * kvHeads) * size);
    nodes.push(
      { op: 'Shape', inputs: ['mask'], outputs: ['mask.shape'] },
      { op: 'Gather', inputs: ['mask.shape', 'one'], outputs: ['total64'] },
    );
    nodes.push({ op: 'Cast', inputs: ['total64'], outputs: ['total'], attributes: { to: 6 } });
    constants.push({ name: 'one', type: 'int64', shape: [], values: [1] });
    nodes.push({
      op: 'GroupQueryAttention',
      domain,
      inputs: [qkv, '', '', 'past.k', 'past.v', 'lengths', 'total'],
      outputs: ['a', 'present.k', 'present.v'],
      attributes: { num_heads: heads, kv_num_heads: kvHeads },
    });
    const out = quantized('out', 'a', hidden, hidden);
    nodes.push({ op: 'SkipSimplifiedLayerNormalization', domain, inputs: ['e', out, norm('n2')], outputs: ['n2', '', '', 'sum'] });
    const [gate, up] = [quantized('gate', 'n2', hidden, wide), quantized('up', 'n2', hidden, wide)];
    nodes.push(
      { op: 'Sigmoid', inputs: [gate], outputs: ['sg'] },
      { op: 'Mul', inputs: [gate, 'sg'], outputs: ['silu'] },
      { op: 'Mul', inputs: ['silu', up], outputs: ['gu'] },
    );
    quantized('down', 'gu', wide, hidden);
    const past = [null, kvHeads, 'past_sequence_length', size];
    return onnxModel({
      nodes,
      constants,
      inputs: [
        { name: 'ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
        { name: 'mask', type: 'int64', shape: ['batch_size', 'past_sequence_length + sequence_length'] },
        { name: 'lengths', type: 'int32', shape: ['batch_size', 1] },
        { name: 'past.k', shape: past.with(0, 'batch_size') },
        { name: 'past.v', shape: past.with(0, 'batch_size') },
      ],
      outputs: [{ name: 'down' }, { name: 'sum' }, { name: 'present.k' }],
    });
  }

  it('costs its products, its int4 weights with their scales, and its cache', () => {
    const graph = readOnnxGraph(decoder(256, 8, 2, 512));
    const { layers, outputs, unknown, macs } = layerCosts(graph, { dims: { batch_size: 1, sequence_length: 3, past_sequence_length: 61 } });
    expect(unknown).toEqual([]);
    expect(outputs.map((output) => output.shape)).toEqual([
      [1, 3, 256],
      [1, 3, 256],
      [1, 2, 64, 32],
    ]);
    const weights = 256 * 384 + 256 * 256 + 3 * 256 * 512;
    expect(macs).toBe(3 * weights + 2 * 8 * 3 * 64 * 32);
    const quantized = layers.filter((layer) => layer.operator.endsWith('MatMulNBits'));
    expect(quantized.every((layer) => layer.type === 'int4')).toBe(true);
    expect(quantized.reduce((sum, layer) => sum + layer.weightBytes, 0)).toBe(weights / 2 + (weights / 32) * 4);
    expect(layers.find((layer) => layer.operator === 'Gather')?.weightBytes).toBe(3 * 256 * 4);
    expect(layers.find((layer) => layer.stateBytes)?.stateBytes).toBe(2 * 2 * 32 * 4 * 64);
  });
});
