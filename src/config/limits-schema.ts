import { z } from 'zod';
import { integerField, msField, numberField } from './fields.ts';

export const limitsSchema = z
  .strictObject({
    drainMs: msField({ min: 0, max: 600_000 }, 'After SIGTERM, running jobs get this long to end.').default(2000),
    workers: integerField({ min: 1, max: 64 }, 'threads', 'Worker threads that decode, resize and encode media.').default(1),
    arenaMb: integerField({ min: 1, max: 65_536 }, 'MiB', 'Shared memory for frames and tensors.').default(128),
    hardTimeout: z
      .strictObject({
        floorMs: msField({ min: 1, max: 600_000 }, 'No core is killed sooner.').default(250),
        factor: numberField({ min: 1, max: 1000 }, '', 'Times the high quantile of the run times measured for the model.').default(4),
        ceilingMs: msField({ min: 1, max: 3_600_000 }, 'No core is left alone for longer.').default(5000),
      })
      .prefault({})
      .describe('When a core that does not end its segment is killed: factor x measured run time, kept between floorMs and ceilingMs.'),
    restart: z
      .strictObject({
        max: integerField({ min: 0, max: 1000 }, 'restarts', 'One more within withinMs puts the core into quarantine.').default(5),
        withinMs: msField({ min: 100, max: 86_400_000 }, 'The time in which restarts are counted.').default(60_000),
        probeAfterMs: msField({ min: 100, max: 86_400_000 }, 'A core in quarantine is tried once after this.').default(30_000),
        backoffMs: msField(
          { min: 0, max: 600_000 },
          'Wait before the second restart in a row; doubles with each further one. The first restart is at once.',
        ).default(250),
      })
      .prefault({})
      .describe('What happens to a core that crashes or hangs.'),
    seed: integerField({ min: 0, max: 4_294_967_295 }, '', 'Seed of every random choice, such as jitter.').default(1),
  })
  .prefault({})
  .describe('Limits of the runtime itself.');

export type LimitsSection = z.output<typeof limitsSchema>;
