import type { MediaDecoder } from '../../sources/source.ts';
import { URGENCY_STARTUP } from '../threads/worker-pool.ts';
import type { MediaPool } from './media-pool.ts';

/** What sources see of the media workers. */
export const createMediaDecoder = (pool: MediaPool): MediaDecoder => ({
  decodeImage: (request) => pool.run('decode-image', request, URGENCY_STARTUP),
  decodeWav: (request) => pool.run('decode-wav', request, URGENCY_STARTUP),
});
