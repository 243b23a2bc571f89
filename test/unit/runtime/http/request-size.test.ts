import { describe, expect, it } from 'vitest';
import { checkRequestSize } from '../../../../src/runtime/http/request-size.ts';
import type { ServedRequest } from '../../../../src/sinks/openai/served-model.ts';

const request = (changes: Partial<ServedRequest>): ServedRequest => ({
  ...{ model: 'lm', messages: [{ role: 'user', content: 'hi' }], tools: [], sampling: {}, constraint: undefined, stop: [] },
  ...{ tokensMax: undefined, isStream: false, includesUsage: false, variables: {}, service: {}, provenance: 'passenger' },
  ...changes,
});
const saying = (chars: number) => request({ messages: [{ role: 'user', content: 'x'.repeat(chars) }] });

describe('the size of a request', () => {
  it('may be what the model can read by far, and not a byte more', () => {
    const frame = JSON.stringify([{ role: 'user', content: '' }]).length;
    expect(() => checkRequestSize(saying(8_192 - frame), 1_024)).not.toThrow();
    expect(() => checkRequestSize(saying(8_193 - frame), 1_024)).toThrow(/8193 bytes.*at most 8192.*Shorten/);
  });

  it('counts bytes and not letters, and tools with the messages', () => {
    expect(() => checkRequestSize(request({ messages: [{ role: 'user', content: '车'.repeat(3_000) }] }), 1_024)).toThrow(/at most 8192/);
    expect(() => checkRequestSize(request({ tools: [{ name: 'x', description: 'y'.repeat(9_000) }] }), 1_024)).toThrow(/at most 8192/);
  });

  it('is that of its schema as well', () => {
    let schema: object = {};
    for (let index = 0; index < 200; index += 1) schema = { items: schema };
    expect(() => checkRequestSize(request({ constraint: { kind: 'json', schema } }), 1_024)).toThrow(/nested deeper/);
  });
});
