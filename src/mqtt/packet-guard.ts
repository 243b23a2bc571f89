/** MQTT control packet types by their number in the fixed header (MQTT 5.0, table 2-1). */
export const PACKET_TYPE = { connack: 2, publish: 3, puback: 4, suback: 9, pingresp: 13, disconnect: 14 } as const;

export interface PacketGuardOptions {
  /** Largest remaining length of one packet. */
  readonly bytesMax: number;
  /** Types that may arrive; any when undefined. */
  readonly typesAllowed?: readonly number[];
}

export type GuardViolation =
  | { readonly kind: 'oversized'; readonly packetBytes: number; readonly bytesMax: number }
  | { readonly kind: 'malformed'; readonly detail: string };

/** The low four bits of a packet's first byte are fixed, 2 for these types and 0 for the others (MQTT 5.0, table 2-2); only PUBLISH uses them. */
const TYPES_WITH_FLAGS_2 = new Set([6, 8, 10]);

/** A remaining length has at most four bytes of seven bits each (MQTT 5.0, 1.5.5). */
const LENGTH_BYTES_MAX = 4;

/**
 * Reads only the fixed headers of a byte stream of MQTT packets, however it is cut into chunks, so that a packet is refused by its announced length before
 * any of its body is kept. Holds a few numbers and costs O(packets) per chunk, not O(bytes).
 */
export class PacketGuard {
  readonly #bytesMax: number;
  readonly #typesAllowed: ReadonlySet<number> | undefined;
  /** 0: at a packet's first byte; 1..4: that byte of the length is next. */
  #lengthByte = 0;
  #length = 0;
  #bodyLeft = 0;
  #violation: GuardViolation | undefined;

  constructor(options: PacketGuardOptions) {
    this.#bytesMax = options.bytesMax;
    this.#typesAllowed = options.typesAllowed === undefined ? undefined : new Set(options.typesAllowed);
  }

  /** Undefined while all is well; after the first violation always that one. */
  accept(chunk: Uint8Array): GuardViolation | undefined {
    let at = 0;
    while (at < chunk.length && this.#violation === undefined) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#lengthByte === 0) this.#acceptFirst(byte);
      else this.#acceptLength(byte);
    }
    return this.#violation;
  }

  #acceptFirst(byte: number): void {
    const type = byte >> 4;
    const flags = byte & 0x0f;
    if (type === 0 || (type !== PACKET_TYPE.publish && flags !== (TYPES_WITH_FLAGS_2.has(type) ? 2 : 0))) {
      this.#violation = { kind: 'malformed', detail: `no packet begins with 0x${byte.toString(16).padStart(2, '0')}` };
      return;
    }
    if (this.#typesAllowed !== undefined && !this.#typesAllowed.has(type)) {
      this.#violation = { kind: 'malformed', detail: `packet type ${type} may not arrive here` };
      return;
    }
    this.#length = 0;
    this.#lengthByte = 1;
  }

  #acceptLength(byte: number): void {
    this.#length += (byte & 0x7f) * 128 ** (this.#lengthByte - 1);
    // Checked at every byte: later bytes only add, so an oversized packet is refused at the earliest one that proves it.
    if (this.#length > this.#bytesMax) {
      this.#violation = { kind: 'oversized', packetBytes: this.#length, bytesMax: this.#bytesMax };
    } else if ((byte & 0x80) === 0) {
      this.#bodyLeft = this.#length;
      this.#lengthByte = 0;
    } else if (this.#lengthByte === LENGTH_BYTES_MAX) {
      this.#violation = { kind: 'malformed', detail: 'the remaining length has more than four bytes' };
    } else {
      this.#lengthByte += 1;
    }
  }
}
