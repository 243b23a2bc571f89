import { type DurationUs, durationFromMs } from '../core/units.ts';
import { UsageError } from './exit-code.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Thirty days; a longer run needs no end. */
const DURATION_MAX_MS = 30 * 24 * 3_600_000;

/** `500ms`, `20s`, `1.5m`, `1h`. Errors: UsageError. */
export function parseDuration(text: string): DurationUs {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const milliseconds = match === null ? Number.NaN : Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN);
  if (!(milliseconds > 0 && milliseconds <= DURATION_MAX_MS))
    throw new UsageError(`"${text}" is not a duration: give a number above 0 with its unit, such as 500ms, 20s, 5m or 1h (at most 720h)`);
  return durationFromMs(milliseconds);
}

/** `0:07`, `12:34`, `1:02:03`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
