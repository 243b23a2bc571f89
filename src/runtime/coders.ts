import { assert } from '../core/assert.ts';
import { messageOf } from '../core/errors.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { Region } from '../core/region.ts';
import { criticalityRank, type Stream } from '../core/stream.ts';
import type { AudioCodec, DecodeOptions, ImageTransform } from '../models/codec.ts';
import type { AudioCoder, Decode, ImageCoder } from '../pipeline/work.ts';
import type { MediaPool } from './media/media-pool.ts';

/** An image codec as a pipeline sees it: encode and decode on the media workers, urgent as the stream is. */
export function createImageCoder(stream: Stream, model: ModelId, options: DecodeOptions, pool: MediaPool): ImageCoder {
  const rank = criticalityRank(stream.criticality);
  return {
    encode(payload, input, deadlineAt, onEnd) {
      const urgency = { rank, deadlineAt };
      const decodeWith =
        (transform: ImageTransform): Decode =>
        (outputs, listener) =>
          tell(pool.run('decode', { model, outputs, transform, options }, urgency), (answer) => listener.decoded(answer));
      const encoding = pool.run('encode', { model, payload, input }, urgency);
      tell(
        encoding.then((transform) => (transform === undefined ? findNothing : decodeWith(transform))),
        onEnd,
      );
    },
  };
}

/** Of a frame without content. */
const findNothing: Decode = (_outputs, listener) => listener.decoded([]);

function tell<T>(promise: Promise<T>, onEnd: (answer: T | Error) => void): void {
  void promise.then(onEnd, (thrown: unknown) => onEnd(thrown instanceof Error ? thrown : new Error(messageOf(thrown))));
}

/** An audio codec over regions of the arena; it runs right here, since a window costs some ten microseconds. */
export function createAudioCoder(model: ModelSpec, codec: AudioCodec, arena: ArrayBuffer): AudioCoder {
  const floats = (region: Region): Float32Array => {
    assert(region.byteLength % 4 === 0, `tensors of model ${model.id} are float32`);
    return new Float32Array(arena, region.offsetBytes, region.byteLength / 4);
  };
  return {
    windowSamples: codec.windowSamples,
    encode: (window, input) => codec.encode(window, floats(input)),
    decode: (window, capturedAt, outputs) => codec.decode(window, capturedAt, outputs.map(floats)),
    skip: (window, capturedAt) => codec.skip(window, capturedAt),
    flush: () => codec.flush(),
  };
}
