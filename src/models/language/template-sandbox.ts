import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { CoxswainError, messageOf } from '../../core/errors.ts';

/** A Jinja template that can be rendered any number of times, and ends every time. */
export interface BoundedTemplate {
  /** Errors: PROMPT_REFUSED (what the template itself raises, or any other failure in it), MODEL_UNSUPPORTED (over the limits). */
  render(variables: Readonly<Record<string, unknown>>, nowMs: number | undefined): string;
}

export interface TemplateLimits {
  readonly sourceCharsMax: number;
  /** Expressions evaluated in one rendering, ten for each turn of a loop: 2 million take about a second. */
  readonly stepsMax: number;
  readonly outputCharsMax: number;
}

export const TEMPLATE_LIMITS: TemplateLimits = { sourceCharsMax: 200_000, stepsMax: 2_000_000, outputCharsMax: 2_000_000 };

/** What is used of the library's interpreter; its own declarations cannot be resolved under NodeNext. */
interface LibraryInterpreter {
  run(program: unknown): { readonly value: unknown };
  evaluate(node: unknown, environment: unknown): { readonly value: unknown };
}
const LibraryInterpreter = Interpreter as unknown as new (environment: unknown) => LibraryInterpreter;

/**
 * Makes a template of a model's `chat_template`. It has no functions but Jinja's own, reads no clock and loads nothing.
 * Errors: MODEL_UNLOADABLE (not Jinja), MODEL_UNSUPPORTED (too long, or with paddings of a width that is not written out).
 */
export function createBoundedTemplate(place: string, source: string, limits: TemplateLimits = TEMPLATE_LIMITS): BoundedTemplate {
  if (source.length > limits.sourceCharsMax)
    throw unsupported(place, `has ${source.length} characters, more than ${limits.sourceCharsMax}`);
  const program = parseTemplate(place, source);
  return {
    render: (variables, nowMs) => {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...GLOBALS, ...timeFunctions(nowMs), ...variables })) environment.set(name, value);
      const interpreter = new BoundedInterpreter(environment, place, limits);
      try {
        return String(interpreter.run(program).value);
      } catch (cause) {
        if (cause instanceof CoxswainError) throw cause;
        if (cause instanceof RangeError) throw unsupported(place, 'runs too deep or grows too long', cause);
        throw new CoxswainError(
          'PROMPT_REFUSED',
          `the chat template of ${place} does not take these messages: ${messageOf(cause).slice(0, 500)}`,
          { cause },
        );
      }
    },
  };
}

function parseTemplate(place: string, source: string): unknown {
  let program: unknown;
  try {
    // The two options are those with which transformers compiles chat templates.
    program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  } catch (cause) {
    const message = `the chat template of ${place} cannot be read: ${messageOf(cause).slice(0, 500)}. Obtain the model's files again, or correct chat_template.`;
    throw new CoxswainError('MODEL_UNLOADABLE', message, { cause });
  }
  checkPaddings(place, program);
  return program;
}

/** Counts what a rendering does. Every loop evaluates what it loops over, every result is seen once, so nothing grows or goes on unseen. */
class BoundedInterpreter extends LibraryInterpreter {
  readonly #place: string;
  readonly #limits: TemplateLimits;
  #steps = 0;
  #loopedOver: unknown;

  constructor(environment: unknown, place: string, limits: TemplateLimits) {
    super(environment);
    this.#place = place;
    this.#limits = limits;
  }

  override evaluate(node: unknown, environment: unknown): { readonly value: unknown } {
    const { type, iterable } = (node ?? {}) as LibraryNode;
    if (type === 'For') this.#loopedOver = iterable?.type === 'SelectExpression' ? iterable.lhs : iterable;
    this.#count(1);
    const isLoop = node === this.#loopedOver;
    const result = super.evaluate(node, environment);
    const { value } = result;
    if (isLoop) this.#count(LOOP_STEPS * sizeOf(value));
    // A name only refers to what was made and counted before.
    else if (type !== 'Identifier') this.#count(sizeOf(value) >> (typeof value === 'string' ? 8 : 3));
    if (typeof value === 'string' && value.length > this.#limits.outputCharsMax)
      throw unsupported(this.#place, `makes a text of more than ${this.#limits.outputCharsMax} characters`);
    return result;
  }

  #count(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.stepsMax) throw unsupported(this.#place, `takes more than ${this.#limits.stepsMax} steps`);
  }
}

interface LibraryNode {
  readonly type?: unknown;
  readonly iterable?: { readonly type?: unknown; readonly lhs?: unknown };
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string' || Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;

/** What one turn of a loop counts, even of an empty one: the library makes a dozen objects for each. */
const LOOP_STEPS = 10;
const RANGE_MAX = 10_000;
const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  range: (first: number, second?: number, step = 1) => {
    const [from, to] = second === undefined ? [0, first] : [first, second];
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (!(count <= RANGE_MAX)) throw new RangeError(`range() of ${count} items is longer than ${RANGE_MAX}`);
    return Array.from({ length: count }, (_, index) => from + index * step);
  },
};

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** `strftime_now` of transformers' templates, of the time that was handed in; without one, there is no such function, as templates can ask for. */
function timeFunctions(nowMs: number | undefined): Readonly<Record<string, unknown>> {
  if (nowMs === undefined) return {};
  const date = new Date(nowMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const month = MONTHS[date.getUTCMonth()] ?? '';
  const day = DAYS[date.getUTCDay()] ?? '';
  const parts: Readonly<Record<string, string>> = {
    '%Y': String(date.getUTCFullYear()),
    '%y': two(date.getUTCFullYear() % 100),
    '%m': two(date.getUTCMonth() + 1),
    '%d': two(date.getUTCDate()),
    '%B': month,
    '%b': month.slice(0, 3),
    '%A': day,
    '%a': day.slice(0, 3),
    '%H': two(date.getUTCHours()),
    '%M': two(date.getUTCMinutes()),
    '%S': two(date.getUTCSeconds()),
    '%%': '%',
  };
  return { strftime_now: (format: unknown) => String(format).replace(/%./gu, (part) => parts[part] ?? part) };
}

const PADDING_MAX = 64;

/** Widths of `indent` are taken by the library as they come, up to gigabytes, so only written-out small ones are let in. */
function checkPaddings(place: string, program: unknown): void {
  const queue: unknown[] = [program];
  const isSmall = (node: unknown) => {
    const { type, value } = (node ?? {}) as { readonly type?: unknown; readonly value?: unknown };
    const isOther = type === 'StringLiteral' || type === 'Identifier';
    return isOther
      ? value === 'none' || value === 'None' || value === 'false' || type === 'StringLiteral'
      : type === 'IntegerLiteral' && Number(value) <= PADDING_MAX;
  };
  for (let node = queue.pop(); node !== undefined || queue.length > 0; node = queue.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    const { type, key, value, callee, args } = node as Readonly<Record<string, unknown>>;
    const nameOf = (part: unknown) => ((part ?? {}) as { readonly value?: unknown }).value;
    const isKeyword = type === 'KeywordArgumentExpression' && ['indent', 'width'].includes(String(nameOf(key)));
    if (isKeyword && !isSmall(value)) throw unsupported(place, 'pads by a width that is not a small number written out');
    const isIndent = type === 'CallExpression' && nameOf(callee) === 'indent' && Array.isArray(args);
    if (isIndent && args.length > 0 && !isSmall(args[0]) && (args[0] as { readonly type?: unknown }).type !== 'KeywordArgumentExpression')
      throw unsupported(place, 'pads by a width that is not a small number written out');
    queue.push(...(node instanceof Map ? [...node.entries()].flat() : Object.values(node)));
  }
}

const unsupported = (place: string, problem: string, cause?: unknown): CoxswainError =>
  new CoxswainError('MODEL_UNSUPPORTED', `the chat template of ${place} ${problem}. Use the template that the model's makers publish.`, {
    cause,
  });
