import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/scheduling.md'), 'utf8');

it('the example of docs/scheduling.md is what the scheduler does', () => {
  const streams: StreamOptions[] = [
    { id: 'camera', criticality: 'safety', costMs: 8, periodMs: 33, deadlineMs: 25 },
    { id: 'voice', criticality: 'interactive', costMs: 4, deadlineMs: 40 },
    { id: 'scene', costMs: 48, deadlineMs: 500 },
  ];
  const switchUs = [1, 1, 1].map(durationFromMs);
  const steps = { kind: 'blocks' as const, shares: [0.25, 0.25, 0.25, 0.25], switchUs };
  const models = planFor(streams).models.map((row) => (row.model === 'scene' ? { ...row, steps } : row));
  const bench = new Bench(streams, { cores: [0], models, preemption: { kind: 'between-steps' } });
  bench.up(0);

  const block = /```text\n(.*?)```/s.exec(page)?.[1] ?? '';
  const lines = block.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) {
    const [, at, stream = '', job, what = '', decided] = /^ *(\d+) {2}(\w+) (\d+) (.*?) {2,}(.*)$/.exec(line) ?? [];
    const [atMs, id] = [Number(at), Number(job)];
    let words: string[];
    const left = /leaves off after (\d)/.exec(what)?.[1];
    if (what === 'arrives') words = bench.arrive(atMs, stream);
    else if (left !== undefined) {
      const progress = { steps: Number(left), isLast: false };
      words = bench.tell({ kind: 'segment-done', at: bench.at(atMs), core: 0, job: id, ranUs: durationUs(1), progress });
    } else {
      words = bench.done(atMs, id);
      bench.decoded(atMs + 1, id);
    }
    expect(words.join('; ') || '-', line).toBe(decided);
  }
});
