import { elementTypeOf } from './element-type.ts';
import {
  GRAPH_LIMITS,
  type OnnxAttribute,
  type OnnxBlock,
  type OnnxConstant,
  type OnnxDimension,
  type OnnxNode,
  type OnnxPort,
} from './graph.ts';
import { orderNodes, type Scope } from './order-nodes.ts';
import { ProtoMessage } from './proto-message.ts';
import { type ReadBudget, readConstant } from './read-constant.ts';

/** Reads a `GraphProto`. `outer` are the names of the graphs around it, which its nodes may read. */
export function readBlock(bytes: Uint8Array, place: string, budget: ReadBudget, outer: Scope, depth: number): OnnxBlock {
  const message = new ProtoMessage(bytes, place);
  if (depth > GRAPH_LIMITS.nesting) message.fail(`subgraphs lie ${depth} deep; at most ${GRAPH_LIMITS.nesting} are allowed`);
  const nodeBytes: Uint8Array[] = [];
  const constants = new Map<string, OnnxConstant>();
  const ports: { inputs: OnnxPort[]; outputs: OnnxPort[]; declared: OnnxPort[] } = { inputs: [], outputs: [], declared: [] };
  let name = '';
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) nodeBytes.push(message.bytes());
    else if (field === 2) name = message.text();
    else if (field === 5) addConstant(constants, readConstant(message.bytes(), `${place}.initializer[${constants.size}]`, budget), message);
    else if (field === 11) ports.inputs.push(readPort(message.bytes(), `${place}.input[${ports.inputs.length}]`));
    else if (field === 12) ports.outputs.push(readPort(message.bytes(), `${place}.output[${ports.outputs.length}]`));
    else if (field === 13) ports.declared.push(readPort(message.bytes(), `${place}.value_info[${ports.declared.length}]`));
    else if (field === 15) message.fail('sparse initialisers are not supported; store them dense');
  }
  budget.nodes += nodeBytes.length;
  if (budget.nodes > GRAPH_LIMITS.nodes) message.fail(`the model has more than ${GRAPH_LIMITS.nodes} nodes`);
  const inputs = ports.inputs.filter((port) => !constants.has(port.name));
  const own = namesOf(message, inputs, constants);
  const drafts = nodeBytes.map((node, index) => readNodeHead(node, `${place}.node[${index}]`));
  const made = new Set(drafts.flatMap((draft) => draft.outputs.filter((output) => output !== '')));
  const inner: Scope = { has: (name) => own.has(name) || made.has(name) || outer.has(name) };
  const nodes = drafts.map((draft, index) => readAttributes(draft, `${place}.node[${index}] "${draft.name}"`, budget, inner, depth));
  const outputNames = ports.outputs.map((port) => port.name);
  const ordered = orderNodes({ place, nodes, own, outer, outputNames });
  const declared = new Map([...ports.declared, ...ports.outputs].map((port) => [port.name, port]));
  return { name, nodes: ordered, constants, inputs, outputs: ports.outputs, declared };
}

function addConstant(constants: Map<string, OnnxConstant>, constant: OnnxConstant, message: ProtoMessage): void {
  if (constants.has(constant.name)) message.fail(`two initialisers are named "${constant.name}"`);
  constants.set(constant.name, constant);
}

function namesOf(message: ProtoMessage, inputs: readonly OnnxPort[], constants: ReadonlyMap<string, OnnxConstant>): Set<string> {
  const names = new Set(constants.keys());
  for (const { name } of inputs) {
    if (names.has(name)) message.fail(`two inputs are named "${name}"`);
    names.add(name);
  }
  return names;
}

interface NodeDraft extends Omit<OnnxNode, 'attributes'> {
  readonly attributeBytes: readonly Uint8Array[];
}

function readNodeHead(bytes: Uint8Array, place: string): NodeDraft {
  const message = new ProtoMessage(bytes, place);
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributeBytes: Uint8Array[] = [];
  let [name, operator, domain] = ['', '', ''];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) inputs.push(message.text());
    else if (field === 2) outputs.push(message.text());
    else if (field === 3) name = message.text();
    else if (field === 4) operator = message.text();
    else if (field === 5) attributeBytes.push(message.bytes());
    else if (field === 7) domain = message.text();
  }
  if (operator === '') message.fail('a node names no operator');
  if (name === '') name = `${operator} #${/\d+(?=\]$)/.exec(place)?.[0] ?? ''}`;
  return { name, operator, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributeBytes };
}

function readAttributes(draft: NodeDraft, place: string, budget: ReadBudget, outer: Scope, depth: number): OnnxNode {
  const { attributeBytes, ...head } = draft;
  const attributes = new Map<string, OnnxAttribute>();
  for (const bytes of attributeBytes) {
    const [name, attribute] = readAttribute(bytes, place, budget, outer, depth);
    attributes.set(name, attribute);
  }
  return { ...head, attributes };
}

function readAttribute(bytes: Uint8Array, place: string, budget: ReadBudget, outer: Scope, depth: number): [string, OnnxAttribute] {
  const message = new ProtoMessage(bytes, place);
  const limit = GRAPH_LIMITS.attributeItems;
  const numbers: number[] = [];
  const texts: string[] = [];
  let name = '';
  let type = 0;
  let single: OnnxAttribute | undefined;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) name = message.text();
    else if (field === 2) single = { kind: 'number', value: message.float() };
    else if (field === 3) single = { kind: 'number', value: message.integer() };
    else if (field === 4) single = { kind: 'text', value: textOf(message.bytes()) };
    else if (field === 5) single = { kind: 'constant', constant: readConstant(message.bytes(), `${place}.${name}`, budget) };
    else if (field === 6)
      single = { kind: 'block', block: readBlock(message.bytes(), `${place}.${name || 'body'}`, budget, outer, depth + 1) };
    else if (field === 7) message.floatsInto(numbers, limit);
    else if (field === 8) message.integersInto(numbers, limit);
    else if (field === 9) texts.push(message.text());
    else if (field === 20) type = message.integer();
    if (texts.length > limit) message.fail(`more than ${limit} texts in one attribute`);
  }
  return [name, single ?? listAttribute(type, numbers, texts)];
}

/** Numbers of `AttributeProto.AttributeType`. proto3 leaves out zeros: an int or a float without a value is 0, a list without items is empty. */
function listAttribute(type: number, numbers: readonly number[], texts: readonly string[]): OnnxAttribute {
  if (type === 1 || type === 2) return { kind: 'number', value: 0 };
  if (type === 3) return { kind: 'text', value: '' };
  if (texts.length > 0 || type === 8) return { kind: 'texts', values: texts };
  if (numbers.length > 0 || type === 6 || type === 7) return { kind: 'numbers', values: numbers };
  return { kind: 'other' };
}

/** Text attributes may hold whole programs; only what could be a mode or an equation is decoded. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, GRAPH_LIMITS.nameLength));

function readPort(bytes: Uint8Array, place: string): OnnxPort {
  const message = new ProtoMessage(bytes, place);
  let name = '';
  let tensor: Omit<OnnxPort, 'name'> = { type: undefined, shape: undefined };
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) name = message.text();
    else if (field === 2) tensor = readTypeOf(message.bytes(), place);
  }
  return { name, ...tensor };
}

function readTypeOf(bytes: Uint8Array, place: string): Omit<OnnxPort, 'name'> {
  const outer = new ProtoMessage(bytes, place);
  let found: Omit<OnnxPort, 'name'> = { type: undefined, shape: undefined };
  for (let field = outer.next(); field !== 0; field = outer.next()) {
    // Field 1 is tensor_type; sequences, maps and optionals have none of their own.
    if (field !== 1) continue;
    const message = new ProtoMessage(outer.bytes(), place);
    let code = 0;
    let shape: OnnxDimension[] | undefined;
    for (let inner = message.next(); inner !== 0; inner = message.next()) {
      if (inner === 1) code = message.integer();
      else if (inner === 2) shape = readShape(message.bytes(), place);
    }
    found = { type: elementTypeOf(code), shape };
  }
  return found;
}

function readShape(bytes: Uint8Array, place: string): OnnxDimension[] {
  const message = new ProtoMessage(bytes, place);
  const shape: OnnxDimension[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field !== 1) continue;
    if (shape.length >= GRAPH_LIMITS.rank) message.fail(`a shape has more than ${GRAPH_LIMITS.rank} axes`);
    const axis = new ProtoMessage(message.bytes(), place);
    let size: OnnxDimension = null;
    for (let inner = axis.next(); inner !== 0; inner = axis.next()) {
      // Exporters write -1 and 0 for a size that is left open.
      if (inner === 1) size = positiveOrOpen(axis.integer(), axis);
      else if (inner === 2) size = axis.text() || null;
    }
    shape.push(size);
  }
  return shape;
}

function positiveOrOpen(size: number, message: ProtoMessage): number | null {
  if (size > GRAPH_LIMITS.elements) message.fail(`an axis of ${size} elements; at most ${GRAPH_LIMITS.elements} are allowed`);
  return size > 0 ? size : null;
}
