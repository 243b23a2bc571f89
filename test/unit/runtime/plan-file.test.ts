import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelAt } from '../../../src/runtime/model-at.ts';
import { costsOfGraph, graphOfFile, type NetworkFile, planGraph } from '../../../src/runtime/plan-file.ts';
import { onnxModel, type TestModel } from '../../support/onnx-model.ts';
import { modeOf, shippedSoc } from '../../support/shipped.ts';

const profile = shippedSoc('rk3588');
const chip = { profile, mode: modeOf(profile) };

/** `y = x w`, of as many rows as `rows` and one axis without a name say. */
const OPEN: TestModel = {
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
  inputs: [{ name: 'x', shape: ['batch', 'rows + 1', null, 8] }],
  outputs: [{ name: 'y' }],
  constants: [{ name: 'w', shape: [8, 4] }],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-plan-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, model: TestModel): string {
  const file = join(folder, name);
  writeFileSync(file, onnxModel(model));
  return file;
}

describe('a network that leaves sizes open', () => {
  const network = (dims: Readonly<Record<string, number>>): NetworkFile => {
    const file = fileOf('open.onnx', OPEN);
    return { file, graph: graphOfFile(file), bits: 8, dims };
  };

  test('is refused with its file, its sizes and the option that gives them', () => {
    expect(() => planGraph(network({}), chip)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /open\.onnx" leaves sizes open: batch, rows, x\[2\] \(inputs x \[batch,rows \+ 1,\?,8\]\); .* --dims 'batch=1,rows=1,x\[2\]=1'/,
        ),
      }),
    );
    expect(() => planGraph(network({ batch: 1, rows: 2 }), chip)).toThrow(/leaves sizes open: x\[2\] /);
  });

  test('is planned with those that are given', () => {
    const sizes = { batch: 2, rows: 4, 'x[2]': 3 };
    expect(planGraph(network(sizes), chip).gmac * 1e9).toBeCloseTo(2 * 5 * 3 * 8 * 4);
    expect(costsOfGraph(network({ batch: 2, 'rows + 1': 5, 'x[2]': 3 }))).toEqual(costsOfGraph(network(sizes)));
  });

  test('takes no size that it does not leave open', () => {
    expect(() => planGraph(network({ batch: 1, rows: 1, 'x[2]': 1, 'x[3]': 8 }), chip)).toThrow(
      /--dims names x\[3\], which .*open\.onnx" does not leave open; allowed are batch, rows, x\[2\]/,
    );
  });

  test('takes what inputs without axes are fed, on which a branch may depend', () => {
    const product = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['product'] };
    const file = fileOf('branch.onnx', {
      ...OPEN,
      inputs: [
        { name: 'x', shape: [1, 8] },
        { name: 'fast', type: 'bool', shape: [] },
      ],
      nodes: [
        {
          ...{ op: 'If', inputs: ['fast'], outputs: ['y'] },
          attributes: {
            then_branch: { graph: { nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['same'] }], outputs: [{ name: 'same' }] } },
            else_branch: { graph: { nodes: [product], outputs: [{ name: 'product' }] } },
          },
        },
      ],
    });
    const fed = (fast: number) => planGraph({ file, graph: graphOfFile(file), bits: 8, dims: { fast } }, chip);
    expect([fed(1).gmac, fed(0).gmac * 1e9]).toEqual([0, 32]);
    expect(planGraph({ file, graph: graphOfFile(file), bits: 8, dims: {} }, chip).unknown).toEqual([{ operator: 'If', count: 1 }]);
  });

  test('is refused where an input has no shape at all', () => {
    const file = fileOf('shapeless.onnx', { ...OPEN, inputs: [{ name: 'x' }] });
    expect(() => planGraph({ file, graph: graphOfFile(file), bits: 8, dims: {} }, chip)).toThrow(/how many axes its input x has/);
  });
});

describe('weights that lie beside a file', () => {
  const heavy = (location: string): TestModel => ({
    ...OPEN,
    inputs: [{ name: 'x', shape: [1, 1024] }],
    constants: [{ name: 'w', shape: [1024, 1024], external: { location } }],
  });

  test.each([
    ['are missing', 'missing.bin', () => undefined, /needs the 4194304 bytes from 0 on of "missing.bin", and no such file lies beside/],
    ['are a folder', 'folder.bin', (path: string) => void mkdirSync(path), /of "folder.bin", and no such file lies beside/],
    [
      'are too short',
      'short.bin',
      (path: string) => writeFileSync(path, Buffer.alloc(100)),
      /of "short.bin", which has 100; it is truncated/,
    ],
  ])('are refused where they %s', (_, location, lay, words) => {
    lay(join(folder, location));
    const file = fileOf(`${location}.onnx`, heavy(location));
    expect(() => modelAt(file)).toThrow(expect.objectContaining({ code: 'MODEL_UNLOADABLE', message: expect.stringMatching(words) }));
  });

  test('need only be there in their length', () => {
    writeFileSync(join(folder, 'whole.bin'), Buffer.alloc(4 * 2 ** 20));
    expect(modelAt(fileOf('whole.onnx', heavy('whole.bin'))).graph?.externalData).toHaveLength(1);
  });
});
