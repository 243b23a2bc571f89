import { CoxswainError } from '../../core/errors.ts';

/** Looks for stop strings in text that comes in pieces, and lets through what cannot be part of one. */
export interface StopScanner {
  /** The stop string that was found, once one was. */
  readonly found: string | undefined;
  /** The text that may be shown now. After a stop string was found, always empty. */
  push(text: string): string;
  /** What was held back, when nothing more comes. */
  end(): string;
}

/** As many as the OpenAI API takes, four times over. */
const STOPS_MAX = 16;
const STOP_CHARS_MAX = 500;

/**
 * Makes a scanner for one answer. The stop string that is complete first wins; of those complete at the same character the longest. So what is
 * let through does not depend on how the text was cut into pieces.
 * Errors: PROMPT_REFUSED (more than 16 stop strings, an empty one, one of more than 500 characters).
 */
export function createStopScanner(stops: readonly string[]): StopScanner {
  if (stops.length > STOPS_MAX)
    throw new CoxswainError('PROMPT_REFUSED', `${stops.length} stop strings were given; at most ${STOPS_MAX} are possible. Give fewer.`);
  for (const stop of stops) {
    if (stop.length >= 1 && stop.length <= STOP_CHARS_MAX) continue;
    const message = `a stop string has ${stop.length} characters; 1 to ${STOP_CHARS_MAX} are possible. Shorten it, or leave it out.`;
    throw new CoxswainError('PROMPT_REFUSED', message);
  }
  let held = '';
  let found: string | undefined;
  return {
    get found() {
      return found;
    },
    push: (text) => {
      if (found !== undefined || text === '') return '';
      held += text;
      const first = firstComplete(held, stops);
      if (first !== undefined) {
        found = first.stop;
        const shown = held.slice(0, first.at);
        held = '';
        return shown;
      }
      const keep = heldBack(held, stops);
      const shown = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return shown;
    },
    end: () => {
      const shown = held;
      held = '';
      return shown;
    },
  };
}

function firstComplete(text: string, stops: readonly string[]): { readonly stop: string; readonly at: number } | undefined {
  let best: { readonly stop: string; readonly at: number } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at < 0) continue;
    const sooner = best === undefined ? -1 : at + stop.length - (best.at + best.stop.length);
    if (sooner < 0 || (sooner === 0 && best !== undefined && at < best.at)) best = { stop, at };
  }
  return best;
}

/** How many characters at the end of `text` may be the beginning of a stop string. */
export function heldBack(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops)
    for (let size = Math.min(stop.length - 1, text.length); size > longest; size -= 1)
      if (text.endsWith(stop.slice(0, size))) longest = size;
  return longest;
}
