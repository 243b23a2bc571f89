import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { layerCosts } from '../../../../src/models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../../../../src/models/onnx-graph/read-onnx-graph.ts';
import { onnxModel } from '../../../support/onnx-model.ts';
import { caseModel } from '../../../support/operator-case.ts';
import { OPERATOR_CASES } from '../../../support/operator-cases.ts';

const RUNS = 200 * Number(process.env.COXSWAIN_SEEDS ?? 1);

/** Either costs whose sums are numbers, or one of our errors. */
function readsOrRefuses(bytes: Uint8Array): void {
  try {
    const { macs, weightBytes, peakActivationBytes, layers } = layerCosts(readOnnxGraph(bytes), { dims: {} });
    for (const sum of [macs, weightBytes, peakActivationBytes]) expect(sum).toBeGreaterThanOrEqual(0);
    for (const layer of layers) expect(Number.isFinite(layer.inputBytes + layer.outputBytes + layer.elementOps)).toBe(true);
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    expect(['MODEL_UNLOADABLE', 'CONFIG_INVALID']).toContain(thrown.code);
    expect(thrown.message.length).toBeLessThan(20_000);
  }
}

const anyCase = fc.constantFrom(...OPERATOR_CASES);

describe('any bytes', () => {
  it('are costed or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readsOrRefuses), { numRuns: RUNS });
  });

  it('of a model with some overwritten, cut out or doubled are costed or refused', () => {
    const edit = fc.record({ at: fc.nat(10_000), length: fc.nat(12), bytes: fc.uint8Array({ maxLength: 12 }) });
    fc.assert(
      fc.property(anyCase, fc.array(edit, { minLength: 1, maxLength: 4 }), (given, edits) => {
        let bytes = caseModel(given);
        for (const { at, length, bytes: patch } of edits) {
          const from = at % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, from), patch, bytes.subarray(from + length)]);
        }
        readsOrRefuses(bytes);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('any attributes', () => {
  it('and shapes of an operator are costed or refused', () => {
    const number = fc.oneof(fc.integer({ min: -4, max: 9 }), fc.constantFrom(2 ** 31, -(2 ** 31), 2 ** 53 - 1, 0));
    const value = fc.oneof(number, fc.array(number, { maxLength: 5 }), fc.constantFrom('', 'SAME_UPPER', 'ij,jk->ik', 'linear'));
    const shape = fc.array(fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(2 ** 20)), { maxLength: 5 });
    fc.assert(
      fc.property(anyCase, fc.array(shape, { maxLength: 7 }), fc.array(value, { maxLength: 8 }), (given, shapes, values) => {
        const names = Object.keys(given.attributes ?? {});
        const attributes = Object.fromEntries(names.map((name, index) => [name, values[index] ?? 1]));
        const inputs = shapes.map((sizes, index) => ({
          name: `in${index}`,
          shape: sizes,
          type: given.inputs[index]?.type ?? ('float32' as const),
        }));
        const stored = shapes.map((_, index) => ({ name: `k${index}`, type: 'int64' as const, shape: [2], values: [index - 2, 3] }));
        const mixed = inputs.map((input, index) => (given.inputs[index]?.type === 'int64' ? `k${index}` : input.name));
        const node = { op: given.op, inputs: mixed, outputs: given.outputs.map((_, index) => `out${index}`), attributes };
        const nodes = [given.domain === undefined ? node : { ...node, domain: given.domain }];
        readsOrRefuses(onnxModel({ nodes, inputs, constants: stored, outputs: [{ name: 'out0' }], opset: given.opset ?? 17 }));
      }),
      { numRuns: RUNS * 4 },
    );
  });
});
