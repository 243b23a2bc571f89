import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { LanguageFolder } from '../../../src/config/load-scope.ts';
import { createLanguageDirectory } from '../../../src/runtime/language-directory.ts';
import { writeTinyDecoder } from '../../support/tiny-decoder.ts';

const SHIPPED = resolve(import.meta.dirname, '../../../models/cockpit-lm');
const folder = mkdtempSync(join(tmpdir(), 'coxswain-languages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const directory = createLanguageDirectory();
const describeModel = (change: Partial<LanguageFolder> = {}) =>
  directory.describe({
    ...{ id: 'lm', folder: SHIPPED, variant: undefined, sha256: undefined, chunkTokens: undefined },
    ...{ cacheBytesMax: 2 ** 26, textsMax: 16, sharesWeights: false, ...change },
  });

describe('a folder of a language model', () => {
  it('is a whole model: the int4 build where there is one, with everything that a core needs and the simulator reckons with', () => {
    const model = describeModel();
    expect(model).toMatchObject({
      ...{ id: 'lm', codec: 'language', file: join(SHIPPED, 'onnx/model_q4.onnx') },
      shape: { kind: 'language', layers: 5, hidden: 192, context: 1024 },
      language: { cacheBytesMax: 2 ** 26, textsMax: 20, sharesWeights: false },
      steps: { kind: 'tokens', turnsMax: 16 },
    });
    expect(model.build).toMatch(/^q4, .* one owner core, weights of its own, since shared int4 weights would make tokens 85 times slower$/);
    expect(model.language?.chunkTokens).toBe(model.steps?.kind === 'tokens' ? model.steps.chunkTokens : undefined);
    expect(Object.keys(model.sideFiles)).toEqual(expect.arrayContaining(['config', 'tokenizer', 'tokenizer-config']));
    expect(model.fileBytes).toBeGreaterThan(1e6);
  });

  it('gives the build and the pieces of a prompt that are asked for', () => {
    const model = describeModel({ variant: 'fp32', chunkTokens: 24 });
    expect(model.file).toBe(join(SHIPPED, 'onnx/model.onnx'));
    expect(model).toMatchObject({ language: { chunkTokens: 24 }, steps: { chunkTokens: 24 } });
    expect(model.build).toContain('32 bits a weight');
  });

  it('takes what there is when there is no int4 build', () => {
    expect(describeModel({ folder: writeTinyDecoder(join(folder, 'tiny')) }).build).toMatch(/^fp32,/);
  });

  it('is held to the hash of the manifest', () => {
    const { sha256 } = describeModel();
    expect(describeModel({ sha256 }).sha256).toBe(sha256);
    expect(() => describeModel({ sha256: 'ab'.repeat(32) })).toThrow(expect.objectContaining({ code: 'MODEL_HASH_MISMATCH' }));
  });

  it('is refused with the code of what is wrong: nothing there, a build that is not, a damaged file', () => {
    expect(() => describeModel({ folder: join(folder, 'nothing') })).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }));
    expect(() => describeModel({ variant: 'q8' })).toThrow(/has no variant "q8"; it has/);
    const damaged = writeTinyDecoder(join(folder, 'damaged'));
    writeFileSync(join(damaged, 'config.json'), '{"model_type": "llama"');
    expect(() => describeModel({ folder: damaged })).toThrow(expect.objectContaining({ code: 'MODEL_UNLOADABLE' }));
  });
});
