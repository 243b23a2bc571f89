import type { OperatorRule } from '../operator-call.ts';

/**
 * Input [steps, batch, features]; each step and direction multiplies [x, h] with the `gates` weight matrices. The weights are counted once: a core that
 * cannot keep them reads them every step. Outputs: all steps [steps, directions, batch, hidden], the last state, and for LSTM the last cell.
 */
const recurrent = (gates: number, opsPerGate: number): OperatorRule => {
  return (call) => {
    const { type, shape } = call.input(0);
    const [first, second, features] = shape;
    const [directions, rows] = call.shape(1);
    if (first === undefined || second === undefined || features === undefined || directions === undefined || rows === undefined)
      return call.fail('it needs an input of three axes and weights [directions, gates x hidden, features]');
    const isBatchFirst = call.number('layout', 0) === 1;
    const [steps, batch] = isBatchFirst ? [second, first] : [first, second];
    const hidden = call.number('hidden_size', rows / gates);
    if (rows !== gates * hidden) call.fail(`weights of ${rows} rows for ${gates} gates of ${hidden}`);
    const all = isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
    const last = { type, shape: isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden] };
    const product = { m: batch, n: rows, k: features + hidden, groups: steps * directions };
    const elementOps = steps * directions * batch * rows * opsPerGate;
    return { outputs: [{ type, shape: all }, last, last], work: { product, elementOps } };
  };
};

export const recurrentRules: Readonly<Record<string, OperatorRule>> = {
  // A gate costs an activation of four operations, two bias additions and about two for mixing it in.
  LSTM: recurrent(4, 8),
  GRU: recurrent(3, 8),
  RNN: recurrent(1, 6),
};
