import { decimalOf, quoted } from '../../core/csv-table.ts';
import type { NumberType } from '../../core/layer-cost.ts';

/** The cells of one row, read with the complaints that their reader has. */
export class RowCells {
  readonly #cells: Readonly<Record<string, string>>;
  readonly problems: string[] = [];

  constructor(cells: Readonly<Record<string, string>>) {
    this.#cells = cells;
  }

  text(column: string): string {
    return this.#cells[column] ?? '';
  }

  /** A number over 0; undefined for an empty cell. */
  number(column: string): number | undefined {
    const text = this.text(column);
    if (text === '') return undefined;
    const value = decimalOf(text);
    if (value !== undefined && value > 0 && value <= FIGURE_MAX) return value;
    this.problems.push(`${column} is ${quoted(text)}, and must be empty or a number over 0 and up to ${FIGURE_MAX}`);
    return undefined;
  }

  /** As `number`, and whole. */
  count(column: string, otherwise: number, max = COUNT_MAX): number {
    const value = this.number(column);
    if (value === undefined) return otherwise;
    if (Number.isInteger(value) && value <= max) return value;
    this.problems.push(`${column} is ${quoted(this.text(column))}, and must be a whole number up to ${max}`);
    return otherwise;
  }

  /** A name; an empty one is a problem. */
  name(column: string): string {
    const text = this.text(column);
    if (text === '') this.problems.push(`${column} is empty, and must name what ran`);
    return text;
  }

  /** `640x640x3`, `513x513`, `[1, 3, 640, 640]`; undefined for what is no picture. */
  picture(column: string, order: 'hwc' | 'nchw'): { height: number; width: number; channels: number } | undefined {
    const sizes = [...this.text(column).matchAll(/\d+/g)].map(([digits]) => Number(digits));
    if (sizes.some((size) => size < 1 || size > SIDE_MAX)) return undefined;
    const [a, b, c, d] = sizes;
    if (order === 'nchw') {
      if (sizes.length !== 4 || b === undefined || c === undefined || d === undefined) return undefined;
      return { height: c, width: d, channels: b };
    }
    if (a === undefined || b === undefined || /[a-z]{2}/i.test(this.text(column))) return undefined;
    return { height: a, width: b, channels: c ?? 3 };
  }
}

/** Nothing of a table is larger: not parameters (10^6), not multiply-accumulates as such. */
const FIGURE_MAX = 1e15;
const COUNT_MAX = 1_000_000;
const SIDE_MAX = 65_536;

/** `1k` and `4096`. */
export function tokensOf(text: string): number | undefined {
  const match = /^(\d{1,7})(k?)$/i.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === '' ? 1 : 1_024);
}

/** What a network is multiplied in; mixed ones as their activations. */
export function networkType(precision: string): NumberType {
  const text = precision.toLowerCase();
  if (/a16/.test(text)) return 'int16';
  if (/fp16|half|bf16|float16/.test(text)) return 'fp16';
  if (/fp32|float/.test(text)) return 'fp32';
  return /int4|^w4a4/.test(text) ? 'int4' : 'int8';
}
