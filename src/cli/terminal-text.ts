/**
 * Text from outside (labels, recognised text, messages of other programs) must not steer the terminal. Control characters of both sets, line and paragraph
 * separators, bidirectional overrides and lone surrogates are shown as escapes; everything else stays as it is.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** As `escapeText`, but line breaks stay: for our own texts of several lines that quote the outside. */
export const escapeLines = (text: string): string => text.split('\n').map(escapeText).join('\n');

/** Combining marks and format characters take no cell. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Ranges that terminals draw two cells wide: Hangul, CJK, kana, full-width forms, emoji (Unicode's East Asian Width W and F, in coarse ranges). */
const DOUBLE_WIDTH =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

const cellsOf = (character: string): number => (ZERO_WIDTH.test(character) ? 0 : DOUBLE_WIDTH.test(character) ? 2 : 1);

/** Cells that a text without escapes takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** Cuts a text to at most `width` cells; what is cut ends with an ellipsis. */
export function cutText(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    const cells = cellsOf(character);
    if (used + cells > width - 1) break;
    kept += character;
    used += cells;
  }
  return `${kept}…`;
}

/** Exactly `width` cells: cut or filled with spaces. */
export function fitText(text: string, width: number, align: 'left' | 'right'): string {
  const cut = cutText(text, width);
  const filling = ' '.repeat(Math.max(0, width - displayWidth(cut)));
  return align === 'left' ? cut + filling : filling + cut;
}
