import { z } from 'zod';
import { integerField, listOf } from './fields.ts';

const coreSchema = z
  .strictObject({
    cpu: integerField(
      { min: 0, max: 1023 },
      '',
      'Number of the logical CPU that this core is pinned to. Default: not pinned, the operating system chooses.',
    ).optional(),
    niceness: integerField({ min: 0, max: 19 }, '', 'How much the process yields to others: 0 not at all, 19 most.').default(0),
    memoryMb: integerField({ min: 64, max: 1_048_576 }, 'MiB', 'Memory that the models on this core may take together.').default(2048),
  })
  .describe('One core, played by a child process of its own.');

export const deviceSchema = z
  .strictObject({
    kind: z.literal('ort', { error: 'ort' }).describe('What runs the models. ort: ONNX Runtime on CPU cores.'),
    cores: listOf(coreSchema, { min: 1, max: 64 }, 'The cores, numbered from 0 in this order.'),
  })
  .describe('The device that runs the models.');

export type DeviceSection = z.output<typeof deviceSchema>;
