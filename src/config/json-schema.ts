import { z } from 'zod';
import { actionsSchema } from './actions-schema.ts';
import { configSchema } from './config-schema.ts';
import { manifestSchema } from './manifest-schema.ts';
import { socSchema } from './soc-schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * One JSON Schema (draft 7) for both kinds of file, so that every file in configs/ names the same one: a file with the key `manifest` is held to the
 * manifest's, any other to the configuration's. It says what may be written, defaults included; what needs more than one value to judge is left to `loadConfig`.
 */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Coxswain configuration',
    if: { type: 'object', required: ['manifest'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword.
    then: { $ref: '#/definitions/manifest' },
    else: { $ref: '#/definitions/config' },
    definitions: { config: definition(configSchema), manifest: definition(manifestSchema) },
  };
}

/** The schema of a chip's profile, which the files of configs/soc name. */
export function socJsonSchema(): JsonSchema {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Coxswain profile of a chip', ...definition(socSchema) };
}

/** The schema of a catalogue of actions, which the files of configs/actions name. */
export function actionsJsonSchema(): JsonSchema {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Coxswain catalogue of actions', ...definition(actionsSchema) };
}

function definition(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
}
