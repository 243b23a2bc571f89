import { expect, it } from 'vitest';
import { contractViolations } from '../../../../src/devices/ort/contract.ts';
import type { LoadableModel } from '../../../../src/devices/ort/protocol.ts';

const model: LoadableModel = {
  id: 'm',
  file: '/m.onnx',
  sha256: '',
  inputs: [{ name: 'image', type: 'float32', shape: [1, 3] }],
  outputs: [{ name: 'boxes', type: 'float32', shape: [7] }],
  states: [{ input: { name: 'h', type: 'float32', shape: [2] }, output: { name: 'hn', type: 'float32', shape: [2] } }],
  constants: [{ name: 'sr', type: 'int64', shape: [], values: [16_000] }],
};
const tensor = (name: string, type: 'float32' | 'int64', shape: readonly (number | string)[]) => ({
  name,
  isTensor: true as const,
  type,
  shape,
});
const inputs = [tensor('sr', 'int64', []), tensor('image', 'float32', ['batch', 3]), tensor('h', 'float32', [2])];
const outputs = [tensor('hn', 'float32', []), tensor('boxes', 'float32', [7]), tensor('more', 'float32', [1])];

it('has nothing against a model in another order, with open dimensions, unknown ranks and outputs nobody reads', () => {
  expect(contractViolations(model, inputs, outputs)).toEqual([]);
});

it('names every violation at once', () => {
  const found = contractViolations(
    model,
    [tensor('image', 'int64', [1, 3]), tensor('extra', 'float32', [1])],
    [tensor('boxes', 'float32', [8])],
  );
  expect(found).toEqual([
    'the input "image" is int64 [1, 3] in the model and float32 [1, 3] in the manifest',
    'the manifest names an input "h"; the model has "image", "extra"',
    'the manifest names an input "sr"; the model has "image", "extra"',
    'the model has an input "extra" that the manifest does not name',
    'the output "boxes" is float32 [8] in the model and float32 [7] in the manifest',
    'the manifest names an output "hn"; the model has "boxes"',
  ]);
});

it('refuses what is not a tensor', () => {
  const sequence = { name: 'boxes', isTensor: false as const };
  expect(contractViolations(model, inputs, [sequence, ...outputs.slice(0, 1)])).toEqual([
    'the output "boxes" of the model is not a tensor',
  ]);
});
