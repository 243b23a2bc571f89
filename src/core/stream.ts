import type { ModelId } from './model.ts';
import type { DurationUs } from './units.ts';

export type StreamId = string;

/** From most to least important. Inside a class the deadline decides, never a number. */
export const CRITICALITIES = ['safety', 'interactive', 'background'] as const;
export type Criticality = (typeof CRITICALITIES)[number];

/** 0 for the most important class; smaller goes first. */
export const criticalityRank = (criticality: Criticality): number => (criticality === 'safety' ? 0 : criticality === 'interactive' ? 1 : 2);

/** `latest`: of the waiting jobs only the newest is kept. `queue`: up to `jobsMax` wait, in order of arrival; one more is dropped (`queue-full`). */
export type Freshness = { readonly kind: 'latest' } | { readonly kind: 'queue'; readonly jobsMax: number };

/** How fast the answers of a language model are wanted. */
export interface TokenContract {
  /** Tokens a second that the listener takes; an answer that is ahead of it waits. */
  readonly perSecondMax?: number;
  /** Wanted from one token to the next: what makes an answer under way urgent. Default: as `perSecondMax` allows, else the stream's deadline. */
  readonly everyUs?: DurationUs;
}

/** The contract of one pipeline's jobs. */
export interface Stream {
  readonly id: StreamId;
  readonly model: ModelId;
  readonly criticality: Criticality;
  /** Period, or the least time between two arrivals. */
  readonly periodUs: DurationUs;
  /** From capture to decoded result; of a turn, to the first token. */
  readonly deadlineUs: DurationUs;
  readonly freshness: Freshness;
  /** Jobs of a stateful model run one at a time, in order, on one owner core, which keeps the state. */
  readonly isStateful: boolean;
  /** Only of a stream whose jobs are turns. */
  readonly tokens?: TokenContract;
}
