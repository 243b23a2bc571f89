import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRunsOf, takeNodeRuns } from '../../../../src/devices/ort/node-runs.ts';

const kernel = (op: string, dur: number, ...shapes: readonly Record<string, number[]>[]): object => ({
  cat: 'Node',
  name: `${op}_kernel_time`,
  dur,
  args: { op_name: op, output_type_shape: shapes, thread_scheduling_stats: '' },
});
const OTHER = [{ cat: 'Session', name: 'model_run', dur: 99 }, { cat: 'Node', name: 'fence_before', dur: 7 }, {}];

const dir = mkdtempSync(join(tmpdir(), 'coxswain-profile-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the profile of a network', () => {
  it('tells each node with its shortest time and what it gave, and nothing else', () => {
    const first = [kernel('Conv', 90, { float: [1, 8] }), kernel('Split', 5, { int64: [2] }, { uint8: [3] })];
    const second = [kernel('Conv', 70, { float: [1, 8] }), kernel('Split', 6, { int64: [2] }, { uint8: [3] })];
    expect(nodeRunsOf(JSON.stringify([...OTHER, ...first, ...OTHER, ...second]), 2)).toEqual([
      { operator: 'Conv', us: 70, outputs: [{ type: 'float32', shape: [1, 8] }] },
      {
        operator: 'Split',
        us: 5,
        outputs: [
          { type: 'int64', shape: [2] },
          { type: 'uint8', shape: [3] },
        ],
      },
    ]);
  });

  it('gives a type that it does not know one that never crosses', () => {
    expect(nodeRunsOf(JSON.stringify([kernel('Q', 1, { bfloat16: [4] }), kernel('R', 1, {})]), 1)).toMatchObject([
      { outputs: [{ type: 'string', shape: [4] }] },
      { outputs: [{ type: 'string', shape: [] }] },
    ]);
  });

  it.each([
    ['had other nodes in each run', [kernel('A', 1), kernel('B', 1)]],
    ['had other shapes in each run', [kernel('A', 1, { float: [2] }), kernel('A', 1, { float: [3] })]],
    ['is one node short', [kernel('A', 1), kernel('A', 1), kernel('A', 1)]],
    ['has no nodes', OTHER],
  ])('says nothing when it %s', (_, rows) => {
    expect(nodeRunsOf(JSON.stringify(rows), 2)).toBeUndefined();
  });

  it('is taken away once it was read, and says nothing when it is not there or is no JSON', () => {
    writeFileSync(join(dir, '1.onnx.profile_2026.json'), JSON.stringify([kernel('A', 3)]));
    writeFileSync(join(dir, '2.onnx.profile_2026.json'), '[{"cat": "Node", ');
    expect(takeNodeRuns(join(dir, '1.onnx.profile'), 1)).toEqual([{ operator: 'A', us: 3, outputs: [] }]);
    expect(takeNodeRuns(join(dir, '2.onnx.profile'), 1)).toBeUndefined();
    expect(takeNodeRuns(join(dir, '3.onnx.profile'), 1)).toBeUndefined();
    expect(readdirSync(dir)).toEqual([]);
  });
});
