import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecoderError } from '../../../../tools/decoder/decoder-error.ts';
import { safetensorsWeights } from '../../../../tools/decoder/safetensors.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-safetensors-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function fileOf(name: string, header: unknown, data: Uint8Array, headerBytes?: number): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes ?? text.length));
  const file = join(dir, name);
  writeFileSync(file, Buffer.concat([length, text, data]));
  return file;
}

const bytes = (values: Float32Array | Uint16Array): Uint8Array => new Uint8Array(values.buffer);

describe('weights from safetensors', () => {
  it('reads float32, float16 and bfloat16', () => {
    const file = fileOf(
      'types.safetensors',
      {
        __metadata__: { format: 'pt' },
        single: { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] },
        half: { dtype: 'F16', shape: [2], data_offsets: [8, 12] },
        brain: { dtype: 'BF16', shape: [2], data_offsets: [12, 16] },
      },
      Buffer.concat([bytes(Float32Array.of(1.5, -2)), bytes(Uint16Array.of(0x3c00, 0xc100)), bytes(Uint16Array.of(0x3f80, 0xc020))]),
    );
    const weights = safetensorsWeights(file);
    expect([...weights.read('single', [1, 2])]).toEqual([1.5, -2]);
    expect([...weights.read('half', [2])]).toEqual([1, -2.5]);
    expect([...weights.read('brain', [2])]).toEqual([1, -2.5]);
  });

  it('joins the shards of a folder', () => {
    fileOf('a.safetensors', { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, bytes(Float32Array.of(1)));
    fileOf('b.safetensors', { b: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, bytes(Float32Array.of(2)));
    const weights = safetensorsWeights(dir);
    expect([weights.read('a', [1])[0], weights.read('b', [1])[0]]).toEqual([1, 2]);
  });

  it.each([
    ['a name it does not have', { w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4, 'missing', [1]],
    ['another shape', { w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4, 'w', [2]],
    ['another type', { w: { dtype: 'I8', shape: [1], data_offsets: [0, 1] } }, 1, 'w', [1]],
    ['values beyond the end', { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, 4, 'w', [2]],
    ['a place that does not fit the shape', { w: { dtype: 'F32', shape: [2], data_offsets: [4, 8] } }, 8, 'w', [2]],
    ['a negative place', { w: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, 8, 'w', [1]],
    ['an entry without shape', { w: { dtype: 'F32' } }, 8, 'w', [1]],
    ['a header that is no JSON', '{"w":', 8, 'w', [1]],
  ] as const)('refuses %s', (title, header, byteLength, name, shape) => {
    const file = fileOf(`${title.replaceAll(' ', '-')}.safetensors`, header, new Uint8Array(byteLength));
    expect(() => safetensorsWeights(file).read(name, shape)).toThrow(DecoderError);
    rmSync(file);
  });

  it('refuses a header longer than its file, an empty file and a folder without any', () => {
    const long = fileOf('long.safetensors', {}, new Uint8Array(), 2 ** 40);
    expect(() => safetensorsWeights(long)).toThrow(/truncated/);
    writeFileSync(long, '');
    expect(() => safetensorsWeights(long)).toThrow(/ends before/);
    rmSync(long);
    expect(() => safetensorsWeights(join(dir, 'nothing'))).toThrow(DecoderError);
  });
});
