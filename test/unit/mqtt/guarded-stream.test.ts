import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { GuardError, GuardedStream } from '../../../src/mqtt/guarded-stream.ts';
import { PacketGuard } from '../../../src/mqtt/packet-guard.ts';

/** A socket whose kernel takes one write at a time, when told. */
class SlowSocket extends Duplex {
  readonly writes: Buffer[] = [];
  #taken: (() => void) | undefined;

  override _read(): void {
    // The test pushes.
    return;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, onEnd: () => void): void {
    this.writes.push(chunk);
    this.#taken = onEnd;
  }

  takeOne(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('guarded stream', () => {
  it('gives inbound bytes through unchanged', async () => {
    const socket = new SlowSocket();
    const stream = new GuardedStream(socket, new PacketGuard({ bytesMax: 100 }), 1000);
    const bytes = Buffer.from([0x40, 2, 0, 1, 0xd0, 0]);
    for (const byte of bytes) socket.push(Buffer.of(byte));
    socket.push(null);
    const received: Buffer[] = [];
    for await (const chunk of stream) received.push(chunk as Buffer);
    expect(Buffer.concat(received)).toEqual(bytes);
  });

  it('destroys itself and its socket on an oversized packet, and gives none of its bytes on', async () => {
    const socket = new SlowSocket();
    const stream = new GuardedStream(socket, new PacketGuard({ bytesMax: 100 }), 1000);
    const received: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    const failed = once(stream, 'error');
    socket.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    socket.push(Buffer.alloc(50_000));
    const [error] = await failed;
    expect(error).toBeInstanceOf(GuardError);
    expect(socket.destroyed).toBe(true);
    expect(received).toEqual([]);
  });

  it('counts what the socket has not taken, and needs a drain from its bound on', async () => {
    const socket = new SlowSocket();
    const stream = new GuardedStream(socket, new PacketGuard({ bytesMax: 100 }), 10);
    stream.write(Buffer.alloc(9));
    expect(stream.writableNeedDrain).toBe(false);
    stream.write(Buffer.alloc(1));
    expect(stream.writableNeedDrain).toBe(true);
    stream.write(Buffer.alloc(5));
    expect(stream.writableLength).toBe(15);
    socket.takeOne();
    await turn();
    expect(stream.writableLength).toBe(6);
    const drained = once(stream, 'drain');
    socket.takeOne();
    await drained;
    expect(stream.writableLength).toBe(0);
    expect(socket.writes.map((chunk) => chunk.length)).toEqual([9, 6]);
  });

  it('closes when its socket does', async () => {
    const socket = new SlowSocket();
    const stream = new GuardedStream(socket, new PacketGuard({ bytesMax: 100 }), 10);
    const closed = once(stream, 'close');
    socket.destroy();
    await closed;
    expect(stream.destroyed).toBe(true);
  });
});
