import { describe, expect, it } from 'vitest';
import { PACKET_TYPE, PacketGuard } from '../../../src/mqtt/packet-guard.ts';

/** A packet of this type whose body is `bodyBytes` zeros. */
function packet(type: number, bodyBytes: number): Buffer {
  const length: number[] = [];
  let rest = bodyBytes;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([type << 4, ...length]), Buffer.alloc(bodyBytes)]);
}

const guard = (bytesMax = 1000): PacketGuard => new PacketGuard({ bytesMax });

describe('packet guard', () => {
  it('takes a packet at the bound and refuses one past it, by its header alone', () => {
    expect(guard().accept(packet(3, 1000))).toBeUndefined();
    expect(guard().accept(packet(3, 1001).subarray(0, 3))).toEqual({ kind: 'oversized', packetBytes: 1001, bytesMax: 1000 });
  });

  it('refuses at the first byte that proves the packet oversized', () => {
    const bytes = Uint8Array.from([0x30, 0xff, 0xff, 0xff, 0x7f]);
    const oneByOne = guard(300);
    expect(oneByOne.accept(bytes.subarray(0, 2))).toBeUndefined();
    expect(oneByOne.accept(bytes.subarray(2, 3))).toMatchObject({ kind: 'oversized' });
  });

  it('gives the same answer byte by byte as in one chunk', () => {
    const stream = Buffer.concat([packet(2, 3), packet(4, 0), packet(3, 200), packet(13, 0), packet(3, 999), packet(3, 1001)]);
    const whole = guard().accept(stream);
    const split = guard();
    let at = 0;
    while (at < stream.length && split.accept(stream.subarray(at, at + 1)) === undefined) at += 1;
    expect(whole).toEqual({ kind: 'oversized', packetBytes: 1001, bytesMax: 1000 });
    expect(split.accept(Buffer.alloc(0))).toEqual(whole);
    // The byte that completes the length: three bytes into the last packet.
    expect(at).toBe(stream.length - 1001 - 1);
  });

  it('refuses a remaining length of five bytes', () => {
    expect(guard(268_435_455).accept(Uint8Array.from([0x30, 0x80, 0x80, 0x80, 0x80]))).toMatchObject({ kind: 'malformed' });
    expect(guard(268_435_455).accept(Uint8Array.from([0x30, 0xff, 0xff, 0xff, 0x7f]))).toBeUndefined();
  });

  it('refuses a type that may not arrive, and nothing else', () => {
    const acksOnly = new PacketGuard({ bytesMax: 100, typesAllowed: [PACKET_TYPE.connack, PACKET_TYPE.puback] });
    expect(acksOnly.accept(Buffer.concat([packet(2, 3), packet(4, 2)]))).toBeUndefined();
    expect(acksOnly.accept(packet(3, 5))).toMatchObject({ kind: 'malformed' });
  });

  it('stays with its first violation', () => {
    const broken = guard(10);
    const first = broken.accept(packet(3, 11));
    expect(broken.accept(packet(3, 5))).toBe(first);
  });

  it.each([0x00, 0x41, 0x48, 0x60, 0x83, 0xd2, 0xe1])('refuses the first byte 0x%s, whose flags are not those of its type', (first) => {
    expect(guard().accept(Uint8Array.of(first))).toMatchObject({ kind: 'malformed' });
  });

  it.each([0x3d, 0x20, 0x62, 0x82, 0xa2, 0xf0])('takes the first byte %i', (first) => {
    expect(guard().accept(Uint8Array.of(first, 0))).toBeUndefined();
  });

  it('refuses an answer in another protocol', () => {
    const acksOnly = new PacketGuard({ bytesMax: 1000, typesAllowed: Object.values(PACKET_TYPE) });
    for (const text of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n', '\u0015\u0003\u0001\u0000\u0002\u0002\u0016']) {
      expect(acksOnly.accept(Buffer.from(text))).toMatchObject({ kind: 'malformed' });
    }
  });
});
