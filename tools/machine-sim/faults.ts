import type { ActionArgument, ActionSpec } from '../../src/core/action.ts';
import type { SignalValue } from '../../src/core/signal.ts';

/** What a broken machine does with a command: nothing at all, the right thing later, or the wrong thing. */
export type Fault = { readonly kind: 'ignore' | 'wrong' } | { readonly kind: 'late'; readonly ms: number };

export type Faults = ReadonlyMap<string, Fault>;

const LATE_MS_MAX = 600_000;
export const FAULT_HELP = 'ignore:<action>, wrong:<action> or late:<action>:<ms>; <action> may be *';

/** Of the form of FAULT_HELP. Errors: Error with what is allowed. */
export function parseFaults(texts: readonly string[], actions: readonly ActionSpec[]): Faults {
  return new Map(texts.map((text) => parseFault(text, actions)));
}

function parseFault(text: string, actions: readonly ActionSpec[]): [string, Fault] {
  const [kind, name = '', ms, ...rest] = text.split(':');
  const isKnown = name === '*' || actions.some((action) => action.name === name);
  if (isKnown && rest.length === 0) {
    if ((kind === 'ignore' || kind === 'wrong') && ms === undefined) return [name, { kind }];
    const lateMs = Number(ms);
    if (kind === 'late' && ms !== undefined && /^\d+$/.test(ms) && lateMs <= LATE_MS_MAX) return [name, { kind, ms: lateMs }];
  }
  throw new Error(
    `--fault ${text} is not known; allowed is ${FAULT_HELP}, with actions ${actions.map((action) => action.name).join(', ')}`,
  );
}

export const faultOf = (faults: Faults, action: string): Fault | undefined => faults.get(action) ?? faults.get('*');

/** Other values than those asked for, each still allowed: what a wire in the wrong place would do. */
export function wrongValues(action: ActionSpec, values: Readonly<Record<string, SignalValue>>): Readonly<Record<string, SignalValue>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const argument = action.arguments.find((candidate) => candidate.name === name);
      return [name, argument === undefined ? value : wrongValue(argument, value)];
    }),
  );
}

function wrongValue(argument: ActionArgument, value: SignalValue): SignalValue {
  switch (argument.type) {
    case 'enum':
      return argument.values[(argument.values.indexOf(String(value)) + 1) % argument.values.length] ?? value;
    case 'integer':
    case 'number': {
      const other = Number(value) - argument.min < argument.max - Number(value) ? argument.max : argument.min;
      return other;
    }
    case 'boolean':
      return value !== true;
    case 'string':
      return [...String(value)].reverse().join('');
  }
}
