import { CoxswainError } from '../core/errors.ts';
import type { ModelSpec } from '../core/model.ts';

/** Holds a model's file to what the manifest says. Errors: MODEL_HASH_MISMATCH. */
export function requireManifestHash({ id, file }: Pick<ModelSpec, 'id' | 'file'>, got: string, wanted: string): void {
  if (got === wanted) return;
  throw new CoxswainError(
    'MODEL_HASH_MISMATCH',
    `model ${id}: ${file} hashes to ${got}, the manifest says ${wanted}; get it again or correct the manifest`,
  );
}
