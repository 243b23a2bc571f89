import type { ActionArgument, ActionCatalogue, ActionSpec, Effect, PassengerRule, Requirement } from '../core/action.ts';
import type { SignalSpec, SignalType } from '../core/signal.ts';
import { durationFromMs } from '../core/units.ts';
import { type ActionSection, type ArgumentSection, actionsSchema, type ConditionSection, type SignalSection } from './actions-schema.ts';
import { checkActions } from './check-actions.ts';
import { checkSchema } from './check-schema.ts';
import type { ConfigFiles } from './config-files.ts';
import { deepFreeze } from './deep-freeze.ts';
import { configInvalid, type KeyPath, type Problem } from './problem.ts';
import { parseYaml, YamlDocument } from './yaml-document.ts';

/** The larger of the shipped catalogues has 8 kB. */
const FILE_BYTES_MAX = 65_536;

interface LoadActionsDeps {
  readonly files: ConfigFiles;
}

/**
 * Reads a catalogue of actions, checks everything in it against everything else, and freezes it.
 * Errors: FILE_UNREADABLE; CONFIG_INVALID with one line `file:line:column: key: text` per problem.
 */
export function loadActions(file: string, deps: LoadActionsDeps): ActionCatalogue {
  const problems: Problem[] = [];
  const catalogue = readActions(file, deps, problems);
  if (catalogue === undefined || problems.length > 0) throw configInvalid(problems);
  return catalogue;
}

/** The catalogue's own complaints go to `problems`; undefined when it could not be read as one. Errors: FILE_UNREADABLE. */
export function readActions(file: string, { files }: LoadActionsDeps, problems: Problem[]): ActionCatalogue | undefined {
  const document = parseYaml(file, files.read(file, FILE_BYTES_MAX));
  if (!(document instanceof YamlDocument)) {
    problems.push(...document);
    return undefined;
  }
  const section = checkSchema(actionsSchema, document, problems);
  if (section === undefined) return undefined;
  const refuse = (path: KeyPath, text: string): void => {
    problems.push(document.problem(path, text));
  };
  const catalogue: ActionCatalogue = {
    machine: section.machine,
    signals: Object.entries(section.signals).flatMap(([name, signal]) => instancesOf(name, signal)),
    actions: Object.entries(section.actions).map(([name, action]) => convertAction(name, action)),
  };
  checkActions(catalogue, refuse);
  return deepFreeze(catalogue);
}

function instancesOf(name: string, section: SignalSection): SignalSpec[] {
  const { about, each } = section;
  const type = signalType(section);
  if (each === undefined) return [{ name, about, ...type }];
  return each.map((instance) => ({ name: `${name}.${instance}`, about, ...type }));
}

function signalType(section: SignalSection): SignalType {
  switch (section.type) {
    case 'number':
      return { type: 'number', min: section.min, max: section.max, unit: section.unit };
    case 'enum':
      return { type: 'enum', values: section.values };
    case 'boolean':
      return { type: 'boolean' };
    case 'string':
      return { type: 'string', lengthMax: section.max };
  }
}

function convertArgument(name: string, section: ArgumentSection): ActionArgument {
  const head = { name, about: section.about, isOptional: section.optional };
  switch (section.type) {
    case 'enum':
      return { ...head, type: 'enum', values: section.values };
    case 'integer':
    case 'number':
      return { ...head, type: section.type, min: section.min, max: section.max, unit: section.unit };
    case 'string':
      return { ...head, type: 'string', lengthMax: section.max };
    case 'boolean':
      return { ...head, type: 'boolean' };
  }
}

function convertAction(name: string, section: ActionSection): ActionSpec {
  const head = { name, about: section.about, arguments: Object.entries(section.arguments).map(([key, one]) => convertArgument(key, one)) };
  if (section.class === 'C') return { ...head, class: 'C' };
  const { count, perMs } = section.rateLimit;
  return {
    ...head,
    class: section.class,
    requires: Object.entries(section.requires).map(([signal, condition]) => convertRequirement(signal, condition)),
    needsConfirmation: section.confirm,
    passenger: convertPassenger(section.passenger),
    modes: section.modes,
    rateLimit: { count, perUs: durationFromMs(perMs) },
    validUs: durationFromMs(section.validMs),
    achieveWithinUs: durationFromMs(section.achieveWithinMs),
    effect: section.effect === undefined ? undefined : convertEffect(section.effect),
    topic: section.topic ?? name,
  };
}

function convertRequirement(signal: string, section: ConditionSection): Requirement {
  if (Array.isArray(section)) return { signal, condition: { kind: 'one-of', values: section } };
  if (typeof section !== 'object') return { signal, condition: { kind: 'one-of', values: [section] } };
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = section;
  return { signal, condition: { kind: 'range', atLeast, atMost } };
}

function convertPassenger(section: boolean | Readonly<Record<string, readonly string[]>>): PassengerRule {
  if (typeof section === 'object') return { kind: 'own', values: section };
  return { kind: section ? 'everything' : 'nothing' };
}

function convertEffect(section: {
  readonly signal: string;
  readonly argument?: string | undefined;
  readonly value?: string | number | boolean | undefined;
  readonly tolerance: number;
}): Effect {
  const { signal, argument, value, tolerance } = section;
  if (argument !== undefined) return { signal, target: { kind: 'argument', argument }, tolerance };
  return { signal, target: { kind: 'value', value: value ?? '' }, tolerance };
}
