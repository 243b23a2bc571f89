import { z } from 'zod';
import { MODES } from '../core/mode.ts';
import { choiceField, flagField, integerField, listOf, msField, numberField, patternField, textField } from './fields.ts';

/** What lives in the wires of a vehicle fits; a signal's name with its instance stays one level of a topic. */
const SIGNALS_MAX = 256;
const ACTIONS_MAX = 128;
const ARGUMENTS_MAX = 16;
const VALUES_MAX = 64;

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const NAME_LENGTH_MAX = 64;
const NAME_ALLOWED = `lower case words joined by "_", at most ${NAME_LENGTH_MAX} characters`;
const SIGNAL_ALLOWED = 'a name such as speedKmh, at most 64 letters and digits';
const PATTERN_ALLOWED = 'the name of a signal, such as speedKmh, door.driver or door.{door}';

/** Names of Object.prototype's members would be found in every plain object that a call is read from. */
const nameKey = z
  .string({ error: NAME_ALLOWED })
  .regex(NAME, { error: NAME_ALLOWED })
  .max(NAME_LENGTH_MAX, { error: NAME_ALLOWED })
  .refine((name) => !Object.hasOwn(Object.prototype, name), { error: 'any other name; this one has a meaning of its own in JavaScript' });

const signalKey = z
  .string({ error: SIGNAL_ALLOWED })
  .regex(/^[a-z][A-Za-z0-9]{0,63}$/, { error: SIGNAL_ALLOWED })
  .refine((name) => !Object.hasOwn(Object.prototype, name), { error: 'any other name; this one has a meaning of its own in JavaScript' });

const patternKey = z
  .string({ error: PATTERN_ALLOWED })
  .regex(/^[a-z][A-Za-z0-9]{0,63}(\.([A-Za-z0-9_]{1,64}|\{[a-z][a-z0-9_]{0,63}\}))?$/, { error: PATTERN_ALLOWED });

function bounded<K extends z.core.$ZodRecordKey, T extends z.ZodType>(key: K, entry: T, max: number, about: string) {
  const error = `at most ${max} entries`;
  return z
    .record(key, entry)
    .refine((entries) => Object.keys(entries).length <= max, { error })
    .meta({ description: about, maxProperties: max });
}

const ENUM_VALUE = patternField(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'letters, digits, "_" or "-", at most 64', 'One value.');
const aboutField = textField('What it is, in one sentence.', 200);
const figure = (about: string) => numberField({ min: -1e9, max: 1e9 }, '', about);
const rangeFields = {
  min: figure('Smallest value.'),
  max: figure('Largest value.'),
  unit: textField('Unit, such as km/h; for people and for the model.', 32).default(''),
};
const lengthField = (about: string) => integerField({ min: 1, max: 4096 }, 'characters', about).default(128);
const enumValues = listOf(ENUM_VALUE, { min: 1, max: VALUES_MAX }, 'The values that there are.');

const signalFields = {
  about: aboutField.default(''),
  each: listOf(ENUM_VALUE, { min: 1, max: VALUES_MAX }, 'Instances: the signal is there once for each, as <signal>.<instance>.').optional(),
};

const signalSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('number').describe('A number.'), ...rangeFields, ...signalFields }).meta({ title: 'number' }),
    z
      .strictObject({ type: z.literal('enum').describe('One of a few words.'), values: enumValues, ...signalFields })
      .meta({ title: 'enum' }),
    z.strictObject({ type: z.literal('boolean').describe('true or false.'), ...signalFields }).meta({ title: 'boolean' }),
    z
      .strictObject({ type: z.literal('string').describe('A text.'), max: lengthField('Longest text.'), ...signalFields })
      .meta({ title: 'string' }),
  ])
  .describe('One signal.');

const argumentFields = { about: aboutField.default(''), optional: flagField('A call may leave it out.').default(false) };

const argumentSchema = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('enum').describe('One of a few words; the value all stands for every other one.'),
        values: enumValues,
        ...argumentFields,
      })
      .meta({ title: 'enum' }),
    z
      .strictObject({ type: z.literal('integer').describe('A whole number.'), ...rangeFields, ...argumentFields })
      .meta({ title: 'integer' }),
    z.strictObject({ type: z.literal('number').describe('A number.'), ...rangeFields, ...argumentFields }).meta({ title: 'number' }),
    z
      .strictObject({ type: z.literal('string').describe('A text.'), max: lengthField('Longest text.'), ...argumentFields })
      .meta({ title: 'string' }),
    z.strictObject({ type: z.literal('boolean').describe('true or false.'), ...argumentFields }).meta({ title: 'boolean' }),
  ])
  .describe('One argument.');

const scalar = z.union([z.string().max(128), z.number(), z.boolean()], { error: 'a word, a number, true or false' });

const conditionSchema = z
  .union(
    [
      scalar,
      listOf(scalar, { min: 1, max: VALUES_MAX }, 'Any of these.'),
      z.strictObject({ atLeast: figure('Not below this.').optional(), atMost: figure('Not above this.').optional() }),
    ],
    { error: 'a value, a list of values, or { atLeast: <number>, atMost: <number> }' },
  )
  .describe('What the signal must say: a value, one of several, or a range.');

const REQUIRES_MAX = 16;
const REQUIRES_ABOUT = 'What signals must say, all of them, when it is decided; a signal that is unknown or too old does not.';
const requiresField = bounded(patternKey, conditionSchema, REQUIRES_MAX, REQUIRES_ABOUT);
const requiresSome = requiresField
  .refine((entries) => Object.keys(entries).length > 0, { error: 'at least one condition for class B' })
  .meta({ description: REQUIRES_ABOUT, minProperties: 1, maxProperties: REQUIRES_MAX });

const effectSchema = z
  .strictObject({
    signal: patternKey.describe('The signal that tells; {argument} in it stands for the value of that argument.'),
    argument: nameKey.describe('It is achieved when the signal equals this argument.').optional(),
    value: scalar.describe('It is achieved when the signal has this value.').optional(),
    tolerance: numberField({ min: 0, max: 1e9 }, '', 'How far a number may be off.').default(0),
  })
  .refine(({ argument, value }) => (argument === undefined) !== (value === undefined), { error: 'either argument or value' })
  .describe("How the machine's own state tells that the target was reached; without it, the actuator's answer does.");

const modesField = (standard: readonly (typeof MODES)[number][]) =>
  listOf(choiceField(MODES, 'One mode.'), { min: 1, max: MODES.length }, 'Modes in which it may run.').default([...standard]);

const headFields = {
  about: aboutField,
  arguments: bounded(nameKey, argumentSchema, ARGUMENTS_MAX, 'Arguments, in the order in which a call names them.').default({}),
};

const runFields = {
  passenger: z
    .union([z.boolean(), bounded(nameKey, listOf(ENUM_VALUE, { min: 1, max: VALUES_MAX }, 'Values.'), ARGUMENTS_MAX, 'Own things.')], {
      error: 'true, false, or values of enum arguments',
    })
    .describe('Whether a passenger may ask for it: true, false, or only with these values of enum arguments, such as the own seat.')
    .default(false),
  effect: effectSchema.optional(),
  rateLimit: z
    .strictObject({
      count: integerField({ min: 1, max: 1000 }, 'times', 'At once at most, and as many more in each perMs.').default(5),
      perMs: msField({ min: 100, max: 3_600_000 }, 'Time in which the count is given back.').default(10_000),
    })
    .prefault({})
    .describe('How often it may run.'),
  validMs: msField({ min: 100, max: 60_000 }, 'Longest time from the words to the command; with a confirmation, it must come by then.'),
  achieveWithinMs: msField({ min: 100, max: 600_000 }, 'Longest time from the command to its effect; then it has timed out.').default(
    10_000,
  ),
  topic: patternField(
    /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,3}$/,
    '1 to 4 levels of letters, digits, "_" or "-"',
    'Levels below <topics>/action/. Default: the name of the action.',
  ).optional(),
};

const actionSchema = z
  .discriminatedUnion('class', [
    z
      .strictObject({
        class: z.literal('A').describe('Comfort: runs when its conditions hold.'),
        ...headFields,
        requires: requiresField.default({}),
        confirm: flagField('The driver is asked first.').default(false),
        ...runFields,
        validMs: runFields.validMs.default(5000),
        modes: modesField(['nominal', 'bandwidth-short', 'hot', 'core-lost']),
      })
      .meta({ title: 'A' }),
    z
      .strictObject({
        class: z.literal('B').describe('Needs a condition of the machine and a confirmation by the driver.'),
        ...headFields,
        requires: requiresSome,
        confirm: z.literal(true, { error: 'true; class B is always confirmed' }).describe('Always true.').default(true),
        ...runFields,
        validMs: runFields.validMs.default(20_000),
        modes: modesField(['nominal', 'bandwidth-short', 'hot']),
      })
      .meta({ title: 'B' }),
    z
      .strictObject({
        class: z
          .literal('C')
          .describe('Driving, switching safety off, unlocking while moving: never from language; stands here to be refused by name.'),
        ...headFields,
      })
      .meta({ title: 'C' }),
  ])
  .describe('One action.');

/** What language may ask a vehicle or robot to do, and what that machine reports of itself. */
export const actionsSchema = z
  .strictObject({
    version: z.literal(1, { error: '1' }).describe('Version of this format.'),
    machine: choiceField(['vehicle', 'robot'], 'What is acted on.'),
    signals: bounded(signalKey, signalSchema, SIGNALS_MAX, 'What the machine reports, by name.').default({}),
    actions: bounded(nameKey, actionSchema, ACTIONS_MAX, 'What may be asked for, by name.'),
  })
  .describe('Catalogue of the actions that language may ask for.');

type ActionsSection = z.output<typeof actionsSchema>;
export type SignalSection = ActionsSection['signals'][string];
export type ArgumentSection = ActionsSection['actions'][string]['arguments'][string];
export type ActionSection = ActionsSection['actions'][string];
export type ConditionSection = z.output<typeof conditionSchema>;
