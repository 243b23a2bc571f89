import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { ActionCatalogue } from '../core/action.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { durationFromMs } from '../core/units.ts';
import type { ActionsConfig } from './actions-config.ts';
import { integerField, listOf, msField, pathField, patternField } from './fields.ts';
import { readActions } from './load-actions.ts';
import type { LoadScope } from './load-scope.ts';
import { nearest } from './nearest.ts';
import { printable, quoted } from './problem.ts';
import type { MqttConfig } from './runtime-config.ts';

export const actionsSection = z
  .strictObject({
    catalogue: pathField('The catalogue of the actions, relative to this file; docs/actions.md says what stands in it.'),
    topics: patternField(
      /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,3}$/,
      '1 to 4 levels of letters, digits, "_" or "-", separated by "/"',
      'Levels before /action/..., /answer/... and /state of the machine that is acted on. Default: <mqtt.prefix>/vehicle or <mqtt.prefix>/robot.',
    ).optional(),
    stateAgeMaxMs: msField({ min: 50, max: 60_000 }, "A signal of the machine's state that is older counts as unknown.").default(1000),
    confirmWithinMs: msField({ min: 1000, max: 60_000 }, 'How long a question to the driver stands.').default(15_000),
    fromMqtt: listOf(
      patternField(/^[a-z][a-z0-9_]{0,63}$/, 'the name of an action', 'One action.'),
      { min: 0, max: 128 },
      'Actions of class A that words which came over MQTT may ask for, as far as a passenger may.',
    ).default([]),
    audit: z
      .strictObject({
        file: pathField('Where to write it, relative to this file.'),
        bytesMax: integerField(
          { min: 4096, max: 1_073_741_824 },
          'bytes',
          'A file that would grow longer is put aside as <file>.1.',
        ).default(10_485_760),
        filesMax: integerField({ min: 2, max: 100 }, 'files', 'How many are kept.').default(5),
      })
      .describe('A log of every proposal and what became of it, as chained JSON lines.')
      .optional(),
  })
  .describe('What words may make a vehicle or robot do; without it, nothing.');

type ActionsSection = z.output<typeof actionsSection>;

/** Undefined when the catalogue could not be read, which is then a problem of the load. */
export function convertActions(section: ActionsSection, node: string, mqtt: MqttConfig, scope: LoadScope): ActionsConfig | undefined {
  const file = isAbsolute(section.catalogue) ? section.catalogue : join(dirname(scope.document.file), section.catalogue);
  const catalogue = readCatalogue(file, scope);
  if (mqtt.broker.kind === 'none') scope.refuse(['actions'], 'commands go over MQTT, and mqtt.broker is none; name a broker');
  if (catalogue === undefined) return undefined;
  const topics = section.topics ?? `${mqtt.prefix}/${catalogue.machine}`;
  if (topics === `${mqtt.prefix}/${node}`)
    scope.refuse(['actions', 'topics'], `got ${quoted(topics)}, which are this node's own topics; take others, or rename the node`);
  for (const [index, name] of section.fromMqtt.entries()) checkFromMqtt(name, ['actions', 'fromMqtt', index], catalogue, scope);
  const { audit } = section;
  return {
    file: scope.absolute(section.catalogue),
    catalogue,
    topics,
    stateAgeMaxUs: durationFromMs(section.stateAgeMaxMs),
    confirmWithinUs: durationFromMs(section.confirmWithinMs),
    fromMqtt: section.fromMqtt,
    audit: audit === undefined ? undefined : { ...audit, file: scope.absolute(audit.file) },
  };
}

function readCatalogue(file: string, scope: LoadScope): ActionCatalogue | undefined {
  try {
    return readActions(file, scope.deps, scope.problems);
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    scope.refuse(['actions', 'catalogue'], `the catalogue cannot be read: ${printable(messageOf(thrown))}`);
    return undefined;
  }
}

function checkFromMqtt(name: string, path: (string | number)[], { actions }: ActionCatalogue, scope: LoadScope): void {
  const action = actions.find((candidate) => candidate.name === name);
  if (action === undefined) {
    const meant = nearest(
      name,
      actions.map((candidate) => candidate.name),
    );
    scope.refuse(path, `${quoted(name)} is no action of the catalogue${meant === undefined ? '' : `; did you mean '${meant}'?`}`);
  } else if (action.class !== 'A') {
    scope.refuse(path, `${quoted(name)} is of class ${action.class}; allowed is class A`);
  } else if (action.passenger.kind === 'nothing') {
    scope.refuse(
      path,
      `${quoted(name)} is not for a passenger, and words from MQTT may do no more; allow it to passengers or leave it out`,
    );
  }
}
