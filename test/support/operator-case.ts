import { onnxModel, type TestAttribute, type TestConstant, type TestPort, type TestType } from './onnx-model.ts';

/** An input of an operator: fed, or stored in the model (`isStored`); null is left out. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly type?: TestType;
  readonly values?: readonly number[];
  readonly isStored?: boolean;
}

/** One node with what comes out of it, computed by hand from the specification of the operator. */
export interface OperatorCase {
  readonly title: string;
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly (CaseInput | null)[];
  readonly attributes?: Readonly<Record<string, TestAttribute>>;
  /** `type[sizes]` of every output asked for. */
  readonly outputs: readonly string[];
  readonly macs?: number;
  readonly weightBytes?: number;
}

const nameOf = (index: number): string => `in${index}`;

/** The case as a model of one node. */
export function caseModel({ op, domain, opset = 17, inputs, attributes = {}, outputs }: OperatorCase): Uint8Array {
  const ports: TestPort[] = [];
  const constants: TestConstant[] = [];
  inputs.forEach((input, index) => {
    if (input === null) return;
    const { isStored, ...rest } = input;
    if (isStored) constants.push({ name: nameOf(index), ...rest });
    else ports.push({ name: nameOf(index), shape: input.shape, ...(input.type === undefined ? {} : { type: input.type }) });
  });
  const names = outputs.map((_, index) => `out${index}`);
  const node = { op, inputs: inputs.map((input, index) => (input === null ? '' : nameOf(index))), outputs: names, attributes };
  return onnxModel({
    opset,
    nodes: [domain === undefined ? node : { ...node, domain }],
    inputs: ports,
    outputs: outputs.map((text, index) => ({ name: names[index] ?? '', type: text.split('[')[0] as TestType })),
    constants,
  });
}

export function caseFeeds({ inputs }: OperatorCase): Record<string, CaseInput> {
  return Object.fromEntries(inputs.flatMap((input, index) => (input === null || input.isStored ? [] : [[nameOf(index), input]])));
}
