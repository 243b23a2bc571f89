import type { EmptyPayload, ImagePayload } from '../../core/frame.ts';
import type { ModelId, ModelSpec } from '../../core/model.ts';
import type { Region } from '../../core/region.ts';
import type { ResultItem } from '../../core/result.ts';
import type { DecodeOptions, ImageTransform } from '../../models/codec.ts';

/** What a media worker is born with. */
export interface MediaInit {
  readonly arenaFd: number;
  readonly arenaBytes: number;
  /** Models with an image codec. */
  readonly models: readonly ModelSpec[];
}

/** What a worker can be asked, with what it answers. Pixels and tensors stay in the arena; only addresses and results travel. */
export interface MediaTasks {
  readonly 'decode-image': {
    readonly request: {
      readonly path: string;
      readonly width: number;
      readonly height: number;
      readonly pixelsMax: number;
      readonly region: Region;
    };
    readonly answer: { readonly width: number; readonly height: number };
  };
  readonly 'decode-wav': {
    readonly request: { readonly path: string; readonly secondsMax: number };
    readonly answer: Float32Array;
  };
  readonly encode: {
    readonly request: { readonly model: ModelId; readonly payload: ImagePayload | EmptyPayload; readonly input: Region };
    /** Undefined for an empty payload, which has nothing to be transformed back to. */
    readonly answer: ImageTransform | undefined;
  };
  readonly decode: {
    readonly request: {
      readonly model: ModelId;
      readonly outputs: readonly Region[];
      readonly transform: ImageTransform;
      readonly options: DecodeOptions;
    };
    readonly answer: readonly ResultItem[];
  };
}
