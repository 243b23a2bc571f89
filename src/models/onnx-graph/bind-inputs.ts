import { CoxswainError } from '../../core/errors.ts';
import type { OnnxDimension, OnnxPort } from './graph.ts';
import { isShape, shapeText, type TensorSketch } from './tensor.ts';

/** What the model leaves open. */
export interface BindOptions {
  /** Sizes by name: that of the file, or `input[axis]` for an axis without one. Sums such as `past + 1` are worked out from their parts. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Whole shapes by input, as a manifest gives them. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Numbers fed to small inputs on which shapes or branches depend, such as a sample rate. */
  readonly values?: Readonly<Record<string, readonly number[]>>;
}

/** A size from its name, or undefined. */
export function boundSize(dimension: OnnxDimension, dims: Readonly<Record<string, number>>): number | undefined {
  if (dimension === null || typeof dimension === 'number') return dimension ?? undefined;
  if (Object.hasOwn(dims, dimension)) return dims[dimension];
  const text = dimension.trim();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const parts = text.split(/[+*]/);
  if (parts.length === 1 || parts.length > PARTS_MAX) return text !== dimension ? boundSize(text, dims) : undefined;
  const isProduct = !text.includes('+');
  const operands = isProduct ? parts : text.split('+');
  const sizes = operands.map((part) => boundSize(part.trim(), dims));
  if (sizes.includes(undefined)) return undefined;
  return sizes.reduce<number>((result, size) => (isProduct ? result * (size ?? 1) : result + (size ?? 0)), isProduct ? 1 : 0);
}

/** An input that leaves something open. */
export interface OpenInput {
  readonly name: string;
  /** The names by which its open sizes are given in `dims`, those of the parts of sums and products; undefined where it has no shape at all. */
  readonly sizes: readonly string[] | undefined;
}

/** What has to be given of these inputs besides what is. */
export function openInputs(ports: readonly OnnxPort[], { dims = {}, shapes = {} }: BindOptions = {}): readonly OpenInput[] {
  return ports.flatMap(({ name, type, shape }): OpenInput[] => {
    if (type === undefined || Object.hasOwn(shapes, name)) return [];
    if (shape === undefined) return [{ name, sizes: undefined }];
    const sizes = shape.flatMap((dimension, axis) => {
      const unnamed = `${name}[${axis}]`;
      if (boundSize(dimension, dims) !== undefined || Object.hasOwn(dims, unnamed)) return [];
      return typeof dimension === 'string' ? partsOf(dimension) : [unnamed];
    });
    return sizes.length === 0 ? [] : [{ name, sizes: [...new Set(sizes)].filter((size) => boundSize(size, dims) === undefined) }];
  });
}

/** Of `past + 1` only `past`. */
function partsOf(dimension: string): readonly string[] {
  const parts = dimension.split(/[+*]/).map((part) => part.trim());
  if (parts.length === 1 || parts.length > PARTS_MAX || parts.includes('')) return [dimension];
  return parts.filter((part) => !/^\d{1,15}$/.test(part));
}

/** In a sum or product of sizes. */
const PARTS_MAX = 8;

/**
 * The inputs with every size known, in their order; one that is no tensor is undefined. CONFIG_INVALID names every size that is missing, and any that is not
 * a size or contradicts the model.
 */
export function bindInputs(ports: readonly OnnxPort[], options: BindOptions): (TensorSketch | undefined)[] {
  const missing: string[] = [];
  const bound = ports.map((port) => bindInput(port, options, missing));
  if (missing.length === 0) return bound;
  const described = ports.map((port) => `${port.name} ${port.shape === undefined ? 'of any shape' : shapeText(port.shape)}`).join(', ');
  throw invalid(
    `the model leaves sizes open: ${[...new Set(missing)].join(', ')}; give them in dims, or the shapes of its inputs (${described})`,
  );
}

function bindInput(port: OnnxPort, options: BindOptions, missing: string[]): TensorSketch | undefined {
  if (port.type === undefined) return undefined;
  const given = own(options.shapes, port.name);
  const declared = port.shape ?? given;
  if (declared === undefined) {
    missing.push(`the shape of "${port.name}"`);
    return undefined;
  }
  if (given !== undefined && given.length !== declared.length)
    throw invalid(`input "${port.name}" has the shape ${shapeText(declared)}, and ${shapeText(given)} was given`);
  const shape = declared.map((dimension, axis) => {
    const size = given?.[axis] ?? boundSize(dimension, options.dims ?? {}) ?? own(options.dims, `${port.name}[${axis}]`);
    if (size === undefined) missing.push(`"${dimension ?? `${port.name}[${axis}]`}"`);
    if (typeof dimension === 'number' && size !== dimension)
      throw invalid(`input "${port.name}" has the shape ${shapeText(declared)}, and ${size} was given for axis ${axis}`);
    return size ?? 1;
  });
  if (!isShape(shape))
    throw invalid(
      `input "${port.name}" cannot have the shape ${shapeText(shape)}; sizes are whole numbers from 0, and not too many elements`,
    );
  return { type: port.type, shape, data: fed(port, shape, own(options.values, port.name)) };
}

function fed(port: OnnxPort, shape: readonly number[], values: readonly number[] | undefined): readonly number[] | undefined {
  const count = shape.reduce((product, size) => product * size, 1);
  if (values !== undefined && values.length !== count)
    throw invalid(`input "${port.name}" ${shapeText(shape)} takes ${count} numbers, and ${values.length} were given`);
  return values;
}

const invalid = (message: string): CoxswainError => new CoxswainError('CONFIG_INVALID', message);

/** A model may name its inputs after what every object has. */
const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
