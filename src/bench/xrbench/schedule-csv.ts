import type { FrameLog } from './score.ts';

const TITLES =
  'AcceleratorID,Model Name,Frame ID,Injection Time (ms),Dispatch Time (ms),Deadline Time (ms),Completion Time (ms),Violated Deadline Amount (ms),Energy (mJ)';

/** The executed frames in the columns of the published schedule: by accelerator, then in order of their end. */
export function scheduleCsv(log: readonly FrameLog[]): string {
  const ran = log.filter(({ core }) => core !== undefined).sort((a, b) => (a.core ?? 0) - (b.core ?? 0) || a.completedMs - b.completedMs);
  const lines = ran.map((frame) => {
    const times = [frame.injectedMs, frame.dispatchedMs, frame.deadlineMs, frame.completedMs, frame.completedMs - frame.deadlineMs];
    return [frame.core, frame.model, frame.frame, ...[...times, frame.energyMj].map((value) => value.toFixed(6))].join();
  });
  return `${[TITLES, ...lines].join('\n')}\n`;
}
