import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Bytes one behind the other: old ones, which are views, and new ones. */
export class MessagePieces {
  readonly #pieces: Uint8Array[] = [];
  byteLength = 0;

  add(piece: Uint8Array): void {
    const last = this.#pieces.at(-1);
    const isNext = last?.buffer === piece.buffer && last.byteOffset + last.byteLength === piece.byteOffset;
    if (isNext) this.#pieces[this.#pieces.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.byteLength + piece.byteLength);
    else this.#pieces.push(piece);
    this.byteLength += piece.byteLength;
  }

  /** A field that holds a message of these pieces. */
  addMessage(field: number, body: MessagePieces): void {
    this.add(new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(body.byteLength).finish());
    for (const piece of body.#pieces) this.add(piece);
  }

  /**
   * Joined in `target`, which is as long as all. Old pieces that lie in it keep their order, so none is overwritten before it has moved when those that move towards the
   * end go first, the last of them before the others, and new ones come when all have moved.
   */
  joinedIn(target: Uint8Array): Uint8Array {
    let end = 0;
    const places = this.#pieces.map((piece) => {
      end += piece.byteLength;
      const isOld = piece.buffer === target.buffer;
      return { piece, at: end - piece.byteLength, from: isOld ? piece.byteOffset - target.byteOffset : undefined };
    });
    const put = ({ piece, at }: { readonly piece: Uint8Array; readonly at: number }): void => target.set(piece, at);
    places
      .filter(({ from, at }) => from !== undefined && from < at)
      .toReversed()
      .forEach(put);
    places.filter(({ from, at }) => from !== undefined && from > at).forEach(put);
    places.filter(({ from }) => from === undefined).forEach(put);
    return target;
  }
}
