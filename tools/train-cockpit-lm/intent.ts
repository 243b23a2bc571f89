import type { Situation } from '../../src/models/language/situation.ts';
import type { Language } from './open-values.ts';

/** A proposal; arguments stand in the order of the catalogue. */
export interface Call {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

/** What the assistant does about one sentence. */
export type Answer =
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  | { readonly kind: 'text'; readonly text: string; readonly isRefusal: boolean }
  /** Asks for what was missing; the sentence that brings it, and what is done then. */
  | { readonly kind: 'ask'; readonly text: string; readonly next: Intent };

export interface Asked {
  readonly language: Language;
  /** By slot. */
  readonly values: Readonly<Record<string, string | number>>;
  readonly situation: Situation;
}

/** One thing that people ask for, in all the sentences that ask for it. */
export interface Intent {
  /** Unique; the group of the evaluation stands before the first slash. */
  readonly id: string;
  readonly world: 'vehicle' | 'robot' | 'both';
  /** A request takes "please" and "could you"; a question and plain talk do not. */
  readonly tone: 'request' | 'question' | 'talk';
  readonly en: readonly string[];
  readonly zh: readonly string[];
  /** How often it is asked beside the others; 1 when left out. */
  readonly weight?: number;
  /** Whether the situation must be such that this can be asked, for example that a picture is there. Always, when left out. */
  readonly fits?: (situation: Situation) => boolean;
  readonly answer: (asked: Asked) => Answer;
}

export const one = (name: string, args: Readonly<Record<string, string | number>> = {}): Answer => ({
  kind: 'calls',
  calls: [{ name, arguments: args }],
});

export const says = (text: string): Answer => ({ kind: 'text', text, isRefusal: false });

/** A refusal in words. All begin alike ("Sorry," and 抱歉), so that a listener knows at the first word and a test can tell. */
export const refuses = (text: string): Answer => ({ kind: 'text', text, isRefusal: true });

/** English or Chinese. */
export const inTongue = (language: Language, en: string, zh: string): string => (language === 'en' ? en : zh);
