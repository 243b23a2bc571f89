import { Duplex } from 'node:stream';
import type { GuardViolation, PacketGuard } from './packet-guard.ts';

/** Why a guarded stream destroyed itself. */
export class GuardError extends Error {
  override readonly name = 'GuardError';
  readonly violation: GuardViolation;

  constructor(violation: GuardViolation) {
    super(
      violation.kind === 'oversized'
        ? `an inbound packet announced ${violation.packetBytes} bytes, at most ${violation.bytesMax} are allowed`
        : `inbound bytes are not MQTT: ${violation.detail}`,
    );
    this.violation = violation;
  }
}

/**
 * A socket whose inbound bytes pass a PacketGuard before anyone may buffer them; a violation destroys both with a GuardError.
 * Outbound, `writableLength` counts all bytes that the kernel has not taken yet, and `writableNeedDrain` turns true at `writableBytesMax`.
 */
export class GuardedStream extends Duplex {
  readonly #inner: Duplex;

  constructor(inner: Duplex, guard: PacketGuard, writableBytesMax: number) {
    super({ allowHalfOpen: false, writableHighWaterMark: writableBytesMax });
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      if (this.destroyed) return;
      const violation = guard.accept(chunk);
      if (violation !== undefined) this.destroy(new GuardError(violation));
      else if (!this.push(chunk)) inner.pause();
    });
    inner.on('end', () => {
      if (!this.destroyed) this.push(null);
    });
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, onEnd: (error?: Error | null) => void): void {
    this.#inner.write(chunk, onEnd);
  }

  /** The MQTT writer makes several small writes a packet; one write to the socket carries all that waited. */
  override _writev(chunks: { readonly chunk: Buffer }[], onEnd: (error?: Error | null) => void): void {
    this.#inner.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), onEnd);
  }

  override _final(onEnd: (error?: Error | null) => void): void {
    this.#inner.end(onEnd);
  }

  override _destroy(error: Error | null, onEnd: (error: Error | null) => void): void {
    this.#inner.destroy();
    onEnd(error);
  }
}
