import { z } from 'zod';
import { entriesOf, integerField, msField, numberField, textField } from './fields.ts';

const SETTLE_RANGE = { min: 0, max: 600_000 };
const CELSIUS_RANGE = { min: -40, max: 200 };

const served = entriesOf(
  textField('One of its variants, or shed.', 64),
  'By pipeline: the variant of its model that this mode runs, or shed for not at all. Others stay as they are.',
).default({});

/** Each is optional in the file; what is left out changes nothing, and streams are still made cheaper when a core is missing. */
export const modesSchema = z
  .strictObject({
    enterAfterMs: msField(SETTLE_RANGE, 'A condition has to last so long before its mode begins.').default(300),
    leaveAfterMs: msField(
      SETTLE_RANGE,
      'A condition has to be gone so long before its mode ends, and something has to fit so long before it is given back.',
    ).default(3_000),
    'bandwidth-short': z
      .strictObject({
        belowRatio: numberField({ min: 0, max: 1 }, '', 'Begins when the bus carries less than this part of what it should.').default(0.8),
        streams: served,
      })
      .describe('The bus carries less than it should.')
      .optional(),
    hot: z
      .strictObject({
        enterC: numberField(CELSIUS_RANGE, 'degrees Celsius', 'Begins when the die is at least as hot.').default(85),
        leaveC: numberField(CELSIUS_RANGE, 'degrees Celsius', 'Ends when the die is at most as hot.').default(75),
        streams: served,
      })
      .describe('The chip has to be kept cool.')
      .optional(),
    'core-lost': z
      .strictObject({
        cores: integerField({ min: 1, max: 64 }, 'cores', 'Begins when at least so many are missing.').default(1),
        streams: served,
      })
      .describe('Cores are missing.')
      .optional(),
    safe: z.strictObject({ streams: served }).describe('Only entered when told to.').optional(),
  })
  .describe('What is given up, and when. Without this section nothing is, unless a pipeline has variants.');

export type ModesSection = z.output<typeof modesSchema>;
