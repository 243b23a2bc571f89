import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelAt } from '../../../src/runtime/model-at.ts';
import { DIVIDE, encodeModel } from '../../support/tiny-onnx.ts';

const SHIPPED = 'models/cockpit-lm';

describe('the model at a path', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coxswain-shape-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is the language model of the folder, or of the folder that its decoder is in', () => {
    const { shape } = modelAt(SHIPPED);
    expect(shape).toMatchObject({ kind: 'language', layers: 5, hidden: 192, kvHeads: 2, vocabulary: 2560, context: 1024 });
    expect(modelAt(`${SHIPPED}/onnx/model_q4.onnx`)).toEqual({ shape });
    expect(modelAt(`${SHIPPED}/onnx/model.onnx`).shape?.bits).toBe(32);
  });

  test('is a network where a file holds a network, whatever lies beside it', () => {
    cpSync(`${SHIPPED}/config.json`, join(folder, 'config.json'));
    writeFileSync(join(folder, 'model.onnx'), encodeModel(DIVIDE));
    const { shape, graph } = modelAt(join(folder, 'model.onnx'));
    expect(shape).toBeUndefined();
    expect(graph?.nodes.length).toBeGreaterThan(0);
  });

  test('is refused where the folder lacks its configuration, its graph, or itself', () => {
    expect(() => modelAt('models')).toThrow(/config\.json/);
    const empty = mkdtempSync(join(folder, 'empty-'));
    cpSync(`${SHIPPED}/config.json`, join(empty, 'config.json'));
    expect(() => modelAt(empty)).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }));
    expect(() => modelAt(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    const lonely = mkdtempSync(join(folder, 'lonely-'));
    cpSync(`${SHIPPED}/onnx/model_q4.onnx`, join(lonely, 'mine.onnx'));
    expect(() => modelAt(join(lonely, 'mine.onnx'))).toThrow(/config\.json/);
    cpSync(`${SHIPPED}/config.json`, join(lonely, 'config.json'));
    expect(() => modelAt(join(lonely, 'mine.onnx'))).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }));
  });
});
