import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManifestModel } from '../../../src/config/runtime-config.ts';
import { durationUs } from '../../../src/core/units.ts';
import { costsOf } from '../../../src/runtime/simulate-costs.ts';
import { onnxModel, type TestModel } from '../../support/onnx-model.ts';

const GRAPH: TestModel = {
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
  inputs: [{ name: 'x', shape: [1, 'width'] }],
  outputs: [{ name: 'y' }],
  constants: [{ name: 'w', shape: [8, 8], external: { location: 'w.bin' } }],
};

describe('costs of a model of the manifest', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coxswain-costs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** In a folder of its own, its weights beside it. */
  function model(name: string, inputs: ManifestModel['inputs'], lay: (weights: string) => void): ManifestModel {
    mkdirSync(join(folder, name));
    const file = join(folder, name, 'model.onnx');
    const bytes = onnxModel(GRAPH);
    writeFileSync(file, bytes);
    lay(join(folder, name, 'w.bin'));
    return {
      ...{ id: 'wide', file, sha256: createHash('sha256').update(bytes).digest('hex'), inputs, outputs: [], states: [], constants: [] },
      ...{ codec: '', costUs: durationUs(1), memoryBytes: 0, licence: '', origin: '', files: {}, sideFiles: {} },
      ...{ fileBytes: bytes.length, windowSamples: undefined },
    };
  }
  const x = { name: 'x', type: 'float32', shape: [1, 8] } as const;

  it('are read where its weights are there as long as they must be', () => {
    const whole = model('whole', [x], (weights) => writeFileSync(weights, Buffer.alloc(256)));
    expect(costsOf(whole, 'int8').layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0)).toBe(64);
  });

  it.each([
    ['are missing', () => undefined, 'no such file lies beside the model'],
    ['are a folder', (weights: string) => void mkdirSync(weights), 'no such file lies beside the model'],
    [
      'are too short',
      (weights: string) => writeFileSync(weights, Buffer.alloc(255)),
      'needs the 256 bytes from 0 on of "w.bin", which has 255',
    ],
  ])('are refused where they %s', (name, lay, words) => {
    expect(() => costsOf(model(name, [x], lay), 'int8')).toThrow(
      expect.objectContaining({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining(words) }),
    );
  });

  it('are refused where the manifest leaves an input open, with the model and the way to give it', () => {
    const open = model('open', [], (weights) => writeFileSync(weights, Buffer.alloc(256)));
    expect(() => costsOf(open, 'int8')).toThrow(
      /model wide: .*model\.onnx leaves sizes of its inputs open: x; give each in the manifest, under inputs, states or constants/,
    );
  });
});
