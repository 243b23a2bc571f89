/** What a network is given at once: `batch` pictures. */
export interface Picture {
  readonly batch: number;
  readonly size: { readonly height: number; readonly width: number; readonly channels: number };
}

/** What a cell says of a picture. */
export type PictureCell =
  | {
      readonly kind: 'picture';
      readonly picture: Picture /** How it was read, where that is not how the table writes it. */;
      readonly note?: string;
    }
  /** Numbers that no picture has. */
  | { readonly kind: 'impossible'; readonly allowed: string }
  /** Nothing, or no numbers. */
  | { readonly kind: 'unread' };

/** No batch, side or number of channels is larger. */
const SIDE_MAX = 65_536;
/** A square of 16 384. */
const PIXELS_MAX = 2 ** 28;

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|nan|inf(?:inity)?)$/i;
/** Pictures have up to four channels; what is told in either order is told apart by them. */
const COLOURS_MAX = 4;

/** `640x640x3`, `513x513`, `[1, 3, 640, 640]`, `1x640x640x3`; of `368x1232x3, 368x1232x3`, which are two, the first. */
export function readPicture(text: string, order: 'hwc' | 'nchw'): PictureCell {
  const parts = text.split(/[,;]/);
  const isMany = parts.length > 1 && parts.every((part) => /\d\s*x\s*[+-]?\d/i.test(part));
  const read = (isMany ? parts : [text]).map((part) => readOne(part, order));
  const worst = read.find(({ kind }) => kind === 'impossible') ?? read.find(({ kind }) => kind === 'unread') ?? read[0];
  if (worst === undefined || worst.kind !== 'picture' || !isMany) return worst ?? { kind: 'unread' };
  return { ...worst, note: `the first of ${parts.length} pictures assumed to tell the size` };
}

function readOne(text: string, order: 'hwc' | 'nchw'): PictureCell {
  const tokens = text
    .trim()
    .replace(/^[[(]\s*|\s*[\])]$/g, '')
    .split(/\s*[,x×*]\s*|\s+/i);
  if (!tokens.every((token) => NUMBER.test(token))) return { kind: 'unread' };
  const sizes = tokens.map(Number);
  const impossible: PictureCell = { kind: 'impossible', allowed: `whole numbers from 1 to ${SIDE_MAX}, and up to ${PIXELS_MAX} pixels` };
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= SIDE_MAX)) return impossible;
  const read = layOut(sizes, order);
  if (read.kind === 'picture' && read.picture.size.height * read.picture.size.width > PIXELS_MAX) return impossible;
  return read;
}

function layOut([a, b, c, d, ...more]: readonly number[], order: 'hwc' | 'nchw'): PictureCell {
  if (a === undefined || b === undefined || more.length > 0) return { kind: 'unread' };
  if (c === undefined || d === undefined) {
    if (order === 'nchw') return { kind: 'unread' };
    return { kind: 'picture', picture: { batch: 1, size: { height: a, width: b, channels: c ?? 3 } } };
  }
  if (d <= COLOURS_MAX && b > COLOURS_MAX)
    return {
      ...{ kind: 'picture', picture: { batch: a, size: { height: b, width: c, channels: d } } },
      note: 'read as batch, height, width, channels',
    };
  return {
    ...{ kind: 'picture', picture: { batch: a, size: { height: c, width: d, channels: b } } },
    ...(order === 'nchw' ? {} : { note: 'read as batch, channels, height, width' }),
  };
}
