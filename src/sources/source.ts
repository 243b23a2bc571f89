import type { Observable } from 'rxjs';
import type { CoxswainError } from '../core/errors.ts';
import type { Frame, SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';

/**
 * What comes out of a source. `rejected` stands for one input that was turned away at the edge. `error` is there when a state has an operating error
 * behind it: PROGRAM_MISSING, SOURCE_LOST, FILE_UNREADABLE, WAV_INVALID.
 */
export type SourceEvent =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly message: string }
  | { readonly kind: 'state'; readonly state: SourceState; readonly message: string; readonly error?: CoxswainError };

/**
 * `starting`: nothing has come yet; `stalled`: no frame for longer than the source's watchdog allows; `restarting`: its adapter is being started again
 * after a backoff; `ended`: no more will come.
 */
export type SourceState = 'starting' | 'live' | 'stalled' | 'restarting' | 'ended';

/**
 * Where frames are born. The stream is hot while subscribed, never errors, and completes only after `state: ended`. Unsubscribing frees everything.
 * It has one subscriber at a time, since each frame hands over one claim on its region; whoever fans frames out retains for each further reader.
 */
export interface Source {
  readonly id: SourceId;
  readonly events: Observable<SourceEvent>;
}

/** The runtime's tensor memory as a source sees it. A region is freed when every claim on it has been released. */
export interface FrameMemory {
  /**
   * A region with one claim on it, or undefined when memory is short: the source then rejects the input as `no-memory`. The source gives up its claim
   * with the frame it emits; the runtime releases it.
   */
  allocate(byteLength: number): Region | undefined;
  /** One more claim on a region that is claimed already; from then on nobody writes to it. It lets one decoded photo be many frames without a copy. */
  retain(region: Region): void;
  /** Gives up one claim. */
  release(region: Region): void;
  /** The bytes of a region, in this process; valid until released. */
  bytes(region: Region): Uint8Array;
}

/** The size of the image in its file, upright, before it was resized. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
}

/** Media work that must not run on the main event loop; the runtime lends its workers. Rejects with IMAGE_CORRUPT, IMAGE_TOO_LARGE, FILE_UNREADABLE, WAV_INVALID, WORKER_CRASHED. */
export interface MediaDecoder {
  /** Decodes an image file and resizes it to exactly `width` x `height` RGB (cover, centred) into `region`. `pixelsMax` bounds the file's own size before decoding. */
  decodeImage(request: {
    readonly path: string;
    readonly width: number;
    readonly height: number;
    readonly pixelsMax: number;
    readonly region: Region;
  }): Promise<DecodedImage>;
  /** Decodes a WAV file to mono 16 kHz samples within -1..1; a sample that was not finite is NaN. */
  decodeWav(request: { readonly path: string; readonly secondsMax: number }): Promise<Float32Array>;
}

/** Any CoxswainError's code that means "this input is bad", mapped to why it is rejected. */
export function rejectReasonOf(error: CoxswainError): RejectReason {
  return error.code === 'IMAGE_TOO_LARGE' ? 'oversized' : 'corrupt';
}
