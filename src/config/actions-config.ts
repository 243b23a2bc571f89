import type { ActionCatalogue } from '../core/action.ts';
import type { DurationUs } from '../core/units.ts';

/** What words may make a vehicle or robot do. */
export interface ActionsConfig {
  /** The catalogue's, absolute. */
  readonly file: string;
  readonly catalogue: ActionCatalogue;
  /** Levels before `/action/...`, `/answer/...` and `/state`. */
  readonly topics: string;
  readonly stateAgeMaxUs: DurationUs;
  readonly confirmWithinUs: DurationUs;
  readonly fromMqtt: readonly string[];
  readonly audit: { readonly file: string; readonly bytesMax: number; readonly filesMax: number } | undefined;
}
