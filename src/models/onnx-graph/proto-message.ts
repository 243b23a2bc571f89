import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { messageOf } from '../../core/errors.ts';
import { GRAPH_LIMITS } from './graph.ts';
import { unloadable } from './model-error.ts';

/**
 * A cursor over the fields of one protobuf message. `next` steps to the next field, skipping the last one if nobody read it; the readers check that the
 * field is written the way they expect. Bytes are views, never copies. Everything wrong is MODEL_UNLOADABLE with the place and the offset.
 */
export class ProtoMessage {
  readonly place: string;
  private readonly reader: BinaryReader;
  private field = 0;
  private wire: WireType = WireType.Varint;
  private isPending = false;

  constructor(bytes: Uint8Array, place: string) {
    this.place = place;
    this.reader = new BinaryReader(bytes);
  }

  /** The number of the next field, or 0 at the end. */
  next(): number {
    return this.guarded(() => {
      if (this.isPending) this.reader.skip(this.wire, this.field);
      this.isPending = false;
      if (this.reader.pos >= this.reader.len) return 0;
      [this.field, this.wire] = this.reader.tag();
      this.isPending = true;
      return this.field;
    });
  }

  bytes(): Uint8Array {
    return this.guarded(() => {
      this.expect(WireType.LengthDelimited);
      return this.reader.bytes();
    });
  }

  text(): string {
    return this.guarded(() => {
      this.expect(WireType.LengthDelimited);
      const bytes = this.reader.bytes();
      if (bytes.length > GRAPH_LIMITS.nameLength)
        throw new RangeError(`a text of ${bytes.length} bytes, at most ${GRAPH_LIMITS.nameLength}`);
      return new TextDecoder().decode(bytes);
    });
  }

  /** Beyond 2^53 the value is rounded: such numbers stand for "to the end", never for a size. */
  integer(): number {
    return this.guarded(() => {
      this.expect(WireType.Varint);
      return Number(this.reader.int64());
    });
  }

  float(): number {
    return this.guarded(() => {
      this.expect(WireType.Bit32);
      return this.reader.float();
    });
  }

  /** Whether the field is bytes, a text, a message or a packed list. */
  get isDelimited(): boolean {
    return this.wire === WireType.LengthDelimited;
  }

  /** One element, or a packed run of them, of a repeated integer field. */
  integersInto(values: number[], limit: number): void {
    this.itemsInto(values, limit, WireType.Varint, (reader) => Number(reader.int64()));
  }

  floatsInto(values: number[], limit: number): void {
    this.itemsInto(values, limit, WireType.Bit32, (reader) => reader.float());
  }

  doublesInto(values: number[], limit: number): void {
    this.itemsInto(values, limit, WireType.Bit64, (reader) => reader.double());
  }

  fail(problem: string, cause?: unknown): never {
    throw unloadable(this.place, problem, cause);
  }

  /** The varints that fill `bytes`. */
  static integersOf(bytes: Uint8Array, place: string, values: number[], limit: number): void {
    const message = new ProtoMessage(bytes, place);
    message.guarded(() => {
      while (message.reader.pos < message.reader.len) {
        values.push(Number(message.reader.int64()));
        if (values.length > limit) throw new RangeError(`more than ${limit} numbers in one list`);
      }
    });
  }

  private itemsInto(values: number[], limit: number, wire: WireType, read: (reader: BinaryReader) => number): void {
    this.guarded(() => {
      const isPacked = this.wire === WireType.LengthDelimited;
      this.expect(isPacked ? WireType.LengthDelimited : wire);
      const reader = isPacked ? new BinaryReader(this.reader.bytes()) : this.reader;
      do {
        if (isPacked && reader.pos >= reader.len) return;
        values.push(read(reader));
        if (values.length > limit) throw new RangeError(`more than ${limit} numbers in one list`);
      } while (isPacked);
    });
  }

  private expect(wire: WireType): void {
    if (this.wire !== wire) throw new TypeError(`wire type ${this.wire} where ${wire} belongs`);
    this.isPending = false;
  }

  private guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const problem = `field ${this.field} at byte ${this.reader.pos} of ${this.reader.len} cannot be read (${messageOf(cause)})`;
      return this.fail(`${problem}; the file is truncated, damaged or not an ONNX model`, cause);
    }
  }
}
