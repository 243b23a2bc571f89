import type { NumberType } from '../../core/layer-cost.ts';

/** Which unit a row is in; tokens and frames are better when more, milliseconds when fewer. */
export type Unit = 'tokens/s' | 'frames/s' | 'ms';

/** One token for each of `batch` sequences. */
export interface DecodeWork {
  readonly kind: 'decode';
  readonly model: string;
  /** As the table writes it, such as `w8a8`. */
  readonly quantisation: string;
  readonly batch: number;
  /** Tokens of each sequence in the middle of what was measured; undefined where the table does not tell. */
  readonly contextTokens: number | undefined;
  /** Cores that the name of the platform tells, if any. */
  readonly cores?: number;
}

/** The prompts of `batch` sequences, from the first token read to the first one answered. */
export interface PrefillWork {
  readonly kind: 'prefill';
  readonly model: string;
  readonly quantisation: string;
  readonly batch: number;
  /** Of each sequence. */
  readonly promptTokens: number | undefined;
}

/** `batch` frames through a network, on each of `cores` cores at once. */
export interface NetworkWork {
  readonly kind: 'network';
  readonly model: string;
  readonly type: NumberType;
  readonly batch: number;
  readonly cores: number;
  /** What the row itself says of the network's size, if anything. */
  readonly macs?: number;
  readonly parameters?: number;
  readonly input?: { readonly height: number; readonly width: number; readonly channels: number };
  /** Where the row should tell the input and does not: what it says instead, as the beginning of a clause. */
  readonly unreadInput?: string;
  /** Every engine of the chip works on frames of its own. */
  readonly isWholeChip?: true;
}

/** One figure of a table: what ran where, and what was measured. */
export interface Measurement {
  readonly file: string;
  readonly line: number;
  /** What tells it from others of its line, such as `batch 8`; empty when it is the only one. */
  readonly variant: string;
  /** The chip or board as the table names it; empty when the table is of one chip alone. */
  readonly part: string;
  /** The power mode as the table writes it; empty when it says nothing. */
  readonly mode: string;
  readonly model: string;
  readonly unit: Unit;
  /** Undefined where the table leaves it open. */
  readonly measured: number | undefined;
  /** What was assumed where the row does not tell, as clauses. */
  readonly assumed: readonly string[];
  /** Or why the row cannot be predicted, as a clause. */
  readonly work: DecodeWork | PrefillWork | NetworkWork | { readonly kind: 'none'; readonly why: string };
}
