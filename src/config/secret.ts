import { inspect } from 'node:util';

/**
 * A value that must not show up in a log, a report or a printed configuration. Whatever turns it into text gets `shown`; only `reveal` gives the
 * value, so every place that uses it can be found by that word.
 */
export class Secret {
  readonly #value: string;
  readonly shown: string;

  constructor(value: string, shown = '***') {
    this.#value = value;
    this.shown = shown;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }

  [inspect.custom](): string {
    return this.shown;
  }
}

/** An address without what it says before the `@`: cameras and brokers put user names and passwords there. */
export const withoutUserInfo = (url: string): string => url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/?#]*@/, '$1***@');
