import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ElementType } from '../../models/onnx-graph/element-type.ts';
import type { GivenTensor, NodeRun } from '../../models/onnx-graph/split-graph.ts';

/** What the ONNX Runtime's profiler writes of one kernel; of what it has besides nothing is read. */
interface ProfiledNode {
  readonly cat?: string;
  readonly name?: string;
  readonly dur?: number;
  readonly args?: { readonly op_name?: string; readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[] };
}

/** As the profiler names them, after the types of C++. */
const TYPES: Readonly<Record<string, ElementType>> = {
  float: 'float32',
  double: 'float64',
  float16: 'float16',
  bool: 'bool',
  int8: 'int8',
  uint8: 'uint8',
  int32: 'int32',
  int64: 'int64',
};

const KERNEL = /_kernel_time$/;

/**
 * Takes away the profile that begins with `prefix` and tells the nodes of its runs, in the order in which they ran, each with its shortest time. `runs` is how many there were.
 * Undefined when there is no profile, when it cannot be read, or when the runs differ, in shapes too.
 */
export function takeNodeRuns(prefix: string, runs: number): readonly NodeRun[] | undefined {
  const folder = dirname(prefix);
  const [name] = readdirSync(folder).filter((file) => file.startsWith(basename(prefix)));
  if (name === undefined) return undefined;
  const file = join(folder, name);
  try {
    return nodeRunsOf(readFileSync(file, 'utf8'), runs);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  } finally {
    rmSync(file, { force: true });
  }
}

/** As above, of the profile's text. Throws a SyntaxError for a text that is not JSON. */
export function nodeRunsOf(text: string, runs: number): readonly NodeRun[] | undefined {
  const nodes = (JSON.parse(text) as readonly ProfiledNode[]).filter(({ cat, name = '' }) => cat === 'Node' && KERNEL.test(name));
  const count = nodes.length / runs;
  if (!Number.isInteger(count) || count === 0) return undefined;
  const told: NodeRun[] = [];
  for (let index = 0; index < count; index += 1) {
    const same = Array.from({ length: runs }, (_, run) => nodeRunOf(nodes[run * count + index] as ProfiledNode));
    const [first] = same;
    if (first === undefined || same.some((other) => keyOf(other) !== keyOf(first))) return undefined;
    told.push({ ...first, us: Math.min(...same.map(({ us }) => us)) });
  }
  return told;
}

const keyOf = ({ operator, outputs }: NodeRun): string => JSON.stringify([operator, outputs]);

function nodeRunOf({ dur = 0, args }: ProfiledNode): NodeRun {
  return { operator: args?.op_name ?? '', us: dur, outputs: (args?.output_type_shape ?? []).map(givenOf) };
}

/** A type that is not known here is one that does not cross. */
function givenOf(output: Readonly<Record<string, readonly number[]>>): GivenTensor {
  const [entry] = Object.entries(output);
  return { type: TYPES[entry?.[0] ?? ''] ?? 'string', shape: entry?.[1] ?? [] };
}
