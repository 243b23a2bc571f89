import { CoxswainError } from '../core/errors.ts';
import type { ModelSpec, TensorSpec } from '../core/model.ts';

/** MODEL_CONTRACT for a manifest entry that its codec cannot serve. `got` and `wanted` describe tensors. */
export function contractError(model: ModelSpec, got: string, wanted: string): CoxswainError {
  return new CoxswainError(
    'MODEL_CONTRACT',
    `model ${model.id}: codec ${model.codec} needs ${wanted}, but the manifest says ${got}; correct the manifest entry.`,
  );
}

export const describeTensors = (tensors: readonly TensorSpec[]): string =>
  tensors.length === 0 ? 'none' : tensors.map((tensor) => `${tensor.name} ${tensor.type} [${tensor.shape.join(',')}]`).join(', ');

/** The only input of a model, held to `float32` and a shape in which -1 stands for any size. */
export function onlyInput(model: ModelSpec, shape: readonly number[]): TensorSpec {
  const [input, ...others] = model.inputs;
  const fits = input !== undefined && others.length === 0 && input.type === 'float32' && fitsShape(input.shape, shape);
  if (!fits)
    throw contractError(model, `inputs ${describeTensors(model.inputs)}`, `one float32 input of shape [${shape.join(',')}] (-1: any)`);
  return input;
}

/** Where in `model.outputs` the one float32 tensor of `shape` stands, or -1; -1 in the shape stands for any size. */
export const outputOfShape = (model: ModelSpec, shape: readonly number[]): number =>
  model.outputs.findIndex((output) => output.type === 'float32' && fitsShape(output.shape, shape));

/** The size of one axis; the caller has held the shape to its rank. */
export const axis = (tensor: Pick<TensorSpec, 'shape'>, index: number): number => tensor.shape[index] ?? 1;

const fitsShape = (got: readonly number[], wanted: readonly number[]): boolean =>
  got.length === wanted.length && got.every((size, index) => wanted[index] === -1 || wanted[index] === size);
