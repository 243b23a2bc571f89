import { decimalOf, quoted } from '../../core/csv-table.ts';
import type { NumberType } from '../../core/layer-cost.ts';
import { type Picture, readPicture } from './picture-cell.ts';
import { typeOfWord } from './type-word.ts';

/** The cells of one row, read with the complaints that their reader has. */
export class RowCells {
  readonly #cells: Readonly<Record<string, string>>;
  readonly problems: string[] = [];
  /** What was assumed where the row does not tell, as clauses. */
  readonly assumed: string[] = [];

  constructor(cells: Readonly<Record<string, string>>) {
    this.#cells = cells;
  }

  text(column: string): string {
    return this.#cells[column] ?? '';
  }

  /** A number over 0; undefined for an empty cell. */
  number(column: string, max = FIGURE_MAX): number | undefined {
    const text = this.text(column);
    if (text === '') return undefined;
    const value = decimalOf(text);
    if (value !== undefined && value > 0 && value <= max) return value;
    this.problems.push(`${column} is ${quoted(text)}, and must be empty or a number over 0 and up to ${max}`);
    return undefined;
  }

  /** As `number`, and whole; `otherwise` is assumed, and said, for an empty cell. */
  count(column: string, otherwise: number, max = COUNT_MAX): number {
    const value = this.whole(column, max);
    if (value === undefined) this.assume(column, `${otherwise} assumed`);
    return value ?? otherwise;
  }

  /** As `number`, and whole. */
  whole(column: string, max = COUNT_MAX): number | undefined {
    const value = this.number(column);
    if (value === undefined || (Number.isInteger(value) && value <= max)) return value;
    this.problems.push(`${column} is ${quoted(this.text(column))}, and must be a whole number up to ${max}`);
    return undefined;
  }

  /** A name; an empty one is a problem. */
  name(column: string): string {
    const text = this.text(column);
    if (text === '') this.problems.push(`${column} is empty, and must name what ran`);
    return text;
  }

  /** Undefined for what tells none, or nothing. */
  picture(column: string, order: 'hwc' | 'nchw'): Picture | undefined {
    const cell = readPicture(this.text(column), order);
    if (cell.kind === 'picture') {
      if (cell.note !== undefined) this.assume(column, cell.note);
      return cell.picture;
    }
    if (cell.kind === 'impossible')
      this.problems.push(`${column} is ${quoted(this.text(column))}, and must be empty or a picture: ${cell.allowed}`);
    return undefined;
  }

  /** What a network is multiplied in; int8 is assumed, and said, where the cell does not tell. */
  type(column: string): NumberType {
    const { type, isSure } = typeOfWord(this.text(column));
    if (!isSure) this.assume(column, `${type} assumed`);
    return type;
  }

  /** Notes what a cell is read as that does not say it. */
  assume(column: string, as: string): void {
    this.assumed.push(`${this.saying(column)}: ${as}`);
  }

  /** As the beginning of a clause. */
  saying(column: string): string {
    return `${column} is ${this.text(column) === '' ? 'empty' : quoted(this.text(column))}`;
  }
}

/** Nothing of a table is larger: not parameters (10^6), not multiply-accumulates as such. */
const FIGURE_MAX = 1e15;
const COUNT_MAX = 1_000_000;

/** Nothing remembers more. */
const TOKENS_MAX = 2 ** 24;

/** `1k` and `4096`; undefined for what is none, or for none. */
export function tokensOf(text: string): number | undefined {
  const match = /^(\d{1,8})(k?)$/i.exec(text.trim());
  if (match === null) return undefined;
  const tokens = Number(match[1]) * (match[2] === '' ? 1 : 1_024);
  return tokens >= 1 && tokens <= TOKENS_MAX ? tokens : undefined;
}
