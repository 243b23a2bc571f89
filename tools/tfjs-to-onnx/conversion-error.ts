/**
 * What the converter says when a graph is not one it can convert. `code` is stable for tests and scripts:
 * `malformed` the files contradict themselves, `unsupported` they are sound but use something the converter does not know.
 */
export class ConversionError extends Error {
  readonly code: 'malformed' | 'unsupported';

  constructor(code: ConversionError['code'], message: string) {
    super(message);
    this.name = 'ConversionError';
    this.code = code;
  }
}

export function malformed(message: string): ConversionError {
  return new ConversionError('malformed', message);
}

export function unsupported(message: string): ConversionError {
  return new ConversionError('unsupported', message);
}
