import type { LayerCost } from '../../core/layer-cost.ts';
import type { CoreKind } from '../../core/soc-profile.ts';

/** A model that a core cannot reach as a whole. */
export interface WindowFit {
  readonly neededBytes: number;
  readonly haveBytes: number;
  readonly fits: boolean;
}

/** What has to be addressed to run a model. */
export interface Addressed {
  readonly layers: readonly LayerCost[];
  /** Of weights and state; activations come on top. */
  readonly residentBytes: number;
  /** Its layers may lie in several windows, as runtimes lay those of language models. */
  readonly isLanguage: boolean;
}

/**
 * Whether cores of this kind can address a model: its weights, its state, and what its largest layer reads and puts out. Undefined where no limit is known.
 * Whether other models have to share the window depends on the driver (one address space for each process, or one for all) and is not judged.
 */
export function windowFit({ layers, residentBytes, isLanguage }: Addressed, kind: CoreKind): WindowFit | undefined {
  if (kind.addressWindowBytes === undefined) return undefined;
  const activationBytes = layers.reduce(
    (most, { inputBytes, outputBytes, stateBytes = 0 }) => Math.max(most, inputBytes + outputBytes - stateBytes),
    0,
  );
  const neededBytes = residentBytes + Math.max(0, activationBytes);
  const haveBytes = kind.addressWindowBytes * (isLanguage ? (kind.addressWindows ?? 1) : 1);
  return { neededBytes, haveBytes, fits: neededBytes <= haveBytes };
}
