import { z } from 'zod';
import { actionsSection } from './actions-section.ts';
import { deviceSchema } from './device-schema.ts';
import { entriesOf, idField, pathField } from './fields.ts';
import { httpSchema } from './http-schema.ts';
import { limitsSchema } from './limits-schema.ts';
import { modesSchema } from './modes-schema.ts';
import { mqttSchema } from './mqtt-schema.ts';
import { pipelineSchema } from './pipeline-schema.ts';
import { schedulerSchema } from './scheduler-schema.ts';
import { sourceSchema } from './source-schema.ts';

/** The whole file. Nothing here refers to anything else: names, ranges and cycles are cross-check.ts's. */
export const configSchema = z
  .strictObject({
    version: z.literal(1, { error: '1' }).describe('Version of this format.'),
    node: idField('Name of this computer; a level of every MQTT topic.'),
    models: pathField('The manifest of the models, relative to this file.'),
    device: deviceSchema,
    sources: entriesOf(sourceSchema, 'Where frames are born, by name.'),
    pipelines: entriesOf(pipelineSchema, 'From frames to results, by name: one model under one contract.'),
    scheduler: schedulerSchema,
    modes: modesSchema.optional(),
    mqtt: mqttSchema,
    actions: actionsSection.optional(),
    http: httpSchema.optional(),
    runtime: limitsSchema,
  })
  .describe('Configuration of one Coxswain runtime.');

export type ConfigSection = z.output<typeof configSchema>;
