import type { AnalysisTask } from '../../../../src/scheduler/analysis/task.ts';
import { WorkBound } from '../../../../src/scheduler/analysis/work-bound.ts';

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

export const plenty = (): WorkBound => new WorkBound(100_000_000);

/** More sets under COXSWAIN_SEEDS, as many more hundreds per cent. */
export const setCount = (count: number): number => count * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));
