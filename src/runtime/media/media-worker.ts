import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { assert } from '../../core/assert.ts';
import { type ModelId, type ModelSpec, tensorElements } from '../../core/model.ts';
import type { Region } from '../../core/region.ts';
import type { ImageCodec } from '../../models/codec.ts';
import { codecs } from '../../models/registry.ts';
import { mapSharedMemory } from '../../native/shared-memory.ts';
import { decodeImageFile } from '../../sources/image-decode.ts';
import { decodeWavFile } from '../../sources/wav-file.ts';
import { serveTasks, type TaskHandlers } from '../threads/serve-tasks.ts';
import type { MediaInit, MediaTasks } from './protocol.ts';

/** Enough for V8 to compile the loops that matter: the third round of NanoDet took as long as the hundredth. */
const WARM_UP_ROUNDS = 3;

/** What a media worker does: decodes, resizes and reads outputs, so that the main event loop never does. */
async function openMedia(init: MediaInit): Promise<TaskHandlers<MediaTasks>> {
  // One thread a task: parallelism comes from the number of workers, which the configuration bounds.
  sharp.concurrency(1);
  sharp.cache(false);
  const { buffer: arena } = mapSharedMemory(init.arenaFd, init.arenaBytes);
  const imageCodecs = new Map<ModelId, ImageCodec>();
  for (const model of init.models) {
    const codec = await createImageCodec(model);
    await warmUp(codec, model);
    imageCodecs.set(model.id, codec);
  }

  const floats = (region: Region): Float32Array => new Float32Array(arena, region.offsetBytes, region.byteLength / 4);
  const bytes = (region: Region): Uint8Array => new Uint8Array(arena, region.offsetBytes, region.byteLength);
  const codecOf = (model: ModelId): ImageCodec => {
    const codec = imageCodecs.get(model);
    assert(codec !== undefined, `media workers were told of model ${model}`);
    return codec;
  };

  return {
    'decode-image': (request) => decodeImageFile(request, bytes(request.region)),
    'decode-wav': (request) => decodeWavFile(request),
    async encode({ model, payload, input }) {
      if (payload.kind === 'empty') {
        bytes(input).fill(0);
        return undefined;
      }
      const { region, width, height, crop } = payload;
      const pixels = { data: bytes(region), width, height, ...(crop === undefined ? {} : { crop }) };
      return codecOf(model).encode(pixels, floats(input));
    },
    decode: async ({ model, outputs, transform, options }) => codecOf(model).decode(outputs.map(floats), transform, options),
  };
}

async function createImageCodec(model: ModelSpec): Promise<ImageCodec> {
  const factory = codecs[model.codec];
  assert(factory?.kind === 'image', `codec ${model.codec} of model ${model.id} is an image codec`);
  const texts = Object.entries(model.files).map(async ([key, path]) => [key, await readFile(path, 'utf8')] as const);
  return factory.create(model, Object.fromEntries(await Promise.all(texts)));
}

/** The first run of a codec compiles it and starts sharp, some 50 ms that no frame shall wait for. A grey picture goes in, zeros come out. */
async function warmUp(codec: ImageCodec, model: ModelSpec): Promise<void> {
  const [width, height] = [64, 48];
  const input = model.inputs[0];
  assert(input !== undefined, `model ${model.id} has an image input`);
  const pixels = { data: new Uint8Array(width * height * 3).fill(128), width, height };
  const outputs = model.outputs.map((spec) => new Float32Array(tensorElements(spec)));
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    const transform = await codec.encode(pixels, new Float32Array(tensorElements(input)));
    codec.decode(outputs, transform, {});
  }
}

assert(parentPort !== null, 'the media worker runs as a worker thread');
await serveTasks<MediaTasks>(parentPort, () => openMedia(workerData as MediaInit));
