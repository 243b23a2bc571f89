import { type CsvProblem, csvInvalid } from '../../core/csv-table.ts';
import { firstKindCountOf, type SocProfile } from '../../core/soc-profile.ts';
import type { Measurement } from './measurement.ts';

/** Cores that a row names beyond those that a chip has for models, as a clause; undefined where there are enough. */
export function tooManyCores({ work }: Measurement, profile: SocProfile): string | undefined {
  const named = work.kind === 'network' || work.kind === 'decode' ? (work.cores ?? 1) : 1;
  const count = firstKindCountOf(profile);
  return named <= count ? undefined : `it names ${named} cores, and ${profile.id} has ${count}`;
}

/** Rows that are of a chip must be possible on it. Errors: CONFIG_INVALID, with file and line. */
export function requireCores(measurements: readonly Measurement[], profile: SocProfile): void {
  const problems = new Map<string, CsvProblem[]>();
  for (const measurement of measurements) {
    const text = tooManyCores(measurement, profile);
    if (text === undefined) continue;
    const { file, line } = measurement;
    problems.set(file, [...(problems.get(file) ?? []), { line, text }]);
  }
  for (const [file, found] of problems) throw csvInvalid(file, found);
}
