import type { MediaDecoder } from '../../sources/source.ts';
import { type MediaPool, URGENCY_STARTUP } from './media-pool.ts';

/** What sources see of the media workers. */
export const createMediaDecoder = (pool: MediaPool): MediaDecoder => ({
  decodeImage: (request) => pool.run('decode-image', request, URGENCY_STARTUP),
  decodeWav: (request) => pool.run('decode-wav', request, URGENCY_STARTUP),
});
