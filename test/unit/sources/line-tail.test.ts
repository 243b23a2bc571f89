import { describe, expect, it } from 'vitest';
import { createLineTail, redactUrls } from '../../../src/sources/line-tail.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('createLineTail', () => {
  it('joins lines that come in pieces, also inside a character', () => {
    const tail = createLineTail();
    const text = bytes('erster Ärger\nzweiter');
    tail.push(text.subarray(0, 8));
    tail.push(text.subarray(8));
    expect(tail.lines()).toEqual(['erster Ärger']);
    expect(tail.last()).toBe('zweiter');
  });

  it('keeps the newest 20 lines and the first 400 characters of each', () => {
    const tail = createLineTail();
    for (let index = 0; index < 1000; index += 1) tail.push(bytes(`line ${index}\n`));
    tail.push(bytes('x'.repeat(100_000)));
    tail.push(bytes('\n'));
    expect(tail.lines()).toHaveLength(20);
    expect(tail.lines()[0]).toBe('line 981');
    expect(tail.last()).toHaveLength(400);
  });

  it('drops empty lines, control characters and the secrets of URLs', () => {
    const tail = createLineTail();
    tail.push(bytes('\r\n\u001b[31mrtsp://admin:geheim@10.0.0.1/x: refused\r\n\n'));
    expect(tail.lines()).toEqual(['[31mrtsp://***@10.0.0.1/x: refused']);
  });
});

describe('redactUrls', () => {
  it('hides a password that holds an at sign', () => {
    expect(redactUrls('rtsp://a:p@ss@host/stream?x=1')).toBe('rtsp://***@host/stream?x=1');
  });
});
