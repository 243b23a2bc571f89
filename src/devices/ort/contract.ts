import type { InferenceSession } from 'onnxruntime-node';
import type { TensorSpec } from '../../core/model.ts';
import type { LoadableModel } from './protocol.ts';

type Metadata = InferenceSession.ValueMetadata;

/**
 * What a session's inputs and outputs have against the manifest entry, one sentence each; empty when nothing. Inputs must be the same set. Outputs may be more than
 * those named: the others are not computed into anything we read. A dimension that the model leaves open fits every size.
 */
export function contractViolations(model: LoadableModel, inputs: readonly Metadata[], outputs: readonly Metadata[]): readonly string[] {
  const wantedInputs = [...model.inputs, ...model.states.map((state) => state.input), ...model.constants];
  const wantedOutputs = [...model.outputs, ...model.states.map((state) => state.output)];
  const unfed = inputs.filter(({ name }) => !wantedInputs.some((wanted) => wanted.name === name));
  return [
    ...violationsOf('input', wantedInputs, inputs),
    ...unfed.map(({ name }) => `the model has an input ${quote(name)} that the manifest does not name`),
    ...violationsOf('output', wantedOutputs, outputs),
    ...model.states.flatMap(({ input, output }) =>
      input.type === output.type && sameShape(input.shape, output.shape)
        ? []
        : [`the state ${quote(input.name)} is ${describe(input)} going in and ${describe(output)} coming out; both must be the same`],
    ),
    ...model.constants.flatMap(({ name, shape, values }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return values.length === count ? [] : [`the constant ${quote(name)} has ${values.length} values; its shape holds ${count}`];
    }),
  ];
}

function violationsOf(side: 'input' | 'output', wanted: readonly TensorSpec[], got: readonly Metadata[]): string[] {
  const names = got.map(({ name }) => quote(name)).join(', ');
  return wanted.flatMap((spec) => {
    const metadata = got.find(({ name }) => name === spec.name);
    if (metadata === undefined)
      return [`the manifest names an ${side} ${quote(spec.name)}; the model has ${names === '' ? 'none' : names}`];
    if (!metadata.isTensor) return [`the ${side} ${quote(spec.name)} of the model is not a tensor`];
    if (metadata.type === spec.type && fits(spec.shape, metadata.shape)) return [];
    return [`the ${side} ${quote(spec.name)} is ${describe(metadata)} in the model and ${describe(spec)} in the manifest`];
  });
}

/** The ONNX Runtime reports a tensor of unknown rank as one of rank 0; such a shape can only be checked by running. */
function fits(wanted: readonly number[], got: readonly (number | string)[]): boolean {
  if (got.length === 0) return true;
  return got.length === wanted.length && got.every((size, axis) => typeof size !== 'number' || size < 0 || size === wanted[axis]);
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);
const quote = (name: string): string => JSON.stringify(name);
const describe = ({ type, shape }: { readonly type: string; readonly shape: readonly (number | string)[] }): string =>
  `${type} [${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`;
