import { z } from 'zod';
import { flagField, integerField, listOf } from './fields.ts';

const coreSchema = z
  .strictObject({
    cpu: integerField(
      { min: 0, max: 1023 },
      '',
      'Number of the logical CPU that this core is pinned to. Default: not pinned, the operating system chooses.',
    ).optional(),
    niceness: integerField({ min: 0, max: 19 }, '', 'How much the process yields to others: 0 not at all, 19 most.').default(0),
    idle: flagField(
      'Whether the process runs only where nobody else on its CPU wants to, and leaves at once to whoever does (SCHED_IDLE). Takes no permission.',
    ).default(false),
    realtime: integerField(
      { min: 1, max: 99 },
      '',
      'Whatever else its CPU does is interrupted for this core, the highest number first (SCHED_FIFO). Takes CAP_SYS_NICE or LimitRTPRIO=; without, it is an ordinary process and a warning says so. Default: none.',
    ).optional(),
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
