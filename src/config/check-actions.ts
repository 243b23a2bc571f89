import type { ActionArgument, ActionCatalogue, ActionSpec, ArgumentType, Effect, Requirement, RunnableAction } from '../core/action.ts';
import type { SignalSpec, SignalValue } from '../core/signal.ts';
import { placeholderOf, signalsOf } from '../core/signal-pattern.ts';
import { nearest } from './nearest.ts';
import { type KeyPath, quoted } from './problem.ts';

type Refuse = (path: KeyPath, text: string) => void;

/** Holds the parts of a catalogue to each other: what is named is there, what is compared can be equal, and every range holds something. */
export function checkActions(catalogue: ActionCatalogue, refuse: Refuse): void {
  checkSignals(catalogue.signals, refuse);
  const topics = new Map<string, string>();
  for (const action of catalogue.actions) {
    const path: KeyPath = ['actions', action.name];
    for (const argument of action.arguments) checkType(argument, [...path, 'arguments', argument.name], refuse);
    if (action.class === 'C') continue;
    const other = topics.get(action.topic);
    if (other !== undefined) refuse([...path, 'topic'], `the topic ${quoted(action.topic)} is that of ${other} already; take another one`);
    topics.set(action.topic, action.name);
    for (const requirement of action.requires) checkRequirement(requirement, action, catalogue, refuse);
    checkPassenger(action, [...path, 'passenger'], refuse);
    if (action.effect !== undefined) checkEffect(action.effect, action, catalogue, refuse);
  }
}

function checkSignals(signals: readonly SignalSpec[], refuse: Refuse): void {
  const checked = new Set<string>();
  for (const signal of signals) {
    const name = signal.name.split('.')[0] ?? '';
    const twice = signals.filter((other) => other.name === signal.name).length > 1;
    if (twice && !checked.has(name)) refuse(['signals', name, 'each'], `the instance ${quoted(signal.name)} is named twice`);
    if (!checked.has(name)) checkType(signal, ['signals', name], refuse);
    checked.add(name);
  }
}

function checkType(type: ArgumentType, path: KeyPath, refuse: Refuse): void {
  if (type.type === 'enum') {
    const twice = type.values.find((value, index) => type.values.indexOf(value) !== index);
    if (twice !== undefined) refuse([...path, 'values'], `${quoted(twice)} is named twice`);
  }
  if (!('min' in type)) return;
  if (type.max < type.min) refuse([...path, 'max'], `got ${type.max}; allowed is min (${type.min}) or more`);
  if (type.type === 'integer') {
    for (const key of ['min', 'max'] as const)
      if (!Number.isSafeInteger(type[key])) refuse([...path, key], `got ${type[key]}; allowed is a whole number`);
  }
}

const didYouMean = (word: string, candidates: readonly string[]): string => {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean '${meant}'?`;
};

/** The signals that a pattern may mean, all of which have to be there. */
function signalsBehind(pattern: string, action: ActionSpec, { signals }: ActionCatalogue, refuse: (text: string) => void): SignalSpec[] {
  const placeholder = placeholderOf(pattern);
  const argument = placeholder === undefined ? undefined : findEnum(placeholder, action, refuse);
  if (placeholder !== undefined && argument === undefined) return [];
  const values = argument?.values ?? [''];
  const names = new Set(values.flatMap((value) => signalsOf(pattern, value, values)));
  return [...names].flatMap((name) => {
    const signal = signals.find((candidate) => candidate.name === name);
    if (signal === undefined)
      refuse(
        `there is no signal ${quoted(name)}${didYouMean(
          name,
          signals.map((one) => one.name),
        )}`,
      );
    return signal === undefined ? [] : [signal];
  });
}

function findArgument(name: string, action: ActionSpec, refuse: (text: string) => void): ActionArgument | undefined {
  const argument = action.arguments.find((candidate) => candidate.name === name);
  const names = action.arguments.map((candidate) => candidate.name);
  if (argument === undefined) refuse(`there is no argument ${quoted(name)}${didYouMean(name, names)}`);
  else if (argument.isOptional) refuse(`the argument ${quoted(name)} is optional, so that there may be nothing to go by; make it required`);
  else return argument;
  return undefined;
}

function findEnum(name: string, action: ActionSpec, refuse: (text: string) => void) {
  const argument = findArgument(name, action, refuse);
  if (argument === undefined || argument.type === 'enum') return argument;
  refuse(`the argument ${quoted(name)} is of type ${argument.type}; allowed here is an enum`);
  return undefined;
}

function checkRequirement(requirement: Requirement, action: RunnableAction, catalogue: ActionCatalogue, refuse: Refuse): void {
  const refuseHere = (text: string): void => refuse(['actions', action.name, 'requires', requirement.signal], text);
  const { condition } = requirement;
  if (condition.kind === 'range' && condition.atMost === Number.POSITIVE_INFINITY && condition.atLeast === Number.NEGATIVE_INFINITY)
    refuseHere('got no bound; allowed is atLeast, atMost or both');
  for (const signal of signalsBehind(requirement.signal, action, catalogue, refuseHere)) {
    const problem = condition.kind === 'range' ? rangeProblem(condition, signal) : valuesProblem(condition.values, signal);
    if (problem !== undefined) return refuseHere(problem);
  }
}

function rangeProblem({ atLeast, atMost }: { readonly atLeast: number; readonly atMost: number }, signal: SignalSpec): string | undefined {
  if (signal.type !== 'number') return `${signal.name} is of type ${signal.type}, and a range needs a number`;
  if (atLeast > atMost || atLeast > signal.max || atMost < signal.min)
    return `no value of ${signal.name} (${signal.min} to ${signal.max}) is in this range`;
  return undefined;
}

/** The first value that the signal can never have. */
function valuesProblem(values: readonly SignalValue[], signal: SignalSpec): string | undefined {
  const impossible = values.find((value) => !canBe(value, signal));
  if (impossible === undefined) return undefined;
  const allowed = allowedOf(signal);
  const hint = signal.type === 'enum' && typeof impossible === 'string' ? didYouMean(impossible, signal.values) : '';
  return `${signal.name} is never ${quoted(impossible)}; allowed is ${allowed}${hint}`;
}

function canBe(value: SignalValue, signal: SignalSpec): boolean {
  switch (signal.type) {
    case 'number':
      return typeof value === 'number' && value >= signal.min && value <= signal.max;
    case 'enum':
      return typeof value === 'string' && signal.values.includes(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
  }
}

function allowedOf(signal: SignalSpec): string {
  switch (signal.type) {
    case 'number':
      return `${signal.min} to ${signal.max}`;
    case 'enum':
      return `one of ${signal.values.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
  }
}

function checkPassenger(action: RunnableAction, path: KeyPath, refuse: Refuse): void {
  const { passenger } = action;
  if (passenger.kind !== 'own') return;
  for (const [key, values] of Object.entries(passenger.values)) {
    const argument = findEnum(key, action, (text) => refuse([...path, key], text));
    const unknown = argument === undefined ? undefined : values.find((value) => !argument.values.includes(value));
    if (argument !== undefined && unknown !== undefined)
      refuse([...path, key], `${quoted(unknown)} is no value of ${key}${didYouMean(unknown, argument.values)}`);
  }
}

function checkEffect(effect: Effect, action: RunnableAction, catalogue: ActionCatalogue, refuse: Refuse): void {
  const path: KeyPath = ['actions', action.name, 'effect'];
  const { target, tolerance } = effect;
  const signals = signalsBehind(effect.signal, action, catalogue, (text) => refuse([...path, 'signal'], text));
  if (tolerance > 0 && signals.some(({ type }) => type !== 'number'))
    refuse([...path, 'tolerance'], 'allowed is a tolerance only where the signal is a number');
  if (target.kind === 'value') {
    const problem = signals.map((signal) => valuesProblem([target.value], signal)).find((text) => text !== undefined);
    if (problem !== undefined) refuse([...path, 'value'], problem);
    return;
  }
  const argument = findArgument(target.argument, action, (text) => refuse([...path, 'argument'], text));
  if (argument === undefined) return;
  const problem = signals.map((signal) => neverEqual(argument, signal)).find((text) => text !== undefined);
  if (problem !== undefined) refuse([...path, 'argument'], problem);
}

/** What keeps some value of the argument from ever being reported, so that the action would always time out. */
function neverEqual(argument: ActionArgument, signal: SignalSpec): string | undefined {
  if (argument.type === 'enum' && signal.type === 'enum') return valuesProblem(argument.values, signal);
  if ('min' in argument && signal.type === 'number') return valuesProblem([argument.min, argument.max], signal);
  if (argument.type === signal.type) return undefined;
  return `${argument.name} is of type ${argument.type} and ${signal.name} of type ${signal.type}; they are never equal`;
}
