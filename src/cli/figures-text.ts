import type { Report } from '../telemetry/report-schema.ts';
import type { Tone } from './paint.ts';

/** Three significant digits at most, and a dash for what was not measured. */
export function formatMs(milliseconds: number | null): string {
  if (milliseconds === null) return '-';
  if (milliseconds < 1) return milliseconds.toFixed(2);
  return milliseconds < 10 ? milliseconds.toFixed(1) : String(Math.round(milliseconds));
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Microseconds with their unit, milliseconds from 10 ms on. */
export function formatUs(microseconds: number | null): string {
  if (microseconds === null) return '-';
  return microseconds < 10_000 ? `${Math.round(microseconds)} µs` : `${formatMs(microseconds / 1000)} ms`;
}

export const formatPercent = (ratio: number): string => `${Math.round(Math.min(1, Math.max(0, ratio)) * 100)} %`;

export const sumOf = (counts: Readonly<Partial<Record<string, number>>>): number =>
  Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);

/** `superseded 12, infeasible 3`, the most frequent first. */
export const formatCounts = (counts: Readonly<Partial<Record<string, number>>>): string =>
  Object.entries(counts)
    .map(([reason, count]): [string, number] => [reason, count ?? 0])
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

/** Red beyond the deadline, yellow from 80 % of it, green below. */
export function latencyTone(milliseconds: number | null, deadlineMs: number): Tone | undefined {
  if (milliseconds === null) return 'dim';
  if (milliseconds > deadlineMs) return 'red';
  return milliseconds > 0.8 * deadlineMs ? 'yellow' : 'green';
}

export const stateTone = (state: Report['cores'][number]['state']): Tone =>
  state === 'ready' ? 'green' : state === 'starting' ? 'yellow' : 'red';

const FULL = '█';
const EMPTY = '░';

export function bar(ratio: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * cells);
  return FULL.repeat(full) + EMPTY.repeat(cells - full);
}
