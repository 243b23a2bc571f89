export type SignalValue = number | string | boolean;

export type SignalType =
  | { readonly type: 'number'; readonly min: number; readonly max: number; readonly unit: string }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'boolean' }
  /** Printable characters, counted as code points. */
  | { readonly type: 'string'; readonly lengthMax: number };

/** One thing that a vehicle or robot says about itself, such as `speedKmh` or `door.rear_left`. */
export type SignalSpec = SignalType & { readonly name: string; readonly about: string };
