import type { CodecDirectory } from '../config/load-scope.ts';
import { codecs } from '../models/registry.ts';

/** What `config/` has to know of the codecs, so that a `decode:` section is checked with the file's line and column, not at the first frame. */
export function createCodecDirectory(): CodecDirectory {
  return {
    keys: Object.keys(codecs),
    validate(key, decode) {
      const checked = codecs[key]?.optionsSchema.safeParse(decode);
      if (checked === undefined || checked.success) return [];
      // Keys of a decode section are names; a symbol cannot come out of YAML.
      return checked.error.issues.map(({ path, message }) => ({ path: path.filter((key) => typeof key !== 'symbol'), message }));
    },
  };
}
