import type { CoreTask } from '../../../../src/scheduler/analysis/core-bound.ts';
import type { AnalysisTask } from '../../../../src/scheduler/analysis/task.ts';
import { WorkBound } from '../../../../src/scheduler/analysis/work-bound.ts';
import type { PlayedTask } from './played-schedule.ts';

type Given = Pick<AnalysisTask, 'cost' | 'period'> & Partial<AnalysisTask>;

/** With every key that is not given at its default. */
export function analysisTasks(rows: readonly Given[]): AnalysisTask[] {
  return rows.map((row, index) => ({
    id: String(index + 1),
    deadline: row.period,
    blocking: 0,
    jitter: 0,
    isHigh: false,
    costHigh: row.cost,
    cores: 1,
    path: row.cost,
    segment: row.cost,
    group: '',
    ...row,
  }));
}

/** As a core sees it: one uncut run a period, steady. */
export const classTask = ({ cost, period, deadline, rank }: PlayedTask, index: number): CoreTask => ({
  id: String(index),
  rank: rank ?? 0,
  cost,
  segment: cost,
  last: cost,
  run: cost,
  period,
  deadline,
  early: 0,
  jitter: 0,
});

export const plenty = (): WorkBound => new WorkBound(100_000_000);

/** More sets under COXSWAIN_SEEDS, as many more hundreds per cent. */
export const setCount = (count: number): number => count * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));
