import { CHANNELS_SECOND } from '../graph-builder.ts';
import { at, type Operator, type OperatorContext } from '../operator.ts';
import { slidingWindow } from '../window.ts';

/** Graphs made from frameworks that pad with minus infinity write the lowest single here. */
const LOWEST_FLOAT = -3.4028234663852886e38;

/** ONNX's own padding of MaxPool counts as minus infinity. */
export const maxPool: Operator = (context) => pool(context, 'MaxPool', (fill) => fill <= LOWEST_FLOAT, {});

/** TF's average leaves padding out of the count, and so does ONNX with `count_include_pad` 0; padding with zeros as a node of its own counts. */
export const avgPool: Operator = (context) => pool(context, 'AveragePool', () => false, { count_include_pad: 0 });

function pool(context: OperatorContext, type: string, absorbs: (fill: number) => boolean, attributes: Record<string, number>) {
  const size = context.node.attributes.integers('ksize') ?? [];
  const window = slidingWindow(context, context.value(0), [at(size, 1), at(size, 2)], absorbs);
  const input = context.builder.inOrder(window.input, CHANNELS_SECOND);
  const name = context.builder.emitOne(type, context.node.name, [input.name], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: window.pads,
    ...attributes,
  });
  return [{ name, shape: [at(input.shape, 0), ...window.size, at(input.shape, 3)], order: CHANNELS_SECOND }];
}
