/** What may come next. */
type Wanted = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/** Read up to `at`, or not to be read there. */
interface Step {
  readonly at: number;
  readonly isFault: boolean;
}

/**
 * Where a text that is not valid JSON stops being it: the first character that does not belong, or the end when something is missing there.
 *
 * The platform's parser says so itself of most faults, but of a character that begins no value (NaN, a comma too many in a list) it quotes the text around instead.
 * Reads by the grammar of RFC 8259; brackets are counted, so that depth costs no stack.
 */
export function faultOffset(text: string): number {
  const reader = new Reader(text);
  let step: Step = { at: reader.skipSpace(0), isFault: false };
  while (!step.isFault && step.at < text.length) {
    step = reader.take(step.at);
    if (!step.isFault) step = { at: reader.skipSpace(step.at), isFault: false };
  }
  return step.at;
}

const WORDS = ['true', 'false', 'null'];

class Reader {
  readonly #text: string;
  /** The mappings and lists around. */
  readonly #around: ('{' | '[')[] = [];
  #wanted: Wanted = 'value';
  readonly #whole = /-?(?:0|[1-9]\d*)/y;
  readonly #fraction = /\.\d*/y;
  readonly #exponent = /[eE][+-]?\d*/y;
  readonly #hex = /[\da-fA-F]{0,4}/y;

  constructor(text: string) {
    this.#text = text;
  }

  take(at: number): Step {
    const character = this.#text[at];
    switch (this.#wanted) {
      case 'value':
        return this.#takeValue(at);
      case 'value or end':
        return character === ']' ? this.#close(at) : this.#takeValue(at);
      case 'key':
      case 'key or end':
        if (character === '"') return this.#takeString(at, 'colon');
        return character === '}' && this.#wanted === 'key or end' ? this.#close(at) : fault(at);
      case 'colon':
        return character === ':' ? this.#go(at + 1, 'value') : fault(at);
      case 'comma or end': {
        const isMapping = this.#around.at(-1) === '{';
        if (character === ',') return this.#go(at + 1, isMapping ? 'key' : 'value');
        return character === (isMapping ? '}' : ']') ? this.#close(at) : fault(at);
      }
      case 'nothing':
        return fault(at);
    }
  }

  skipSpace(from: number): number {
    let at = from;
    while (at < this.#text.length && ' \t\n\r'.includes(this.#text[at] ?? '')) at += 1;
    return at;
  }

  #takeValue(at: number): Step {
    const character = this.#text[at] ?? '';
    if (character === '"') return this.#takeString(at, this.#afterValue());
    if (character === '{' || character === '[') {
      this.#around.push(character);
      return this.#go(at + 1, character === '{' ? 'key or end' : 'value or end');
    }
    const word = WORDS.find((one) => one[0] === character);
    if (word === undefined) return this.#takeNumber(at);
    let same = 1;
    while (same < word.length && this.#text[at + same] === word[same]) same += 1;
    return same === word.length ? this.#go(at + same, this.#afterValue()) : fault(at + same);
  }

  #takeNumber(at: number): Step {
    let end = at + this.#lengthOf(this.#whole, at);
    if (end === at) return fault(this.#text[at] === '-' ? at + 1 : at);
    for (const part of [this.#fraction, this.#exponent]) {
      const length = this.#lengthOf(part, end);
      end += length;
      if (length > 0 && !isDigit(this.#text[end - 1])) return fault(end);
    }
    return this.#go(end, this.#afterValue());
  }

  #takeString(from: number, wanted: Wanted): Step {
    for (let at = from + 1; at < this.#text.length; at += 1) {
      const character = this.#text[at] ?? '';
      if (character === '"') return this.#go(at + 1, wanted);
      if (character < ' ') return fault(at);
      if (character !== '\\') continue;
      at += 1;
      if (this.#text[at] === 'u') {
        const digits = this.#lengthOf(this.#hex, at + 1);
        if (digits < 4) return fault(at + 1 + digits);
        at += 4;
      } else if (!'"\\/bfnrt'.includes(this.#text[at] ?? ' ')) return fault(at);
    }
    return fault(this.#text.length);
  }

  #close(at: number): Step {
    this.#around.pop();
    return this.#go(at + 1, this.#afterValue());
  }

  #go(at: number, wanted: Wanted): Step {
    this.#wanted = wanted;
    return { at, isFault: false };
  }

  #afterValue(): Wanted {
    return this.#around.length === 0 ? 'nothing' : 'comma or end';
  }

  #lengthOf(pattern: RegExp, at: number): number {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0].length ?? 0;
  }
}

const isDigit = (character = ''): boolean => character >= '0' && character <= '9';

const fault = (at: number): Step => ({ at, isFault: true });
