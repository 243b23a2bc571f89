import { after, type Clock } from '../../src/core/clock.ts';
import { CoxswainError } from '../../src/core/errors.ts';
import { type DurationUs, durationUs } from '../../src/core/units.ts';
import type { DecodedImage, FrameMemory, MediaDecoder } from '../../src/sources/source.ts';

/** What a photo does when it is decoded: fills its region with `value`, or fails, after `tookUs`. */
export interface ScriptedPhoto {
  readonly tookUs?: DurationUs;
  readonly value?: number;
  readonly error?: CoxswainError;
}

export interface ScriptedDecoder extends MediaDecoder {
  /** Paths asked for, in order. */
  readonly decodes: readonly string[];
  readonly photos: Map<string, ScriptedPhoto>;
  samples: Float32Array | CoxswainError;
}

/** A decoder without pixels, on the clock of the test. */
export function createScriptedDecoder(clock: Clock, memory: FrameMemory): ScriptedDecoder {
  const decodes: string[] = [];
  const photos = new Map<string, ScriptedPhoto>();
  const decoder: ScriptedDecoder = {
    decodes,
    photos,
    samples: new Float32Array(0),
    decodeImage({ path, width, height, region }) {
      decodes.push(path);
      const { tookUs = durationUs(0), value = 0, error } = photos.get(path) ?? {};
      return new Promise<DecodedImage>((resolve, reject) => {
        after(clock, tookUs, () => {
          // Writing here shows whether the region is still claimed when a worker may be writing to it.
          memory.bytes(region).fill(value);
          if (error === undefined) resolve({ width, height });
          else reject(error);
        });
      });
    },
    decodeWav: ({ path }) => {
      decodes.push(path);
      return decoder.samples instanceof CoxswainError ? Promise.reject(decoder.samples) : Promise.resolve(decoder.samples);
    },
  };
  return decoder;
}
