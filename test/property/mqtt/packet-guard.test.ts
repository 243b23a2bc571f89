import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketGuard } from '../../../src/mqtt/packet-guard.ts';

/** The bytes at which a stream is cut. */
function chunks(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('packet guard laws', () => {
  it('judges any bytes the same however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), fc.integer({ min: 1, max: 5000 }), (bytes, cuts, bytesMax) => {
        const whole = new PacketGuard({ bytesMax }).accept(bytes);
        const split = new PacketGuard({ bytesMax });
        let verdict: ReturnType<PacketGuard['accept']>;
        for (const chunk of chunks(bytes, cuts)) verdict = split.accept(chunk);
        expect(verdict).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('takes every sequence of packets within the bound', () => {
    const packet = fc.record({ type: fc.integer({ min: 1, max: 15 }), body: fc.uint8Array({ maxLength: 400 }) }).map(({ type, body }) => {
      const flags = [6, 8, 10].includes(type) ? 2 : 0;
      const length = body.length < 128 ? [body.length] : [(body.length % 128) | 0x80, body.length >> 7];
      return Uint8Array.of((type << 4) | flags, ...length, ...body);
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), fc.array(fc.nat()), (packets, cuts) => {
        const guard = new PacketGuard({ bytesMax: 400 });
        const bytes = Uint8Array.from(packets.flatMap((each) => [...each]));
        for (const chunk of chunks(bytes, cuts)) expect(guard.accept(chunk)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
