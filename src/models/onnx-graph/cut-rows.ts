import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { LastRow } from './last-row.ts';
import { MessagePieces } from './message-pieces.ts';
import { fieldsOf, GRAPH, messageBytes, NODE, NODE_INPUT, NODE_OUTPUT, textsOf, VALUE_INFO, VALUE_NAME } from './proto-fields.ts';

/** An axis of rows in `[1, rows, width]`. */
const ROW_AXIS = 1;
const INT64 = 7;

/** More than the nodes that are added occupy, whose names a model chooses. */
export const CUT_BYTES_MAX = 64 * 1024;

/** What follows the name of a value in that of its last row. */
const SUFFIX = '/coxswain_last_row';
const LAST = 'coxswain/last';

/**
 * The model file with nodes added that cut rows as `lastRow` says, read where it says; all else stays byte for byte, weights too. Shapes that the file declares for values that
 * have one row now are left out. Takes a model that `readOnnxGraph` reads, of operator set 11 or newer. Where `roomBytes` of the memory behind `model` are free
 * (`CUT_BYTES_MAX` is plenty), the result is written over it; otherwise it is a copy.
 */
export function cutRows(model: Uint8Array, { cuts, narrowed }: LastRow, roomBytes = 0): Uint8Array {
  const pieces = new MessagePieces();
  const pending = new Set(cuts.keys());
  let isBegun = false;
  for (const field of fieldsOf(model)) {
    if (field.number !== GRAPH) {
      pieces.add(field.whole);
      continue;
    }
    const graph = new MessagePieces();
    // A graph may be written in several parts.
    if (!isBegun) graph.add(messageBytes(NODE, writeLast));
    isBegun = true;
    addGraph(graph, field.body, { cuts, narrowed, pending });
    pieces.addMessage(GRAPH, graph);
  }
  const isRoom = pieces.byteLength <= model.byteLength + roomBytes && roomBytes > 0;
  return pieces.joinedIn(isRoom ? new Uint8Array(model.buffer, model.byteOffset, pieces.byteLength) : new Uint8Array(pieces.byteLength));
}

interface Cutting extends LastRow {
  /** Values that no node cuts yet. */
  readonly pending: Set<string>;
}

function addGraph(pieces: MessagePieces, graph: Uint8Array, { cuts, narrowed, pending }: Cutting): void {
  for (const field of fieldsOf(graph)) {
    if (field.number === VALUE_INFO && narrowed.has(textsOf(field.body, VALUE_NAME)[0] ?? '')) continue;
    const wanted = field.number === NODE ? cutsFor(field.body, cuts) : [];
    for (const value of wanted) if (pending.delete(value)) pieces.add(messageBytes(NODE, (node) => writeCut(node, value)));
    pieces.add(wanted.length === 0 ? field.whole : messageBytes(NODE, (node) => writeReader(node, field.body, new Set(wanted))));
  }
}

/** Values that the node reads cut. */
function cutsFor(node: Uint8Array, cuts: LastRow['cuts']): readonly string[] {
  const name = textsOf(node, NODE_OUTPUT).find((output) => output !== '') ?? '';
  return [...cuts].flatMap(([value, readers]) => (readers.has(name) ? [value] : []));
}

function writeReader(writer: BinaryWriter, node: Uint8Array, cut: ReadonlySet<string>): void {
  for (const field of fieldsOf(node)) {
    const name = field.number === NODE_INPUT ? new TextDecoder().decode(field.body) : '';
    if (cut.has(name)) writer.tag(NODE_INPUT, WireType.LengthDelimited).string(name + SUFFIX);
    else writer.raw(field.whole);
  }
}

/** `Constant` with the tensor `[-1]`: a stored tensor would have to be an input too in old files. */
function writeLast(writer: BinaryWriter): void {
  writer.tag(NODE_OUTPUT, WireType.LengthDelimited).string(LAST);
  writer.tag(4, WireType.LengthDelimited).string('Constant');
  writer.tag(5, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string('value');
  writer.tag(5, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int64(1);
  writer.tag(2, WireType.Varint).int32(INT64);
  writer.tag(7, WireType.LengthDelimited).fork().int64(-1).join();
  writer.join();
  writer.tag(20, WireType.Varint).int32(4);
  writer.join();
}

function writeCut(writer: BinaryWriter, value: string): void {
  writer.tag(NODE_INPUT, WireType.LengthDelimited).string(value);
  writer.tag(NODE_INPUT, WireType.LengthDelimited).string(LAST);
  writer.tag(NODE_OUTPUT, WireType.LengthDelimited).string(value + SUFFIX);
  writer.tag(4, WireType.LengthDelimited).string('Gather');
  writer.tag(5, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string('axis');
  writer.tag(3, WireType.Varint).int64(ROW_AXIS);
  writer.tag(20, WireType.Varint).int32(2);
  writer.join();
}
