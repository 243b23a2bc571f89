import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseDecodeOptions } from '../../../src/models/decode-options.ts';
import { codecs } from '../../../src/models/registry.ts';

describe('codecs', () => {
  it.each(Object.entries(codecs))(
    '%s has a default for every option, says what each is for, and refuses any other',
    (name, { optionsSchema }) => {
      const defaults = parseDecodeOptions(name, optionsSchema, {});
      expect(Object.keys(defaults).sort()).toEqual(Object.keys(optionsSchema.shape).sort());
      expect(parseDecodeOptions(name, optionsSchema, defaults as Parameters<typeof parseDecodeOptions>[2])).toEqual(defaults);
      const { properties } = z.toJSONSchema(optionsSchema, { io: 'input' });
      for (const property of Object.values(properties ?? {}))
        expect(property).toMatchObject({ description: expect.stringMatching(/\.$/), default: expect.anything() });
      expect(() => parseDecodeOptions(name, optionsSchema, { nonsense: 1 })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`codec ${name}: unknown key "nonsense"`) }),
      );
    },
  );
});
